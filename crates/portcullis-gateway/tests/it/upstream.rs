//! At both doors an upstream gets claims unchanged, and no token that was not judged.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use portcullis_testkit::AuthorizationServer;
use serde_json::{Value, json};

use crate::{
    ext_authz::{self, Told},
    support::{Answer, Gateway, client, introspecting, issuer},
};

const ROUTES: &str = r#"
[[routes]]
path = "/open/*"
public = true

[[routes]]
path = "/reported/*"
scope = ["read"]
report_only = true

[[routes]]
path = "/*"

[[headers]]
name = "X-Claim"
claim = "claim"

[[headers]]
name = "X-Scope"
claim = "scope"
"#;

/// Returns a token whose claim `claim` is this JSON text.
fn with_claim(server: &AuthorizationServer, claim: &str) -> String {
    let model = server.token().claim("claim", "@").sign();
    let payload = BASE64_URL_SAFE_NO_PAD.decode(model.split('.').nth(1).unwrap()).unwrap();
    let payload = String::from_utf8(payload).unwrap().replace("\"@\"", claim);
    server.token().claims_json(&payload).sign()
}

/// Numbers that floats round, so that different users would be the same one.
#[tokio::test]
async fn a_number_arrives_with_all_its_digits() {
    let server = AuthorizationServer::start().await;
    let all = "\n[[headers]]\nname = \"X-All\"\nclaims = true\n[[headers]]\nname = \"X-List\"\nclaim = \"claim\"\nseparator = \",\"\n";
    let plain = Gateway::start(&format!("{}{ROUTES}{all}", issuer(&server, ""))).await;
    let as_json = ROUTES.replace("claim = \"claim\"", "claim = \"claim\"\njson = true");
    let as_json = Gateway::start(&format!("{}{as_json}", issuer(&server, ""))).await;
    for number in [
        "12345678901234567890123",
        "12345678901234567890124",
        "18446744073709551616",
        "-9223372036854775809",
        "9007199254740993.0",
        "1.10",
        "1e-400",
        "1E3",
    ] {
        let token = with_claim(&server, number);
        for gateway in [&plain, &as_json] {
            assert_eq!(at_both_doors(gateway, &token).await, [Ok(number.to_owned()), Ok(number.to_owned())]);
        }
        let answer = plain.ask("GET", "/", Some(&token)).await;
        assert_eq!(answer.header("x-list"), Some(number));
        let all = BASE64_URL_SAFE_NO_PAD.decode(answer.header("x-all").unwrap()).unwrap();
        assert!(String::from_utf8(all).unwrap().contains(&format!("\"claim\":{number}")), "{number}");
        let nested = format!("{{\"a\":[{number}]}}");
        let token = with_claim(&server, &nested);
        assert_eq!(at_both_doors(&as_json, &token).await, [Ok(nested.clone()), Ok(nested)]);
    }
}

/// Returns the value of a field, or the code of the refusal; `""` is a field without a value.
async fn at_both_doors(gateway: &Gateway, token: &str) -> [Result<String, String>; 2] {
    let answer = gateway.ask("GET", "/", Some(token)).await;
    let by_http = match answer.status {
        200 => Ok(answer.header("x-claim").unwrap().to_owned()),
        _ => Err(answer.code()),
    };
    let bearer = format!("Bearer {token}");
    let mut client = ext_authz::connect(gateway).await;
    let by_grpc = match ext_authz::ask(&mut client, ext_authz::request("GET", "/", &[("authorization", &bearer)])).await
    {
        Told::Pass { set, .. } => {
            Ok(set.into_iter().find_map(|(name, value)| (name == "x-claim").then_some(value)).unwrap_or_default())
        }
        Told::Refused { code, .. } => Err(code),
    };
    [by_http, by_grpc]
}

#[tokio::test]
async fn a_claim_arrives_as_it_was_sent_or_not_at_all() {
    let server = AuthorizationServer::start().await;
    let plain = Gateway::start(&format!("{}{ROUTES}", issuer(&server, ""))).await;
    let as_json = ROUTES.replace("claim = \"claim\"", "claim = \"claim\"\njson = true");
    let as_json = Gateway::start(&format!("{}{as_json}", issuer(&server, ""))).await;
    let refused = Err("unmappable_claim");
    let table: [(Value, Result<&str, &str>, &str); 40] = [
        (json!("alice"), Ok("alice"), r#""alice""#),
        (json!("alice smith"), Ok("alice smith"), r#""alice smith""#),
        (json!("alice@example.com"), Ok("alice@example.com"), r#""alice@example.com""#),
        (json!("auth0|5f7c"), Ok("auth0|5f7c"), r#""auth0|5f7c""#),
        (json!("CN=Alice, O=Example"), Ok("CN=Alice, O=Example"), r#""CN=Alice, O=Example""#),
        (json!("248289761001"), Ok("248289761001"), r#""248289761001""#),
        (json!("true"), Ok("true"), r#""true""#),
        (json!("null"), Ok("null"), r#""null""#),
        (json!("a \"b\" \\"), Ok(r#"a "b" \"#), r#""a \"b\" \\""#),
        // Some server drops, trims, cuts or misreads each of these.
        (json!(" admin"), refused, r#"" admin""#),
        (json!("admin "), refused, r#""admin ""#),
        (json!("\tadmin"), refused, r#""\tadmin""#),
        (json!("admin\t"), refused, r#""admin\t""#),
        (json!("ad\tmin"), refused, r#""ad\tmin""#),
        (json!("admin\r\nX-Admin: yes"), refused, r#""admin\r\nX-Admin: yes""#),
        (json!("admin\n"), refused, r#""admin\n""#),
        (json!("ad\u{0}min"), refused, r#""ad\u0000min""#),
        (json!("ad\u{7f}min"), refused, r#""ad\u007fmin""#),
        (json!("\u{a0}admin"), refused, r#""\u00a0admin""#),
        (json!("\u{feff}admin"), refused, r#""\ufeffadmin""#),
        (json!("\u{85}admin"), refused, r#""\u0085admin""#),
        (json!("admin\u{a0}"), refused, r#""admin\u00a0""#),
        (json!("admin\u{3000}"), refused, r#""admin\u3000""#),
        (json!("ad\u{200b}min"), refused, r#""ad\u200bmin""#),
        (json!("ad\u{202e}min"), refused, r#""ad\u202emin""#),
        (json!("José"), Ok("José"), r#""Jos\u00e9""#),
        (json!("🦀"), Ok("🦀"), r#""\ud83e\udd80""#),
        (json!(" "), refused, r#"" ""#),
        // No value is no claim, and no text either.
        (json!(""), refused, r#""""#),
        (Value::Null, Ok(""), ""),
        // Text does not pass for an array, nor for anything else.
        (json!(["a", "b,c"]), Ok(r#"["a","b,c"]"#), r#"["a","b,c"]"#),
        (json!(r#"["a","b,c"]"#), refused, r#""[\"a\",\"b,c\"]""#),
        (json!("["), refused, r#""[""#),
        (json!({ "a": ["é"] }), Ok(r#"{"a":["\u00e9"]}"#), r#"{"a":["\u00e9"]}"#),
        (json!("{}"), refused, r#""{}""#),
        (json!([]), Ok("[]"), "[]"),
        (json!(5), Ok("5"), "5"),
        (json!("5"), Ok("5"), r#""5""#),
        (json!(1.5), Ok("1.5"), "1.5"),
        (json!(true), Ok("true"), "true"),
    ];
    for (claim, text, json) in table {
        let token = server.token().claim("claim", claim.clone()).sign();
        let expected = text.map(str::to_owned).map_err(str::to_owned);
        assert_eq!(at_both_doors(&plain, &token).await, [expected.clone(), expected], "{claim}");
        let expected = Ok(json.to_owned());
        assert_eq!(at_both_doors(&as_json, &token).await, [expected.clone(), expected], "{claim} as JSON");
    }
    // The operator learns the field and the remedy; the value is written nowhere.
    let line = plain.logged(|line| line["code"] == "unmappable_claim").await;
    let reason = line["reason"].as_str().unwrap();
    assert!(reason.contains("x-claim") && reason.contains("json = true"), "{reason}");
    assert!(!plain.log().contains("Jos"), "{}", plain.log());

    // On a route that only reports, this is only reported, too.
    let token = server.token().scope("read").claim("claim", " admin").sign();
    let answer = plain.ask("GET", "/reported/a", Some(&token)).await;
    assert_eq!((answer.status, answer.header("x-claim"), answer.header("authorization")), (200, Some(""), None));
    plain.logged(|line| line["code"] == "unmappable_claim" && line["route"] == "/reported/*").await;

    let empty = plain.ask("GET", "/", Some(&server.token().claim("scope", "").sign())).await;
    assert_eq!((empty.status, empty.header("x-scope")), (200, Some("")), "a scope without a value is none");
}

#[tokio::test]
async fn an_authorization_that_nobody_judged_does_not_come_back() {
    let server = AuthorizationServer::start().await;
    let gateway = Gateway::start(&format!("{}{ROUTES}", introspecting(&server, "phantom", ""))).await;
    gateway.ready().await;
    let good = format!("Bearer {}", server.token().scope("read").sign());
    let weak = format!("Bearer {}", server.token().scope("write").sign());
    let long = format!("Bearer {}", "a".repeat(5_000));
    let ask = async |path: &str, authorization: &str| {
        let request = client().get(gateway.url(path)).header("Authorization", authorization);
        Answer::of(request.send().await.unwrap()).await
    };
    for (path, authorization, comes_back) in [
        ("/open/a", &long, false),
        ("/open/a", &good, false),
        ("/open/a", &"Basic YTpi".to_owned(), false),
        ("/reported/a", &long, false),
        ("/reported/a", &weak, false),
        ("/reported/a", &good, true),
        ("/orders", &good, true),
    ] {
        let answer = ask(path, authorization).await;
        let expected = comes_back.then_some(authorization.as_str());
        assert_eq!((answer.status, answer.header("authorization")), (200, expected), "{path}");
        let mut client = ext_authz::connect(&gateway).await;
        let told = ext_authz::ask(&mut client, ext_authz::request("GET", path, &[("authorization", authorization)]));
        let Told::Pass { set, .. } = told.await else { panic!("{path}") };
        assert!(set.iter().all(|(name, _)| name != "authorization"), "{path}: {set:?}");
    }
    // Nor does the client control the size of a refusal.
    for authorization in [&long, &weak, &format!("{long}.b.c"), &format!("{long} {long}")] {
        let answer = ask(&format!("/{}", "a".repeat(5_000)), authorization).await;
        let size: usize = answer.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        assert!(size + answer.body.len() < 1_000, "{answer:?}");
    }
}

/// nginx and Caddy would have to know the routes otherwise, and Envoy leaves the client's field unless it is told another value.
#[tokio::test]
async fn an_answer_says_whether_the_clients_own_authorization_may_go_on() {
    let server = AuthorizationServer::start().await;
    let routes = "[[routes]]\npath = \"/open\"\npublic = true\n\
                  [[routes]]\npath = \"/open/quiet\"\npublic = true\nforward_authorization = false\n\
                  [[routes]]\npath = \"/quiet\"\noptional = true\nforward_authorization = false\n\
                  [[routes]]\npath = \"/*\"\noptional = true\n";
    let gateway = Gateway::start(&format!("{}{routes}", issuer(&server, ""))).await;
    gateway.ready().await;
    let bearer = format!("Bearer {}", server.token().sign());
    let basic = "Basic YTpi";
    for (path, sent, mark, authorization) in [
        ("/open", basic, Some("1"), None),
        ("/open", bearer.as_str(), Some("1"), None),
        ("/open/quiet", basic, None, Some("")),
        ("/quiet", basic, None, Some("")),
        ("/quiet", bearer.as_str(), None, Some("")),
        ("/a", basic, Some("1"), None),
        ("/a", bearer.as_str(), None, Some(bearer.as_str())),
    ] {
        let ask = async |fields: &[(&str, &str)], question: &str| {
            let request = client().get(gateway.url(question)).header("Authorization", sent);
            let request = fields.iter().fold(request, |request, (name, value)| request.header(*name, *value));
            Answer::of(request.send().await.unwrap()).await
        };
        let described = ask(&[("X-Original-Method", "GET"), ("X-Original-URI", path)], "/auth").await;
        let appended = ask(&[], &format!("/auth{path}")).await;
        for (answer, removed) in [(described, None), (appended, Some(""))] {
            let expected = if authorization == Some("") { removed } else { authorization };
            let found = (answer.header("portcullis-unjudged"), answer.header("authorization"));
            assert_eq!((answer.status, found), (200, (mark, expected)), "{path} {sent}");
        }
    }
}

#[tokio::test]
async fn a_connection_field_that_would_drop_what_the_gateway_sets_is_refused() {
    let server = AuthorizationServer::start().await;
    let gateway = Gateway::start(&format!("{}{ROUTES}", issuer(&server, ""))).await;
    gateway.ready().await;
    let bearer = format!("Bearer {}", server.token().sign());
    for (connection, code) in [
        ("close", "pass"),
        ("close, Upgrade, TE, Trailer", "pass"),
        ("close, X-Other", "pass"),
        ("X-Claim, close", "hop_by_hop_header"),
        ("close, x-claim", "hop_by_hop_header"),
        ("close,X_Claim,", "hop_by_hop_header"),
        ("close, Authorization", "hop_by_hop_header"),
        ("close, TE, Trailer, authorization", "hop_by_hop_header"),
    ] {
        for path in ["/orders", "/open/a", "/reported/a"] {
            let fields = [("authorization", bearer.as_str()), ("connection", connection)];
            let mut request = client().get(gateway.url(path));
            for (name, value) in fields {
                request = request.header(name, value);
            }
            let answer = Answer::of(request.send().await.unwrap()).await;
            assert_eq!(answer.code(), code, "{connection} {path}");
            let mut client = ext_authz::connect(&gateway).await;
            match ext_authz::ask(&mut client, ext_authz::request("GET", path, &fields)).await {
                Told::Pass { .. } => assert_eq!("pass", code, "{connection} {path}"),
                Told::Refused { code: told, .. } => assert_eq!(told, code, "{connection} {path}"),
            }
        }
    }
}

/// An upgrade to another HTTP on the same connection, whose requests would not be judged.
#[tokio::test]
async fn an_upgrade_to_another_http_is_refused() {
    let server = AuthorizationServer::start().await;
    let gateway = Gateway::start(&format!("{}{ROUTES}", issuer(&server, ""))).await;
    gateway.ready().await;
    let bearer = format!("Bearer {}", server.token().sign());
    for (upgrade, code) in [
        ("websocket", "pass"),
        ("WebSocket, foo/2", "pass"),
        ("websocket/h", "pass"),
        ("SPDY/3.1", "hop_by_hop_header"),
        ("h2c-14", "hop_by_hop_header"),
        ("\"h2c\"", "hop_by_hop_header"),
        ("websocket h2c", "hop_by_hop_header"),
        ("websocket;H2C", "hop_by_hop_header"),
        ("h2c", "hop_by_hop_header"),
        ("websocket, H2C", "hop_by_hop_header"),
        ("h2c ,websocket", "hop_by_hop_header"),
        ("HTTP/2.0", "hop_by_hop_header"),
        ("TLS/1.0, HTTP/1.1", "hop_by_hop_header"),
    ] {
        for path in ["/orders", "/open/a", "/reported/a"] {
            let fields = [("authorization", bearer.as_str()), ("connection", "upgrade"), ("upgrade", upgrade)];
            let mut request = client().get(gateway.url(path));
            for (name, value) in fields {
                request = request.header(name, value);
            }
            let answer = Answer::of(request.send().await.unwrap()).await;
            assert_eq!(answer.code(), code, "{upgrade} {path}");
            let mut client = ext_authz::connect(&gateway).await;
            match ext_authz::ask(&mut client, ext_authz::request("GET", path, &fields)).await {
                Told::Pass { .. } => assert_eq!("pass", code, "{upgrade} {path}"),
                Told::Refused { code: told, .. } => assert_eq!(told, code, "{upgrade} {path}"),
            }
        }
    }
}

const FIELDS: &str = r#"
[[routes]]
path = "/open"
public = true

[[routes]]
path = "/optional"
optional = true

[[routes]]
path = "/without-token"
forward_authorization = false

[[routes]]
path = "/*"

[[headers]]
name = "X-Claims"
claims = true

[[headers]]
name = "X-Scope"
scope = true
separator = ","

[[headers]]
name = "X-Roles"
claim = "roles"
separator = ", "

[[headers]]
name = "X-Via"
value = "portcullis"

[[headers]]
name = "X-Subject"
claim = "sub"
anonymous = "nobody"

[[headers]]
name = "X-Anonymous"
anonymous = "true"
"#;

/// Returns the fields that the upstream gets at both doors, which agree; or the code of the refusal.
async fn fields_at_both_doors(gateway: &Gateway, path: &str, token: Option<&str>) -> Result<Value, String> {
    const NAMES: [&str; 7] = ["authorization", "x-anonymous", "x-claims", "x-roles", "x-scope", "x-subject", "x-via"];
    let answer = gateway.ask("GET", path, token).await;
    let by_http = match answer.status {
        200 => Ok(NAMES.map(|name| answer.header(name).unwrap_or_default().to_owned())),
        _ => Err(answer.code()),
    };
    let bearer = token.map(|token| format!("Bearer {token}"));
    let sent: Vec<_> = bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
    let mut client = ext_authz::connect(gateway).await;
    let by_grpc = match ext_authz::ask(&mut client, ext_authz::request("GET", path, &sent)).await {
        Told::Pass { set, removed } => Ok(NAMES.map(|name| {
            let sent = sent.iter().filter(|(sent, _)| *sent == name && !removed.iter().any(|gone| gone == name));
            let set = set.iter().find_map(|(set, value)| (set == name).then_some(value.as_str()));
            set.or(sent.map(|(_, value)| *value).next()).unwrap_or_default().to_owned()
        })),
        Told::Refused { code, .. } => Err(code),
    };
    assert_eq!(by_http, by_grpc, "{path}");
    by_http.map(|values| NAMES.into_iter().zip(values).filter(|(_, value)| !value.is_empty()).collect())
}

#[tokio::test]
async fn the_upstream_gets_claims_together_lists_texts_and_a_mark_of_requests_without_a_token() {
    let server = AuthorizationServer::start().await;
    let gateway = Gateway::start(&format!("{}{FIELDS}", issuer(&server, ""))).await;
    let token = server.token().scope("read write").claim("roles", json!(["ops", "on call", 7])).sign();
    let bearer = format!("Bearer {token}");
    let mut fields = fields_at_both_doors(&gateway, "/", Some(&token)).await.unwrap();
    let claims = fields.as_object_mut().unwrap().remove("x-claims").unwrap();
    let claims = BASE64_URL_SAFE_NO_PAD.decode(claims.as_str().unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!((&claims["sub"], &claims["roles"]), (&json!("alice"), &json!(["ops", "on call", 7])));
    let expected = json!({
        "authorization": bearer, "x-roles": "ops, on call, 7", "x-scope": "read,write", "x-subject": "alice", "x-via": "portcullis",
    });
    assert_eq!(fields, expected);

    let mut without = fields_at_both_doors(&gateway, "/without-token", Some(&token)).await.unwrap();
    assert!(without.as_object_mut().unwrap().remove("x-claims").is_some());
    let mut expected = expected;
    expected.as_object_mut().unwrap().remove("authorization");
    assert_eq!(without, expected);

    let nobody = json!({ "x-anonymous": "true", "x-subject": "nobody", "x-via": "portcullis" });
    for path in ["/open", "/optional"] {
        assert_eq!(fields_at_both_doors(&gateway, path, None).await.unwrap(), nobody, "{path}");
    }
    for (name, claim) in [
        ("roles", json!(["a, b", "c"])),
        ("roles", json!("a, b")),
        ("scope", json!("[\"admin\"]")),
        ("scope", json!("read {\"admin\":true}")),
        ("scope", json!("read\u{a0}")),
        ("scp", json!(["\u{3000}read"])),
        ("roles", json!([["a"]])),
        ("roles", json!(["a", {}])),
        ("roles", json!(["a", " b"])),
        ("sub", json!("nobody")),
    ] {
        let token = server.token().claim(name, claim.clone()).sign();
        let outcome = fields_at_both_doors(&gateway, "/", Some(&token)).await;
        assert_eq!(outcome, Err("unmappable_claim".to_owned()), "{name} {claim}");
    }
    for (claim, expected) in
        [(json!([]), None), (json!("ops"), Some("ops")), (json!([true]), Some("true")), (Value::Null, None)]
    {
        let token = server.token().claim("roles", claim.clone()).sign();
        let fields = fields_at_both_doors(&gateway, "/", Some(&token)).await.unwrap();
        assert_eq!(fields["x-roles"].as_str(), expected, "{claim}");
    }
}

/// Returns the fields `authorization`, `cookie` and `x-token` that the upstream gets at both doors, which agree; or the code.
async fn moved_at_both_doors(
    gateway: &Gateway,
    path: &str,
    sent: &[(&str, &str)],
) -> Result<[Option<String>; 3], String> {
    const NAMES: [&str; 3] = ["authorization", "cookie", "x-token"];
    let request = client().get(gateway.url("/auth")).header("X-Original-Method", "GET").header("X-Original-URI", path);
    let request = sent.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let answer = Answer::of(request.send().await.unwrap()).await;
    let own = |name: &str| sent.iter().find(|(sent, _)| *sent == name).map(|(_, value)| (*value).to_owned());
    let by_http = match answer.status {
        // Proxies drop the client's field where they copy it from the answer and do not find it there.
        200 => Ok(NAMES.map(|name| answer.header(name).map(str::to_owned).filter(|value| !value.is_empty()))),
        _ => Err(answer.code()),
    };
    let mut client = ext_authz::connect(gateway).await;
    let by_grpc = match ext_authz::ask(&mut client, ext_authz::request("GET", path, sent)).await {
        Told::Pass { set, removed } => Ok(NAMES.map(|name| {
            let set = set.iter().find(|(set, _)| set == name).map(|(_, value)| value.clone());
            set.or_else(|| own(name).filter(|_| !removed.iter().any(|gone| gone == name)))
        })),
        Told::Refused { code, .. } => Err(code),
    };
    assert_eq!(by_http, by_grpc, "{path} {sent:?}");
    by_http
}

#[tokio::test]
async fn a_token_of_a_cookie_or_a_field_goes_on_in_authorization_and_nowhere_else() {
    let server = AuthorizationServer::start().await;
    let routes = "[[routes]]\npath = \"/plain\"\n[[routes]]\npath = \"/open\"\npublic = true\n\
                  [[routes]]\npath = \"/trial\"\nreport_only = true\nscope = [\"never\"]\ntoken_cookie = \"token\"\ntoken_field = \"X-Token\"\n[[routes]]\npath = \"/php\"\ntoken_cookie = \"the_token\"\n[[routes]]\npath = \"/host\"\noptional = true\ntoken_cookie = \"__Host-at\"\n[[routes]]\npath = \"/secret\"\ntoken_cookie = \"token\"\nforward_authorization = false\n\
                  [[routes]]\npath = \"/*\"\noptional = true\ntoken_cookie = \"token\"\ntoken_field = \"X-Token\"\n";
    let gateway = Gateway::start(&format!("{}{routes}", issuer(&server, ""))).await;
    gateway.ready().await;
    let token = server.token().sign();
    let bearer = format!("Bearer {token}");
    let cookie = format!("token={token}");
    let among = format!("a=1; token={token};b=2");
    let joined = format!("a=1,token={token}, b=2; c=3,4");
    let joined_behind = format!("token={token}, b=2; c=3,4");
    let planted = format!("..Host-at=x; a=1; __Host-at={token}; q=a,..Host-at=z; b=2 __Host-at=y");
    let mangled = format!("a=1; the.token={token}; the-token=x");
    let moved = |cookie: Option<&str>| Ok([Some(bearer.clone()), cookie.map(str::to_owned), None]);
    for (path, sent, expected) in [
        ("/", &[("cookie", cookie.as_str())][..], moved(None)),
        ("/", &[("cookie", among.as_str())], moved(Some("a=1; b=2"))),
        ("/", &[("x-token", token.as_str())], moved(None)),
        ("/", &[("x-token", token.as_str()), ("cookie", "a=1")], moved(Some("a=1"))),
        ("/", &[("authorization", bearer.as_str()), ("cookie", "a=1")], moved(Some("a=1"))),
        ("/", &[("cookie", "a=1")], Ok([None, Some("a=1".to_owned()), None])),
        ("/secret", &[("cookie", among.as_str())], Ok([None, Some("a=1; b=2".to_owned()), None])),
        ("/plain", &[("cookie", cookie.as_str())], Err("no_credentials".to_owned())),
        ("/plain", &[("authorization", bearer.as_str()), ("cookie", "a=1")], moved(Some("a=1"))),
        // Where refusals are only reported, the API gets a token that is refused as the client sent it.
        ("/trial", &[("cookie", among.as_str())], Ok([None, Some(among.clone()), None])),
        ("/trial", &[("x-token", "made-up")], Ok([None, None, Some("made-up".to_owned())])),
        ("/open", &[("cookie", "a=1")], Ok([None, Some("a=1".to_owned()), None])),
        ("/", &[("authorization", bearer.as_str()), ("cookie", cookie.as_str())], Err("several_tokens".to_owned())),
        ("/", &[("x-token", token.as_str()), ("cookie", cookie.as_str())], Err("several_tokens".to_owned())),
        ("/", &[("cookie", "token=a; token=b")], Err("several_tokens".to_owned())),
        // Another spelling of a name is no token, and reaches no server that may find one there: PHP, Python and others.
        ("/php", &[("authorization", bearer.as_str()), ("cookie", "the.token=x")], moved(None)),
        ("/php", &[("authorization", bearer.as_str()), ("cookie", "the token=x")], moved(None)),
        ("/php", &[("authorization", bearer.as_str()), ("cookie", "a=1 the_token = x b=2")], moved(Some("a=1; b=2"))),
        ("/php", &[("authorization", bearer.as_str()), ("cookie", "the%5ftoken=x; b=2")], moved(Some("b=2"))),
        ("/php", &[("authorization", bearer.as_str()), ("cookie", "a=1; the.token=")], moved(Some("a=1"))),
        ("/", &[("authorization", bearer.as_str()), ("cookie", "token =x")], moved(None)),
        ("/", &[("authorization", bearer.as_str()), ("cookie", "\u{a0}token=x")], moved(None)),
        ("/", &[("authorization", bearer.as_str()), ("cookie", "a=1,token=x")], moved(Some("a=1"))),
        ("/", &[("x-token", token.as_str()), ("cookie", "a=1 token=x")], moved(Some("a=1"))),
        ("/host", &[("cookie", planted.as_str())], moved(Some("a=1; q=a; b=2"))),
        ("/php", &[("cookie", mangled.as_str())], Err("malformed_token".to_owned())),
        ("/", &[("cookie", joined.as_str())], Err("malformed_token".to_owned())),
        ("/", &[("authorization", "Basic YTpi"), ("cookie", "a=1 token=x")], Err("malformed_token".to_owned())),
        ("/host", &[("cookie", "..Host-at=x")], Err("malformed_token".to_owned())),
        ("/host", &[("cookie", "..Host-at=; a=1")], Ok([None, Some("a=1".to_owned()), None])),
        // As Envoy joins two fields.
        ("/", &[("cookie", joined_behind.as_str())], moved(Some("b=2; c=3,4"))),
        ("/", &[("cookie", "token=made-up")], Err("malformed_token_parts".to_owned())),
        // An empty place is none: the token in another place goes on.
        ("/", &[("authorization", bearer.as_str()), ("cookie", "token=")], moved(None)),
        ("/", &[("authorization", bearer.as_str()), ("cookie", "a=1; token= ; b=2")], moved(Some("a=1; b=2"))),
        ("/", &[("authorization", bearer.as_str()), ("cookie", "token=,")], moved(None)),
        ("/", &[("authorization", bearer.as_str()), ("x-token", "")], moved(None)),
        ("/", &[("x-token", token.as_str()), ("cookie", "token=")], moved(None)),
        ("/", &[("x-token", ""), ("cookie", cookie.as_str())], moved(None)),
        ("/", &[("cookie", "token=")], Err("empty_token".to_owned())),
        ("/", &[("cookie", "Token=x; xtoken=y")], Ok([None, Some("Token=x; xtoken=y".to_owned()), None])),
    ] {
        assert_eq!(moved_at_both_doors(&gateway, path, sent).await, expected, "{path} {sent:?}");
    }
}

#[tokio::test]
async fn no_token_arrives_in_another_spelling_of_its_field() {
    let server = AuthorizationServer::start().await;
    let routes =
        "[[routes]]\npath = \"/open\"\npublic = true\n[[routes]]\npath = \"/*\"\ntoken_field = \"X-Access-Token\"\n";
    let gateway = Gateway::start(&format!("{}{routes}", issuer(&server, ""))).await;
    let bearer = format!("Bearer {}", server.token().sign());
    let mut envoy = ext_authz::connect(&gateway).await;
    for name in ["x_access_token", "x.access.token", "x-access_token"] {
        for path in ["/", "/open"] {
            let request = client().get(gateway.url("/auth")).header("X-Original-Method", "GET");
            let request = request.header("X-Original-URI", path).header("Authorization", &bearer);
            let answer = Answer::of(request.header(name, "forged").send().await.unwrap()).await;
            assert_eq!((answer.status, &*answer.code()), (403, "forged_header"), "{name} {path}");
            let sent = [("authorization", bearer.as_str()), (name, "forged"), ("x_other", "1")];
            let told = ext_authz::ask(&mut envoy, ext_authz::request("GET", path, &sent)).await;
            let Told::Pass { set, removed } = told else { panic!("{name} {path}") };
            assert!(
                removed.contains(&name.to_owned()) && !removed.contains(&"x_other".to_owned()),
                "{name} {path} {removed:?}"
            );
            assert!(set.iter().all(|(_, value)| value != "forged"), "{name} {path} {set:?}");
        }
    }
}
