//! The authorization server is wrong or gone: known tokens pass, no other does.

use portcullis_testkit::{Endpoint, Fault};

use crate::{
    clients::{FILE, site},
    scene::until,
};

#[tokio::test]
async fn known_tokens_pass_while_the_authorization_server_is_away() {
    let scene = site("", FILE).await;
    scene.knows_keys().await;
    let (jwt, known, unknown) = (scene.read().sign(), scene.opaque(), scene.opaque());
    assert_eq!(scene.ask("GET /", Some(&known)).await.status, 200);
    scene.authorization.stop().await;
    for _ in 0..10 {
        let new = scene.read().claim("jti", "new").sign();
        for (token, status) in [(&jwt, 200), (&new, 200), (&known, 200), (&unknown, 503)] {
            let answer = scene.ask("GET /", Some(token)).await;
            assert_eq!(answer.status, status, "{answer:?}");
            assert_eq!(answer.all("retry-after").len(), usize::from(status == 503), "{answer:?}");
            assert!(answer.all("www-authenticate").is_empty(), "{answer:?}");
        }
    }
    scene.authorization.restart().await.unwrap();
    until("the authorization server is back", async || scene.ask("GET /", Some(&unknown)).await.status == 200).await;
    scene.has_no_alert(&[]);
}

#[tokio::test]
async fn no_faulty_answer_lets_a_token_pass() {
    let file = FILE.replace("timeout = \"20s\"", "timeout = \"300ms\"");
    let elsewhere = "http://127.0.0.1:1/introspect".to_owned();
    let active = r#"{"active":true,"scope":"read","aud":"https://api.example.com"}"#;
    for fault in [
        Fault::Status(500),
        Fault::Status(200),
        Fault::Hang,
        Fault::CutOff,
        Fault::NotJson,
        Fault::HugeBody(20 << 20),
        Fault::EndlessBody,
        Fault::Redirect(elsewhere),
        Fault::Refuse,
        Fault::Body { content_type: "application/json".into(), body: active.replace("true", "\"true\"") },
    ] {
        let scene = site("", &file).await;
        scene.knows_keys().await;
        let jwt = scene.read().sign();
        scene.authorization.fault(Endpoint::Introspection, fault.clone());
        let tokens = [scene.opaque(), scene.opaque()];
        for token in &tokens {
            let answer = scene.ask("GET /", Some(token)).await;
            assert_eq!(answer.status, 503, "{fault:?}: {answer:?}");
            assert_eq!(answer.all("retry-after").len(), 1, "{fault:?}: {answer:?}");
        }
        assert_eq!(scene.ask("GET /", Some(&jwt)).await.status, 200, "{fault:?}");
        scene.authorization.heal(Endpoint::Introspection);
        until("answers again", async || scene.ask("GET /", Some(&tokens[0])).await.status == 200).await;
        scene.has_no_alert(&[]);
    }
}

#[tokio::test]
async fn faulty_keys_let_no_token_pass() {
    for fault in [
        Fault::Status(500),
        Fault::CutOff,
        Fault::NotJson,
        Fault::HugeBody(20 << 20),
        Fault::NoKeys,
        Fault::Redirect("http://127.0.0.1:1/jwks".to_owned()),
        Fault::Refuse,
    ] {
        let authorization = portcullis_testkit::AuthorizationServer::start().await;
        authorization.fault(Endpoint::Jwks, fault.clone());
        let scene = crate::clients::site_of(authorization, "", FILE, crate::clients::SITE).await;
        let token = scene.read().sign();
        let answer = scene.ask("GET /", Some(&token)).await;
        assert!([401, 503].contains(&answer.status), "{fault:?}: {answer:?}");
        assert_eq!(scene.ask("GET /open", None).await.status, 200, "{fault:?}");
        scene.authorization.heal(Endpoint::Jwks);
        scene.has_no_alert(&[]);
    }
}
