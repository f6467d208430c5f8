//! The feature of Envoy alone: claims as dynamic metadata, for its other filters, its access log and its routes.

use crate::{
    client::ask,
    each_proxy::{SPELLINGS, arrives_unforged},
    scene::{Proxy, Scene, Stage},
};

#[tokio::test(flavor = "multi_thread")]
async fn claims_are_dynamic_metadata() {
    let stage = Stage::set();
    let field = |name: &str, path: &str| {
        format!(
            "{{ header: {{ key: {name}, value: '%DYNAMIC_METADATA(envoy.filters.http.ext_authz:claims:{path})%' }} }}"
        )
    };
    let fields = [field("x-of-sub", "sub"), field("x-of-role", "realm:role"), field("x-of-level", "level")].join(", ");
    let route = "route: { cluster: api }";
    stage.edit(
        "examples/envoy/envoy.yaml",
        route,
        &format!("{route}\n                request_headers_to_add: [{fields}]"),
    );
    let scene = Scene::on(stage, Proxy::EnvoyByGrpc).await;
    let token = scene.read().claim("realm", serde_json::json!({ "role": "ops" })).claim("level", 3).sign();
    for _ in 0..3 {
        let echo = scene.ask("GET /orders/1", Some(&token)).await.echo();
        assert_eq!(echo.all("x-of-sub"), ["alice"]);
        assert_eq!(echo.all("x-of-role"), ["ops"]);
        assert_eq!(echo.all("x-of-level"), ["3"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_and_a_request_without_a_token_are_dynamic_metadata_too() {
    let stage = Stage::set();
    let field = |name: &str, path: &str| {
        format!("{{ header: {{ key: {name}, value: '%DYNAMIC_METADATA(envoy.filters.http.ext_authz:{path})%' }} }}")
    };
    let fields =
        [field("x-told-code", "code"), field("x-told-challenge", "challenge"), field("x-told-anonymous", "anonymous")];
    stage.edit(
        "examples/envoy/envoy.yaml",
        "virtual_hosts:",
        &format!("response_headers_to_add: [{}]\n            virtual_hosts:", fields.join(", ")),
    );
    let scene = Scene::on(stage, Proxy::EnvoyByGrpc).await;
    let refused = scene.ask("GET /orders/1", None).await;
    assert_eq!((refused.status, refused.all("x-told-code")), (401, vec!["no_credentials"]));
    assert_eq!(refused.all("x-told-challenge"), refused.all("www-authenticate"));
    let public = scene.ask("GET /health", None).await;
    assert_eq!((public.status, public.all("x-told-anonymous")), (200, vec!["true"]));
    assert!(public.all("x-told-code").iter().all(|code| matches!(*code, "-" | "")), "{public:?}");
}

/// Istio and implementations of the Gateway API configure ext_authz by gRPC without what the example adds.
#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_removes_forged_fields_itself() {
    let stage = Stage::set();
    let example = "examples/envoy/envoy.yaml";
    stage.edit(example, "headers_with_underscores_action: DROP_HEADER", "headers_with_underscores_action: ALLOW");
    stage.edit(example, "with_request_body: {", "# {");
    let scene = Scene::on(stage, Proxy::EnvoyByGrpc).await;
    let bearer = format!("Bearer {}", scene.authorization.token().without_claim("sub").scope("read").sign());
    for spelling in SPELLINGS {
        let forged = [("Authorization", bearer.as_str()), (spelling, "forged"), (spelling, "forged too")];
        for (line, fields) in [("GET /orders/1", &forged[..]), ("GET /health", &forged[1..])] {
            let answer = ask(scene.stage.ports.proxy, line, fields).await;
            assert_eq!(answer.status, 200, "{spelling}: {answer:?}");
            arrives_unforged(&answer, spelling);
        }
    }
}
