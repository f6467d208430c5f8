//! The rules that hold behind each proxy: for requests, and for the fields that the upstream gets.

use std::time::Duration;

use portcullis_testkit::{Attack, SigningKey, TokenBuilder};

use crate::{
    client::{Answer, ask, ask_with, exchange},
    process::until,
    scene::{Proxy, Scene, Stage},
};

/// Defines a test behind each proxy, and one with the module within nginx.
macro_rules! behind_each_proxy {
    ($($name:ident),+ $(,)?) => {
        $(behind_each_proxy!(@ $name: nginx Nginx, envoy_by_grpc EnvoyByGrpc, envoy_by_http EnvoyByHttp, caddy Caddy, traefik Traefik, haproxy Haproxy, nginx_module NginxModule);)+
    };
    (beside a gateway: $($name:ident),+ $(,)?) => {
        $(behind_each_proxy!(@ $name: nginx Nginx, envoy_by_grpc EnvoyByGrpc, envoy_by_http EnvoyByHttp, caddy Caddy, traefik Traefik, haproxy Haproxy);)+
    };
    (@ $name:ident: $($test:ident $proxy:ident),+) => {
        mod $name {
            use crate::scene::Proxy;

            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $test() {
                    super::$name(Proxy::$proxy).await;
                }
            )+
        }
    };
}

pub(crate) use behind_each_proxy;

behind_each_proxy!(
    good_tokens_pass_and_the_upstream_knows_whose_they_are,
    bad_tokens_do_not_pass,
    hostile_tokens_do_not_pass,
    what_clients_send_in_the_gateways_name_never_arrives,
    what_the_gateway_sets_arrives_whatever_connection_names,
    what_stands_in_a_trailer_is_no_header_field,
    claims_arrive_as_they_are_or_not_at_all,
    no_spelling_of_a_path_gets_behind_a_route,
    no_other_method_than_the_judged_one_is_served,
    no_field_that_asks_for_another_path_or_method_arrives,
    no_upgrade_to_another_http_arrives,
    an_upgrade_to_websocket_arrives_where_the_example_forwards_one,
    an_outage_of_the_authorization_server_costs_only_what_is_new,
    a_revoked_token_passes_no_longer_than_answers_are_kept,
);

behind_each_proxy!(beside a gateway: without_the_gateway_nothing_passes);

async fn good_tokens_pass_and_the_upstream_knows_whose_they_are(proxy: Proxy) {
    let scene = Scene::with(proxy).await;
    let jwt = scene.read().sign();
    let echo = scene.ask("GET /orders/1?x=%20y", Some(&jwt)).await.echo();
    assert_eq!(echo.url(), "/orders/1?x=%20y");
    assert_eq!(echo.all("x-auth-subject"), ["alice"]);
    assert_eq!(echo.all("x-auth-scope"), ["read"]);
    assert_eq!(echo.all("authorization"), [format!("Bearer {jwt}")]);

    let opaque = scene.opaque();
    for _ in 0..3 {
        let echo = scene.ask("GET /orders/1", Some(&opaque)).await.echo();
        assert_eq!(echo.all("x-auth-subject"), ["alice"]);
        let [handed_on] = echo.all("authorization")[..] else { panic!("{echo:?}") };
        assert!(!handed_on.contains(&opaque) && handed_on.matches('.').count() == 2, "{handed_on}");
    }
    assert_eq!(scene.authorization.requests(portcullis_testkit::Endpoint::Introspection), 1);

    let write = scene.authorization.token().scope("write").sign();
    assert_eq!(scene.ask("POST /orders/1", Some(&write)).await.status, 200);
    let admin = scene.authorization.token().claim("role", "admin").sign();
    let echo = scene.ask("DELETE /admin/users", Some(&admin)).await.echo();
    assert!(nothing_in(&echo.all("x-auth-scope")), "{echo:?}");

    let echo = scene.ask("GET /health", None).await.echo();
    assert!(nothing_in(&echo.all("x-auth-subject")), "{echo:?}");
}

async fn bad_tokens_do_not_pass(proxy: Proxy) {
    let scene = Scene::with(proxy).await;
    let none = scene.ask("GET /orders/1", None).await;
    assert_eq!((none.status, none.challenge()), (401, "Bearer realm=\"orders\""), "{none:?}");

    let weak = scene.authorization.token().scope("reading").sign();
    let refused = scene.ask("GET /orders/1", Some(&weak)).await;
    assert_eq!(refused.status, 403, "{refused:?}");
    for part in ["error=\"insufficient_scope\"", "scope=\"read\"", "realm=\"orders\""] {
        assert!(refused.challenge().contains(part), "{part}: {refused:?}");
    }
    let reader = scene.ask("POST /orders/1", Some(&scene.read().sign())).await;
    assert!(reader.challenge().contains("scope=\"write\""), "{reader:?}");

    let stranger = SigningKey::generate(portcullis_testkit::Algorithm::RS256, scene.authorization.signing_key().kid());
    let now = scene.authorization.now();
    for (what, token) in [
        ("signed by another", TokenBuilder::new(&stranger, scene.authorization.issuer(), now).scope("read").sign()),
        ("expired", scene.read().expired_for(Duration::from_secs(60)).sign()),
        ("for another API", scene.read().audience("https://other.example").sign()),
        ("opaque and unknown", "no-such-token".to_owned()),
    ] {
        let refused = scene.ask("GET /orders/1", Some(&token)).await;
        assert_eq!(refused.status, 401, "{what}: {refused:?}");
        assert!(refused.challenge().contains("error=\"invalid_token\""), "{what}: {refused:?}");
    }

    let token = scene.read().sign();
    assert_eq!(scene.ask("GET /elsewhere", Some(&token)).await.status, 403, "no route");
    assert_eq!(scene.ask("PATCH /orders/1", Some(&token)).await.status, 403, "no route for this method");
    assert_eq!(scene.ask("GET /admin/users", Some(&token)).await.status, 401, "without the claim");
    let field = format!("Bearer {token}");
    let twice = [("Authorization", field.as_str()), ("Authorization", field.as_str())];
    assert_ne!(ask(scene.stage.ports.proxy, "GET /orders/1", &twice).await.status, 200, "two tokens");
}

async fn hostile_tokens_do_not_pass(proxy: Proxy) {
    let scene = Scene::with(proxy).await;
    for attack in Attack::ALL {
        let token = scene.authorization.hostile_from(*attack, scene.read());
        let answer = ask_with(scene.stage.ports.proxy, "GET /orders/1", &token).await;
        assert!((400..500).contains(&answer.status), "{attack}: {answer:?}");
    }
    assert_eq!(scene.authorization.requests(portcullis_testkit::Endpoint::Attacker), 0);
    assert_eq!(scene.ask("GET /orders/1", Some(&scene.read().sign())).await.status, 200);
}

/// Spellings of the fields that only the gateway may set.
pub(crate) const SPELLINGS: [&str; 11] = [
    "X-Auth-Subject",
    "x-auth-subject",
    "X_Auth_Subject",
    "X-Auth_Subject",
    "x_auth-subject",
    "X-Auth-Scope",
    "X_AUTH_SCOPE",
    "X.Auth.Subject",
    "X~Auth~Subject",
    "X-Auth!Subject",
    "X-Auth+Scope",
];

async fn what_clients_send_in_the_gateways_name_never_arrives(proxy: Proxy) {
    let scene = Scene::with(proxy).await;
    let port = scene.stage.ports.proxy;
    let bearer = format!("Bearer {}", scene.authorization.token().without_claim("sub").scope("read").sign());
    for spelling in SPELLINGS {
        let forged = [("Authorization", bearer.as_str()), (spelling, "forged"), (spelling, "forged too")];
        arrives_unforged(&ask(port, "GET /orders/1", &forged).await, spelling);
        arrives_unforged(&ask(port, "GET /health", &forged[1..]).await, spelling);
    }
    // Fields named in `Connection` are hop-by-hop (RFC 9110 section 7.6.1): some proxies drop them after the judgement.
    let bearer = format!("Bearer {}", scene.read().sign());
    for named in ["X-Auth-Subject", "Authorization", "X-Forwarded-Uri", "X-Forwarded-Method", "X-Original-URI"] {
        let connection = format!("close, {named}");
        let fields = [("Authorization", bearer.as_str()), ("Connection", &connection), ("X-Auth-Subject", "forged")];
        arrives_unforged(&ask(port, "GET /orders/1", &fields).await, named);
        assert_ne!(ask(port, "GET /orders/1", &fields[1..]).await.status, 200, "{named}");
        assert_ne!(ask(port, "GET /admin/users", &fields).await.status, 200, "{named}");
    }
    // A client's own description of its request counts for nothing.
    for (method, target) in
        [("X-Forwarded-Method", "X-Forwarded-Uri"), ("X-Original-Method", "X-Original-URI"), ("x", "X-Original-Url")]
    {
        let fields = [("Authorization", bearer.as_str()), (method, "GET"), (target, "/health")];
        for line in ["GET /orders/1", "GET /admin/users", "POST /orders/1"] {
            assert_ne!(ask(port, line, &fields[1..]).await.status, 200, "{line} with {target}");
        }
        assert_ne!(ask(port, "POST /orders/1", &fields).await.status, 200, "{target}");
    }
}

/// Fields whose path replaces that of the request on IIS, and on frameworks that know it.
async fn no_field_that_asks_for_another_path_or_method_arrives(proxy: Proxy) {
    let scene = Scene::with(proxy).await;
    let bearer = format!("Bearer {}", scene.read().sign());
    for (line, name, value) in [
        ("GET /health", "X-Original-URL", "/admin/users"),
        ("GET /health", "X-Rewrite-URL", "/admin/users"),
        ("GET /health", "X_Original_URL", "/admin/users"),
        ("GET /health", "X.Rewrite.URL", "/admin/users"),
        ("GET /orders/1", "X-Original-URL", "/admin/users"),
        ("GET /orders/1", "X-Rewrite-URL", "/admin/users"),
        ("GET /orders/1", "X-HTTP-Method-Override", "DELETE"),
        ("GET /orders/1", "X.HTTP.Method", "DELETE"),
    ] {
        let answer = ask(scene.stage.ports.proxy, line, &[("Authorization", &bearer), (name, value)]).await;
        let arrives = answer.status == 200 && !answer.echo().all(&name.to_ascii_lowercase()).is_empty();
        assert!(!arrives && matches!(answer.status, 200 | 403), "{line} {name}: {answer:?}");
    }
}

/// An upgrade, after which an upstream answers further requests on the connection, which are not judged.
async fn no_upgrade_to_another_http_arrives(proxy: Proxy) {
    let scene = Scene::with(proxy).await;
    for upgrade in
        [&["h2c"][..], &["H2C"], &["websocket, h2c"], &["h2c", "websocket"], &["websocket", "h2c"], &["TLS/1.0"]]
    {
        let mut fields = vec![("Connection", "Upgrade, HTTP2-Settings, close"), ("HTTP2-Settings", "AAMAAABkAAQAAP__")];
        fields.extend(upgrade.iter().map(|upgrade| ("Upgrade", *upgrade)));
        let answer = ask(scene.stage.ports.proxy, "GET /health", &fields).await;
        if answer.status == 200 {
            let arrived = answer.echo().all("upgrade").concat().to_ascii_lowercase();
            assert!(["", "websocket"].contains(&arrived.as_str()), "{upgrade:?}: {answer:?}");
        }
    }
}

/// As docs/gateway.md says of the examples.
async fn an_upgrade_to_websocket_arrives_where_the_example_forwards_one(proxy: Proxy) {
    let scene = Scene::with(proxy).await;
    let fields = [
        ("Connection", "Upgrade, close"),
        ("Upgrade", "WebSocket"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Version", "13"),
    ];
    let answer = ask(scene.stage.ports.proxy, "GET /health", &fields).await;
    let forwards = matches!(proxy, Proxy::Caddy | Proxy::Traefik | Proxy::Haproxy);
    let arrived = if answer.status == 200 { answer.echo().all("upgrade").concat() } else { String::new() };
    assert_eq!(arrived.to_ascii_lowercase(), if forwards { "websocket" } else { "" }, "{answer:?}");
}

/// Fields that `Connection` makes hop-by-hop (RFC 9110 section 7.6.1); the gateway's must not become so.
async fn what_the_gateway_sets_arrives_whatever_connection_names(proxy: Proxy) {
    let scene = Scene::with(proxy).await;
    let jwt = scene.read().sign();
    let bearer = format!("Bearer {jwt}");
    for connection in [
        "close, X-Auth-Subject",
        "close, x-auth-subject, X-Auth-Scope, Authorization, TE, Trailer",
        "close,TE,Trailer, Authorization",
        "X-Auth-Subject, close, Keep-Alive, Proxy-Authorization, Upgrade",
    ] {
        for further in [("X-Other", "1"), ("TE", "trailers"), ("Upgrade", "websocket"), ("Keep-Alive", "timeout=5")] {
            let fields = [("Authorization", bearer.as_str()), ("Connection", connection), further];
            let answer = ask(scene.stage.ports.proxy, "GET /orders/1", &fields).await;
            // Envoy and Traefik drop the named fields at once, and send a question without a token.
            if answer.status == 401 && connection.contains(" Authorization") {
                assert!(matches!(proxy, Proxy::EnvoyByGrpc | Proxy::EnvoyByHttp | Proxy::Traefik), "{answer:?}");
                continue;
            }
            // HAProxy refuses an upgrade to WebSocket that has no key.
            if answer.status == 400 && further.0 == "Upgrade" && connection.contains("Upgrade") {
                assert_eq!(proxy, Proxy::Haproxy, "{answer:?}");
                continue;
            }
            // And Envoy only allows configured upgrades.
            let is_envoy = matches!(proxy, Proxy::EnvoyByGrpc | Proxy::EnvoyByHttp);
            if is_envoy && answer.status == 403 && further.0 == "Upgrade" && connection.contains("Upgrade") {
                continue;
            }
            let echo = answer.echo();
            assert_eq!(echo.all("x-auth-subject"), ["alice"], "{connection}, {further:?}");
            assert_eq!(echo.all("x-auth-scope"), ["read"], "{connection}, {further:?}");
            assert_eq!(echo.all("authorization"), [&bearer], "{connection}, {further:?}");
        }
    }
}

/// Values that some proxy or server could misread or shorten.
async fn claims_arrive_as_they_are_or_not_at_all(proxy: Proxy) {
    let scene = Scene::with(proxy).await;
    let ask = async |subject: &str| scene.ask("GET /orders/1", Some(&scene.read().subject(subject).sign())).await;
    for subject in [
        "alice  smith",
        "CN=Alice, O=Example",
        r#"a "b" \ 'c'"#,
        "x{env.HOME}",
        "x{http.request.uri}",
        "$request_uri",
        "${HOME}",
        "%REQ(:path)%",
        "%41%2f",
        "a;b&c=d<e>",
        "-",
        "Jos\u{e9}",
    ] {
        // Node reads fields as ISO 8859-1.
        let read: String = subject.bytes().map(char::from).collect();
        assert_eq!(ask(subject).await.echo().all("x-auth-subject"), [read.as_str()]);
    }
    for subject in [" admin", "admin ", "\tadmin", "ad\u{200b}min", "admin\u{a0}", "ad\r\nmin", "", r#"["admin"]"#] {
        assert_eq!(ask(subject).await.status, 403, "{subject:?}");
    }
}

/// A field behind the body, which must not count.
async fn what_stands_in_a_trailer_is_no_header_field(proxy: Proxy) {
    let scene = Scene::with(proxy).await;
    let bearer = scene.authorization.token().scope("write").without_claim("sub").sign();
    for named in ["", "Trailer: X-Auth-Subject\r\n", "TE: trailers\r\nTrailer: X-Auth-Subject, Authorization\r\n"] {
        let request = format!(
            "POST /orders/1 HTTP/1.1\r\nHost: api.example.com\r\nConnection: close\r\nAuthorization: Bearer {bearer}\r\n{named}\
             Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Auth-Subject: forged\r\nAuthorization: forged\r\n\r\n"
        );
        let answer = exchange(scene.stage.ports.proxy, request.as_bytes()).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") && !answer.contains("forged"), "{named}: {answer}");
    }
}

/// Asserts that the upstream, if it was reached, got none of the forged fields.
pub(crate) fn arrives_unforged(answer: &Answer, what: &str) {
    if answer.status != 200 {
        return;
    }
    let echo = answer.echo();
    for (name, value) in echo.fields() {
        let plain = name.replace(|character: char| !character.is_ascii_alphanumeric(), "-");
        assert!(!plain.starts_with("x-auth-") || !value.contains("forged"), "{what}: {echo:?}");
    }
}

/// Targets that some upstream may take for `/admin/users`, or for a path below it.
const ODD_TARGETS: [&str; 38] = [
    "/admin/users",
    "//admin/users",
    "///admin//users",
    "/./admin/users",
    "/x/../admin/users",
    "/orders/../admin/users",
    "/orders/./../admin/users",
    "/orders/..%2fadmin/users",
    "/orders/..%2Fadmin%2Fusers",
    "/orders/%2e%2e/admin/users",
    "/orders/%2E%2E%2Fadmin/users",
    "/orders/.%2e/admin/users",
    "/orders/..%5cadmin/users",
    "/orders/..\\admin\\users",
    "/orders\\..\\admin/users",
    "/orders/%252e%252e/admin/users",
    "/orders/..%252fadmin/users",
    "/orders/..;/admin/users",
    "/orders/..;x=1/admin/users",
    "/orders/;/../admin/users",
    "/admin;x/users",
    "/admin;/users",
    "/;x/admin/users",
    "/%61dmin/users",
    "/%2561dmin/users",
    "/admin%2fusers",
    "/admin/",
    "/admin",
    "/admin?x",
    "/admin%3fx/users",
    "/health/../admin/users",
    "/health/..%2fadmin/users",
    "/health;/../admin/users",
    "/health%00/../admin/users",
    "/orders/1%0a/../../admin/users",
    "/health#/../admin/users",
    "http://api.example.com/admin/users",
    "http://api.example.com/health/../admin/users",
];

async fn no_spelling_of_a_path_gets_behind_a_route(proxy: Proxy) {
    let scene = Scene::with(proxy).await;
    let reader = scene.read().sign();
    for target in ODD_TARGETS {
        for token in [Some(&reader), None] {
            let answer = scene.ask(&format!("GET {target}"), token.map(String::as_str)).await;
            if answer.status != 200 {
                continue;
            }
            let arrived = answer.echo();
            let plain = plainest(arrived.url());
            let open = if token.is_some() { ["/orders", "/health"] } else { ["/health"; 2] };
            assert!(open.iter().any(|open| plain.starts_with(open)), "{target} arrived as {} ({plain})", arrived.url());
        }
    }
    // The plain path stays open all the time.
    assert_eq!(scene.ask("GET /orders/1", Some(&reader)).await.status, 200);
}

async fn no_other_method_than_the_judged_one_is_served(proxy: Proxy) {
    let scene = Scene::with(proxy).await;
    let port = scene.stage.ports.proxy;
    let bearer = format!("Bearer {}", scene.read().sign());
    for name in ["X-HTTP-Method-Override", "X-Method-Override", "x-http-method"] {
        let fields = [("Authorization", bearer.as_str()), (name, "DELETE")];
        assert_eq!(ask(port, "GET /orders/1", &fields).await.status, 403, "{name}");
        let fields = [fields[0], (name, "get")];
        assert_eq!(ask(port, "GET /orders/1", &fields).await.status, 200, "{name}");
    }
    // Spelled otherwise, or named in `Connection`, it is judged or does not arrive.
    for field in ["X-HTTP-Method-Override", "X_HTTP_METHOD", "X.HTTP.Method.Override", "x.method-override"] {
        for connection in ["close".to_owned(), format!("close, {field}")] {
            let sent = [("Authorization", bearer.as_str()), (field, "DELETE"), ("Connection", &connection)];
            let answer = ask(port, "GET /orders/1", &sent).await;
            let arrives = || !answer.echo().all(&field.to_ascii_lowercase()).is_empty();
            assert!(answer.status == 403 || answer.status == 200 && !arrives(), "{field}, {connection}: {answer:?}");
        }
    }
    for line in ["GET /orders/1?_method=DELETE", "GET /orders/1?%5fmethod=delete", "delete /orders/1", "get /orders/1"]
    {
        assert_ne!(ask(port, line, &[("Authorization", &bearer)]).await.status, 200, "{line}");
    }
}

/// Returns a path as the most permissive upstream reads it.
fn plainest(url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let mut path = path.replace('\\', "/");
    for (code, character) in [("%25", "%"), ("%25", "%"), ("%2e", "."), ("%2f", "/"), ("%5c", "/"), ("%61", "a")] {
        path = path.replace(code, character).replace(&code.to_ascii_uppercase(), character);
    }
    let mut segments = Vec::new();
    for segment in path.split('/').map(|segment| segment.split(';').next().unwrap_or_default()) {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment.to_owned()),
        }
    }
    format!("/{}", segments.join("/"))
}

async fn an_outage_of_the_authorization_server_costs_only_what_is_new(proxy: Proxy) {
    let scene = Scene::with(proxy).await;
    let (jwt, opaque, late) = (scene.read().sign(), scene.opaque(), scene.opaque());
    let unseen = scene.read().sign();
    for token in [&jwt, &opaque] {
        assert_eq!(scene.ask("GET /orders/1", Some(token)).await.status, 200);
    }
    scene.authorization.stop().await;
    for _ in 0..3 {
        for token in [&jwt, &opaque, &unseen] {
            assert_eq!(scene.ask("GET /orders/1", Some(token)).await.status, 200, "keys and answers are at hand");
        }
    }
    let refused = scene.ask("GET /orders/1", Some(&late)).await;
    assert_eq!(refused.status, 503, "nobody can tell: {refused:?}");
    assert!(!refused.challenge().contains("error"), "the token was not judged: {refused:?}");
    if proxy.hands_retry_after_on() {
        let [seconds] = refused.all("retry-after")[..] else { panic!("{refused:?}") };
        assert!(seconds.parse::<u32>().unwrap() > 0);
    }
    assert_eq!(scene.ask("GET /orders/1", None).await.status, 401, "this needs no server");

    scene.authorization.restart().await.unwrap();
    let passes = async || scene.ask("GET /orders/1", Some(&late)).await.status == 200;
    until("the token that was new passes", passes).await;
}

async fn without_the_gateway_nothing_passes(proxy: Proxy) {
    let mut scene = Scene::with(proxy).await;
    let jwt = scene.read().sign();
    assert_eq!(scene.ask("GET /orders/1", Some(&jwt)).await.status, 200);
    scene.gateway.kill();
    for (line, token) in [("GET /orders/1", Some(jwt.as_str())), ("GET /orders/1", None), ("GET /health", None)] {
        let refused = scene.ask(line, token).await;
        assert!(refused.status >= 500, "{refused:?}");
        // Traefik says 500, the others 503.
        assert!(refused.status == 503 || proxy == Proxy::Traefik, "{refused:?}");
    }
    let port = scene.stage.ports.gateway[1];
    scene.gateway = scene.gateway.restart(port).await;
    let passes = async || scene.ask("GET /orders/1", Some(&jwt)).await.status == 200;
    until("good tokens pass again", passes).await;
}

async fn a_revoked_token_passes_no_longer_than_answers_are_kept(proxy: Proxy) {
    let stage = Stage::set();
    stage.edit("examples/gateway/portcullis.toml", "mode = \"phantom\"", "mode = \"phantom\"\nkeep_for = \"1s\"");
    let scene = Scene::on(stage, proxy).await;
    let (opaque, other) = (scene.opaque(), scene.opaque());
    for token in [&opaque, &other] {
        assert_eq!(scene.ask("GET /orders/1", Some(token)).await.status, 200);
    }
    scene.authorization.revoke(&opaque);
    let refused = async || scene.ask("GET /orders/1", Some(&opaque)).await.status == 401;
    until("the revoked token is refused", refused).await;
    assert_eq!(scene.ask("GET /orders/1", Some(&other)).await.status, 200);
}

/// Returns true if a field is absent, or has no value.
fn nothing_in(values: &[&str]) -> bool {
    values.iter().all(|value| value.is_empty())
}

#[test]
fn the_plainest_reading_finds_what_is_hidden() {
    for target in ODD_TARGETS.iter().filter(|target| target.starts_with('/')) {
        let hidden = ["%00", "%0a", "#", "%3f"].iter().any(|odd| target.contains(odd));
        assert!(hidden || plainest(target).starts_with("/admin"), "{target}: {}", plainest(target));
    }
}
