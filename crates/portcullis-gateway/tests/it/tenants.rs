//! Issuers with a placeholder for the tenant.

use std::time::Instant;

use portcullis_testkit::{TenantServer, TokenBuilder};
use serde_json::Value;

use crate::{
    support::{Answer, Gateway, ROUTES},
    terminal::Desk,
};

const AUDIENCE: &str = "audience = \"https://api.example.com\"\n";

/// The configuration of one issuer for all tenants, each with keys of its own.
fn of_each(server: &TenantServer, further: &str) -> String {
    format!("[[issuers]]\nissuer = \"{}\"\ntenant_claim = \"tid\"\n{AUDIENCE}{further}\n", server.template())
}

async fn ask(gateway: &Gateway, token: TokenBuilder) -> Answer {
    gateway.ask("GET", "/any/1", Some(&token.sign())).await
}

#[tokio::test]
async fn entra_for_all_organisations_is_one_issuer() {
    let server = TenantServer::start(["acme", "globex"]).await;
    let keys = format!("jwks_uri = \"{}\"\n", server.common_jwks_uri());
    let headers = "[[headers]]\nname = \"X-Auth-Tenant\"\nclaim = \"tid\"\n";
    let gateway = Gateway::start(&format!("{}{ROUTES}{headers}", of_each(&server, &keys))).await;
    gateway.ready().await;
    for tenant in ["acme", "globex", "a-third-one"] {
        let answer = ask(&gateway, server.common_token(tenant)).await;
        assert_eq!((answer.status, answer.header("x-auth-tenant")), (200, Some(tenant)), "{answer:?}");
    }
    let table = [
        (server.common_token("acme").claim("tid", "globex"), "wrong_tenant"),
        (server.common_token("acme").without_claim("tid"), "wrong_tenant"),
        (server.common_token("acme").issuer("https://evil.example/acme/v2.0"), "wrong_issuer"),
        (server.token_by(&server.key("globex"), "acme"), "unusable_key"),
        (server.token("globex"), "pass"),
    ];
    for (token, code) in table {
        assert_eq!(ask(&gateway, token).await.code(), code);
    }
    assert_eq!(server.all_requests(), 1);
}

#[tokio::test]
async fn a_flood_of_made_up_tenants_costs_a_few_fetches_and_the_log_names_none() {
    let server = TenantServer::start(["acme", "globex"]).await;
    let gateway = Gateway::start(&format!("{}{ROUTES}", of_each(&server, "max_tenants = 10"))).await;
    assert_eq!(ask(&gateway, server.token("acme")).await.status, 200);
    let (key, begun) = (server.key("acme"), Instant::now());
    for number in 0..1_000 {
        let answer = ask(&gateway, server.token_by(&key, &format!("made-up-{number}"))).await;
        assert_eq!((answer.status, &*answer.code()), (503, "keys_unavailable"));
        assert!(answer.header("retry-after").is_some());
    }
    assert_eq!(ask(&gateway, server.token("acme")).await.status, 200);
    let for_acme = 2;
    // Five at once, and one more each ten seconds since, each by two forms of metadata.
    let since = usize::try_from(begun.elapsed().as_secs() / 10).unwrap();
    assert!(server.all_requests() <= for_acme + (7 + since) * 2, "{}", server.all_requests());

    let status: Value = serde_json::from_str(&gateway.page("/status").await.body).unwrap();
    let keys = &status["issuers"][0]["keys"];
    assert_eq!((&keys["source"], &keys["tenants"]), (&server.template().into(), &1.into()), "{keys}");
    let metrics = gateway.page("/metrics").await.body;
    assert!(metrics.contains("{tenantid}") && !metrics.contains("made-up"), "a label for all");
    let line = gateway.logged(|line| line.to_string().contains("expected metadata of a tenant's issuer")).await;
    assert!(!line.to_string().contains("made-up"), "the name in a token that proved nothing: {line}");
}

#[tokio::test]
async fn a_tenant_that_is_down_concerns_no_other_and_a_reload_keeps_all() {
    let server = TenantServer::start(["acme", "globex", "initech"]).await;
    let issuer = of_each(&server, "tenants = [\"acme\", \"globex\"]");
    let gateway = Gateway::start(&format!("{issuer}{ROUTES}")).await;
    server.fault("acme", 500);
    assert_eq!(ask(&gateway, server.token("acme")).await.code(), "keys_unavailable");
    assert_eq!(ask(&gateway, server.token("globex")).await.status, 200);
    assert_eq!(ask(&gateway, server.token("initech")).await.code(), "wrong_issuer");
    assert_eq!(server.requests("initech"), 0);
    // A tenant of the list may be named in the log: the operator has to know which one is down.
    gateway
        .logged(|line| line.to_string().contains("/acme/v2.0/.well-known/openid-configuration: expected status 200"))
        .await;

    let before = server.requests("globex");
    gateway.rewrite("", &format!("{}{ROUTES}", of_each(&server, "tenants = [\"acme\", \"globex\", \"initech\"]")));
    gateway.signal("HUP");
    gateway.logged(|line| line["message"] == "configuration reloaded" || line.to_string().contains("reload")).await;
    while ask(&gateway, server.token("initech")).await.status != 200 {
        tokio::task::yield_now().await;
    }
    assert_eq!(ask(&gateway, server.token("globex")).await.status, 200);
    assert_eq!(server.requests("globex"), before, "the keys of all tenants were taken over");
}

#[tokio::test]
async fn with_the_server_gone_known_tenants_go_on_and_nothing_else_passes() {
    let server = TenantServer::start(["acme", "globex"]).await;
    let gateway = Gateway::start(&format!("{}{ROUTES}", of_each(&server, ""))).await;
    let cached = server.token("acme").sign();
    assert_eq!(gateway.ask("GET", "/any/1", Some(&cached)).await.status, 200);
    server.stop().await;
    for _ in 0..20 {
        assert_eq!(gateway.ask("GET", "/any/1", Some(&cached)).await.status, 200);
        assert_eq!(ask(&gateway, server.token("acme")).await.status, 200, "a new token of a known key");
        assert_eq!(ask(&gateway, server.token("globex")).await.code(), "keys_unavailable");
        let forged = server.token_by(&server.key("globex"), "acme").kid(server.key("acme").kid());
        assert_eq!(ask(&gateway, forged).await.code(), "bad_signature");
    }
}

#[tokio::test]
async fn commands_know_of_tenants() {
    let server = TenantServer::start(["acme", "globex"]).await;
    let template = server.template();
    let by = ["explain", "--issuer", &template, "--tenant-claim", "tid", "--tenant", "acme", "--tenant", "b"];
    let ran = Desk::new(&[]).run(&by, &server.token("acme").sign()).await;
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.out.lines().any(|line| line.contains("tenant ") && line.ends_with("acme")), "{}", ran.out);
    let ran = Desk::new(&[]).run(&by, &server.token("globex").sign()).await;
    assert!(ran.out.contains("its tenant is not one of those that are accepted"), "{}", ran.out);
    let ran = Desk::new(&[]).run(&["explain", "--issuer", &template], &server.token("acme").sign()).await;
    assert!(ran.err.contains("expected `tenant_claim`"), "{ran:?}");
    let ran = Desk::new(&[]).run(&["keys", "--issuer", &template], "").await;
    assert!(ran.err.contains("expected the issuer of one tenant"), "{ran:?}");

    let config =
        format!("listen = \"127.0.0.1:0\"\n{}{ROUTES}", of_each(&server, "tenants = [\"acme\"]\nmax_tenants = 7"));
    let ran =
        Desk::new(&[("portcullis.toml", &config)]).run(&["check-config", "--config", "portcullis.toml"], "").await;
    for words in ["keys of each tenant by discovery", "tenant_claim \"tid\"", "tenants [\"acme\"]"] {
        assert!(ran.out.contains(words), "{words}: {ran:?}");
    }
    // Two templates for one issuer.
    let twice = format!("{config}{}", of_each(&server, "").replace("{tenantid}", "{other}"));
    let ran = Desk::new(&[("portcullis.toml", &twice)]).run(&["check-config", "--config", "portcullis.toml"], "").await;
    assert!(ran.err.contains("expected each issuer once"), "{ran:?}");
}
