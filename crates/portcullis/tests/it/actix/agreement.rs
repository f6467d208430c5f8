//! The same requests at both doors: status, challenge and body are the same.

use std::time::Duration;

use actix_web::{App, web};
use axum::{Router, routing::get};
use http::HeaderName;
use portcullis::{Claims, InvalidTokenStatus, JwksService, Rules, Secure, TokenSource, Verifier};
use portcullis_testkit::{Attack, AuthorizationServer, Endpoint, Fault, TestClock};

use super::{answer, who};
use crate::support::{self, Answer, by};

const AUDIENCE: &str = "https://api.example.com";

type Fields = Vec<(&'static str, String)>;

/// The verifier of each door: axum's and actix-web's, so that each waits for its own keys.
struct Doors {
    server: AuthorizationServer,
    axum: Verifier,
    actix: Verifier,
}

impl Doors {
    async fn new() -> Self {
        let clock = TestClock::new();
        let server = AuthorizationServer::builder().clock(clock.clone()).start().await.unwrap();
        let verifier = || {
            let jwks = by(&clock, JwksService::builder(&server.jwks_uri())).build().unwrap();
            Verifier::builder(jwks).issuer(server.issuer()).audience(AUDIENCE).build().unwrap()
        };
        let (axum, actix) = (verifier(), verifier());
        Self { server, axum, actix }
    }

    /// The answer of both doors, with a handler that accepts anonymous clients.
    async fn answer(&self, with: &dyn Fn(Secure) -> Secure, fields: &Fields) -> Answer {
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let app = Router::new().route("/", get(axum_who)).layer(with(Secure::new(self.axum.clone())));
        let axum = support::answer(&app, support::request(&fields)).await;
        let app = App::new().wrap(with(Secure::new(self.actix.clone()))).route("/", web::get().to(who));
        let actix = answer!(app, &fields);
        assert_eq!(told(&axum), told(&actix), "axum's answer, then actix-web's, to {fields:?}");
        actix
    }
}

async fn axum_who(claims: Option<Claims>) -> String {
    claims.as_ref().and_then(|claims| claims.subject()).unwrap_or("anonymous").to_owned()
}

/// The parts of an answer that a door makes. `Retry-After` differs by chance.
fn told(answer: &Answer) -> (u16, Option<&str>, Option<&str>, bool, &str) {
    let content_type = answer.headers.get("content-type").map(|value| value.to_str().unwrap());
    let retry_after = answer.headers.contains_key("retry-after");
    (answer.status.as_u16(), answer.challenge(), content_type, retry_after, &answer.body)
}

fn requests(server: &AuthorizationServer) -> Vec<Fields> {
    let bearer = |token: String| ("authorization", format!("Bearer {token}"));
    let good = || bearer(server.token().scope("read").sign());
    let named = |scheme: &str| ("authorization", format!("{scheme} {}", server.token().sign()));
    vec![
        vec![good()],
        vec![named("bearer")],
        vec![named("BEARER  ")],
        vec![bearer(server.token().scope("read write").claim("tenant", 7).sign())],
        vec![],
        vec![("authorization", "Basic YTpi".into())],
        vec![("authorization", "DPoP abc".into())],
        vec![("authorization", "Bearer".into())],
        vec![("authorization", "Bearer  ".into())],
        vec![("authorization", "Bearer x.y.z".into())],
        vec![("authorization", "Bearer a b".into())],
        vec![bearer("a".repeat(16 * 1024 + 1))],
        vec![good(), good()],
        vec![("authorization", String::new()), good()],
        vec![("x-access-token", server.token().sign())],
        vec![("x-access-token", server.token().sign()), ("x-access-token", String::new())],
        vec![("cookie", format!("theme=dark; at={}", server.token().sign()))],
        vec![("cookie", "at=".into())],
        vec![("cookie", "a=1".into()), ("cookie", format!("at={}", server.token().sign()))],
        vec![("cookie", format!("at={}", server.token().sign())), good()],
        vec![bearer(server.token().expired_for(Duration::from_secs(60)).sign())],
    ]
}

#[tokio::test]
async fn both_doors_answer_alike_whatever_is_asked() {
    let doors = Doors::new().await;
    let requests = requests(&doors.server);
    let own = HeaderName::from_static("x-access-token");
    let places = [TokenSource::authorization(), TokenSource::cookie("at"), TokenSource::header(own)];
    let rules: Rules = serde_json::from_value(serde_json::json!({
        "realm": "r\"\\", "scope": ["read"], "any_scope": ["write", "admin"], "invalid_token_status": 401, "problem_json": true,
    }))
    .unwrap();
    let configured: &[&dyn Fn(Secure) -> Secure] = &[
        &|secure| secure,
        &|secure| secure.realm("a realm\r\nSet-Cookie: x").invalid_token_status(InvalidTokenStatus::Unauthorized),
        &|secure| secure.scope(["read", "write"]).problem_json(),
        &|secure| secure.claim_value("tenant", 7).problem_json(),
        &|secure| secure.optional().problem_json(),
        &|secure| secure.scope(["write"]).report_only(),
        &|secure| secure.token_from(places.clone()),
        &|secure| secure.token_from(places.clone()).optional().max_token_bytes(300),
        &|secure| secure.rules(rules.clone()).unwrap(),
    ];
    let mut statuses = std::collections::BTreeSet::new();
    for with in configured {
        for fields in &requests {
            statuses.insert(doors.answer(with, fields).await.status.as_u16());
        }
    }
    assert_eq!(statuses.into_iter().collect::<Vec<_>>(), [200, 400, 401, 403], "the table asks for all of them");
}

#[tokio::test]
async fn both_doors_refuse_every_class_of_hostile_token_alike() {
    let doors = Doors::new().await;
    for attack in Attack::ALL {
        let fields = vec![("authorization", format!("Bearer {}", doors.server.hostile(*attack)))];
        for with in [&(|secure: Secure| secure.problem_json()) as &dyn Fn(Secure) -> Secure, &Secure::optional] {
            let answer = doors.answer(with, &fields).await;
            assert!([401, 403].contains(&answer.status.as_u16()), "{attack}: {}", answer.status);
        }
        let reported = doors.answer(&Secure::report_only, &fields).await;
        assert_eq!((reported.status.as_u16(), reported.body.as_str()), (200, "anonymous"), "{attack}");
    }
    assert_eq!(doors.server.requests(Endpoint::Attacker), 0, "no URL in a token is followed");
}

#[tokio::test]
async fn both_doors_tell_of_an_outage_alike() {
    let doors = Doors::new().await;
    doors.server.fault(Endpoint::Jwks, Fault::Status(500));
    let fields = vec![("authorization", format!("Bearer {}", doors.server.token().sign()))];
    for with in [&(|secure: Secure| secure.problem_json()) as &dyn Fn(Secure) -> Secure, &Secure::optional] {
        let answer = doors.answer(with, &fields).await;
        assert_eq!((answer.status.as_u16(), answer.challenge()), (503, None));
        assert!(answer.headers.contains_key("retry-after"));
        assert!(!answer.body.contains("500") && !answer.body.contains("127.0.0.1"), "{}", answer.body);
    }
}
