//! DPoP at a route: the proof is for the URL that the proxy describes, and is good once.

use portcullis_testkit::{Algorithm, AuthorizationServer, DpopClient};

use crate::support::{Answer, Gateway, client};

/// Sends a question as Traefik does, for a request to this host.
async fn ask(gateway: &Gateway, host: &str, fields: &[(&'static str, String)]) -> Answer {
    let request = client()
        .get(gateway.url("/auth"))
        .header("X-Forwarded-Method", "GET")
        .header("X-Forwarded-Uri", "/orders/1?a=b");
    let request = request.header("X-Forwarded-Host", host);
    let request = fields.iter().fold(request, |request, (name, value)| request.header(*name, value));
    Answer::of(request.send().await.unwrap()).await
}

#[tokio::test]
async fn a_route_that_requires_dpop_lets_a_proof_pass_once_for_its_url() {
    let server = AuthorizationServer::start().await;
    let tables = format!(
        "[[issuers]]\nissuer = \"{}\"\naudience = \"https://api.example.com\"\ndangerously_allow_http = true\n\
         [[routes]]\npath = \"/orders/*\"\ndpop = \"required\"\n",
        server.issuer()
    );
    let gateway = Gateway::start_with("trusted_proxies = [\"127.0.0.1\"]", &tables).await;
    gateway.ready().await;
    let dpop = DpopClient::new(Algorithm::ES256);
    let token = server.token().bound_to_key(dpop.thumbprint()).sign();
    let (host, url) = ("api.example.com", "https://api.example.com/orders/1");
    let good = dpop.fields("GET", url, &token);
    let bearer = |token: &str| vec![("authorization", format!("Bearer {token}"))];
    let table = [
        (host, good.clone(), "pass"),
        (host, good, "dpop_replayed"),
        ("other.example.com", dpop.fields("GET", url, &token), "dpop_url"),
        (host, dpop.fields("POST", url, &token), "dpop_method"),
        (host, bearer(&token), "sender_constrained_token"),
        (host, bearer(&server.token().sign()), "dpop_required"),
    ];
    for (index, (host, fields, code)) in table.into_iter().enumerate() {
        let answer = ask(&gateway, host, &fields).await;
        assert_eq!(answer.code(), code, "{index}: {answer:?}");
    }
}
