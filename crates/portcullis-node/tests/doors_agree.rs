//! The Express door and the axum door give the same answers, to the letter: to every class of hostile token, in every place
//! of a token in a request, and while the keys are unavailable.
//!
//! `cargo xtask test` builds the npm package and runs this.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::{Duration, SystemTime},
};

use axum::{
    Router,
    routing::{any, get},
};
use portcullis::{
    Claims, Dpop, InvalidTokenStatus, JwksService, McpRules, Nonces, ProtectedResource, Secure, ToolRule, Verifier,
    VerifierBuilder,
};
use portcullis_testkit::{
    Algorithm, Attack, AuthorizationServer, DpopCase, DpopClient, Endpoint, Fault, SigningKey, TokenBuilder,
};
use reqwest::{
    Client, Method, Response,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE},
};
use serde_json::{Value, from_value, json};
use tokio::net::TcpListener;

const AUDIENCE: &str = "https://api.example.com";
/// The greatest length of a field in these tests; HTTP servers refuse longer ones before any door.
const LONGEST_FIELD: usize = 64 * 1024;
const PATHS: [&str; 10] =
    ["/token", "/scope", "/claim", "/optional", "/any-scope", "/types", "/bound", "/short", "/svid", "/few-keys"];
/// The paths whose rules are about the values of claims.
const RULES: [&str; 8] =
    ["/one-of", "/matches", "/absent", "/implied", "/scope-claims", "/lifetime", "/acr", "/max-age"];
/// The path of the document of the doors' resource.
const METADATA: &str = "/.well-known/oauth-protected-resource";
/// A limit for tokens below the length of the test kit's tokens.
const SHORT: usize = 100;

/// Both doors, before the same authorization server.
struct Doors {
    client: Client,
    axum: String,
    express: Express,
}

/// A running Express server; it ends with its standard input, and so with this test.
struct Express {
    process: Child,
    url: String,
}

/// The parts of an answer that a client sees.
#[derive(Debug, PartialEq)]
struct Answer {
    status: u16,
    challenges: Vec<HeaderValue>,
    retry_after: Option<HeaderValue>,
    problem: Option<String>,
    dpop_nonce: Option<HeaderValue>,
    body: String,
}

impl Doors {
    async fn before(server: &AuthorizationServer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let axum = format!("http://{}", listener.local_addr().unwrap());
        let app = app(server);
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { client: Client::new(), axum, express: Express::before(server) }
    }

    /// Sends a request to both doors and returns their common answer.
    async fn answer(&self, path: &str, fields: &[HeaderValue], what: &str) -> Answer {
        let [by_axum, by_express] =
            [&self.axum, &self.express.url].map(|door| self.ask(format!("{door}{path}"), fields));
        let (by_axum, by_express) = (by_axum.await, by_express.await);
        assert_eq!(by_express, by_axum, "{path}: {what}");
        by_axum
    }

    /// Sends a request with these fields to both doors and returns their common answer.
    async fn answer_to(&self, path: &str, fields: &[(&'static str, String)], what: &str) -> Answer {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        let [by_axum, by_express] =
            [&self.axum, &self.express.url].map(|door| self.send(format!("{door}{path}"), headers.clone()));
        let (by_axum, by_express) = (by_axum.await, by_express.await);
        assert_eq!(by_express, by_axum, "{path}: {what}");
        by_axum
    }

    async fn ask(&self, url: String, fields: &[HeaderValue]) -> Answer {
        let mut headers = HeaderMap::new();
        fields.iter().for_each(|field| {
            headers.append(AUTHORIZATION, field.clone());
        });
        self.send(url, headers).await
    }

    async fn send(&self, url: String, headers: HeaderMap) -> Answer {
        Answer::read(self.client.get(url).headers(headers).send().await.unwrap()).await
    }
}

fn app(server: &AuthorizationServer) -> Router {
    let jwks = JwksService::new(&server.jwks_uri()).unwrap();
    let builder = || Verifier::builder(jwks.clone()).issuer(server.issuer()).audience(AUDIENCE);
    let guard = |builder: VerifierBuilder| Secure::new(builder.build().unwrap()).realm("doors").problem_json();
    let secure = guard(builder());
    let types = guard(builder().types(["JOSE"]).or_no_type());
    let bound = guard(builder().dangerously_accept_sender_constrained_tokens());
    let few_keys = guard(builder().max_key_attempts(2));
    let bundle = JwksService::builder(&server.jwks_uri()).key_uses(["jwt-svid"]).build().unwrap();
    let svid = guard(Verifier::builder(bundle).trust_domain("example.org").audience(AUDIENCE));
    let scope_claims = guard(builder().scope_claims(["permissions", "/nested/scope"]));
    let lifetime = guard(builder().max_token_lifetime(Duration::from_secs(900)));
    let implied = secure.clone().implied_scopes("admin", ["write"]).implied_scopes("write", ["read"]);
    let absent = secure.clone().invalid_token_status(InvalidTokenStatus::Unauthorized).claim_absent("act");
    let acr = secure.clone().invalid_token_status(InvalidTokenStatus::Unauthorized).acr(["mfa", "hw"]);
    let resource = ProtectedResource::new(AUDIENCE).issuer(Verifier::builder(jwks.clone()).issuer(server.issuer()));
    let resource = Secure::protecting(resource.name("Doors")).unwrap().realm("doors").problem_json();
    let resource = resource.scope(["read", "write"]).acr(["mfa"]);
    let files = ProtectedResource::new(format!("{AUDIENCE}/mcp")).issuer(builder());
    let mut rules = McpRules::default();
    rules.tools.push(ToolRule::new("delete_*", ["files:write"]));
    rules.max_body_bytes = 1000;
    let files = Secure::mcp(files.mcp(rules)).unwrap().scope(["read"]);
    let rules = json!({ "realm": "doors", "problem_json": true, "sender_constrained": true });
    let sender_constrained = Secure::new(builder().build().unwrap()).rules(from_value(rules).unwrap()).unwrap();
    let of_proofs = |dpop: Dpop| dpop.public_url(AUDIENCE).unwrap();
    let es256 = of_proofs(Dpop::required()).algorithms([portcullis::Algorithm::ES256]).unwrap();
    let nonces = Nonces::new("a secret of at least thirty-two bytes").unwrap();
    let subject = async |claims: Option<Claims>| match claims {
        Some(claims) => claims.subject().unwrap_or_default().to_owned(),
        None => "nobody".to_owned(),
    };
    Router::new()
        .route("/token", get(subject).layer(secure.clone()))
        .route("/scope", get(subject).layer(secure.clone().scope(["read", "write"])))
        .route("/claim", get(subject).layer(secure.clone().claim_value("/nested/role", "admin")))
        .route("/any-scope", get(subject).layer(secure.clone().any_scope(["write", "admin"])))
        .route("/types", get(subject).layer(types))
        .route("/bound", get(subject).layer(bound))
        .route("/svid", get(subject).layer(svid))
        .route("/few-keys", get(subject).layer(few_keys))
        .route("/short", get(subject).layer(secure.clone().max_token_bytes(SHORT)))
        .route("/one-of", get(subject).layer(secure.clone().claim_one_of("plan", [json!("team"), json!(7)])))
        .route("/matches", get(subject).layer(secure.clone().claim_matches("/nested/repository", "my-org/*")))
        .route("/absent", get(subject).layer(absent))
        .route("/implied", get(subject).layer(implied.scope(["read"])))
        .route("/scope-claims", get(subject).layer(scope_claims.scope(["read"])))
        .route("/lifetime", get(subject).layer(lifetime))
        .route("/acr", get(subject).layer(acr))
        .route("/max-age", get(subject).layer(secure.clone().max_age(Duration::from_secs(300)).acr(["mfa"])))
        .merge(files.protect(Router::new().route("/mcp", any(async |body: String| body))))
        .merge(resource.protect(Router::new().route("/resource", get(subject))))
        .route("/dpop", get(subject).layer(secure.clone().dpop(of_proofs(Dpop::allowed()))))
        .route("/dpop-required", get(subject).layer(secure.clone().dpop(es256)))
        .route("/dpop-nonce", get(subject).layer(secure.clone().dpop(of_proofs(Dpop::required()).nonces(nonces))))
        .route("/sender-constrained", get(subject).layer(sender_constrained))
        .route("/optional", get(subject).layer(secure.optional()))
}

impl Express {
    fn before(server: &AuthorizationServer) -> Self {
        let mut process = Command::new("node")
            // The largest tokens do not fit into Node's own limit for all header fields.
            .args(["--max-http-header-size=131072", "tests/doors_agree/server.js"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("JWKS_URI", server.jwks_uri())
            .env("ISSUER", server.issuer())
            .env("AUDIENCE", AUDIENCE)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node starts");
        let mut url = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut url).unwrap();
        assert!(url.starts_with("http://"), "expected a URL: build the package with `cargo xtask setup`");
        Self { process, url: url.trim().to_owned() }
    }
}

impl Drop for Express {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

impl Answer {
    async fn read(response: Response) -> Self {
        let headers = response.headers().clone();
        let is_problem = |kind: &&HeaderValue| kind.as_bytes() == b"application/problem+json";
        Self {
            status: response.status().as_u16(),
            challenges: headers.get_all(WWW_AUTHENTICATE).iter().cloned().collect(),
            retry_after: headers.get(RETRY_AFTER).cloned(),
            dpop_nonce: headers.get("dpop-nonce").cloned(),
            problem: headers.get(CONTENT_TYPE).filter(is_problem).map(|kind| kind.to_str().unwrap().to_owned()),
            body: response.text().await.unwrap(),
        }
    }
}

impl Answer {
    /// The code in the problem details; empty for a request that passed.
    fn code(&self) -> String {
        let problem: Value = serde_json::from_str(&self.body).unwrap_or_default();
        problem["code"].as_str().unwrap_or_default().to_owned()
    }
}

fn bearer(token: &str) -> HeaderValue {
    HeaderValue::from_bytes(format!("Bearer {token}").as_bytes()).unwrap()
}

#[tokio::test]
async fn every_class_of_hostile_token_gets_the_same_answer() {
    for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA] {
        let server = AuthorizationServer::builder().algorithm(algorithm).start().await.unwrap();
        let doors = Doors::before(&server).await;
        for attack in Attack::ALL {
            let token = server.hostile(*attack);
            if token.len() > LONGEST_FIELD {
                continue;
            }
            let answer = doors.answer("/token", &[bearer(&token)], attack.name()).await;
            assert!(matches!(answer.status, 401 | 403), "{attack}: {answer:?}");
            assert_eq!(answer.challenges.len(), 1, "{attack}");
            for path in ["/types", "/bound", "/short"] {
                doors.answer(path, &[bearer(&token)], attack.name()).await;
            }
        }
        assert_eq!(server.requests(Endpoint::Attacker), 0, "no URL in a token is followed");
    }
}

#[tokio::test]
async fn every_way_to_carry_a_token_gets_the_same_answer() {
    let server = AuthorizationServer::start().await;
    let doors = Doors::before(&server).await;
    let plain = server.token().sign();
    let granted =
        server.token().scope("write read").claim("nested", serde_json::json!({ "role": ["x", "admin"] })).sign();
    let expired = server.hostile(Attack::Expired);
    let field = |text: &str| HeaderValue::from_bytes(text.as_bytes()).unwrap();
    let requests = [
        ("nothing", vec![]),
        ("an empty field", vec![field("")]),
        ("another scheme", vec![field("Basic YTpi")]),
        ("the scheme alone", vec![field("Bearer")]),
        ("a token", vec![bearer(&plain)]),
        ("a token that is granted much", vec![bearer(&granted)]),
        ("the same again", vec![bearer(&granted)]),
        ("the scheme in lower case, three spaces", vec![field(&format!("bearer   {plain}"))]),
        ("a tab", vec![field(&format!("Bearer\t{plain}"))]),
        ("two tokens in a field", vec![field(&format!("Bearer {plain}, Bearer {plain}"))]),
        ("letters outside of ASCII", vec![field(&format!("Bearer {plain}é"))]),
        ("a token twice", vec![bearer(&plain), bearer(&plain)]),
        ("a token after another scheme", vec![field("Basic YTpi"), bearer(&plain)]),
        ("an expired token", vec![bearer(&expired)]),
        ("a token that is too large", vec![bearer(&"a".repeat(17 * 1024))]),
        ("an opaque token", vec![bearer("7b1e9a64-opaque")]),
    ];
    let mut statuses = Vec::new();
    for (what, fields) in requests {
        for path in PATHS {
            statuses.push(doors.answer(path, &fields, what).await.status);
        }
    }
    statuses.sort_unstable();
    statuses.dedup();
    assert_eq!(statuses, [200, 400, 401, 403], "the requests reach every kind of answer");
}

#[tokio::test]
async fn every_request_with_a_dpop_proof_gets_the_same_answer() {
    let server = AuthorizationServer::start().await;
    let doors = Doors::before(&server).await;
    let client = DpopClient::new(Algorithm::ES256);
    let mut outcomes = BTreeSet::new();
    for path in ["/token", "/dpop", "/dpop-required", "/dpop-nonce", "/sender-constrained"] {
        let nonce = doors.answer(path, &[], "nothing").await.dpop_nonce;
        let client = match nonce.as_ref().map(|nonce| nonce.to_str().unwrap()) {
            Some(nonce) => client.clone().with_nonce(nonce),
            None => client.clone(),
        };
        for case in DpopCase::ALL {
            let attempt = client.attempt(*case, "GET", &format!("{AUDIENCE}{path}"), &server.token());
            for fields in attempt.earlier().chain([attempt.fields()]) {
                if fields.iter().all(|(_, value)| value.len() < LONGEST_FIELD) {
                    let answer = doors.answer_to(path, fields, case.name()).await;
                    outcomes.insert((path, answer.code()));
                }
            }
        }
    }
    let reached = |path: &str| outcomes.iter().filter(|(of, _)| *of == path).count();
    assert!(["/dpop", "/dpop-required", "/dpop-nonce"].iter().all(|path| reached(path) > 15), "{outcomes:?}");
}

#[tokio::test]
async fn every_form_of_scope_type_and_confirmation_gets_the_same_answer() {
    let server = AuthorizationServer::start().await;
    let doors = Doors::before(&server).await;
    let forms =
        [json!("read write"), json!(["write", "read"]), json!(["read write"]), json!([["read"], "write"]), json!(7)];
    let with = |name: &str, value: &Value| server.token().without_claim("scope").claim(name, value.clone()).sign();
    let mut tokens: Vec<_> =
        ["scope", "scp"].iter().flat_map(|name| forms.iter().map(|form| with(name, form))).collect();
    tokens.push(
        server
            .token()
            .subject("spiffe://example.org/a")
            .claim("scope", json!([]))
            .claim("scp", json!("read write"))
            .sign(),
    );
    tokens.extend(["JWT", "JOSE", "at+jwt", ""].map(|typ| server.token().typ(typ).sign()));
    tokens.push(server.token().without_header("typ").sign());
    let confirmations = [
        json!({ "jkt": "a" }),
        json!({ "x5t#S256": "a" }),
        json!({ "kid": "a" }),
        json!({ "jkt": 7 }),
        json!({}),
        json!(null),
    ];
    tokens.extend(confirmations.map(|cnf| server.token().claim("cnf", cnf).sign()));
    for (row, token) in tokens.iter().enumerate() {
        for path in PATHS {
            doors.answer(path, &[bearer(token)], &format!("token {row}")).await;
        }
    }
}

#[tokio::test]
async fn every_value_that_a_rule_asks_for_gets_the_same_answer() {
    let server = AuthorizationServer::start().await;
    let doors = Doors::before(&server).await;
    let values =
        [json!("team"), json!(7), json!(7.0), json!("7"), json!(["x", "team"]), json!({ "team": 1 }), json!(null)];
    let repositories =
        [json!("my-org/a/b"), json!("my-org/"), json!("my-org"), json!("x/my-org/a"), json!(["x", "my-org/a"])];
    let scopes = [json!("admin"), json!("write x"), json!(["admin x"]), json!(["read"]), json!("READ"), json!([])];
    let claims = values.map(|value| json!({ "plan": value, "act": value }));
    let claims = claims.into_iter().chain(repositories.map(|value| json!({ "nested": { "repository": value } })));
    let claims = claims.chain(scopes.iter().map(|value| json!({ "scope": value })));
    let claims =
        claims.chain(scopes.iter().map(|value| json!({ "permissions": value, "nested": { "scope": "read" } })));
    let claims = claims.chain(scopes.iter().map(|value| json!({ "nested": { "scope": value } })));
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let times = [json!(now), json!(now - 320), json!(now + 60), json!(now.to_string()), json!(null), json!(-1)];
    let acr_values = [json!("mfa"), json!("hw"), json!("MFA"), json!(["mfa"]), json!("mfa hw"), json!(null)];
    let claims = claims.chain(times.map(|time| json!({ "acr": "mfa", "auth_time": time })));
    let claims = claims.chain(acr_values.map(|acr| json!({ "acr": acr, "auth_time": now })));
    let tokens = claims.map(|claims| {
        let token = server.token().without_claim("scope");
        claims.as_object().unwrap().iter().fold(token, |token, (name, value)| token.claim(name, value.clone()))
    });
    let lifetimes = [900, 901].map(|seconds| server.token().expires_in(Duration::from_secs(seconds)));
    let tokens = tokens.chain(lifetimes).chain([server.token().without_claim("iat")]);
    let mut codes: BTreeSet<(&str, String)> = BTreeSet::new();
    for token in tokens.map(TokenBuilder::sign) {
        for path in RULES {
            codes.insert((path, doors.answer(path, &[bearer(&token)], &token).await.code()));
        }
    }
    let refusals =
        ["required_claims", "required_claims", "forbidden_claim", "insufficient_scope", "insufficient_scope"];
    let refusals = RULES.into_iter().zip(refusals).chain([
        ("/lifetime", "token_lifetime_too_long"),
        ("/acr", "insufficient_user_authentication"),
        ("/max-age", "insufficient_user_authentication"),
    ]);
    for (path, code) in refusals {
        let reached = |code: &str| codes.contains(&(path, code.to_owned()));
        assert!(reached("") && reached(code), "{path} gives both answers: {codes:?}");
    }
    assert!(codes.contains(&("/lifetime", "missing_claim".to_owned())));
}

#[tokio::test]
async fn a_resource_has_the_same_document_and_the_same_challenges() {
    let server = AuthorizationServer::start().await;
    let doors = Doors::before(&server).await;
    for path in [METADATA.to_owned(), format!("{METADATA}?a=b")] {
        let document: Value = serde_json::from_str(&doors.answer(&path, &[], "the document").await.body).unwrap();
        assert_eq!(
            (&document["resource"], &document["scopes_supported"]),
            (&json!(AUDIENCE), &json!(["read", "write"]))
        );
    }
    for path in ["/", "/a", "%2f", "/..", "x"] {
        for door in [&doors.axum, &doors.express.url] {
            assert_ne!(doors.ask(format!("{door}{METADATA}{path}"), &[]).await.status, 200, "{path}");
        }
    }
    let tokens = [
        server.token().scope("read write").claim("acr", "mfa"),
        server.token().scope("read write"),
        server.token().scope("read").claim("acr", "mfa"),
        server.token().scope("read write").claim("acr", "mfa").audience(format!("{AUDIENCE}/")),
    ];
    let mut codes = vec![doors.answer("/resource", &[], "no token").await.code()];
    for token in tokens {
        codes.push(doors.answer("/resource", &[bearer(&token.sign())], "a token").await.code());
    }
    let expected = ["no_credentials", "", "insufficient_user_authentication", "insufficient_scope", "wrong_audience"];
    assert_eq!(codes, expected);
}

#[tokio::test]
async fn a_message_to_an_mcp_server_gets_the_same_answer() {
    let server = AuthorizationServer::start().await;
    let doors = Doors::before(&server).await;
    let reader = server.token().scope("read").sign();
    let call =
        |name: &str| format!(r#"{{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{{"name":"{name}"}}}}"#);
    let [list, delete] = [call("list_files"), call("delete_file")];
    let bodies = [
        list.clone(),
        delete.clone(),
        format!("[{list},{delete}]"),
        "[]".to_owned(),
        String::new(),
        "null".to_owned(),
        list.replace("method", "Method"),
        list.replace(r#""id""#, r#""method":"ping","id""#),
        call(r"x\u0000"),
        call(&"x".repeat(1000)),
        format!("{list}{delete}"),
        list.trim_end_matches('}').to_owned(),
    ];
    let fields: [&[(&str, &str)]; 10] = [
        &[],
        &[("mcp-method", "tools/call"), ("mcp-name", "list_files")],
        &[("mcp-method", "tools/list")],
        &[("mcp-name", "=?base64?bGlzdF9maWxlcw==?=")],
        &[("mcp-name", "=?base64?bGlzdF9maWxlcw?=")],
        &[("mcp-name", "list_files"), ("mcp-name", "list_files")],
        &[("origin", "https://evil.example")],
        &[("origin", AUDIENCE)],
        &[("content-type", "text/plain")],
        &[("content-encoding", "gzip")],
    ];
    let mut codes = BTreeSet::new();
    for body in &bodies {
        for fields in fields {
            for method in [Method::POST, Method::GET, Method::DELETE] {
                let answers = [&doors.axum, &doors.express.url].map(|door| {
                    let json = fields.iter().all(|(name, _)| *name != "content-type").then_some("application/json");
                    let request = doors.client.request(method.clone(), format!("{door}/mcp")).bearer_auth(&reader);
                    let request = json.iter().fold(request, |request, json| request.header(CONTENT_TYPE, *json));
                    let request = fields.iter().fold(request, |request, (name, value)| request.header(*name, *value));
                    request.body(body.clone()).send()
                });
                let [by_axum, by_express] = answers;
                let (by_axum, by_express) =
                    (Answer::read(by_axum.await.unwrap()).await, Answer::read(by_express.await.unwrap()).await);
                assert_eq!(by_express, by_axum, "{method} {fields:?} {body}");
                codes.insert(by_axum.status);
            }
        }
    }
    assert_eq!(codes, BTreeSet::from([200, 400, 403, 413, 415]));
}

#[tokio::test]
async fn every_key_of_a_set_gets_the_same_answer() {
    let server = AuthorizationServer::start().await;
    let keys: Vec<_> = (0..20).map(|index| SigningKey::generate(Algorithm::ES256, format!("key-{index}"))).collect();
    for (index, key) in keys.iter().enumerate() {
        let mut jwk = key.public_jwk();
        match index {
            1 => jwk["use"] = json!("jwt-svid"),
            2 => jwk["use"] = json!("enc"),
            3 => jwk["x5c"] = json!([]),
            4 => jwk["key_ops"] = json!([]),
            5 => jwk["x"] = json!(format!("{}=", jwk["x"].as_str().unwrap())),
            6 => jwk["y"] = json!("AAAA"),
            _ => {}
        }
        server.publish_jwk(jwk);
    }
    let doors = Doors::before(&server).await;
    let token = |key: &SigningKey| {
        let token = TokenBuilder::new(key, server.issuer(), SystemTime::now());
        token.audience(AUDIENCE).subject("spiffe://example.org/a")
    };
    let mut codes = BTreeSet::new();
    for (index, key) in keys.iter().enumerate() {
        for (token, kid) in [(token(key), "its kid"), (token(key).without_header("kid"), "no kid")] {
            let token = bearer(&token.sign());
            for path in ["/token", "/svid", "/few-keys"] {
                let answer = doors.answer(path, std::slice::from_ref(&token), &format!("key {index}, {kid}")).await;
                codes.insert(answer.code());
            }
        }
    }
    for code in ["", "unusable_key", "too_many_keys"] {
        assert!(codes.contains(code), "{code:?} is in {codes:?}");
    }
}

#[tokio::test]
async fn an_outage_gets_the_same_answer_and_its_end_too() {
    let server = AuthorizationServer::start().await;
    server.fault(Endpoint::Jwks, Fault::Status(500));
    let token = bearer(&server.token().sign());
    let doors = Doors::before(&server).await;
    // How long to wait is drawn anew each time.
    for door in [&doors.axum, &doors.express.url] {
        let answer = doors.ask(format!("{door}/token"), std::slice::from_ref(&token)).await;
        assert_eq!(
            (answer.status, answer.challenges.len(), answer.retry_after.is_some()),
            (503, 0, true),
            "{answer:?}"
        );
        assert!(answer.body.contains("keys_unavailable"), "{answer:?}");
    }
    server.heal_all();
    let healed = Doors::before(&server).await;
    assert_eq!(healed.answer("/token", &[token], "healed").await.status, 200);
}

#[test]
fn the_types_name_every_algorithm() {
    let types = include_str!("../index.d.ts");
    let (_, union) = types.split_once("type Algorithm =").unwrap();
    let mut named: Vec<_> = union.split_once(';').unwrap().0.split('\'').skip(1).step_by(2).collect();
    named.retain(|name| *name != "Ed25519");
    let known = portcullis::Algorithm::ASYMMETRIC.iter().chain(portcullis::Algorithm::SYMMETRIC);
    assert_eq!(named, known.map(|algorithm| algorithm.name()).collect::<Vec<_>>());
}
