//! Tokens that are bound to a client certificate (RFC 8705), at the tower door.

use axum::{Extension, Router};
use portcullis::{ClientCertificate, Secure};
use portcullis_testkit::TokenBuilder;
use serde_json::json;

use crate::support::{Setup, answer, app, bearer};

pub(crate) const OWN: ClientCertificate = ClientCertificate::with_sha256([1; 32]);
pub(crate) const OTHER: ClientCertificate = ClientCertificate::with_sha256([2; 32]);

/// A token that is bound to [`OWN`].
pub(crate) fn bound(setup: &Setup) -> TokenBuilder {
    setup.server.token().claim("cnf", json!({ "x5t#S256": OWN.thumbprint() }))
}

/// The app on a connection with this certificate.
fn connected(app: &Router, certificate: Option<ClientCertificate>) -> Router {
    match certificate {
        Some(certificate) => app.clone().layer(Extension(certificate)),
        None => app.clone(),
    }
}

#[tokio::test]
async fn a_bound_token_passes_with_its_certificate_alone() {
    let setup = Setup::new().await;
    let app = app(Secure::new(setup.jwks.clone()).problem_json());
    let (bound, plain) = (bound(&setup).sign(), setup.server.token().sign());
    let both = json!({ "x5t#S256": OWN.thumbprint(), "jkt": OTHER.thumbprint() });
    let both = setup.server.token().claim("cnf", both).sign();
    for (token, certificate, status, code) in [
        (&bound, Some(OWN), 200, ""),
        (&bound, Some(OTHER), 401, "wrong_certificate"),
        (&bound, None, 401, "sender_constrained_token"),
        (&plain, Some(OWN), 200, ""),
        (&plain, None, 200, ""),
        // Each key has to be proved.
        (&both, Some(OWN), 401, "sender_constrained_token"),
        (&both, Some(OTHER), 401, "wrong_certificate"),
    ] {
        // Twice: of a token that was verified before, the certificate is judged as well.
        for _ in 0..2 {
            let answer = answer(&connected(&app, certificate), bearer(token)).await;
            assert_eq!(answer.status.as_u16(), status, "{code}: {}", answer.body);
            assert!(answer.body.contains(code), "{code}: {}", answer.body);
            let told = format!("{} {:?}", answer.body, answer.challenge());
            assert!(![OWN, OTHER].iter().any(|shown| told.contains(&shown.thumbprint())), "{told}");
        }
    }
}

#[tokio::test]
async fn nested_layers_each_judge_the_certificate() {
    let setup = Setup::new().await;
    let secure = Secure::new(setup.jwks.clone()).problem_json();
    let app = app(secure.clone()).layer(secure.optional());
    for (certificate, status) in [(Some(OWN), 200), (Some(OTHER), 401), (None, 401)] {
        let answer = answer(&connected(&app, certificate), bearer(&bound(&setup).sign())).await;
        assert_eq!(answer.status.as_u16(), status);
    }
    // Between the layers somebody takes the certificate for another.
    let between = crate::support::app(Secure::new(setup.jwks.clone())).layer(Extension(OTHER));
    let app = between.layer(Secure::new(setup.jwks.clone()));
    assert_eq!(answer(&connected(&app, Some(OWN)), bearer(&bound(&setup).sign())).await.status, 401);
}

#[tokio::test]
async fn rules_may_ask_for_a_binding_of_any_kind() {
    let setup = Setup::new().await;
    let rules = serde_json::from_value(json!({ "sender_constrained": true, "problem_json": true })).unwrap();
    let app = app(Secure::new(setup.jwks.clone()).rules(rules).unwrap());
    for (token, certificate, code) in [
        (bound(&setup), Some(OWN), "alice"),
        (bound(&setup), Some(OTHER), "wrong_certificate"),
        (setup.server.token(), Some(OWN), "sender_constraint_required"),
        (setup.server.token(), None, "sender_constraint_required"),
    ] {
        let answer = answer(&connected(&app, certificate), bearer(&token.sign())).await;
        assert!(answer.body.contains(code), "{code}: {}", answer.body);
    }
}
