//! Explanations of requests with a DPoP proof or a client certificate: on the command line, and at the console.

use std::time::{Duration, UNIX_EPOCH};

use portcullis_testkit::{Algorithm, AuthorizationServer, ClientIdentity, DpopClient};
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

#[tokio::test]
async fn the_console_needs_a_request_for_a_proof_and_never_logs_it() {
    let server = AuthorizationServer::start().await;
    let scene = Scene::new(&server, "[dpop]\nuse = \"required\"\nnonces = true\n").await;
    let proof = scene.proof();
    let told = scene.asked(&json!({ "token": scene.token, "path": "", "proof": proof })).await;
    assert_eq!(told["fault"]["code"], "no_request", "{told}");
    // The console knows the nonces of its gateway.
    let question = |proof: &str| json!({ "token": scene.token, "path": URL, "proof": format!("DPoP: {proof}\n") });
    assert_eq!(scene.asked(&question(&proof)).await["explanation"]["code"], "dpop_nonce_missing");
    let stale = scene.client.proof("GET", URL).token(&scene.token).nonce("never-given").sign();
    assert_eq!(scene.asked(&question(&stale)).await["explanation"]["code"], "dpop_nonce_stale");
    // Without a proof, the hint says what the client has to send.
    let told = scene.asked(&json!({ "token": scene.token, "path": URL })).await;
    assert_eq!(told["explanation"]["code"], "sender_constrained_token");
    let log = scene.gateway.log();
    for secret in [&proof, &stale, &scene.token].into_iter().flat_map(|text| text.split('.')) {
        assert!(!log.contains(secret), "{log}");
    }
}

/// Runs the command with a token from standard input.
async fn run(desk: &Desk, arguments: &[&str], token: &str) -> (Ran, Value) {
    let ran = desk.run(&[&["explain", "--json"], arguments].concat(), token).await;
    let report = serde_json::from_str(&ran.out).unwrap_or_default();
    (ran, report)
}

#[tokio::test]
async fn a_command_explains_a_proof_by_a_configuration_or_by_options() {
    let server = AuthorizationServer::start().await;
    let client = DpopClient::new(Algorithm::ES256);
    let token = server.token().bound_to_key(client.thumbprint()).sign();
    let bearer = server.token().sign();
    let good = client.proof("GET", URL).token(&token).sign();
    let header = format!("DPoP: {good}\r\n");
    let open = format!("{}[dpop]\nuse = \"allowed\"\n", issuer(&server, ""));
    let public = format!("{open}public_url = \"https://{HOST}\"\n");
    let desk = Desk::new(&[("open.toml", &open), ("public.toml", &public), ("proof.txt", &header)]);
    let later = (server.now() + Duration::from_secs(600)).duration_since(UNIX_EPOCH).unwrap().as_secs().to_string();
    let (by, public) = (["--config", "open.toml"], ["--config", "public.toml"]);
    let named = ["--issuer", server.issuer(), "--audience", "https://api.example.com"];
    let proof = ["--dpop", good.as_str()];
    let rows: [(&[&[&str]], &str, i32, &str); 18] = [
        (&[&by, &["--url", URL], &proof], &token, 0, ""),
        (&[&by, &["--url", URL], &proof], &format!("Authorization: DPoP {token}"), 0, ""),
        (&[&by, &["--url", URL], &proof], &format!("Authorization: Bearer {token}"), 1, "sender_constrained_token"),
        (&[&by, &["--url", URL], &["--dpop-file", "proof.txt"]], &token, 0, ""),
        (&[&by, &["--url", URL, "--method", "DELETE"], &proof], &token, 1, "dpop_method"),
        (&[&by, &["--url", "https://api.example.com/orders"], &proof], &token, 1, "dpop_url"),
        (&[&by, &["--path", "/orders/order"], &proof], &token, 1, "dpop_url_unknown"),
        (&[&public, &["--path", "/orders/order"], &proof], &token, 0, ""),
        (&[&by, &["--url", URL, "--at", &later], &proof], &token, 1, "expired"),
        (&[&by, &["--url", URL]], &token, 1, "sender_constrained_token"),
        (&[&by, &["--url", URL]], &format!("DPoP {token}"), 1, "missing_dpop_proof"),
        (&[&by, &["--url", URL], &proof], &bearer, 1, "unbound_token"),
        (&[&named, &["--url", URL], &proof], &token, 0, ""),
        (&[&named, &["--url", URL, "--method", "get"], &proof], &token, 1, "dpop_method"),
        (&[&named, &["--dpop-use", "required"]], &bearer, 1, "dpop_required"),
        (&[&named, &proof], &token, 2, ""),
        (&[&named, &["--url", "api.example.com"], &proof], &token, 2, ""),
        (&[&by, &["--url", URL, "--dpop-file", "nowhere"]], &token, 2, ""),
    ];
    for (arguments, token, status, code) in rows {
        let (ran, report) = run(&desk, &arguments.concat(), token).await;
        assert_eq!(ran.status, Some(status), "{arguments:?}: {ran:?}");
        assert_eq!(report["code"].as_str().unwrap_or_default(), code, "{arguments:?}: {ran:?}");
        let advice = matches!(code, "sender_constrained_token" | "missing_dpop_proof")
            && !arguments.concat().contains(&"--dpop");
        assert_eq!(ran.err.contains("add --dpop PROOF"), advice, "{arguments:?}: {ran:?}");
        for secret in [&good, &token.to_owned()].into_iter().filter_map(|text| text.rsplit('.').next()) {
            assert!(!ran.out.contains(secret) && !ran.err.contains(secret), "{ran:?}");
        }
    }
}

#[tokio::test]
async fn the_time_of_the_report_counts_for_the_proof() {
    let server = AuthorizationServer::start().await;
    let client = DpopClient::new(Algorithm::ES256);
    let token = server.token().bound_to_key(client.thumbprint()).expires_in(Duration::from_secs(7200)).sign();
    let proof = client.proof("GET", URL).token(&token).sign();
    let (desk, issuer) = (Desk::new(&[]), server.issuer());
    for (after, code) in [(0, ""), (3600, "dpop_too_old")] {
        let at = (server.now() + Duration::from_secs(after)).duration_since(UNIX_EPOCH).unwrap().as_secs().to_string();
        let (ran, report) =
            run(&desk, &["--issuer", issuer, "--url", URL, "--dpop", &proof, "--at", &at], &token).await;
        assert_eq!(report["code"].as_str().unwrap_or_default(), code, "{ran:?}");
    }
}

#[tokio::test]
async fn a_check_that_needs_the_running_server_is_said_to_be_left_out() {
    let server = AuthorizationServer::start().await;
    let client = DpopClient::new(Algorithm::ES256);
    let token = server.token().bound_to_key(client.thumbprint()).sign();
    let config = |nonces: &str| format!("{}[dpop]\nuse = \"required\"\n{nonces}", issuer(&server, ""));
    let files = [
        ("off.toml", config("")),
        ("random.toml", config("nonces = true\n")),
        ("shared.toml", config("nonces = true\nnonce_secret_file = \"secret\"\n")),
        ("secret", "0123456789abcdef0123456789abcdef".to_owned()),
    ];
    let desk = Desk::new(&files.each_ref().map(|(name, text)| (*name, text.as_str())));
    let plain = client.proof("GET", URL).token(&token).sign();
    let with_nonce = client.proof("GET", URL).token(&token).nonce("of-the-server").sign();
    for (file, proof, code, nonce, replay) in [
        ("off.toml", &plain, "", "not_asked", "not_checked"),
        ("random.toml", &plain, "dpop_nonce_missing", "failed", "not_reached"),
        ("random.toml", &with_nonce, "", "not_checked", "not_checked"),
        ("shared.toml", &with_nonce, "dpop_nonce_stale", "failed", "not_reached"),
    ] {
        let (ran, report) = run(&desk, &["--config", file, "--url", URL, "--dpop", proof], &token).await;
        assert_eq!(report["code"].as_str().unwrap_or_default(), code, "{file}: {ran:?}");
        assert_eq!(outcome(&report, "proof_nonce"), nonce, "{file}: {ran:?}");
        assert_eq!(outcome(&report, "proof_replay"), replay, "{file}: {ran:?}");
    }
    let text = desk.run(&["explain", "--config", "off.toml", "--url", URL, "--dpop", &plain], &token).await.out;
    let row = text.lines().find(|line| line.starts_with("· jti")).unwrap_or_else(|| panic!("{text}"));
    assert!(row.contains("not checked here: the running server remembers used proofs"), "{row}");
}

#[tokio::test]
async fn a_command_explains_a_token_that_is_bound_to_a_certificate() {
    let server = AuthorizationServer::start().await;
    let (own, other) = (ClientIdentity::self_signed("own"), ClientIdentity::self_signed("other"));
    let desk = Desk::new(&[("own.pem", &own.pem()), ("other.pem", &other.pem()), ("bad.pem", "no certificate")]);
    let token = server.token().bound_to_certificate(own.thumbprint()).sign();
    for (file, status, code) in
        [("own.pem", 0, ""), ("other.pem", 1, "wrong_certificate"), ("bad.pem", 2, ""), ("nowhere.pem", 2, "")]
    {
        let (ran, report) = run(&desk, &["--issuer", server.issuer(), "--client-certificate", file], &token).await;
        assert_eq!(ran.status, Some(status), "{file}: {ran:?}");
        assert_eq!(report["code"].as_str().unwrap_or_default(), code, "{file}: {ran:?}");
    }
}
