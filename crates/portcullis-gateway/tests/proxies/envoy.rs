//! The feature of Envoy alone: claims as dynamic metadata, for its other filters, its access log and its routes.

use crate::scene::{Proxy, Scene, Stage};

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
