//! Tokens that the server issues: one that is wrong in any way is never handed on.

use std::time::Duration;

use portcullis::{ClientAuthentication, Introspector, Secure, Target, TargetTokenType};
use portcullis_testkit::ExchangeFault::{self, *};

use super::{INVENTORY, app, app_with, asked, claims, exchanger, issuer, unusable, verdict};
use crate::support::Setup;

/// Each wrong answer, and a part of the reason in the status.
const WRONG: [(ExchangeFault, &str); 21] = [
    (OtherAudience, "aud"),
    (OtherSubject, "the same subject (`sub`)"),
    (LongerLived, "expires no later than the client's, got one that expires 3600 s later"),
    (Endless, "exp"),
    (Unsigned, "alg"),
    (OtherKey, "signature"),
    (OtherIssuer, "iss"),
    (Expired, "expired"),
    (Bound, "bound"),
    (IssuedTokenType(""), "`issued_token_type`"),
    (IssuedTokenType("urn:ietf:params:oauth:token-type:id_token"), "`issued_token_type`"),
    (IssuedTokenType("urn:ietf:params:oauth:token-type:refresh_token"), "`issued_token_type`"),
    (IssuedTokenType("urn:ietf:params:oauth:token-type:jwt"), "`issued_token_type`"),
    (TokenType(""), "`token_type`"),
    (TokenType("N_A"), "`token_type` Bearer"),
    (TokenType("DPoP"), "`token_type` Bearer"),
    (Opaque, "got an opaque token"),
    (Echo, "aud"),
    (Text(""), "`access_token`"),
    (Text("a b"), "other characters"),
    (Text("a\r\nb"), "other characters"),
];

#[tokio::test]
async fn a_token_that_is_wrong_in_any_way_is_never_handed_on() {
    for (fault, reason) in WRONG {
        let setup = Setup::new().await;
        let exchanger = exchanger(&setup).build().unwrap();
        let app = app(&setup, &exchanger);
        let known = setup.server.token().subject("known").sign();
        assert_eq!(verdict(&app, &known).await.0, 200);
        setup.server.exchange_fault(Some(fault));
        let token = setup.server.token().sign();
        for _ in 0..7 {
            assert_eq!(verdict(&app, &token).await, unusable(), "{fault:?}");
        }
        let status = exchanger.status();
        let last = status.last_error.unwrap();
        assert!(last.contains(reason), "{fault:?}: {last}");
        // One token that makes the server answer so does not shut the endpoint for others.
        assert_eq!((status.failures, asked(&setup)), (0, 8), "{fault:?}");
        assert_eq!(verdict(&app, &known).await.0, 200, "{fault:?}: a kept token still counts");
        setup.server.exchange_fault(None);
        assert_eq!(verdict(&app, &token).await.0, 200, "{fault:?}");
    }
}

#[tokio::test]
async fn a_server_that_names_subjects_in_its_own_way_is_allowed_to_by_a_dangerous_option_alone() {
    let setup = Setup::new().await;
    setup.server.exchange_fault(Some(OtherSubject));
    let token = setup.server.token().sign();
    let strict = app(&setup, &exchanger(&setup).build().unwrap());
    assert_eq!(verdict(&strict, &token).await, unusable());
    let dangerous = exchanger(&setup).dangerously_accept_other_subjects().build().unwrap();
    assert_eq!(verdict(&app(&setup, &dangerous), &token).await.0, 200);
    // Nobody is named by the client's token.
    let nameless = setup.server.token().without_claim("sub").sign();
    assert_eq!(verdict(&strict, &nameless).await.0, 200);
}

#[tokio::test]
async fn a_server_that_gives_each_token_its_full_life_is_allowed_so_much() {
    for (allowed, passes) in [(3600, true), (3590, false)] {
        let setup = Setup::new().await;
        let app = app(&setup, &exchanger(&setup).may_outlive(Duration::from_secs(allowed)).build().unwrap());
        setup.server.exchange_fault(Some(LongerLived));
        let token = setup.server.token().expires_in(Duration::from_secs(60)).sign();
        assert_eq!(verdict(&app, &token).await.0 == 200, passes, "{allowed}");
        // It is handed on for no longer than the client's token is good.
        setup.clock.advance(Duration::from_secs(70));
        assert_eq!(verdict(&app, &token).await, (403, "expired".into()));
    }
}

#[tokio::test]
async fn an_opaque_token_is_introspected_or_accepted_by_a_dangerous_option_alone() {
    let setup = Setup::new().await;
    setup.server.exchange_fault(Some(Opaque));
    let token = setup.server.token().sign();
    let client = || ClientAuthentication::basic("test-client", "test-secret");
    let clock = setup.clock.clone();
    let introspector = Introspector::builder(&format!("{}/introspect", setup.server.issuer()), client())
        .clock(move || clock.now())
        .build()
        .unwrap();
    let endpoint = format!("{}/token", setup.server.issuer());
    let rules = issuer(&setup).introspection(introspector);
    let introspecting = portcullis::Exchanger::builder(&endpoint, client(), rules).build().unwrap();
    let (status, opaque) = verdict(&app(&setup, &introspecting), &token).await;
    assert!(status == 200 && opaque.starts_with("opaque-"), "{opaque}");

    let dangerous = exchanger(&setup).dangerously_accept_unverified_tokens().build().unwrap();
    let dangerous_app = app(&setup, &dangerous);
    let (status, opaque) = verdict(&dangerous_app, &token).await;
    assert!(status == 200 && opaque.starts_with("opaque-"), "{opaque}");
    // A JWT is verified all the same, and so is the lifetime.
    for fault in [OtherAudience, Unsigned, LongerLived, Text("a b"), TokenType("N_A")] {
        setup.server.exchange_fault(Some(fault));
        let token = setup.server.token().sign();
        assert_eq!(verdict(&dangerous_app, &token).await, unusable(), "{fault:?}");
    }
    // By introspection, the audience counts, too.
    let elsewhere = Secure::new(issuer(&setup).build().unwrap());
    setup.server.exchange_fault(Some(Opaque));
    let verdict_for = async |target: Target| {
        let secure = elsewhere.clone().exchange("inventory", &introspecting, target).unwrap().problem_json();
        let app = axum::Router::new().route("/", axum::routing::get(super::exchanged)).layer(secure);
        verdict(&app, &token).await.0
    };
    assert_eq!(verdict_for(Target::audience("another")).await, 200);
    assert_eq!(verdict_for(Target::resource("urn:example:another")).await, 200);
}

#[tokio::test]
async fn an_exchanged_token_is_kept_no_longer_than_the_answer_about_it() {
    let setup = Setup::new().await;
    setup.server.exchange_fault(Some(Opaque));
    let client = || ClientAuthentication::basic("test-client", "test-secret");
    let clock = setup.clock.clone();
    let introspector = Introspector::builder(&format!("{}/introspect", setup.server.issuer()), client())
        .keep_for(Duration::from_secs(2))
        .clock(move || clock.now())
        .build()
        .unwrap();
    let endpoint = format!("{}/token", setup.server.issuer());
    let rules = issuer(&setup).introspection(introspector);
    let app = app(&setup, &portcullis::Exchanger::builder(&endpoint, client(), rules).build().unwrap());
    let token = setup.server.token().sign();
    let (_, first) = verdict(&app, &token).await;
    setup.clock.advance(Duration::from_secs(1));
    assert_eq!(verdict(&app, &token).await, (200, first.clone()));
    setup.server.revoke(&first);
    setup.clock.advance(Duration::from_secs(2));
    let (status, second) = verdict(&app, &token).await;
    assert!(status == 200 && second.starts_with("opaque-") && second != first, "{second}");
}

#[tokio::test]
async fn a_jwt_is_asked_for_by_name_and_a_target_by_both_of_its_names() {
    let setup = Setup::new().await;
    let exchanger = exchanger(&setup).build().unwrap();
    let mut target = Target::audience("inventory").token_type(TargetTokenType::Jwt);
    target.resource = Some(INVENTORY.into());
    let secure = Secure::new(issuer(&setup).build().unwrap()).exchange("inventory", &exchanger, target).unwrap();
    let app = axum::Router::new().route("/", axum::routing::get(super::exchanged)).layer(secure.problem_json());
    let (status, token) = verdict(&app, &setup.server.token().sign()).await;
    assert_eq!(status, 200, "{token}");
    assert_eq!(claims(&token)["aud"], serde_json::json!(["inventory", INVENTORY]));
    for fault in [IssuedTokenType("urn:ietf:params:oauth:token-type:id_token"), OtherAudience, TokenType("N_A")] {
        setup.server.exchange_fault(Some(fault));
        assert_eq!(verdict(&app, &setup.server.token().sign()).await, unusable(), "{fault:?}");
    }
}

#[tokio::test]
async fn keys_that_are_away_are_told_as_such() {
    let setup = Setup::new().await;
    // Another key service, which has fetched nothing yet.
    let keys = crate::support::by(&setup.clock, portcullis::JwksService::builder("http://127.0.0.1:1/jwks"));
    let rules = portcullis::Verifier::builder(keys.build().unwrap()).issuer(setup.server.issuer());
    let client = ClientAuthentication::basic("test-client", "test-secret");
    let endpoint = format!("{}/token", setup.server.issuer());
    let exchanger = portcullis::Exchanger::builder(&endpoint, client, rules).build().unwrap();
    let app = app_with(Secure::new(issuer(&setup).build().unwrap()), &exchanger);
    assert_eq!(verdict(&app, &setup.server.token().sign()).await, (503, "keys_unavailable".into()));
    assert_eq!(exchanger.status().failures, 0, "the token endpoint did answer");
}
