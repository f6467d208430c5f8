//! The conditions for a credible answer.

use std::time::Duration;

use portcullis::{IntrospectionForm, Secure};
use portcullis_testkit::{Algorithm, TokenBuilder};
use serde_json::json;

use super::{Canned, introspector, secured, verdict, verifier};
use crate::support::{Setup, app};

const UNAVAILABLE: (u16, &str) = (503, "introspection_unavailable");

/// The verdict on an opaque token with this answer.
async fn told(setup: &Setup, form: IntrospectionForm, jwt: String) -> (u16, String) {
    let media_type = match form {
        IntrospectionForm::Phantom => "application/jwt",
        _ => "application/token-introspection+jwt",
    };
    let client = Canned { media_type, body: jwt };
    let introspector = introspector(setup, form).http_client(client).build().unwrap();
    let verdict = verdict(&app(Secure::new(verifier(setup, introspector.clone())).problem_json()), "opaque").await;
    assert_eq!(introspector.status().failures, 0, "a bad answer is no failure of the server");
    verdict
}

#[tokio::test]
async fn a_phantom_jwt_refuses_the_client_only_by_what_it_says_itself() {
    let setup = Setup::with(|server| server.algorithms([Algorithm::ES256, Algorithm::RS256]), |jwks| jwks).await;
    let token = || setup.server.token();
    let good = token().sign();
    let forged = format!("{}AAAAAAAA", &good[..good.len() - 8]);
    let without_signature = format!("{}.", good.rsplit_once('.').unwrap().0);
    for (what, jwt, expected) in [
        ("a good one", good.clone(), (200, "")),
        ("expired", token().expired_for(Duration::from_secs(60)).sign(), (403, "expired")),
        ("for later", token().not_before_in(Duration::from_secs(60)).sign(), (403, "not_yet_valid")),
        ("for others", token().audience("https://other.example").sign(), (403, "wrong_audience")),
        ("of others", token().issuer("https://other.example").sign(), (403, "wrong_issuer")),
        ("for nobody", token().without_claim("aud").sign(), (403, "missing_claim")),
        (
            "bound",
            token().claim("cnf", json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" })).sign(),
            (401, "sender_constrained_token"),
        ),
        ("bound in some way", token().claim("cnf", json!({ "kid": "x" })).sign(), (401, "unsupported_confirmation")),
        // The token may be good: the answer is at fault.
        ("nothing", String::new(), UNAVAILABLE),
        ("nonsense", "nonsense".into(), UNAVAILABLE),
        ("two parts", "e30.e30".into(), UNAVAILABLE),
        ("a page", "<html>".into(), UNAVAILABLE),
        ("another opaque token", "opaque-1".into(), UNAVAILABLE),
        ("too long", "a".repeat(20_000), UNAVAILABLE),
        ("forged", forged, UNAVAILABLE),
        ("unsigned", without_signature, UNAVAILABLE),
        ("by an unknown key", token().kid("unknown").sign(), UNAVAILABLE),
        ("an ID token", token().typ("id+jwt").sign(), UNAVAILABLE),
        ("a signed answer", token().typ("token-introspection+jwt").sign(), UNAVAILABLE),
    ] {
        let verdict = told(&setup, IntrospectionForm::Phantom, jwt).await;
        assert_eq!(verdict, (expected.0, expected.1.to_owned()), "{what}");
    }
}

/// A signed answer about an active token, for this server.
fn signed_answer(setup: &Setup) -> TokenBuilder {
    let members = json!({ "active": true, "sub": "alice", "aud": "https://api.example.com" });
    let answer = setup.server.token().typ("token-introspection+jwt").audience("test-client");
    answer.without_claim("exp").without_claim("sub").claim("token_introspection", members)
}

#[tokio::test]
async fn a_signed_answer_is_believed_that_is_the_issuers_of_its_type_and_for_us() {
    let setup = Setup::new().await;
    let answer = || signed_answer(&setup);
    let inactive = json!({ "active": false });
    let bound = json!({ "active": true, "aud": "https://api.example.com", "cnf": { "x5t#S256": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" } });
    let good = answer().sign();
    let forged = format!("{}AAAAAAAA", &good[..good.len() - 8]);
    for (what, jwt, expected) in [
        ("a good one", good, (200, "")),
        ("with the whole type", answer().typ("application/token-introspection+jwt").sign(), (200, "")),
        ("for us and others", answer().audience(json!(["other", "test-client"])).sign(), (200, "")),
        ("for our API", answer().audience("https://api.example.com").sign(), (200, "")),
        ("about an inactive one", answer().claim("token_introspection", inactive).sign(), (403, "inactive_token")),
        ("about a bound one", answer().claim("token_introspection", bound).sign(), (401, "sender_constrained_token")),
        ("for another client", answer().audience("another-client").sign(), UNAVAILABLE),
        ("for nobody", answer().without_claim("aud").sign(), UNAVAILABLE),
        ("an access token", answer().typ("at+jwt").sign(), UNAVAILABLE),
        ("any JWT", answer().typ("JWT").sign(), UNAVAILABLE),
        ("of no type", answer().without_header("typ").sign(), UNAVAILABLE),
        ("of another issuer", answer().issuer("https://other.example").sign(), UNAVAILABLE),
        ("without a time", answer().without_claim("iat").sign(), UNAVAILABLE),
        ("of no issuer", answer().without_claim("iss").sign(), UNAVAILABLE),
        ("about nothing", answer().without_claim("token_introspection").sign(), UNAVAILABLE),
        ("about a text", answer().claim("token_introspection", "{\"active\":true}").sign(), UNAVAILABLE),
        ("expired", answer().expired_for(Duration::from_secs(60)).sign(), UNAVAILABLE),
        ("forged", forged, UNAVAILABLE),
        ("nothing", String::new(), UNAVAILABLE),
    ] {
        let verdict = told(&setup, IntrospectionForm::Jwt, jwt).await;
        assert_eq!(verdict, (expected.0, expected.1.to_owned()), "{what}");
    }
}

#[tokio::test]
async fn what_can_be_no_token_is_shown_to_nobody() {
    for form in super::FORMS {
        let setup = Setup::new().await;
        let app = secured(&setup, form);
        for token in ["a\"b", "a b", "a,b", "a=b", "==", "{}", "<script>", "a%20b", "a&token=b", "a;b", "a\\b"] {
            assert_eq!(verdict(&app, token).await, (403, "malformed_token".into()), "{form:?} {token}");
        }
        assert_eq!(super::asked(&setup), 0, "{form:?}");
    }
}
