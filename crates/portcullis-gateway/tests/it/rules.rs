//! The rules of routes and issuers, with real tokens: the same verdict over HTTP, over gRPC and by `portcullis
//! explain`.

use std::time::Duration;

use portcullis_testkit::{AuthorizationServer, TokenBuilder};
use serde_json::json;

use crate::{
    ext_authz::{self, Told},
    support::{Gateway, issuer},
    terminal::Desk,
};

const ROUTES: &str = r#"
[[routes]]
path = "/one-of"
claims = [{ name = "/team/name", one_of = ["blue", "red"] }]

[[routes]]
path = "/matches"
claims = [{ name = "sub", matches = "repo:my-org/*:ref:refs/heads/*" }]

[[routes]]
path = "/absent"
claims = [{ name = "act", absent = true }]

[[routes]]
path = "/implied"
scope = ["orders:read"]

[[routes]]
path = "/own"
scope = ["orders:read"]
implied_scopes = { "all" = ["orders:read"] }

[[routes]]
path = "/groups"
any_scope = [["a", "b"], ["c", "d"]]

[[routes]]
path = "/status"
scope = ["a"]
invalid_token_status = 403

[[routes]]
path = "/short"
max_token_bytes = 100

[[routes]]
path = "/optional"
optional = true
scope = ["a"]
"#;

/// Rules for all routes, above the tables.
const TOP: &str = "implied_scopes = { \"orders:write\" = [\"orders:read\"], \"orders:admin\" = [\"orders:write\"] }\n";

/// Returns the verdict of both doors and the command line, which must agree: `pass` or the code of the refusal, and
/// status.
async fn verdict(gateway: &Gateway, desk: &Desk, path: &str, token: Option<&str>) -> (u16, String) {
    let answer = gateway.ask("GET", path, token).await;
    let bearer = token.map(|token| format!("Bearer {token}"));
    let fields: Vec<_> = bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
    let mut client = ext_authz::connect(gateway).await;
    match ext_authz::ask(&mut client, ext_authz::request("GET", path, &fields)).await {
        Told::Pass { .. } => assert_eq!(answer.code(), "pass", "{path}"),
        Told::Refused { status, code } => {
            assert_eq!((i32::from(answer.status), answer.code()), (status, code), "{path}");
        }
    }
    if let Some(token) = token {
        let ran = desk.run(&["explain", "--config", "portcullis.toml", "--path", path], token).await;
        let code = answer.code();
        let told = if code == "pass" { "passed: ".to_owned() } else { format!("refused: {code}: ") };
        assert!(ran.out.starts_with(&told), "{path}: {told} {ran:?}");
    }
    (answer.status, answer.code())
}

async fn setup(server: &AuthorizationServer, of_issuer: &str, routes: &str) -> (Gateway, Desk) {
    let tables = format!("{}{routes}", issuer(server, of_issuer));
    let gateway = Gateway::start_with(TOP, &tables).await;
    gateway.ready().await;
    (gateway, Desk::new(&[("portcullis.toml", &format!("{TOP}{tables}"))]))
}

#[tokio::test]
async fn each_rule_of_a_route_is_met_or_refused_alike_at_every_door() {
    let server = AuthorizationServer::start().await;
    let (gateway, desk) = setup(&server, "", ROUTES).await;
    let team = |name: &str| server.token().claim("team", json!({ "name": name }));
    let sub = |sub: &str| server.token().claim("sub", sub);
    let scope = |scope: &str| server.token().scope(scope);
    let table: Vec<(&str, TokenBuilder, u16, &str)> = vec![
        ("/one-of", team("blue"), 200, "pass"),
        ("/one-of", team("red"), 200, "pass"),
        ("/one-of", server.token().claim("team", json!({ "name": ["green", "red"] })), 200, "pass"),
        ("/one-of", team("green"), 401, "required_claims"),
        ("/one-of", team("blue "), 401, "required_claims"),
        ("/one-of", team("Blue"), 401, "required_claims"),
        ("/one-of", server.token().claim("team", json!({ "name": [["blue"]] })), 401, "required_claims"),
        ("/one-of", server.token(), 401, "required_claims"),
        ("/matches", sub("repo:my-org/api:ref:refs/heads/main"), 200, "pass"),
        ("/matches", sub("repo:my-org/a/b:ref:refs/heads/"), 200, "pass"),
        ("/matches", sub("repo:my-org-2/api:ref:refs/heads/main"), 401, "required_claims"),
        ("/matches", sub("xrepo:my-org/api:ref:refs/heads/main"), 401, "required_claims"),
        ("/matches", sub("repo:my-org/api:ref:refs/tags/main"), 401, "required_claims"),
        ("/matches", sub("repo:my-org/*"), 401, "required_claims"),
        ("/absent", server.token(), 200, "pass"),
        ("/absent", server.token().claim("act", json!({ "sub": "b" })), 401, "forbidden_claim"),
        ("/absent", server.token().claim("act", json!(null)), 401, "forbidden_claim"),
        ("/implied", scope("orders:read"), 200, "pass"),
        ("/implied", scope("orders:write"), 200, "pass"),
        ("/implied", scope("orders:admin"), 200, "pass"),
        ("/implied", scope("orders:writer"), 403, "insufficient_scope"),
        ("/implied", scope("all"), 403, "insufficient_scope"),
        ("/own", scope("all"), 200, "pass"),
        ("/own", scope("orders:admin"), 403, "insufficient_scope"),
        ("/groups", scope("a d"), 200, "pass"),
        ("/groups", scope("a b"), 403, "insufficient_scope"),
        ("/status", server.token().expired_for(Duration::from_secs(60)), 403, "expired"),
        ("/short", server.token(), 401, "token_too_large"),
        ("/optional", scope("a"), 200, "pass"),
        ("/optional", scope("b"), 403, "insufficient_scope"),
    ];
    for (path, token, status, code) in table {
        let token = token.sign();
        assert_eq!(verdict(&gateway, &desk, path, Some(&token)).await, (status, code.to_owned()), "{path} {token}");
    }
    for (path, status, code) in
        [("/optional", 200, "pass"), ("/one-of", 401, "no_credentials"), ("/absent", 401, "no_credentials")]
    {
        assert_eq!(verdict(&gateway, &desk, path, None).await, (status, code.to_owned()), "{path}");
    }
}

#[tokio::test]
async fn each_rule_of_an_issuer_is_met_or_refused_alike_at_every_door() {
    let server = AuthorizationServer::start().await;
    let rules =
        "scope_claims = [\"permissions\", \"/app/scopes\"]\nmax_token_lifetime = \"10m\"\nmax_token_age = \"5m\"";
    let (gateway, desk) = setup(&server, rules, "[[routes]]\npath = \"/a\"\nscope = [\"read\"]\n").await;
    let at = |seconds| server.now() - Duration::from_secs(seconds);
    let reader =
        || server.token().claim("permissions", json!(["read"])).issued_at(at(10)).expires_in(Duration::from_secs(60));
    let table: Vec<(TokenBuilder, u16, &str)> = vec![
        (reader(), 200, "pass"),
        (reader().claim("permissions", "list read"), 200, "pass"),
        (reader().without_claim("permissions").claim("app", json!({ "scopes": ["read"] })), 200, "pass"),
        (
            reader().claim("permissions", json!([])).claim("app", json!({ "scopes": ["read"] })),
            403,
            "insufficient_scope",
        ),
        (reader().without_claim("permissions").scope("read"), 403, "insufficient_scope"),
        (reader().expires_in(Duration::from_secs(590)), 200, "pass"),
        (reader().expires_in(Duration::from_secs(595)), 401, "token_lifetime_too_long"),
        (reader().issued_at(at(290)).expires_in(Duration::from_secs(60)), 200, "pass"),
        (reader().issued_at(at(310)).expires_in(Duration::from_secs(60)), 401, "token_too_old"),
        (reader().without_claim("iat"), 401, "missing_claim"),
    ];
    for (token, status, code) in table {
        let token = token.sign();
        assert_eq!(verdict(&gateway, &desk, "/a", Some(&token)).await, (status, code.to_owned()), "{token}");
    }
}

#[tokio::test]
async fn the_command_line_takes_the_rules_of_a_configuration() {
    let server = AuthorizationServer::start().await;
    let desk = Desk::new(&[]);
    let token = server
        .token()
        .scope("orders:write")
        .claim("sub", "repo:my-org/api")
        .claim("permissions", json!(["list"]))
        .issued_at(server.now())
        .expires_in(Duration::from_secs(600))
        .sign();
    let rows: [(&[&str], i32, &str); 18] = [
        (&["--claim", r#"{"name": "sub", "matches": "repo:my-org/*"}"#], 0, "passed"),
        (&["--claim", r#"{"name": "sub", "matches": "repo:other/*"}"#], 1, "required_claims"),
        (&["--claim", r#"{"name": "sub", "one_of": ["alice", "bob"]}"#], 1, "required_claims"),
        (&["--claim", r#"{"name": "act", "absent": true}"#], 0, "passed"),
        (&["--claim", r#"{"name": "sub", "absent": true}"#], 1, "forbidden_claim"),
        (&["--scope", "orders:read"], 1, "insufficient_scope"),
        (&["--scope", "orders:read", "--implied-scopes", r#"{"orders:write": ["orders:read"]}"#], 0, "passed"),
        (&["--any-scope", "a orders:write", "--any-scope", "b"], 1, "insufficient_scope"),
        (&["--any-scope", "a orders:write", "--any-scope", "b orders:write"], 0, "passed"),
        (&["--scope-claim", "permissions", "--scope", "list"], 0, "passed"),
        (&["--max-token-lifetime", "5m"], 1, "token_lifetime_too_long"),
        (&["--max-token-lifetime", "600s"], 0, "passed"),
        (&["--max-token-lifetime", "600"], 0, "passed"),
        (&["--max-token-age", "5m"], 0, "passed"),
        (&["--max-token-age", "1ms", "--leeway", "0s"], 1, "token_too_old"),
        (&["--claim", r#"{"name": "sub", "matches": "repo:my-org/api"}"#], 2, "a pattern with `*`"),
        (&["--claim", r#"{"name": "sub", "matchs": "a*"}"#], 2, "did you mean `matches`?"),
        (&["--claim", "sub=a", "--claim", "sub=b"], 2, "got two that exclude"),
    ];
    let jwks = server.jwks_uri();
    for (options, status, words) in rows {
        let ran = desk.run(&[&["explain", "--jwks-uri", &jwks], options].concat(), &token).await;
        assert_eq!(ran.status, Some(status), "{options:?}: {ran:?}");
        assert!(format!("{}{}", ran.out, ran.err).contains(words), "{options:?}: {ran:?}");
    }
}
