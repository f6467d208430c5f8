//! The rules of an endpoint, from a builder and from data: the same answers, and a row each in the explanation.

use axum::{Router, routing::get};
use http::{HeaderValue, Method, StatusCode, header};
use metrics_util::debugging::DebuggingRecorder;
use portcullis::{
    Access, CheckKind, Claims, ConfigurationError, Explanation, Granted, InvalidTokenStatus, Refusal, RefusalBody,
    RequiredScope, Rules, Secure,
};
use serde_json::{Value, json};

use crate::{
    metrics::{Log, Metrics},
    support::{Setup, answer, app, bearer, explain_request, judge, request},
};

const SCOPE_MISSING: &str = "Token is missing some required scope values";
const CLAIMS_MISSING: &str = "Token is missing some required claims";
const CLAIM_FORBIDDEN: &str = "Token has a claim that it must not have here";

fn from_data(setup: &Setup, rules: Value) -> Secure {
    let rules: Rules = serde_json::from_value(rules).unwrap();
    Secure::new(setup.jwks.clone()).rules(rules).unwrap()
}

/// A token with these additional claims.
fn token(setup: &Setup, claims: &Value) -> String {
    let claims = claims.as_object().unwrap();
    claims.iter().fold(setup.server.token(), |token, (name, value)| token.claim(name, value.clone())).sign()
}

async fn explained(setup: &Setup, secure: &Secure, token: &str) -> Explanation {
    explain_request(secure, &[format!("Bearer {token}").as_bytes()], setup.clock.now()).await
}

#[tokio::test]
async fn builder_and_data_ask_for_the_same_and_say_so_in_the_same_words() {
    let setup = Setup::new().await;
    let new = || Secure::new(setup.jwks.clone());
    let refused = |code: &'static str, parameters: &'static str| Some((code, parameters));
    // The rule, twice; the kind and expectation of its row; each token with its answer.
    let table = [
        (
            new().scope(["a"]).any_scope(["b", "c"]),
            json!({ "scope": ["a"], "any_scope": ["b", "c"] }),
            (CheckKind::Scope, "a, and one of b c"),
            vec![
                (json!({ "scope": "a c" }), None),
                (json!({ "scope": "a" }), refused("insufficient_scope", r#", scope="a b c""#)),
            ],
        ),
        (
            new().implied_scopes("write", ["read"]).implied_scopes("admin", ["write"]).scope(["read"]),
            json!({ "implied_scopes": { "write": ["read"], "admin": ["write"] }, "scope": ["read"] }),
            (CheckKind::Scope, "read"),
            vec![
                (json!({ "scope": "read" }), None),
                (json!({ "scope": "admin" }), None),
                (json!({ "scp": ["write"] }), None),
                // The challenge names the required scope, not one that implies it.
                (json!({ "scope": "administrator" }), refused("insufficient_scope", r#", scope="read""#)),
            ],
        ),
        (
            new().claim_one_of("/place/region", ["eu", "us"]),
            json!({ "claims": [{ "name": "/place/region", "one_of": ["eu", "us"] }] }),
            (CheckKind::Claim, r#"/place/region is, or has among its elements, one of "eu", "us""#),
            vec![
                (json!({ "place": { "region": "us" } }), None),
                (json!({ "place": { "region": ["uk", "eu"] } }), None),
                (json!({ "place": { "region": "uk" } }), refused("required_claims", "")),
                (json!({ "place": "eu" }), refused("required_claims", "")),
                (json!({}), refused("required_claims", "")),
            ],
        ),
        (
            new().claim_matches("repository", "my-org/*"),
            json!({ "claims": [{ "name": "repository", "matches": "my-org/*" }] }),
            (CheckKind::Claim, "repository matches, or has an element that matches, `my-org/*`"),
            vec![
                (json!({ "repository": "my-org/a/b" }), None),
                (json!({ "repository": ["other/a", "my-org/a"] }), None),
                (json!({ "repository": "my-org-evil/a" }), refused("required_claims", "")),
                (json!({ "repository": "x/my-org/a" }), refused("required_claims", "")),
                (json!({ "repository": { "my-org/a": true } }), refused("required_claims", "")),
            ],
        ),
        (
            new().claim_absent("act"),
            json!({ "claims": [{ "name": "act", "absent": true }] }),
            (CheckKind::Claim, "act is not there"),
            vec![
                (json!({ "actor": "x" }), None),
                (json!({ "act": { "sub": "x" } }), refused("forbidden_claim", "")),
                (json!({ "act": null }), refused("forbidden_claim", "")),
            ],
        ),
    ];
    for (builder, data, (kind, expected), tokens) in table {
        for secure in [builder, from_data(&setup, data)] {
            let secure = secure.realm("r").invalid_token_status(InvalidTokenStatus::Unauthorized).problem_json();
            let app = app(secure.clone());
            for (claims, refusal) in &tokens {
                let token = token(&setup, claims);
                let answer = answer(&app, bearer(&token)).await;
                let explanation = explained(&setup, &secure, &token).await;
                let row = explanation.checks.iter().find(|check| check.kind == kind).unwrap();
                assert_eq!(row.expected.as_deref(), Some(expected));
                assert_eq!((row.code(), row.actual.is_some()), (refusal.map(|(code, _)| code), true), "{claims}");
                let Some((code, parameters)) = refusal else {
                    assert_eq!(answer.status, StatusCode::OK, "{expected}: {claims}");
                    continue;
                };
                let (status, error, description) = match *code {
                    "insufficient_scope" => (StatusCode::FORBIDDEN, "insufficient_scope", SCOPE_MISSING),
                    "forbidden_claim" => (StatusCode::UNAUTHORIZED, "invalid_token", CLAIM_FORBIDDEN),
                    _ => (StatusCode::UNAUTHORIZED, "invalid_token", CLAIMS_MISSING),
                };
                let challenge =
                    format!(r#"Bearer realm="r", error="{error}", error_description="{description}"{parameters}"#);
                assert_eq!((answer.status, answer.challenge()), (status, Some(challenge.as_str())), "{claims}");
                let problem: Value = serde_json::from_str(&answer.body).unwrap();
                assert_eq!((&problem["code"], &problem["detail"]), (&json!(code), &json!(description)));
                assert!(row.hint.is_some(), "{claims}");
            }
        }
    }
}

#[tokio::test]
async fn a_pattern_that_matches_a_part_alone_is_told_apart_from_another_value() {
    let setup = Setup::new().await;
    let secure = Secure::new(setup.jwks.clone()).claim_matches("sub", "repo:my-org/");
    for (sub, hint) in
        [("repo:my-org/api", "has to match the whole value"), ("repo:other/api", "does not have the value")]
    {
        let explanation = explained(&setup, &secure, &token(&setup, &json!({ "sub": sub }))).await;
        let told = explanation.first_failure().unwrap().hint.as_deref().unwrap();
        assert!(told.contains(hint), "{sub}: {told}");
    }
}

#[tokio::test]
async fn rules_as_data_replace_those_before_and_are_added_to_after() {
    let setup = Setup::new().await;
    let rules: Rules = serde_json::from_value(json!({
        "realm": "data", "scope": ["a"], "invalid_token_status": 401, "max_token_bytes": 900, "problem_json": true,
    }))
    .unwrap();
    let before = Secure::new(setup.jwks.clone()).realm("before").scope(["never"]).optional();
    let app = app(before.rules(rules).unwrap().scope(["b"]));
    let anonymous = answer(&app, request(&[])).await;
    assert_eq!((anonymous.status, anonymous.challenge()), (StatusCode::UNAUTHORIZED, Some(r#"Bearer realm="data""#)));
    assert_eq!(answer(&app, bearer(&token(&setup, &json!({ "scope": "a" })))).await.status, StatusCode::FORBIDDEN);
    assert_eq!(answer(&app, bearer(&token(&setup, &json!({ "scope": "a b" })))).await.status, StatusCode::OK);
    let long = token(&setup, &json!({ "scope": "a b", "padding": "x".repeat(900) }));
    let long = answer(&app, bearer(&long)).await;
    assert_eq!(long.status, StatusCode::UNAUTHORIZED);
    assert!(long.body.contains("token_too_large"), "{}", long.body);
}

#[tokio::test]
async fn optional_and_report_only_can_be_data() {
    let setup = Setup::new().await;
    let passes = |rules| Router::new().route("/", get(|| async {})).layer(from_data(&setup, rules));
    let (optional, reporting) = (passes(json!({ "optional": true })), passes(json!({ "report_only": true })));
    assert_eq!(answer(&optional, request(&[])).await.status, StatusCode::OK);
    assert_eq!(answer(&optional, bearer("nonsense")).await.status, StatusCode::FORBIDDEN);
    assert_eq!(answer(&reporting, bearer("nonsense")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn rules_that_cannot_be_meant_are_refused_with_their_field() {
    let setup = Setup::new().await;
    let mut rules = Rules::default();
    rules.scope = vec!["read write".into()];
    let refused = Secure::new(setup.jwks.clone()).rules(rules);
    assert!(matches!(refused, Err(ConfigurationError::Rule { field, .. }) if field == "scope[0]"));
    let refused = Secure::new(setup.jwks.clone()).rule("Not A Name", |_| true);
    assert!(matches!(refused, Err(ConfigurationError::Rule { field, .. }) if field == "rule"));
}

fn is_adult(claims: &Claims) -> bool {
    claims.get("age").and_then(|age| age.as_u64()).is_some_and(|age| age >= 18)
}

#[test]
fn the_name_of_a_rule_of_ones_own_is_its_code_in_the_answer_the_metrics_and_the_explanation() {
    let recorder = DebuggingRecorder::new();
    let metrics = recorder.snapshotter();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async {
            let setup = Setup::new().await;
            let secure = Secure::new(setup.jwks.clone()).problem_json().rule("not_of_age", is_adult).unwrap();
            let app = app(secure.clone());
            let (adult, minor) = (token(&setup, &json!({ "age": 18 })), token(&setup, &json!({ "age": 17 })));
            assert_eq!(answer(&app, bearer(&adult)).await.status, StatusCode::OK);
            let refused = answer(&app, bearer(&minor)).await;
            let expected =
                r#"Bearer error="invalid_token", error_description="Token does not meet a rule of this resource""#;
            assert_eq!((refused.status, refused.challenge()), (StatusCode::FORBIDDEN, Some(expected)));
            assert_eq!(serde_json::from_str::<Value>(&refused.body).unwrap()["code"], "not_of_age");
            let explanation = explained(&setup, &secure, &minor).await;
            let failed = explanation.first_failure().unwrap();
            assert_eq!((failed.kind, failed.code()), (CheckKind::Rule, Some("not_of_age")));
            assert_eq!(failed.expected.as_deref(), Some("the rule `not_of_age` holds"));
        });
    });
    let metrics = Metrics::read(metrics.snapshot());
    assert!((metrics.sum("portcullis_refused_total", Some(("code", "not_of_age"))) - 1.0).abs() < f64::EPSILON);
}

#[tokio::test]
async fn a_rule_of_ones_own_never_sees_claims_that_nobody_vouches_for() {
    let setup = Setup::new().await;
    let rule = |_: &Claims| -> bool { panic!("the rule was asked") };
    let secure = Secure::new(setup.jwks.clone()).rule("never", rule).unwrap();
    let good = setup.server.token().sign();
    let (signed, _) = good.rsplit_once('.').unwrap();
    let forged = format!("{signed}.{}", "A".repeat(342));
    for token in [forged.as_str(), "a.b.c", "nonsense"] {
        assert!(judge(&secure, &[format!("Bearer {token}").as_bytes()]).await.is_err());
        let explanation = explained(&setup, &secure, token).await;
        let row = explanation.checks.iter().find(|check| check.kind == CheckKind::Rule).unwrap();
        assert_eq!(row.outcome.name(), "not_reached", "{token}");
    }
}

struct ReadOrders;

impl RequiredScope for ReadOrders {
    const SCOPE: &'static [&'static str] = &["orders:read", "orders:list"];
}

async fn orders(access: Granted<ReadOrders>) -> String {
    access.into_access().claims().subject().unwrap_or("nobody").to_owned()
}

#[tokio::test]
async fn a_handler_that_names_its_scope_is_reached_with_it_alone() {
    let setup = Setup::new().await;
    let layer = || Secure::new(setup.jwks.clone()).realm("r").problem_json();
    let app = |secure: Secure| Router::new().route("/", get(orders)).layer(secure);
    let implying = || layer().implied_scopes("orders", ["orders:read", "orders:list"]);
    let insufficient = concat!(
        r#"Bearer realm="r", error="insufficient_scope", "#,
        r#"error_description="Token is missing some required scope values", scope="orders:read orders:list""#
    );
    let table = [
        (layer(), Some("orders:read orders:list"), StatusCode::OK, None),
        (layer(), Some("orders:read"), StatusCode::FORBIDDEN, Some(insufficient)),
        (layer(), Some("orders:read,orders:list"), StatusCode::FORBIDDEN, Some(insufficient)),
        (layer(), Some("orders"), StatusCode::FORBIDDEN, Some(insufficient)),
        (implying(), Some("orders"), StatusCode::OK, None),
        (implying(), Some("order"), StatusCode::FORBIDDEN, Some(insufficient)),
        (layer().optional(), None, StatusCode::UNAUTHORIZED, Some(r#"Bearer realm="r""#)),
        (layer().optional(), Some("orders:read"), StatusCode::FORBIDDEN, Some(insufficient)),
        (layer().scope(["never"]).report_only(), Some("orders"), StatusCode::UNAUTHORIZED, Some(r#"Bearer realm="r""#)),
    ];
    for (row, (secure, scope, status, challenge)) in table.into_iter().enumerate() {
        let request = scope.map_or_else(|| request(&[]), |scope| bearer(&setup.server.token().scope(scope).sign()));
        let answer = answer(&app(secure), request).await;
        assert_eq!((answer.status, answer.challenge()), (status, challenge), "row {row}");
        let is_told = answer.headers.get("content-type").is_some_and(|value| value == "application/problem+json");
        assert_eq!(is_told, status != StatusCode::OK, "row {row}");
    }
    let without_layer = Router::new().route("/", get(orders));
    let token = setup.server.token().scope("orders:read orders:list").sign();
    let refused = answer(&without_layer, bearer(&token)).await;
    assert_eq!((refused.status, refused.challenge()), (StatusCode::INTERNAL_SERVER_ERROR, None));
}

#[tokio::test]
async fn handlers_see_what_a_scope_implies() {
    let setup = Setup::new().await;
    async fn may_read(access: Access) -> String {
        format!("{} {}", access.has_scope("read"), access.has_scope("admin"))
    }
    let inner = Router::new().route("/", get(may_read));
    let token = setup.server.token().scope("write").sign();
    let secure = Secure::new(setup.jwks.clone());
    let plain = inner.clone().layer(secure.clone());
    assert_eq!(answer(&plain, bearer(&token)).await.body, "false false");
    let implying = inner.layer(secure.implied_scopes("write", ["read"]).implied_scopes("admin", ["write"]));
    assert_eq!(answer(&implying, bearer(&token)).await.body, "true false");
}

fn own_body(refusal: &Refusal) -> RefusalBody {
    RefusalBody {
        content_type: HeaderValue::from_static("text/plain"),
        bytes: format!("no: {}", refusal.code()).into(),
    }
}

#[tokio::test]
async fn a_refusal_has_the_body_of_the_hook_and_the_fields_of_the_library() {
    let setup = Setup::new().await;
    async fn typed(_: Claims<Typed>) {}
    #[derive(serde::Deserialize)]
    struct Typed {
        #[expect(dead_code, reason = "it is there or not")]
        customer_number: u64,
    }
    // The order does not matter: rules set after the hook do not undo it.
    let secure = Secure::new(setup.jwks.clone()).problem_json().refusal_body(own_body).realm("r").scope(["read"]);
    let app = Router::new().route("/", get(typed)).route("/orders", get(orders)).layer(secure.clone());
    let read = setup.server.token().scope("read").sign();
    let insufficient = r#"Bearer realm="r", error="insufficient_scope""#;
    let table = [
        ("/", request(&[]), StatusCode::UNAUTHORIZED, "no: no_credentials", r#"Bearer realm="r""#),
        ("/", bearer(&setup.server.token().sign()), StatusCode::FORBIDDEN, "no: insufficient_scope", insufficient),
        // The extractors answer as the layer does.
        (
            "/",
            bearer(&read),
            StatusCode::FORBIDDEN,
            "no: required_claims",
            r#"Bearer realm="r", error="invalid_token""#,
        ),
        ("/orders", bearer(&read), StatusCode::FORBIDDEN, "no: insufficient_scope", insufficient),
    ];
    for (path, mut request, status, body, challenge) in table {
        *request.uri_mut() = path.parse().unwrap();
        let answer = answer(&app, request).await;
        assert_eq!((answer.status, answer.body.as_str()), (status, body));
        assert_eq!(answer.headers[header::CONTENT_TYPE], "text/plain");
        assert!(answer.challenge().unwrap().starts_with(challenge), "{:?}", answer.challenge());
    }
    let empty = |_: &Refusal| RefusalBody { content_type: HeaderValue::from_static("text/plain"), bytes: "".into() };
    let refused = answer(&self::app(secure.refusal_body(empty)), request(&[])).await;
    assert_eq!((refused.body.as_str(), refused.headers.get(header::CONTENT_TYPE)), ("", None));
}

#[tokio::test]
async fn head_is_refused_with_the_fields_of_get_and_without_its_body() {
    let setup = Setup::new().await;
    let app = app(Secure::new(setup.jwks.clone()).refusal_body(own_body));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = tokio::spawn(async { axum::serve(listener, app).await });
    for (method, body) in [(Method::GET, "no: no_credentials"), (Method::HEAD, "")] {
        let response = reqwest::Client::new().request(method, &url).send().await.unwrap();
        assert_eq!(response.status().as_u16(), 401);
        assert_eq!(response.headers()["content-type"], "text/plain");
        assert_eq!(response.headers()["content-length"], "18");
        assert_eq!(response.headers()["www-authenticate"], "Bearer");
        assert_eq!(response.text().await.unwrap(), body);
    }
    server.abort();
}

#[test]
fn a_mistaken_rule_is_logged_once_and_refused_by_its_own_code() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let log = Log::of(tracing::Level::INFO, |log| {
        runtime.block_on(async {
            let setup = Setup::new().await;
            let new = || Secure::new(setup.jwks.clone()).problem_json();
            let none = Vec::<String>::new();
            let spaced =
                "expected one scope value, got \"orders:read orders:write\": write each value in quotes of its own";
            type Make<'a> = &'a dyn Fn() -> Secure;
            let table: [(Make<'_>, CheckKind, &str, String); 10] = [
                (&|| new().scope(["orders:read orders:write"]), CheckKind::Scope, "`scope[0]`", spaced.to_owned()),
                (&|| new().scope(["a", ""]), CheckKind::Scope, "`scope[1]`", "got \"\"".to_owned()),
                (
                    &|| new().any_scope(["orders:read orders:write"]),
                    CheckKind::Scope,
                    "`any_scope[0][0]`",
                    spaced.to_owned(),
                ),
                (&|| new().any_scope(none.clone()), CheckKind::Scope, "`any_scope[0]`", "got none".to_owned()),
                (&|| new().claim(""), CheckKind::Claim, "`claims[0].name`", "got an empty text".to_owned()),
                (&|| new().claim_absent("/a~"), CheckKind::Claim, "`claims[0].name`", "JSON Pointer".to_owned()),
                (
                    &|| new().claim_one_of("a", none.clone()),
                    CheckKind::Claim,
                    "`claims[0].one_of`",
                    "got none".to_owned(),
                ),
                (&|| new().claim_matches("a", ""), CheckKind::Claim, "`claims[0].matches`", "a pattern".to_owned()),
                // A rule with it is mistaken, whatever is built afterwards.
                (
                    &|| new().scope(["a b"]).realm("r").clone().optional(),
                    CheckKind::Scope,
                    "`scope[0]`",
                    "\"a b\"".to_owned(),
                ),
                (&|| new().claim("").report_only().clone(), CheckKind::Claim, "`claims[0].name`", "empty".to_owned()),
            ];
            let token = setup.server.token().claim("scope", json!("a orders:read orders:write")).claim("a", json!("a"));
            let token = token.sign();
            for (make, kind, field, problem) in table {
                let before = log.text().matches("a rule is mistaken").count();
                let secure = make();
                let told = log.text();
                let line = told.lines().last().unwrap();
                assert!(line.contains("ERROR") && line.contains("mistaken"), "{line}");
                assert!(line.replace('\\', "").contains(field) && line.replace('\\', "").contains(&problem), "{line}");

                let explanation = explained(&setup, &secure, &token).await;
                let failure = explanation.first_failure().unwrap();
                assert_eq!((failure.kind, failure.code()), (kind, Some("mistaken_rule")));
                let answer = answer(&app(secure.clone()), bearer(&token)).await;
                if secure.is_report_only() {
                    assert!(log.text().contains("request would be refused code=\"mistaken_rule\""));
                } else {
                    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
                    assert!(
                        answer.body.contains("mistaken_rule") && !answer.body.contains("orders"),
                        "{}",
                        answer.body
                    );
                }
                let told = log.text();
                assert_eq!(told.matches("a rule is mistaken").count(), before + 1, "once: {told}");
            }
            // One value of a group is enough, so that tokens pass; the other is told all the same.
            let partly = new().any_scope(["a", "b c"]);
            assert_eq!(answer(&app(partly), bearer(&token)).await.status, StatusCode::OK);
            assert!(log.text().lines().any(|line| line.contains("any_scope[0][1]")));
            // Tokens that are bad are refused for that, and no token at all is no mistake.
            let bad = setup.server.token().expired_for(std::time::Duration::from_secs(90)).sign();
            assert_eq!(answer(&app(new().scope(["a b"])), bearer(&bad)).await.status, StatusCode::FORBIDDEN);
            assert_eq!(answer(&app(new().scope(["a b"])), request(&[])).await.status, StatusCode::UNAUTHORIZED);
        });
    });
    assert!(log.text().contains("ERROR portcullis: request refused code=\"mistaken_rule\""), "{}", log.text());
}
