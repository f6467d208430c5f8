//! The tokens that are exchanged: whose they are, and their form.

use axum::Router;
use portcullis::{ClientAuthentication, Dpop, Introspector, Secure, Verifier, VerifierBuilder};
use portcullis_testkit::{Algorithm, DpopClient, Endpoint, ExchangeFault};

use super::{app_with, asked, claims, exchanger, issuer, refused, target, unusable, verdict};
use crate::support::{Setup, answer, request};

/// The rules of the issuer, with introspection of opaque tokens.
fn introspecting(setup: &Setup) -> VerifierBuilder {
    let clock = setup.clock.clone();
    let client = ClientAuthentication::basic("test-client", "test-secret");
    let introspector = Introspector::builder(&format!("{}/introspect", setup.server.issuer()), client)
        .clock(move || clock.now())
        .build()
        .unwrap();
    issuer(setup).introspection(introspector)
}

#[tokio::test]
async fn a_token_is_shown_to_no_server_but_its_own_unless_that_is_configured() {
    let (ours, partner) = (Setup::new().await, Setup::new().await);
    let both = || Secure::new(Verifier::any_of([issuer(&ours), issuer(&partner)]).unwrap());
    let at_ours = exchanger(&ours).build().unwrap();
    let app = app_with(both(), &at_ours);
    assert_eq!(verdict(&app, &ours.server.token().sign()).await.0, 200);
    let of_partner = partner.server.token().sign();
    assert_eq!(verdict(&app, &of_partner).await, refused("exchange_refused"));
    assert_eq!((asked(&ours), asked(&partner)), (1, 0));

    // Two servers under one name: each sees its own tokens.
    let at_partner = exchanger(&partner).build().unwrap();
    let app = app_with(both().exchange("inventory", &at_ours, target()).unwrap(), &at_partner);
    for (setup, server) in [(&ours, 2), (&partner, 1)] {
        let (status, token) = verdict(&app, &setup.server.token().subject("new").sign()).await;
        assert_eq!((status, asked(setup)), (200, server), "{token}");
        assert_eq!(claims(&token)["iss"], setup.server.issuer());
    }

    // A server that is trusted with them sees them.
    let trusted = exchanger(&ours).subject_issuer(partner.server.issuer()).build().unwrap();
    assert_eq!(verdict(&app_with(both(), &trusted), &of_partner).await, refused("exchange_refused"));
    assert_eq!(asked(&ours), 3, "it was asked, and does not know the token");
}

#[tokio::test]
async fn an_opaque_token_is_exchanged_too() {
    let setup = Setup::new().await;
    let secure = Secure::new(introspecting(&setup).build().unwrap());
    let app = app_with(secure, &exchanger(&setup).build().unwrap());
    let token = setup.server.issue_opaque(setup.server.token().subject("alice"));
    for _ in 0..3 {
        let (status, exchanged) = verdict(&app, &token).await;
        assert_eq!(status, 200, "{exchanged}");
        assert_eq!(claims(&exchanged)["sub"], "alice");
    }
    assert_eq!((asked(&setup), setup.server.requests(Endpoint::Introspection)), (1, 1));
}

#[tokio::test]
async fn a_bound_token_is_exchanged_for_a_bearer_token_once_its_proof_is_verified() {
    let setup = Setup::new().await;
    let client = DpopClient::new(Algorithm::ES256).with_clock(setup.clock.clone());
    let token = setup.server.token().bound_to_key(client.thumbprint()).sign();
    let secure = Secure::new(issuer(&setup).build().unwrap()).dpop(Dpop::allowed());
    let app: Router = app_with(secure, &exchanger(&setup).build().unwrap());
    let field = format!("DPoP {token}");
    let without = answer(&app, request(&[("authorization", &field)])).await;
    assert_eq!((without.status.as_u16(), asked(&setup)), (401, 0), "no proof, no exchange");
    let proof = client.proof("GET", "https://api.example.com/").token(&token).sign();
    let fields = [("authorization", field.as_str()), ("dpop", &proof), ("host", "api.example.com")];
    let with = answer(&app, request(&fields)).await;
    assert_eq!(with.status, 200, "{}", with.body);
    assert!(claims(&with.body).get("cnf").is_none());
}

/// RFC 7662 leaves `iss` out of an answer: the subject is that of the issuer that was asked all the same.
#[tokio::test]
async fn an_introspected_token_without_an_issuer_is_exchanged_for_one_of_its_subject_alone() {
    let setup = Setup::new().await;
    let app = app_with(Secure::new(introspecting(&setup).build().unwrap()), &exchanger(&setup).build().unwrap());
    let nameless =
        |subject: &str| setup.server.issue_opaque(setup.server.token().subject(subject).without_claim("iss"));
    assert_eq!(verdict(&app, &nameless("alice")).await.0, 200);
    setup.server.exchange_fault(Some(ExchangeFault::OtherSubject));
    assert_eq!(verdict(&app, &nameless("bob")).await, unusable());
}
