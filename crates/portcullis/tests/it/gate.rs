//! The gate alone, called as by a door.

use http::HeaderMap;
use portcullis::{
    Access, Admitted, Anonymous, ClientAuthentication, Ground, HeaderFields, Introspector, Judging, JwksService,
    Pending, Presented, Secure, Verdict, Verifier,
};
use portcullis_testkit::{Attack, AuthorizationServer, Endpoint, Fault};

use crate::support::{fields, judge, judge_now};

fn bearer(token: &str) -> Vec<u8> {
    format!("Bearer {token}").into_bytes()
}

#[tokio::test]
async fn a_verdict_comes_at_once_unless_keys_are_needed_first() {
    let server = AuthorizationServer::start().await;
    let secure = Secure::new(JwksService::new(&server.jwks_uri()).unwrap());
    let field = bearer(&server.token().subject("alice").sign());

    assert!(judge_now(&secure, &[&field]).is_none(), "nothing was fetched yet");
    let access = judge(&secure, &[&field]).await.unwrap().unwrap();
    assert_eq!(access.claims().subject(), Some("alice"));
    let access = judge_now(&secure, &[&field]).unwrap().unwrap().unwrap();
    assert_eq!(access.claims().subject(), Some("alice"));
    assert_eq!(server.requests(Endpoint::Jwks), 1);
}

/// Servers split the field at any white space, or look for `Bearer` in it.
#[tokio::test]
async fn an_optional_layer_passes_no_field_in_which_a_server_may_find_a_token() {
    let server = AuthorizationServer::start().await;
    let secure = Secure::new(JwksService::new(&server.jwks_uri()).unwrap());
    let code = |secure: &Secure, fields: &[&[u8]]| match secure.judge(&Presented::new(&self::fields(fields))) {
        Judging::Done(verdict) => verdict.outcome.map_or_else(|refusal| refusal.code(), |_| "passes"),
        Judging::Waits(_) => "waits",
    };
    for (fields, optional, required) in [
        (&[][..], "passes", "no_credentials"),
        (&[&b"Basic YTpi"[..]][..], "passes", "other_scheme"),
        (&[b""], "passes", "other_scheme"),
        (&[b"Bearer\teyJ.eyJ."], "other_scheme", "other_scheme"),
        (&[b"Bearer:eyJ.eyJ."], "other_scheme", "other_scheme"),
        (&[b"\"Bearer\" eyJ.eyJ."], "other_scheme", "other_scheme"),
        (&[b"Basic YTpi, Bearer eyJ.eyJ."], "other_scheme", "other_scheme"),
        (&[b"DPoP eyJ.eyJ."], "other_scheme", "other_scheme"),
        (&[b"MyBearer abc"], "other_scheme", "other_scheme"),
        (&[b"eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0."], "other_scheme", "other_scheme"),
        (&[b"JWT eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0."], "other_scheme", "other_scheme"),
        (&[b"Digest realm=\"www.example.com\""], "passes", "other_scheme"),
        (&[b"Basic YTpi", b"Bearer\teyJ.eyJ."], "several_tokens", "several_tokens"),
    ] {
        assert_eq!(code(&secure.clone().optional(), fields), optional, "{fields:?}");
        assert_eq!(code(&secure, fields), required, "{fields:?}");
    }
}

#[tokio::test]
async fn the_verification_of_an_unknown_token_can_be_left_to_another_thread() {
    let server = AuthorizationServer::start().await;
    let jwks = JwksService::new(&server.jwks_uri()).unwrap();
    jwks.prefetch().await.unwrap();
    let (secure, field) = (Secure::new(jwks), bearer(&server.token().sign()));
    let judging = |secure: &Secure, field: &[u8]| secure.judge(&Presented::new(&fields(&[field])).verify_later(true));
    let expired = bearer(&server.hostile(Attack::Expired));

    let Judging::Done(verdict) = secure.judge(&Presented::new(&HeaderMap::new()).verify_later(true)) else {
        panic!("no token")
    };
    assert_eq!(verdict.outcome.unwrap_err().code(), "no_credentials");
    for (field, code) in [(&expired, Some("expired")), (&field, None)] {
        let Judging::Waits(pending) = judging(&secure, field) else { panic!("never seen, whatever it is") };
        let verdict = tokio::spawn(pending.into_future()).await.unwrap();
        assert_eq!(verdict.outcome.err().map(|refusal| refusal.code()), code);
        assert_eq!(verdict.ground, Some(Ground::Verified));
    }
    let Judging::Done(verdict) = judging(&secure, &field) else { panic!("it is known") };
    assert!(verdict.outcome.is_ok());
    assert_eq!(verdict.ground, Some(Ground::Cached));
    let Judging::Done(verdict) = judging(&secure.clone().scope(["x"]), &field) else { panic!("it is known") };
    assert_eq!(verdict.outcome.unwrap_err().code(), "insufficient_scope");
}

#[tokio::test]
async fn access_tells_what_was_granted_and_shows_nothing_in_debug() {
    let server = AuthorizationServer::start().await;
    let secure = Secure::new(JwksService::new(&server.jwks_uri()).unwrap());
    let field = bearer(&server.token().subject("alice").scope("read").sign());
    let access = judge(&secure, &[&field]).await.unwrap().unwrap();
    assert!(access.has_scope("read") && !access.has_scope("rea") && !access.has_scope(""));
    assert_eq!(access.claims().subject(), Some("alice"));
    assert!(!format!("{access:?} {:?}", access.token()).contains("alice"));
}

#[tokio::test]
async fn fields_are_judged_as_those_of_a_request_are() {
    let server = AuthorizationServer::start().await;
    let jwks = JwksService::new(&server.jwks_uri()).unwrap();
    jwks.prefetch().await.unwrap();
    let (good, expired) = (bearer(&server.token().scope("read").sign()), bearer(&server.hostile(Attack::Expired)));
    let secure = Secure::new(jwks).scope(["write"]);
    let table: &[(&[&[u8]], &str, u16)] = &[
        (&[], "no_credentials", 401),
        (&[b"Basic YTpi"], "other_scheme", 401),
        (&[b"Bearer"], "empty_token", 401),
        (&[&good, &good], "several_tokens", 400),
        (&[&good, b""], "several_tokens", 400),
        (&[&expired], "expired", 403),
        (&[&good], "insufficient_scope", 403),
        (&[b"Bearer \xff"], "malformed_token", 403),
    ];
    for (fields, code, status) in table {
        let now = judge_now(&secure, fields).unwrap().unwrap_err();
        assert_eq!((now.code(), secure.answer(&now).status().as_u16()), (*code, *status));
        assert_eq!(judge(&secure, fields).await.unwrap_err().code(), *code, "late as at once");
    }
}

#[tokio::test]
async fn what_is_optional_may_be_missing_and_may_not_be_bad() {
    let server = AuthorizationServer::start().await;
    let secure = Secure::new(JwksService::new(&server.jwks_uri()).unwrap()).optional();
    assert!(judge_now(&secure, &[]).unwrap().unwrap().is_none());
    assert!(judge(&secure, &[b"Basic YTpi"]).await.unwrap().is_none());
    assert!(judge(&secure, &[&bearer(&server.hostile(Attack::ForgedKey))]).await.is_err());
}

#[tokio::test]
async fn an_outage_is_told_with_the_time_to_come_back() {
    let server = AuthorizationServer::start().await;
    server.fault(Endpoint::Jwks, Fault::Status(500));
    let secure = Secure::new(JwksService::new(&server.jwks_uri()).unwrap());
    let refusal = judge(&secure, &[&bearer(&server.token().sign())]).await.unwrap_err();
    let answer = secure.answer(&refusal);
    assert_eq!((refusal.code(), answer.status().as_u16()), ("keys_unavailable", 503));
    assert!(answer.headers().contains_key("retry-after"));
}

#[tokio::test]
async fn without_any_key_all_but_the_key_is_judged() {
    let server = AuthorizationServer::start().await;
    let empty = JwksService::empty();
    assert!(!empty.ready(), "no token can pass");
    let verifier = Verifier::from(empty);
    let code = async |token: String| verifier.verify(&token).await.unwrap_err().code();
    assert_eq!(code(server.token().sign()).await, "unknown_key");
    assert_eq!(code(server.token().without_header("kid").sign()).await, "unknown_key");
    assert_eq!(code(server.hostile(Attack::TwoParts)).await, "malformed_token_parts");
    assert_eq!(code(server.hostile(Attack::AlgNone)).await, "algorithm_not_allowed");
    assert_eq!(code(server.hostile(Attack::DuplicateClaim)).await, "duplicate_member");
}

#[tokio::test]
async fn a_token_has_a_number_as_long_as_it_is_cached() {
    let server = AuthorizationServer::start().await;
    let verifier = Verifier::from(JwksService::new(&server.jwks_uri()).unwrap());
    let (one, other) = (server.token().subject("one").sign(), server.token().subject("other").sign());
    let id = async |token: &str| verifier.verify(token).await.unwrap().id();

    let first = id(&one).await;
    assert_eq!(id(&one).await, first, "cached");
    assert_ne!(id(&other).await, first);
    verifier.invalidate(&one);
    assert_ne!(id(&one).await, first, "verified anew");
}

#[tokio::test]
async fn the_ground_of_a_verdict_tells_whether_the_issuer_was_asked() {
    let server = AuthorizationServer::start().await;
    let client = ClientAuthentication::basic("test-client", "test-secret");
    let introspector = Introspector::builder(&format!("{}/introspect", server.issuer()), client).build().unwrap();
    let secure = Secure::new(Verifier::from(introspector));
    let opaque = server.issue_opaque(server.token());
    for (token, expected) in [
        (opaque.as_str(), Ground::Introspected),
        (opaque.as_str(), Ground::Cached),
        ("made-up", Ground::Introspected),
        ("made-up", Ground::Introspected),
        ("no~token68!", Ground::Verified),
    ] {
        let verdict = secure.judge(&Presented::new(&fields(&[&bearer(token)]))).verdict().await;
        assert_eq!(verdict.ground, Some(expected), "{token}");
    }
    assert_eq!(server.requests(Endpoint::Introspection), 2);
}

#[test]
fn fields_may_stand_in_whatever_holds_them() {
    let pairs: [(&str, &[u8]); 2] = [("Authorization", b"Bearer a"), ("x", b"y")];
    let (all, vec) = (&pairs[..], pairs.to_vec());
    let holders: [&dyn HeaderFields; 5] = [&pairs, &all, &&pairs, &vec, &&&vec];
    for holder in holders {
        let mut values = Vec::new();
        holder.each(&http::header::AUTHORIZATION, &mut |value| values.push(value));
        assert_eq!(values, [b"Bearer a"]);
    }
}

#[test]
fn a_verdict_and_the_wait_for_it_may_go_to_another_thread() {
    fn check<T: Send + Sync>() {}
    check::<(Secure, Presented<'_>, Pending, Judging, Verdict)>();
    check::<(Admitted, Access, Anonymous)>();
}
