//! A request takes each step of judging once at both doors, waiting or not.

use std::collections::BTreeMap;

use portcullis::names::steps;
use portcullis_testkit::{AuthorizationServer, Endpoint};
use tempfile::TempDir;

use crate::{
    ext_authz,
    support::{Gateway, ROUTES, introspecting, text, within},
};

type Steps = BTreeMap<String, usize>;

/// Starts a gateway that logs the steps.
async fn gateway(server: &AuthorizationServer) -> Gateway {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("secret"), "test-secret\n").unwrap();
    let tables = format!("{}{ROUTES}", introspecting(server, "phantom", ""));
    std::fs::write(folder.path().join("portcullis.toml"), text("", &tables)).unwrap();
    let filter = format!("info,{}=trace", steps::TARGET);
    Gateway::start_among(folder, &[("PORTCULLIS_LOG", &filter)]).await
}

/// Counts each step in the log so far.
fn counted(gateway: &Gateway) -> Steps {
    let mut steps = Steps::new();
    for line in gateway.log().lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        if let Some(step) = line["step"].as_str() {
            *steps.entry(step.to_owned()).or_default() += 1;
        }
    }
    steps
}

/// Returns the steps of one further request, which passes at this door.
async fn steps_of(gateway: &Gateway, door: &str, token: &str) -> Steps {
    let before = counted(gateway);
    if door == "forward_auth" {
        assert_eq!(gateway.ask("GET", "/orders/1", Some(token)).await.code(), "pass");
    } else {
        let mut client = ext_authz::connect(gateway).await;
        let field = format!("Bearer {token}");
        let told =
            ext_authz::ask(&mut client, ext_authz::request("GET", "/orders/1", &[("authorization", &field)])).await;
        assert!(matches!(told, ext_authz::Told::Pass { .. }), "{told:?}");
    }
    // A thread of its own writes the log, in the order of the requests: a later line ends those of this one.
    let refusals = || gateway.log().matches("no_route").count();
    let so_far = refusals();
    gateway.ask("GET", "/nowhere", None).await;
    within(|| (refusals() > so_far).then_some(())).await.unwrap();
    let mut after = counted(gateway);
    // The later request looked for its route, too.
    after.entry(steps::FIND_ROUTE.to_owned()).and_modify(|count| *count -= 1);
    after
        .into_iter()
        .map(|(step, count)| (step.clone(), count - before.get(&step).unwrap_or(&0)))
        .filter(|(_, count)| *count > 0)
        .collect()
}

fn once<const N: usize>(steps: [&str; N]) -> Steps {
    steps.map(|step| (step.to_owned(), 1)).into()
}

#[tokio::test]
async fn each_step_is_taken_once_for_a_request_that_waits() {
    let server = AuthorizationServer::start().await;
    let gateway = gateway(&server).await;
    gateway.ready().await;
    let known = once([steps::FIND_ROUTE, steps::FIND_TOKEN, steps::LOOK_UP_TOKEN]);
    let new = once([steps::FIND_ROUTE, steps::FIND_TOKEN, steps::LOOK_UP_TOKEN, steps::DECODE_TOKEN]);
    for door in ["forward_auth", "ext_authz"] {
        server.rotate();
        let fetches = server.requests(Endpoint::Jwks);
        let token = server.token().scope("read").sign();
        assert_eq!(steps_of(&gateway, door, &token).await, new, "{door}: a new key");
        assert_eq!(server.requests(Endpoint::Jwks), fetches + 1, "{door}: it had to wait");
        assert_eq!(steps_of(&gateway, door, &token).await, known, "{door}: a known token");

        let opaque = server.issue_opaque(server.token().scope("read"));
        assert_eq!(steps_of(&gateway, door, &opaque).await, new, "{door}: an opaque token, and the JWT behind it");
        assert_eq!(steps_of(&gateway, door, &opaque).await, known, "{door}: a known opaque token");
    }
}
