//! The scope that an operation needs: checked and told in one place.

use super::*;

#[tokio::test]
async fn each_operation_needs_the_scope_of_its_endpoint_and_its_own() {
    let setup = Setup::new().await;
    let app = app(secure(&setup));
    let initialize = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}"#;
    let prompt = r#"{"jsonrpc":"2.0","id":0,"method":"prompts/get","params":{"name":"a"}}"#;
    let table = [
        (initialize.to_owned(), "read"),
        (call("list"), "read"),
        (call("delete_all"), "read write"),
        (call("audit"), "read audit write"),
        (prompt.to_owned(), "read prompts"),
        (format!("[{},{}]", call("delete_all"), prompt), "read write prompts"),
    ];
    for (content, scope) in table {
        // The first 401 already names all of it.
        let refused = answer(&app, post(None, &[], content.clone())).await;
        assert_eq!(refused.status, 401);
        let expected = format!(r#"Bearer scope="{scope}", resource_metadata="{METADATA}""#);
        assert_eq!(refused.challenge(), Some(expected.as_str()), "{content}");

        // Each lacking value leads to a challenge with all of them, whatever the token has.
        for lacking in scope.split(' ') {
            let granted: Vec<_> = scope.split(' ').filter(|value| *value != lacking).chain(["other"]).collect();
            let token = token(&setup, &granted.join(" ")).sign();
            let refused = answer(&app, post(Some(&token), &[], content.clone())).await;
            assert_eq!(refused.status, 403, "{content} without {lacking}");
            let challenge = refused.challenge().unwrap();
            assert!(challenge.starts_with(r#"Bearer error="insufficient_scope", "#), "{challenge}");
            let told = format!(r#"scope="{scope}", resource_metadata="{METADATA}""#);
            assert!(challenge.ends_with(&told), "{challenge}");
        }
        let token = token(&setup, scope).sign();
        let passed = answer(&app, post(Some(&token), &[], content.clone())).await;
        assert_eq!((passed.status.as_u16(), passed.body), (200, format!("without token: {content}")));
    }
}

#[tokio::test]
async fn bad_tokens_get_401_whatever_the_rules_say() {
    let setup = Setup::new().await;
    let rules: portcullis::Rules =
        serde_json::from_str(r#"{ "invalid_token_status": 403, "scope": ["read"] }"#).unwrap();
    let app = app(Secure::mcp(resource(&setup)).unwrap().rules(rules).unwrap());
    for token in [
        token(&setup, "read write").expired_for(std::time::Duration::from_secs(3600)).sign(),
        setup.server.token().audience("https://other.example.com").scope("read write").sign(),
        "nonsense".to_owned(),
    ] {
        let refused = answer(&app, post(Some(&token), &[], call("delete_all"))).await;
        assert_eq!(refused.status, 401);
        let challenge = refused.challenge().unwrap();
        assert!(challenge.contains(r#"error="invalid_token""#), "{challenge}");
        assert!(challenge.ends_with(&format!(r#"scope="read write", resource_metadata="{METADATA}""#)), "{challenge}");
    }
}

#[tokio::test]
async fn a_scope_that_implies_others_is_enough_for_tools() {
    let setup = Setup::new().await;
    let app = app(secure(&setup).implied_scopes("admin", ["read", "write"]));
    let admin = token(&setup, "admin").sign();
    assert_eq!(answer(&app, post(Some(&admin), &[], call("delete_all"))).await.status, 200);
    assert_eq!(answer(&app, post(Some(&admin), &[], call("audit"))).await.status, 403);
}

#[tokio::test]
async fn the_document_lists_the_scope_of_tools() {
    let setup = Setup::new().await;
    let app = app(secure(&setup));
    let request = Request::get("/.well-known/oauth-protected-resource/mcp").body(Body::empty()).unwrap();
    let document: serde_json::Value = serde_json::from_str(&answer(&app, request).await.body).unwrap();
    let mut scopes: Vec<_> = document["scopes_supported"].as_array().unwrap().iter().collect();
    scopes.sort_by_key(|scope| scope.as_str());
    assert_eq!(scopes, ["audit", "prompts", "read", "write"]);
}

#[tokio::test]
async fn where_credentials_are_optional_an_operation_with_a_rule_still_needs_them() {
    let setup = Setup::new().await;
    let app = app(secure(&setup).optional());
    assert_eq!(answer(&app, post(None, &[], call("list"))).await.status, 200);
    let refused = answer(&app, post(None, &[], call("delete_all"))).await;
    assert_eq!(refused.status, 401);
    assert!(refused.challenge().unwrap().contains(r#"scope="read write""#));
}

#[tokio::test]
async fn a_challenge_to_step_up_names_the_scope_of_the_operation() {
    let setup = Setup::new().await;
    let app = app(secure(&setup).acr(["mfa"]));
    let weak = token(&setup, "read write").sign();
    let refused = answer(&app, post(Some(&weak), &[], call("delete_all"))).await;
    assert_eq!(refused.status, 401);
    let challenge = refused.challenge().unwrap();
    assert!(challenge.contains(r#"error="insufficient_user_authentication""#), "{challenge}");
    assert!(challenge.contains(r#"acr_values="mfa", scope="read write""#), "{challenge}");
}

#[tokio::test]
async fn a_token_that_waits_for_keys_meets_the_rules_of_its_operation() {
    let setup = Setup::new().await;
    let plain = token(&setup, "read").sign();
    assert_eq!(answer(&app(secure(&setup)), post(Some(&plain), &[], call("delete_all"))).await.status, 403);
    assert_eq!(setup.server.requests(Endpoint::Jwks), 1, "the keys were fetched for this request");
}
