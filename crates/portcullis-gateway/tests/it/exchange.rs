//! Token exchange (RFC 8693): the upstream gets a token of its own in place of the client's, or the request does not pass.

use std::time::Duration;

use portcullis_testkit::{AuthorizationServer, Endpoint, ExchangeFault, Fault};
use tempfile::TempDir;

use crate::{
    ext_authz::{Told, ask, connect, request},
    redis_server::Redis,
    support::{Answer, Gateway, text, within},
};

const INVENTORY: &str = "https://inventory.example.com";

/// The configuration of a gateway that exchanges tokens under `/stock/*`, and under `/maybe/*` those of requests that have one.
fn tables(server: &AuthorizationServer, further: &str) -> String {
    format!(
        "[[issuers]]\nissuer = \"{issuer}\"\naudience = [\"https://api.example.com\"]\n\
         exchange = {{ endpoint = \"{issuer}/token\", client_id = \"test-client\", client_secret_file = \"secret\"{further} }}\n\
         [[routes]]\npath = \"/stock/*\"\nscope = [\"read\"]\ntoken_cookie = \"token\"\n\
         exchange = {{ audience = \"{INVENTORY}\", scope = [\"stock:read\"] }}\n\
         [[routes]]\npath = \"/maybe/*\"\noptional = true\npreflight = true\nexchange = {{ resource = \"{INVENTORY}\" }}\n\
         [[routes]]\npath = \"/plain/*\"\n\
         [[headers]]\nname = \"X-Auth-Subject\"\nclaim = \"sub\"\n",
        issuer = server.issuer()
    )
}

async fn setup(further: &str) -> (AuthorizationServer, Gateway) {
    let server = AuthorizationServer::start().await;
    let gateway = Gateway::start(&tables(&server, further)).await;
    gateway.ready().await;
    (server, gateway)
}

fn token(server: &AuthorizationServer, subject: &str) -> String {
    server.token().scope("read").subject(subject).sign()
}

/// The claims of the token that the upstream gets.
fn claims_of(field: &str) -> serde_json::Value {
    use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
    let payload = field.strip_prefix("Bearer ").unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

fn handed_on(answer: &Answer) -> serde_json::Value {
    claims_of(answer.header("authorization").unwrap())
}

#[tokio::test]
async fn the_upstream_gets_the_exchanged_token_at_each_door() {
    let (server, gateway) = setup("").await;
    let token = token(&server, "alice");
    for _ in 0..3 {
        let answer = gateway.ask("GET", "/stock/1", Some(&token)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let claims = handed_on(&answer);
        assert_eq!((&claims["aud"], &claims["scope"]), (&INVENTORY.into(), &"stock:read".into()));
        assert_eq!(answer.header("x-auth-subject"), Some("alice"));
    }
    let bearer = format!("Bearer {token}");
    let mut client = connect(&gateway).await;
    let Told::Pass { set, .. } = ask(&mut client, request("GET", "/stock/1", &[("authorization", &bearer)])).await
    else {
        panic!("expected a pass")
    };
    let field = set.iter().find(|(name, _)| name == "authorization").unwrap();
    assert_eq!(claims_of(&field.1)["aud"], INVENTORY);
    assert_eq!(server.requests(Endpoint::Token), 1, "one exchange for all");
    // Elsewhere the token goes on as it is.
    let plain = gateway.ask("GET", "/plain/1", Some(&token)).await;
    assert_eq!(plain.header("authorization"), Some(bearer.as_str()));
    assert_eq!(gateway.metric("portcullis_exchanges_total{outcome=\"issued\"}").await, 1.0);
}

#[tokio::test]
async fn without_an_endpoint_the_issuers_metadata_lead_to_it() {
    let server = AuthorizationServer::start().await;
    let with_endpoint = tables(&server, "");
    let tables = with_endpoint.replace(&format!("endpoint = \"{}/token\", ", server.issuer()), "");
    assert_ne!(tables, with_endpoint);
    let gateway = Gateway::start(&tables).await;
    gateway.ready().await;
    let answer = gateway.ask("GET", "/stock/1", Some(&token(&server, "alice"))).await;
    assert_eq!((answer.status, &handed_on(&answer)["aud"]), (200, &INVENTORY.into()), "{answer:?}");
    let status: serde_json::Value = serde_json::from_str(&gateway.page("/status").await.body).unwrap();
    assert_eq!(status["issuers"][0]["exchange"]["endpoint"], format!("{}/token", server.issuer()));
}

#[tokio::test]
async fn a_failure_is_told_once_and_so_is_the_refusal() {
    let (server, gateway) = setup("").await;
    server.fault(Endpoint::Token, Fault::Status(500));
    let answer = gateway.ask("GET", "/stock/1", Some(&token(&server, "alice"))).await;
    assert_eq!(answer.code(), "exchange_unavailable");
    let refusal = gateway.logged(|line| line["code"] == "exchange_unavailable").await;
    assert_eq!((&refusal["level"], &refusal["route"]), (&"WARN".into(), &"/stock/*".into()));
    gateway.ask("GET", "/plain/1", None).await;
    gateway.logged(|line| line["code"] == "no_credentials").await;
    let log = gateway.log();
    let count = |words: &str| log.lines().filter(|line| line.contains(words)).count();
    assert_eq!((count("token exchange failed"), count("\"code\":\"exchange_unavailable\"")), (1, 1), "{log}");
}

#[tokio::test]
async fn no_client_token_reaches_the_upstream_by_another_way() {
    let (server, gateway) = setup("").await;
    let token = token(&server, "alice");
    let client = crate::support::client();
    let ask = async |path: &str, fields: &[(&str, &str)]| {
        let fields = fields.iter().fold(client.get(gateway.url(path)), |ask, (name, value)| ask.header(*name, *value));
        Answer::of(fields.send().await.unwrap()).await
    };
    // A token in a cookie is exchanged, too, and the cookie does not go on.
    let cookie = ask("/stock/1", &[("cookie", &format!("a=b; token={token}"))]).await;
    assert_eq!(cookie.status, 200, "{cookie:?}");
    assert_eq!((&handed_on(&cookie)["aud"], cookie.header("cookie")), (&INVENTORY.into(), Some("a=b")));
    // Without a token there is none for the upstream, also not one in another scheme.
    for fields in [&[][..], &[("authorization", "Basic YTpi")]] {
        let answer = ask("/maybe/1", fields).await;
        assert_eq!((answer.status, answer.header("authorization")), (200, None), "{answer:?}");
    }
    let mut envoy = connect(&gateway).await;
    let told = crate::ext_authz::ask(&mut envoy, request("GET", "/maybe/1", &[("authorization", "Basic YTpi")])).await;
    assert!(matches!(&told, Told::Pass { removed, .. } if removed.contains(&"authorization".to_owned())), "{told:?}");
}

#[tokio::test]
async fn a_request_without_an_exchanged_token_does_not_pass_and_none_with_a_kept_one_is_lost() {
    let (server, gateway) = setup(", timeout = \"300ms\"").await;
    let known = token(&server, "known");
    assert_eq!(gateway.ask("GET", "/stock/1", Some(&known)).await.status, 200);
    for fault in [
        ExchangeFault::OtherAudience,
        ExchangeFault::LongerLived,
        ExchangeFault::Unsigned,
        ExchangeFault::IssuedTokenType("urn:ietf:params:oauth:token-type:id_token"),
        ExchangeFault::TokenType("N_A"),
        ExchangeFault::Bound,
        ExchangeFault::Opaque,
        ExchangeFault::Echo,
    ] {
        server.exchange_fault(Some(fault));
        let answer = gateway.ask("GET", "/stock/1", Some(&token(&server, "new"))).await;
        assert_eq!((answer.status, &*answer.code()), (503, "exchange_unusable"), "{fault:?}");
        assert!(answer.header("authorization").is_none() && answer.header("retry-after").is_some(), "{answer:?}");
    }
    server.exchange_fault(Some(ExchangeFault::Refused("access_denied")));
    let answer = gateway.ask("GET", "/stock/1", Some(&token(&server, "new"))).await;
    assert_eq!((answer.status, &*answer.code()), (403, "exchange_refused"));
    let told =
        gateway.logged(|line| line["fields"]["code"] == "exchange_refused" || line["code"] == "exchange_refused").await;
    assert!(told.to_string().contains("access_denied"), "{told}");
    server.exchange_fault(None);
    for fault in [Fault::Status(500), Fault::Hang, Fault::CutOff] {
        server.fault(Endpoint::Token, fault.clone());
        let answer = gateway.ask("GET", "/stock/1", Some(&token(&server, "new"))).await;
        assert_eq!((answer.status, &*answer.code()), (503, "exchange_unavailable"), "{fault:?}");
        assert_eq!(gateway.ask("GET", "/stock/1", Some(&known)).await.status, 200, "{fault:?}");
    }
    let status: serde_json::Value = serde_json::from_str(&gateway.page("/status").await.body).unwrap();
    assert!(status["issuers"][0]["exchange"]["failures"].as_u64() > Some(0), "{status}");
}

#[tokio::test]
async fn a_server_that_is_killed_under_load_costs_no_request_with_a_kept_token() {
    let (server, gateway) = setup("").await;
    let known = token(&server, "known");
    assert_eq!(gateway.ask("GET", "/stock/1", Some(&known)).await.status, 200);
    for round in 0..3 {
        server.stop().await;
        for number in 0..10 {
            let answer = gateway.ask("GET", "/stock/1", Some(&known)).await;
            assert_eq!((answer.status, &handed_on(&answer)["aud"]), (200, &INVENTORY.into()));
            let new = token(&server, &format!("{round}-{number}"));
            let answer = gateway.ask("GET", "/stock/1", Some(&new)).await;
            assert_eq!((answer.status, &*answer.code()), (503, "exchange_unavailable"));
        }
        server.restart().await.unwrap();
        let new = token(&server, &format!("back-{round}"));
        let back = async {
            while gateway.ask("GET", "/stock/1", Some(&new)).await.status != 200 {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), back).await.expect("exchanged again");
    }
}

#[tokio::test]
async fn gateways_share_exchanged_tokens_that_redis_does_not_show() {
    let (server, redis) = (AuthorizationServer::start().await, Redis::start().await);
    let store = format!("[store]\nurl = \"redis://{}\"\nsecret_file = \"store-secret\"\n", redis.address);
    let start = async || {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("secret"), "test-secret\n").unwrap();
        std::fs::write(folder.path().join("store-secret"), "s".repeat(32)).unwrap();
        let text = text("", &format!("{}{store}", tables(&server, "")));
        std::fs::write(folder.path().join("portcullis.toml"), text).unwrap();
        Gateway::start_in(folder).await
    };
    let (one, other) = (start().await, start().await);
    for gateway in [&one, &other] {
        gateway.ready().await;
        gateway.logged(|line| line["message"] == "the store is connected").await;
    }
    let token = token(&server, "alice");
    let first = one.ask("GET", "/stock/1", Some(&token)).await;
    assert_eq!(first.status, 200, "{first:?}");
    let kept = || (!redis.names("portcullis:introspection:?????????*").is_empty()).then_some(());
    within(kept).await.expect("an entry in the store");
    let second = other.ask("GET", "/stock/1", Some(&token)).await;
    assert_eq!(second.header("authorization"), first.header("authorization"));
    assert_eq!(server.requests(Endpoint::Token), 1);
}

#[tokio::test]
async fn an_explanation_tells_what_would_be_asked_and_asks_nothing() {
    let (server, gateway) = setup("").await;
    let token = token(&server, "alice");
    let binary = env!("CARGO_BIN_EXE_portcullis");
    let told = async |arguments: &[&str], input: &str| {
        let mut command = tokio::process::Command::new(binary);
        command.args(arguments).arg("--config").arg(gateway.file("portcullis.toml"));
        command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
        let mut child = command.spawn().unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).await.unwrap();
        String::from_utf8(child.wait_with_output().await.unwrap().stdout).unwrap()
    };
    let explained = told(&["explain", "--path", "/stock/1"], &token).await;
    let question = format!(
        "exchange: the gateway would ask {}/token for a token for audience {INVENTORY} with scope stock:read",
        server.issuer()
    );
    assert!(explained.contains(&question), "{explained}");
    let plain = told(&["explain", "--path", "/plain/1"], &token).await;
    assert!(!plain.contains("exchange"), "{plain}");
    let checked = told(&["check-config"], "").await;
    for line in [
        format!("tokens are exchanged at {}/token", server.issuer()),
        format!("the upstream gets a token for audience {INVENTORY} with scope stock:read in exchange"),
    ] {
        assert!(checked.contains(&line), "{checked}");
    }
    assert_eq!(server.requests(Endpoint::Token), 0);
}
