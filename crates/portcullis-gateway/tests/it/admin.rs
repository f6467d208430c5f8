//! The operators' view: health, metrics, status, and the log.

use portcullis_testkit::AuthorizationServer;

use crate::support::{Gateway, ROUTES, introspecting, issuer};

#[tokio::test]
async fn decisions_are_counted_by_route_and_code() {
    let server = AuthorizationServer::start().await;
    let gateway = Gateway::start(&format!("{}{ROUTES}", issuer(&server, ""))).await;
    gateway.ready().await;
    let token = server.token().scope("read").sign();
    for _ in 0..3 {
        gateway.ask("GET", "/orders/1", Some(&token)).await;
    }
    gateway.ask("GET", "/orders/1", None).await;
    gateway.ask("GET", "/nowhere", None).await;
    for (name, value) in [
        ("portcullis_gateway_decisions_total{route=\"GET /orders/*\",code=\"pass\"}", 3.0),
        ("portcullis_gateway_decisions_total{route=\"GET /orders/*\",code=\"no_credentials\"}", 1.0),
        ("portcullis_gateway_decisions_total{route=\"none\",code=\"no_route\"}", 1.0),
        ("portcullis_gateway_token_cache_total{outcome=\"hit\"}", 2.0),
        ("portcullis_gateway_token_cache_tokens{kind=\"jwt\"}", 1.0),
        ("portcullis_gateway_decision_seconds_count{door=\"forward_auth\"}", 5.0),
    ] {
        assert_eq!(gateway.metric(name).await, value, "{name} in {}", gateway.page("/metrics").await.body);
    }
    let metrics = gateway.page("/metrics").await.body;
    for name in
        ["portcullis_jwks_fetches_total", "portcullis_gateway_key_age_seconds", "portcullis_gateway_connections"]
    {
        assert!(metrics.contains(name), "{name} in {metrics}");
    }
}

#[tokio::test]
async fn the_status_tells_of_issuers_and_no_secret() {
    let server = AuthorizationServer::start().await;
    let gateway = Gateway::start(&format!("{}{ROUTES}", introspecting(&server, "json", ""))).await;
    gateway.ready().await;
    // An issuer that introspects is ready before its keys are there: a JWT lets the gateway wait for them.
    gateway.ask("GET", "/orders/1", Some(&server.token().sign())).await;
    let page = gateway.page("/status").await;
    let status: serde_json::Value = serde_json::from_str(&page.body).unwrap();
    let issuer = &status["issuers"][0];
    assert_eq!(issuer["issuer"], server.issuer());
    assert_eq!(issuer["ready"], true);
    assert_eq!(issuer["keys"]["kids"][0], server.signing_key().kid());
    assert_eq!(issuer["introspection"]["failures"], 0);
    assert!(!page.body.contains("test-secret"), "{page:?}");
    assert_eq!(gateway.page("/nothing").await.status, 404);
}

#[tokio::test]
async fn a_decision_is_a_line_and_a_token_is_in_none() {
    let server = AuthorizationServer::start().await;
    let tables =
        format!("[log]\nformat = \"json\"\ndecisions = \"all\"\n{}{ROUTES}", introspecting(&server, "phantom", ""));
    let gateway = Gateway::start(&tables).await;
    gateway.ready().await;
    let good = server.token().scope("read").sign();
    let poor = server.token().scope("write").claim("email", "alice@example.com").sign();
    let opaque = server.issue_opaque(server.token().scope("read"));
    for token in [&good, &poor, &opaque] {
        gateway.ask("GET", "/orders/1", Some(token)).await;
    }
    let line = |code: &'static str, issuer: &'static str| {
        let of = server.issuer().to_owned();
        move |line: &serde_json::Value| line["code"] == code && line[issuer] == of
    };
    let passed = gateway.logged(line("pass", "issuer")).await;
    assert_eq!(passed["route"], "GET /orders/*", "{passed}");
    assert_eq!(passed["kid"], server.signing_key().kid(), "{passed}");
    assert_eq!(passed["token"].as_str().unwrap().len(), 12, "{passed}");
    let refused = gateway.logged(line("insufficient_scope", "unverified_issuer")).await;
    assert_eq!(refused["unverified_kid"], server.signing_key().kid(), "{refused}");

    let (log, metrics, status) =
        (gateway.log(), gateway.page("/metrics").await.body, gateway.page("/status").await.body);
    for text in [&log, &metrics, &status] {
        for part in [&good, &poor].into_iter().flat_map(|token| token.split('.')).chain([
            &*opaque,
            "alice@example.com",
            "test-secret",
        ]) {
            assert!(!text.contains(part), "a token is told: {text}");
        }
    }
}

#[tokio::test]
async fn a_route_that_only_reports_lets_pass_and_tells_what_it_would_refuse() {
    let server = AuthorizationServer::start().await;
    let routes = "[[routes]]\npath = \"/orders/*\"\nscope = [\"read\"]\nreport_only = true\n\n\
                  [[headers]]\nname = \"X-Auth-Subject\"\nclaim = \"sub\"\n";
    let gateway = Gateway::start(&format!("{}{routes}", issuer(&server, ""))).await;
    gateway.ready().await;
    let good = server.token().subject("alice").scope("read").sign();
    let poor = server.token().subject("mallory").scope("write").sign();
    for (token, subject) in [(Some(&*good), "alice"), (Some(&*poor), ""), (Some("nonsense"), ""), (None, "")] {
        let answer = gateway.ask("GET", "/orders/1", token).await;
        assert_eq!((answer.status, answer.header("x-auth-subject")), (200, Some(subject)), "{token:?}");
    }
    for (code, count) in [("insufficient_scope", 1.0), ("malformed_token_parts", 1.0), ("no_credentials", 1.0)] {
        let name = format!("portcullis_gateway_would_refuse_total{{route=\"/orders/*\",code=\"{code}\"}}");
        assert_eq!(gateway.metric(&name).await, count, "{name}");
        let told = |line: &serde_json::Value| {
            line["message"] == "request would be refused, and may pass" && line["code"] == code
        };
        gateway.logged(told).await;
    }
    assert_eq!(gateway.metric("portcullis_gateway_decisions_total{route=\"/orders/*\",code=\"pass\"}").await, 4.0);
    // A bad path is refused with or without a token.
    assert_eq!(gateway.ask("GET", "/nowhere", Some(&good)).await.status, 403);
}

#[tokio::test]
async fn the_console_is_there_if_asked_for_and_only_by_an_address() {
    let server = AuthorizationServer::start().await;
    let tables = format!("{}{ROUTES}", issuer(&server, ""));
    assert_eq!(Gateway::start(&tables).await.page("/console").await.status, 404, "off by default");
    let gateway = Gateway::start_with("console = true", &tables).await;
    for path in ["/console", "/console/state", "/console/page.js"] {
        assert_eq!(gateway.page(path).await.status, 200, "{path}");
        let request =
            crate::support::client().get(format!("http://{}{path}", gateway.admin)).header("Host", "evil.example");
        assert_eq!(request.send().await.unwrap().status(), 421, "{path}");
    }
}

#[tokio::test]
async fn a_name_of_somebody_else_reads_nothing_of_the_admin_listener() {
    let server = AuthorizationServer::start().await;
    let tables = format!("{}{ROUTES}", issuer(&server, ""));
    let gateway = Gateway::start_with("console = true\nadmin_hosts = [\"gateway.internal\"]", &tables).await;
    let port = gateway.admin.port();
    for (path, guarded) in [
        ("/", true),
        ("/status", true),
        ("/metrics", true),
        ("/console", true),
        ("/console/state", true),
        ("/nothing", true),
        ("/healthz", false),
        ("/readyz", false),
    ] {
        let asked = async |host: &str| {
            let request = crate::support::client().get(format!("http://{}{path}", gateway.admin)).header("Host", host);
            crate::support::Answer::of(request.send().await.unwrap()).await
        };
        for host in ["evil.example", "127.0.0.1.evil.example", "x.gateway.internal"] {
            let answer = asked(host).await;
            assert_eq!(answer.status == 421, guarded, "{path} by {host}");
            assert!(!answer.body.contains(server.issuer()), "{path}: {answer:?}");
        }
        for host in [
            format!("127.0.0.1:{port}"),
            format!("localhost:{port}"),
            "gateway.internal".into(),
            "10.0.0.7:9081".into(),
        ] {
            assert_ne!(asked(&host).await.status, 421, "{path} by {host}");
        }
    }
}
