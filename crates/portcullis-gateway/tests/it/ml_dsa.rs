//! ML-DSA (RFC 9964) at both doors of the gateway, and in its lists of keys.

use portcullis_testkit::{Algorithm, AuthorizationServer};

use crate::{
    ext_authz::{self, Told},
    forward_auth::{WAYS, ask},
    support::{Gateway, ROUTES, issuer},
    terminal::Desk,
};

const SETS: [Algorithm; 3] = [Algorithm::MlDsa44, Algorithm::MlDsa65, Algorithm::MlDsa87];

#[tokio::test]
async fn tokens_of_the_named_parameter_sets_pass_and_others_do_not() {
    let server = AuthorizationServer::builder().algorithms(SETS).start().await.unwrap();
    let named = r#"algorithms = ["ML-DSA-65", "ML-DSA-87"]"#;
    let gateway = Gateway::start(&format!("{}{ROUTES}", issuer(&server, named))).await;
    gateway.ready().await;
    let mut client = ext_authz::connect(&gateway).await;
    for (set, expected) in SETS.into_iter().zip(["algorithm_not_allowed", "pass", "pass"]) {
        let token = server.token_with(set).scope("read").sign();
        for way in WAYS {
            let answer = ask(&gateway, way, "GET", "/orders/1", Some(&token)).await;
            assert_eq!(answer.code(), expected, "{set} by {way}");
        }
        let field = format!("Bearer {token}");
        let told =
            ext_authz::ask(&mut client, ext_authz::request("GET", "/orders/1", &[("authorization", &field)])).await;
        match told {
            Told::Pass { .. } => assert_eq!(expected, "pass", "{set}"),
            Told::Refused { code, .. } => assert_eq!(code, expected, "{set}"),
        }
    }
}

#[tokio::test]
async fn keys_are_listed_with_their_parameter_set() {
    let server = AuthorizationServer::builder().algorithms(SETS).start().await.unwrap();
    let ran = Desk::new(&[]).run(&["keys", &server.jwks_uri(), "--json"], "").await;
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    for (row, set) in report["keys"].as_array().unwrap().iter().zip(SETS) {
        assert_eq!((row["kty"].as_str(), row["alg"].as_str()), (Some("AKP"), Some(set.name())));
        assert_eq!((row["size"].as_str(), row["usable"].as_bool()), (Some(set.name()), Some(true)));
        assert_eq!(row["thumbprint"].as_str().map(str::len), Some(43));
    }
}
