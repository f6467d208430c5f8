//! Forward-auth over HTTP: the same request, described in the ways of each proxy.

use portcullis_testkit::{Attack, AuthorizationServer, Endpoint};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{Answer, Gateway, ROUTES, introspecting, issuer};

/// The ways of proxies, and of a person with curl.
pub const WAYS: [&str; 4] = ["nginx", "caddy", "envoy", "itself"];

pub async fn setup() -> (AuthorizationServer, Gateway) {
    let server = AuthorizationServer::start().await;
    let gateway = Gateway::start(&format!("{}{ROUTES}", issuer(&server, ""))).await;
    gateway.ready().await;
    (server, gateway)
}

/// Sends a request byte by byte as given, which HTTP clients do not.
pub async fn send(gateway: &Gateway, method: &str, target: &str, fields: &str) -> Answer {
    send_to("gateway", gateway, method, target, fields).await
}

/// Like [`send`], with this value of `Host`.
pub async fn send_to(host: &str, gateway: &Gateway, method: &str, target: &str, fields: &str) -> Answer {
    let mut stream = TcpStream::connect(gateway.forward_auth).await.unwrap();
    let request = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{fields}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = Vec::new();
    stream.read_to_end(&mut text).await.unwrap();
    let text = String::from_utf8(text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let fields = lines.map(|line| line.split_once(':').unwrap());
    let headers = fields.map(|(name, value)| (name.parse().unwrap(), value.trim().parse().unwrap())).collect();
    Answer { status, headers, body: body.to_owned() }
}

pub async fn ask(gateway: &Gateway, way: &str, method: &str, target: &str, token: Option<&str>) -> Answer {
    ask_with(gateway, way, method, target, token, "").await
}

/// Sends a question with a further field of the client's.
async fn ask_with(
    gateway: &Gateway,
    way: &str,
    method: &str,
    target: &str,
    token: Option<&str>,
    field: &str,
) -> Answer {
    let mut fields = token.map_or(String::new(), |token| format!("Authorization: Bearer {token}\r\n"));
    if !field.is_empty() {
        fields += &format!("{field}\r\n");
    }
    match way {
        "nginx" => {
            fields += &format!("X-Original-Method: {method}\r\nX-Original-URI: {target}\r\n");
            send(gateway, "GET", "/auth", &fields).await
        }
        "caddy" => {
            fields += &format!(
                "X-Forwarded-Method: {method}\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: api.example.com\r\n\
                 X-Forwarded-Uri: {target}\r\n"
            );
            send(gateway, "GET", "/auth", &fields).await
        }
        "envoy" => send(gateway, method, &format!("/auth{target}"), &fields).await,
        _ => send(gateway, method, target, &fields).await,
    }
}

#[tokio::test]
async fn a_request_gets_the_same_answer_in_whatever_way_it_is_described() {
    let (server, gateway) = setup().await;
    let reader = server.token().scope("read").sign();
    let writer = server.token().scope("write").sign();
    let admin = server.token().claim("role", "admin").sign();
    let expired = server.token().scope("read").expired_for(std::time::Duration::from_secs(60)).sign();
    let (no, reader, writer, admin, expired) = (None, Some(&*reader), Some(&*writer), Some(&*admin), Some(&*expired));
    let table = [
        ("GET", "/open", no, 200, "pass"),
        ("GET", "/open/a?b=c", no, 200, "pass"),
        ("DELETE", "/open/a", no, 200, "pass"),
        ("GET", "/open/a", expired, 200, "pass"),
        ("GET", "/orders/1", no, 401, "no_credentials"),
        ("GET", "/orders/1", reader, 200, "pass"),
        ("HEAD", "/orders/1", reader, 200, "pass"),
        ("GET", "/orders", reader, 200, "pass"),
        ("GET", "/orders/1?admin=/open/", reader, 200, "pass"),
        ("GET", "/orders/1", writer, 403, "insufficient_scope"),
        ("GET", "/orders/1", expired, 401, "expired"),
        ("PUT", "/orders/1", reader, 403, "insufficient_scope"),
        ("PUT", "/orders/1", writer, 200, "pass"),
        ("DELETE", "/orders/1", writer, 403, "no_route"),
        ("get", "/orders/1", reader, 403, "no_route"),
        ("GET", "/admin", reader, 401, "required_claims"),
        ("GET", "/admin", admin, 200, "pass"),
        ("GET", "/admin/x", admin, 403, "no_route"),
        ("GET", "/any/thing", reader, 200, "pass"),
        ("GET", "/elsewhere", reader, 403, "no_route"),
        ("GET", "/ordersx", reader, 403, "no_route"),
        ("GET", "/", reader, 403, "no_route"),
        ("GET", "/open/../admin", no, 403, "ambiguous_path"),
        ("GET", "/open/%2e%2e/admin", no, 403, "ambiguous_path"),
        ("GET", "/open/..%2fadmin", no, 403, "ambiguous_path"),
        ("GET", "/open/%2", no, 403, "malformed_path"),
    ];
    for (method, target, token, status, code) in table {
        for way in WAYS {
            let answer = ask(&gateway, way, method, target, token).await;
            // An answer to HEAD has no body.
            let told = if answer.body.is_empty() { code.to_owned() } else { answer.code() };
            assert_eq!((answer.status, &*told), (status, code), "{way}: {method} {target}");
        }
    }
}

/// Routes that differ by method, with a broader one behind.
pub const BY_METHOD: &str = r#"
[[routes]]
path = "/orders/*"
methods = ["DELETE"]
scope = ["write"]

[[routes]]
path = "/*"
scope = ["read"]
"#;

/// Requests that a token for reading does not allow, each with an overriding method; and the code of the refusal.
pub const OTHER_METHODS: [(&str, &str, &str, &str); 10] = [
    ("DELETE", "/orders/1", "", "insufficient_scope"),
    ("delete", "/orders/1", "", "malformed_method"),
    ("dElEtE", "/orders/1", "", "malformed_method"),
    ("POST", "/orders/1", "X-HTTP-Method-Override: DELETE", "ambiguous_method"),
    ("POST", "/orders/1", "x-method-override: delete", "ambiguous_method"),
    ("POST", "/orders/1", "X_HTTP_Method: DELETE", "ambiguous_method"),
    ("POST", "/orders/1", "X-HTTP-Method: PUT,DELETE", "ambiguous_method"),
    ("POST", "/orders/1", "X-HTTP-Method:\tdelete\t", "ambiguous_method"),
    ("POST", "/orders/1?_method=DELETE", "", "ambiguous_method"),
    ("POST", "/orders/1?%5fmethod=delete", "", "ambiguous_method"),
];

#[tokio::test]
async fn no_other_method_than_the_judged_one_is_served() {
    let server = AuthorizationServer::start().await;
    let gateway = Gateway::start(&format!("{}{BY_METHOD}", issuer(&server, ""))).await;
    gateway.ready().await;
    let reader = server.token().scope("read").sign();
    for (method, target, field, code) in OTHER_METHODS {
        for way in WAYS {
            let answer = ask_with(&gateway, way, method, target, Some(&reader), field).await;
            assert_eq!((answer.status, &*answer.code()), (403, code), "{way}: {method} {target} {field}");
        }
    }
    for way in WAYS {
        let twice = "X-HTTP-Method: PUT\r\nX-HTTP-Method: PUT";
        let answer = ask_with(&gateway, way, "POST", "/orders/1", Some(&reader), twice).await;
        assert_eq!((answer.status, &*answer.code()), (403, "ambiguous_method"), "{way}");
        for (target, field) in
            [("/orders/1?_method=PUT", ""), ("/notes?_method=DELETE", ""), ("/orders/1", "X-HTTP-Method: PUT")]
        {
            let answer = ask_with(&gateway, way, "POST", target, Some(&reader), field).await;
            assert_eq!(answer.status, 200, "{way}: {target} {field}");
        }
    }
}

/// Fields that override the path of the request line on some servers.
pub const OTHER_PATHS: [&str; 5] = [
    "X-Rewrite-URL: /admin",
    "x_rewrite_url: /open/../admin",
    "X-Rewrite-Url: https://x/admin",
    "X.Rewrite.URL: /elsewhere",
    "X.Original.URL: /admin",
];

#[tokio::test]
async fn no_other_path_than_the_judged_one_is_served() {
    let (_server, gateway) = setup().await;
    for way in WAYS {
        for field in OTHER_PATHS {
            let answer = ask_with(&gateway, way, "GET", "/open/a", None, field).await;
            assert_eq!((answer.status, &*answer.code()), (403, "ambiguous_path"), "{way}: {field}");
        }
        let answer = ask_with(&gateway, way, "GET", "/open/a", None, "X-Original-URL: /admin").await;
        assert_eq!((answer.status, &*answer.code()), (403, "ambiguous_original_request"), "{way}");
        let same = ask_with(&gateway, way, "GET", "/open/a", None, "X-Rewrite-URL: /open/b").await;
        assert_eq!(same.status, 200, "{way}");
    }
}

#[tokio::test]
async fn a_protected_path_cannot_be_reached_by_spelling_it_otherwise() {
    let (server, gateway) = setup().await;
    let reader = server.token().scope("read").sign();
    let spellings = [
        "//admin",
        "/./admin",
        "/open/../admin",
        "/open//../admin",
        "/open/%2e%2e/admin",
        "/open/..;/admin",
        "/open/..%2fadmin",
        "/open/..%5cadmin",
        "/open\\..\\admin",
        "/%61dmin",
        "/%2561dmin",
        "/admin;x=y",
        "/admin/",
        "/admin/.",
        "/admin%2f",
        "/admin%00",
        "/admin%20",
        "/ADMIN",
        "/open/%252e%252e/admin",
        "/any/../admin",
        "/orders/../admin",
        "/any/..%252fadmin",
        "/open/a%2fb/%2e%2e/%2e%2e/admin",
        "/open/a%5cb/../../admin",
        "/open/....//admin",
        "/open/%ef%bc%8e%ef%bc%8e/admin",
        "/%ef%bd%81dmin",
        "/open;/../../admin",
    ];
    for target in spellings {
        for way in WAYS {
            for token in [None, Some(&*reader)] {
                let answer = ask(&gateway, way, "GET", target, token).await;
                assert_ne!(answer.status, 200, "{way}: {target}");
            }
        }
    }
}

#[tokio::test]
async fn the_challenge_is_for_the_client() {
    let (server, gateway) = setup().await;
    let writer = server.token().scope("write").sign();
    let answer = gateway.ask("GET", "/orders/1", None).await;
    assert_eq!(answer.header("www-authenticate"), Some(r#"Bearer realm="orders""#));
    let answer = gateway.ask("GET", "/orders/1", Some(&writer)).await;
    let expected = r#"Bearer realm="orders", error="insufficient_scope", error_description="Token is missing some required scope values", scope="read""#;
    assert_eq!(answer.header("www-authenticate"), Some(expected));
    let answer = gateway.ask("GET", "/orders/1", Some("a.b.c")).await;
    assert_eq!(answer.status, 401);
    assert!(answer.header("www-authenticate").unwrap().contains(r#"error="invalid_token""#), "{answer:?}");
}

#[tokio::test]
async fn no_hostile_token_passes() {
    let (server, gateway) = setup().await;
    for attack in Attack::ALL {
        let token = server.hostile_from(*attack, server.token().scope("read"));
        let fields = format!("Authorization: Bearer {token}\r\n");
        let answer = send(&gateway, "GET", "/orders/1", &fields).await;
        // 431: it is too large for any field.
        assert!(matches!(answer.status, 400 | 401 | 431), "{attack}: {answer:?}");
    }
}

#[tokio::test]
async fn two_tokens_are_refused() {
    let (server, gateway) = setup().await;
    let token = server.token().scope("read").sign();
    let fields = format!("Authorization: Bearer {token}\r\nAuthorization: Bearer {token}\r\n");
    let answer = send(&gateway, "GET", "/orders/1", &fields).await;
    assert_eq!((answer.status, &*answer.code()), (400, "several_tokens"));
}

#[tokio::test]
async fn the_upstream_gets_claims_and_what_the_client_sent_is_replaced() {
    let (server, gateway) = setup().await;
    let token = server.token().subject("alice").scope("read").sign();
    let answer = gateway.ask("GET", "/orders/1", Some(&token)).await;
    assert_eq!(answer.header("x-auth-subject"), Some("alice"));
    assert_eq!(answer.header("x-auth-roles"), Some(""), "no such claim: the client's field is replaced");
    assert_eq!(
        answer.header("authorization"),
        Some(&*format!("Bearer {token}")),
        "Traefik and Caddy drop it unless it is repeated"
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));

    let roles = serde_json::json!({ "roles": null });
    let token = server.token().claim("realm_access", roles).scope("read").sign();
    let answer = gateway.ask("GET", "/orders/1", Some(&token)).await;
    assert_eq!(answer.header("x-auth-roles"), Some(""), "a claim that is null is none");

    let roles = serde_json::json!({ "roles": ["ops", "a,b"] });
    let token = server.token().claim("realm_access", roles).scope("read").sign();
    let answer = gateway.ask("GET", "/orders/1", Some(&token)).await;
    assert_eq!(answer.header("x-auth-roles"), Some(r#"["ops","a,b"]"#));

    let answer = gateway.ask("GET", "/open/a", None).await;
    assert_eq!(
        answer.header("x-auth-subject"),
        Some(""),
        "on a public route no subject is sent, not even the client's"
    );

    let token = server.token().subject("alice\r\nX-Admin: yes").scope("read").sign();
    let answer = gateway.ask("GET", "/orders/1", Some(&token)).await;
    assert_eq!((answer.status, &*answer.code()), (403, "unmappable_claim"));
}

#[tokio::test]
async fn a_forged_header_field_is_refused() {
    let (server, gateway) = setup().await;
    let token = server.token().scope("read").sign();
    for name in ["X_Auth_Subject", "x_auth-subject", "X-Auth_Subject", "X-AUTH_ROLES"] {
        let fields = format!("Authorization: Bearer {token}\r\n{name}: mallory\r\n");
        let answer = send(&gateway, "GET", "/orders/1", &fields).await;
        assert_eq!((answer.status, &*answer.code()), (403, "forged_header"), "{name}");
        let answer = send(&gateway, "GET", "/open/1", &format!("{name}: mallory\r\n")).await;
        assert_eq!(answer.code(), "forged_header", "{name} on a public route");
    }
    // Spelled as the gateway's it is replaced; any other field passes.
    let fields = format!("Authorization: Bearer {token}\r\nX-Auth-Subject: mallory\r\nX_Other: 1\r\n");
    assert_eq!(send(&gateway, "GET", "/orders/1", &fields).await.status, 200);
}

#[tokio::test]
async fn a_request_that_is_described_in_two_ways_or_by_half_is_refused() {
    let (_server, gateway) = setup().await;
    let nginx = "X-Original-Method: GET\r\nX-Original-URI: /open/a\r\n";
    let caddy = "X-Forwarded-Method: GET\r\nX-Forwarded-Uri: /open/a\r\n";
    let table = [
        (nginx.to_owned(), "/auth", "pass"),
        (caddy.to_owned(), "/auth", "pass"),
        (format!("{nginx}{caddy}"), "/auth", "ambiguous_original_request"),
        (format!("{nginx}{nginx}"), "/auth", "ambiguous_original_request"),
        ("X-Original-URI: /open/a\r\n".to_owned(), "/auth", "ambiguous_original_request"),
        ("X-Original-Method: GET\r\n".to_owned(), "/auth", "ambiguous_original_request"),
        (format!("{caddy}X-Forwarded-Uri: /open/b\r\n"), "/auth", "ambiguous_original_request"),
        (nginx.to_owned(), "/auth/orders/1", "ambiguous_original_request"),
        (String::new(), "/auth", "no_original_request"),
        (String::new(), "/auth?x=y", "no_original_request"),
        ("X-Forwarded-Host: api.example.com\r\n".to_owned(), "/auth", "no_original_request"),
        (String::new(), "/authx", "no_route"),
        ("X-Original-Method: GET\r\nX-Original-URI:\r\n".to_owned(), "/auth", "malformed_path"),
        ("X-Original-Method:\r\nX-Original-URI: /orders/1\r\n".to_owned(), "/auth", "no_route"),
        ("X-Original-Method: GET\r\nX-Original-URI: open/a\r\n".to_owned(), "/auth", "malformed_path"),
    ];
    for (fields, target, code) in table {
        let answer = send(&gateway, "GET", target, &fields).await;
        assert_eq!(answer.code(), code, "{target} with {fields:?}");
    }
}

#[tokio::test]
async fn without_routes_any_valid_token_passes_and_no_other() {
    let server = AuthorizationServer::start().await;
    let gateway = Gateway::start(&issuer(&server, "")).await;
    let token = server.token().sign();
    for way in WAYS {
        assert_eq!(ask(&gateway, way, "GET", "/what/ever", Some(&token)).await.status, 200, "{way}");
        assert_eq!(ask(&gateway, way, "GET", "/what/ever", None).await.status, 401, "{way}");
    }
    let fields = format!("Authorization: Bearer {token}\r\n");
    assert_eq!(send(&gateway, "GET", "/auth", &fields).await.status, 200, "the path does not matter");
}

#[tokio::test]
async fn an_opaque_token_is_exchanged_for_the_jwt() {
    for (mode, has_jwt) in [("phantom", true), ("json", false), ("jwt", false)] {
        let server = AuthorizationServer::start().await;
        let gateway = Gateway::start(&format!("{}{ROUTES}", introspecting(&server, mode, ""))).await;
        gateway.ready().await;
        let opaque = server.issue_opaque(server.token().subject("alice").scope("read"));
        let answer = gateway.ask("GET", "/orders/1", Some(&opaque)).await;
        assert_eq!((answer.status, answer.header("x-auth-subject")), (200, Some("alice")), "{mode}: {answer:?}");
        let handed_on = answer.header("authorization").unwrap().strip_prefix("Bearer ").unwrap();
        assert_eq!(handed_on.split('.').count() == 3, has_jwt, "{mode}");
        assert_eq!(handed_on != opaque, has_jwt, "{mode}");
        let answer = gateway.ask("GET", "/orders/1", Some("never-issued")).await;
        assert_eq!((answer.status, &*answer.code()), (401, "inactive_token"), "{mode}");
    }
}

#[tokio::test]
async fn the_strict_mode_takes_access_tokens_of_rfc_9068_only() {
    let server = AuthorizationServer::start().await;
    let gateway = Gateway::start(&format!("{}{ROUTES}", issuer(&server, "rfc9068 = true"))).await;
    gateway.ready().await;
    for (token, code) in [
        (server.token().scope("read"), "pass"),
        (server.token().scope("read").typ("JWT"), "wrong_type"),
        (server.token().scope("read").without_claim("jti"), "missing_claim"),
    ] {
        assert_eq!(gateway.ask("GET", "/orders/1", Some(&token.sign())).await.code(), code);
    }
}

#[tokio::test]
async fn types_are_set_and_no_type_is_allowed_by_name() {
    let server = AuthorizationServer::start().await;
    let token = || server.token().scope("read");
    let tokens = || [token(), token().typ("JWT"), token().typ("JOSE"), token().without_header("typ")];
    for (keys, codes) in [
        ("", ["pass", "pass", "wrong_type", "pass"]),
        ("types = [\"at+jwt\"]", ["pass", "wrong_type", "wrong_type", "wrong_type"]),
        ("types = [\"JWT\", \"JOSE\"]\nor_no_type = true", ["wrong_type", "pass", "pass", "pass"]),
        ("rfc9068 = true", ["pass", "wrong_type", "wrong_type", "wrong_type"]),
        ("rfc9068 = true\nor_no_type = true", ["pass", "wrong_type", "wrong_type", "pass"]),
    ] {
        let gateway = Gateway::start(&format!("{}{ROUTES}", issuer(&server, keys))).await;
        gateway.ready().await;
        for (token, code) in tokens().into_iter().zip(codes) {
            assert_eq!(gateway.ask("GET", "/orders/1", Some(&token.sign())).await.code(), code, "{keys}");
        }
    }
}

#[tokio::test]
async fn a_token_that_is_bound_to_a_key_passes_only_where_that_is_called_dangerous() {
    let server = AuthorizationServer::start().await;
    let bound = || {
        server
            .token()
            .scope("read")
            .claim("cnf", serde_json::json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" }))
    };
    let (jwt, opaque) = (bound().sign(), server.issue_opaque(bound()));
    let dangerous = "dangerously_accept_sender_constrained_tokens = true\n";
    for (keys, status, code) in [("", 401, "sender_constrained_token"), (dangerous, 200, "pass")] {
        for mode in ["json", "jwt", "phantom"] {
            let tables = introspecting(&server, mode, "").replacen("introspection", &format!("{keys}introspection"), 1);
            let gateway = Gateway::start_with("invalid_token_status = 403", &format!("{tables}{ROUTES}")).await;
            gateway.ready().await;
            for token in [&jwt, &opaque] {
                let answer = gateway.ask("GET", "/orders/1", Some(token)).await;
                assert_eq!((answer.status, &*answer.code()), (status, code), "{mode}: {answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn jwts_that_only_their_server_can_judge_are_introspected() {
    let server = AuthorizationServer::start().await;
    let without_subject = server.token().scope("read").without_claim("sub").sign();
    let ordinary = server.token().scope("read").sign();
    for (tokens, expected) in [
        ("", (0, 0)),
        (", introspect = \"all\"", (1, 1)),
        (", introspect = [{ name = \"sub\", absent = true }]", (1, 0)),
    ] {
        let gateway = Gateway::start(&format!("{}{ROUTES}", introspecting(&server, "json", tokens))).await;
        gateway.ready().await;
        let mut asked = Vec::new();
        for token in [&without_subject, &ordinary] {
            let before = server.requests(Endpoint::Introspection);
            assert_eq!(gateway.ask("GET", "/orders/1", Some(token)).await.status, 200, "{tokens}");
            asked.push(server.requests(Endpoint::Introspection) - before);
        }
        assert_eq!(asked, [expected.0, expected.1], "{tokens}");
    }
}

#[tokio::test]
async fn scopes_count_as_text_and_as_array() {
    let server = AuthorizationServer::start().await;
    let gateway = Gateway::start(&format!("{}{ROUTES}", issuer(&server, ""))).await;
    gateway.ready().await;
    for (claim, scope, code) in [
        ("scope", serde_json::json!("read"), "pass"),
        ("scope", serde_json::json!(["write", "read"]), "pass"),
        ("scp", serde_json::json!("write read"), "pass"),
        ("scp", serde_json::json!(["read"]), "pass"),
        ("scope", serde_json::json!(["read write"]), "insufficient_scope"),
        ("scope", serde_json::json!({ "read": true }), "insufficient_scope"),
    ] {
        let token = server.token().without_claim("scope").claim(claim, scope.clone()).sign();
        assert_eq!(gateway.ask("GET", "/orders/1", Some(&token)).await.code(), code, "{claim}: {scope}");
    }
}

#[tokio::test]
async fn the_longest_token_is_a_key_and_its_refusal_names_it() {
    let server = AuthorizationServer::start().await;
    let token = server.token().scope("read").claim("groups", "x".repeat(20_000)).sign();
    for (keys, code) in [("", "token_too_large"), ("max_token_bytes = \"32KiB\"", "pass")] {
        let gateway = Gateway::start(&format!("{}{ROUTES}", issuer(&server, keys))).await;
        gateway.ready().await;
        let answer = gateway.ask("GET", "/orders/1", Some(&token)).await;
        assert_eq!(answer.code(), code);
        if code != "pass" {
            let line = gateway.logged(|line| line["code"] == code).await;
            assert!(line["reason"].as_str().unwrap().contains("16384 bytes (max_token_bytes)"), "{line}");
        }
    }
}
