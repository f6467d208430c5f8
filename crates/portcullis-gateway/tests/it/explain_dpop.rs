//! Explanations of requests with a DPoP proof or a client certificate: on the command line, and at the console.

use std::time::{Duration, UNIX_EPOCH};

use portcullis_testkit::{Algorithm, AuthorizationServer, DpopCase, DpopClient};
use serde_json::{Value, json};

use crate::{
    forward_auth::send_to,
    support::{Gateway, issuer},
    terminal::{Desk, Ran},
};

const HOST: &str = "api.example.com";
const URL: &str = "https://api.example.com/orders/order?x=1";

/// A gateway with a console, and a client with a bound token.
struct Scene {
    gateway: Gateway,
    client: DpopClient,
    token: String,
}

impl Scene {
    async fn new(server: &AuthorizationServer, tables: &str) -> Self {
        let gateway = Gateway::start_with("console = true", &format!("{}{tables}", issuer(server, ""))).await;
        gateway.ready().await;
        let client = DpopClient::new(Algorithm::ES256);
        let token = server.token().bound_to_key(client.thumbprint()).sign();
        Self { gateway, client, token }
    }

    fn proof(&self) -> String {
        self.client.proof("GET", URL).token(&self.token).sign()
    }

    /// Asks the console.
    async fn asked(&self, question: &Value) -> Value {
        let url = format!("http://{}/console/explain", self.gateway.admin);
        let request = crate::support::client().post(url).header("content-type", "application/json");
        let answer = request.body(question.to_string()).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{question}");
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    /// Returns the code of the refusal of a request with this proof, or `pass`.
    async fn sent(&self, proof: &str) -> String {
        let fields = format!(
            "X-Forwarded-Method: GET\r\nX-Forwarded-Uri: /orders/order?x=1\r\nAuthorization: DPoP {}\r\nDPoP: {proof}\r\n",
            self.token
        );
        send_to(HOST, &self.gateway, "GET", "/auth", &fields).await.code()
    }
}

fn outcome(explanation: &Value, check: &str) -> Value {
    let found = explanation["checks"].as_array().unwrap().iter().find(|row| row["check"] == check);
    found.map_or(Value::Null, |row| row["outcome"].clone())
}

#[tokio::test]
async fn the_console_explains_a_proof_and_does_not_use_it_up() {
    let server = AuthorizationServer::start().await;
    let tables = "[dpop]\nuse = \"allowed\"\n[[headers]]\nname = \"X-Subject\"\nclaim = \"sub\"\n";
    let scene = Scene::new(&server, tables).await;
    let proof = scene.proof();
    let question = json!({ "token": scene.token, "method": "GET", "path": URL, "proof": proof });
    for _ in 0..2 {
        let told = scene.asked(&question).await;
        assert_eq!(told["explanation"]["verdict"], "passed", "{told}");
        assert_eq!(outcome(&told["explanation"], "proof_replay"), "passed", "{told}");
    }
    assert_eq!(scene.sent(&proof).await, "pass", "the console used the proof up");
    let told = scene.asked(&question).await;
    assert_eq!(told["explanation"]["code"], "dpop_replayed", "{told}");
    let other = json!({ "token": scene.token, "method": "DELETE", "path": URL, "proof": scene.proof() });
    assert_eq!(scene.asked(&other).await["explanation"]["code"], "dpop_method");
}
