//! The checks that are made again at each use of a kept answer.

use std::time::Duration;

use portcullis::{IntrospectionForm, Secure};

use super::{By, FORMS, asked, canned, introspector, opaque, secured, verdict, verifier};
use crate::support::{Setup, app};

#[tokio::test]
async fn a_key_that_is_withdrawn_takes_what_passed_by_it_along() {
    for (form, questions) in
        [(IntrospectionForm::Json, 1), (IntrospectionForm::Jwt, 2), (IntrospectionForm::Phantom, 2)]
    {
        let setup = Setup::new().await;
        let app = secured(&setup, form);
        let token = opaque(&setup);
        for _ in 0..2 {
            assert_eq!(verdict(&app, &token).await.0, 200, "{form:?}");
        }
        assert_eq!(asked(&setup), 1, "{form:?}");
        setup.server.rotate_and_withdraw();
        setup.jwks.refresh().await.unwrap();
        for _ in 0..2 {
            assert_eq!(verdict(&app, &token).await.0, 200, "{form:?}: the server signs with the new key");
        }
        assert_eq!(asked(&setup), questions, "{form:?}");
    }
}

#[tokio::test]
async fn a_phantom_by_a_withdrawn_key_passes_no_more() {
    let setup = Setup::new().await;
    let jwt = setup.server.token().sign();
    let client = By(move |_: &str| canned(200, "application/jwt", jwt.clone()));
    let introspector = introspector(&setup, IntrospectionForm::Phantom).http_client(client).build().unwrap();
    let app = app(Secure::new(verifier(&setup, introspector)).problem_json());
    assert_eq!(verdict(&app, "opaque").await.0, 200);
    setup.server.rotate_and_withdraw();
    setup.jwks.refresh().await.unwrap();
    assert_eq!(verdict(&app, "opaque").await, (503, "introspection_unavailable".into()));
}

#[tokio::test]
async fn a_token_that_expires_passes_no_more() {
    for form in FORMS {
        let setup = Setup::new().await;
        let app = secured(&setup, form);
        let token = setup.server.issue_opaque(setup.server.token().expires_in(Duration::from_secs(30)));
        assert_eq!(verdict(&app, &token).await.0, 200, "{form:?}");
        setup.clock.advance(Duration::from_secs(34));
        assert_eq!(verdict(&app, &token).await.0, 200, "{form:?}: within the leeway");
        setup.clock.advance(Duration::from_secs(2));
        assert_eq!(verdict(&app, &token).await, (403, "inactive_token".into()), "{form:?}");
        assert_eq!(asked(&setup), 2, "{form:?}: the answer would be good for 60 s");
    }
}

#[tokio::test]
async fn a_clock_that_is_set_back_before_a_token_is_valid_holds_it_up() {
    for form in FORMS {
        let setup = Setup::new().await;
        let app = secured(&setup, form);
        let token = setup.server.issue_opaque(setup.server.token().not_before_in(Duration::ZERO));
        assert_eq!(verdict(&app, &token).await.0, 200, "{form:?}");
        setup.clock.rewind(Duration::from_secs(30));
        assert_eq!(verdict(&app, &token).await, (403, "inactive_token".into()), "{form:?}");
        assert_eq!(asked(&setup), 2, "{form:?}");
    }
}
