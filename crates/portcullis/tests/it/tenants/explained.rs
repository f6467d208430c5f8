//! Explanations, the document of a resource, and the status.

use portcullis::{CheckKind, JwksService, ProtectedResource, Secure, Verifier};

use super::Setup;

#[tokio::test]
async fn an_explanation_names_the_cause() {
    let setup = Setup::new(["acme", "globex"]).await;
    let server = &setup.server;
    let (open, listed) = (setup.verifier(), setup.verifier().tenants(["globex"]));
    let (open, listed) = (open.build().unwrap(), listed.build().unwrap());
    let common = setup.common().build().unwrap();
    let other_template = setup.common().issuer("https://sts.windows.net/{tenantid}/").build().unwrap();
    let entra = setup.common().issuer("https://login.microsoftonline.com/{tenantid}/v2.0").build().unwrap();
    let v1 = server.token("acme").issuer("https://sts.windows.net/acme/");
    let slash = server.token("acme").issuer(server.issuer("acme") + "/");
    let table = [
        (&listed, server.token("acme"), CheckKind::IssuerKnown, "its tenant is not one of those that are accepted"),
        (
            &open,
            server.token("acme").claim("tid", "globex"),
            CheckKind::Tenant,
            "`iss` names one tenant and `tid` another",
        ),
        (&open, server.token("acme").without_claim("tid"), CheckKind::Tenant, "the token has no claim `tid`"),
        (&open, slash, CheckKind::IssuerKnown, "a slash at its end"),
        (&other_template, server.token("acme"), CheckKind::IssuerKnown, "another issuer"),
        (&entra, v1, CheckKind::IssuerKnown, "this is a v1.0 token of Entra ID"),
        (
            &common,
            server.token_by(&server.key("globex"), "acme"),
            CheckKind::KeySuitable,
            "its `issuer` is not the `iss`",
        ),
    ];
    for (index, (verifier, token, kind, words)) in table.into_iter().enumerate() {
        let token = token.sign();
        let explanation = verifier.explain(&token, setup.clock.now()).await;
        let failed = explanation.first_failure().unwrap_or_else(|| panic!("row {index} passes"));
        assert_eq!(failed.kind, kind, "row {index}: {failed:?}");
        let hint = failed.hint.as_deref().unwrap_or_default();
        assert!(hint.contains(words), "row {index}: {hint}");
        let refusal = verifier.verify(&token).await.unwrap_err();
        assert_eq!(explanation.refusal().map(|refusal| refusal.code()), Some(refusal.code()), "row {index}");
    }
    let passes = open.explain(&server.token("acme").sign(), setup.clock.now()).await;
    assert_eq!(passes.refusal(), None);
    let row = passes.checks.iter().find(|check| check.kind == CheckKind::Tenant).unwrap();
    assert_eq!(row.expected.as_deref(), Some("`tid` equal to the tenant in `iss`"));
}

#[tokio::test]
async fn an_explanation_tells_of_the_budget_and_of_a_tenant_that_is_down() {
    let setup = Setup::new(["acme"]).await;
    let (server, verifier) = (&setup.server, setup.verifier().build().unwrap());
    server.fault("acme", 500);
    let down = verifier.explain(&server.token("acme").sign(), setup.clock.now()).await;
    let hint = down.first_failure().unwrap().hint.clone().unwrap_or_default();
    assert!(hint.contains("500") && hint.contains("not judged"), "{hint}");
    for number in 0..5 {
        let made_up = server.token_by(&server.key("acme"), &format!("made-up-{number}"));
        verifier.verify(&made_up.sign()).await.unwrap_err();
    }
    let beyond = server.token_by(&server.key("acme"), "one-more").sign();
    let explanation = verifier.explain(&beyond, setup.clock.now()).await;
    assert_eq!(explanation.verdict(), "not_judged");
    let failed = explanation.first_failure().unwrap();
    assert!(failed.hint.as_deref().unwrap_or_default().contains("tokens of unknown tenants"), "{failed:?}");
}

#[tokio::test]
async fn the_document_of_a_resource_lists_the_known_issuers_alone() {
    let setup = Setup::new(["acme", "globex"]).await;
    let resource = |issuer| ProtectedResource::new("https://api.example.com").issuer(issuer);
    let servers = |resource| {
        let secure = Secure::protecting(resource).unwrap();
        let response = secure.metadata_response("GET", "/.well-known/oauth-protected-resource").unwrap();
        let document: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
        document.get("authorization_servers").cloned()
    };
    // A template is no place to which a client could be sent.
    let error = Secure::protecting(resource(setup.verifier())).unwrap_err().to_string();
    assert!(error.contains("write `authorization_servers`"), "{error}");
    let common = "https://login.example.com/organizations/v2.0";
    let written = resource(setup.verifier()).authorization_servers([common]);
    assert_eq!(servers(written), Some(serde_json::json!([common])));
    let listed = setup.verifier().tenants(["globex", "acme"]);
    let expected = serde_json::json!([setup.server.issuer("acme"), setup.server.issuer("globex")]);
    assert_eq!(servers(resource(listed)), Some(expected));
}

#[tokio::test]
async fn the_status_tells_of_all_tenants_together() {
    let setup = Setup::new(["acme", "globex"]).await;
    let jwks: JwksService = setup.jwks();
    assert!(jwks.ready(), "keys are fetched when a token names its tenant");
    jwks.prefetch().await.unwrap();
    let verifier: Verifier = setup.with_jwks(&jwks).build().unwrap();
    for tenant in ["acme", "globex"] {
        verifier.verify(&setup.server.token(tenant).sign()).await.unwrap();
    }
    let status = jwks.status();
    assert_eq!((status.tenants, status.failures, status.last_error), (Some(2), 0, None));
    assert_eq!(status.source.as_deref(), Some(&*setup.server.template()));
    setup.server.fault("acme", 500);
    jwks.refresh().await.unwrap_err();
    let status = jwks.status();
    assert_eq!(status.failures, 1);
    assert!(status.last_error.unwrap().contains("500"));
}
