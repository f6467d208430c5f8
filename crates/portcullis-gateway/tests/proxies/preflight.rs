//! CORS preflight, let through as in `docs/gateway.md`.

use crate::{
    client::ask,
    docs,
    each_proxy::behind_each_proxy,
    scene::{Proxy, Scene, Stage},
};

behind_each_proxy!(a_preflight_reaches_the_api_and_nothing_else_does);

async fn a_preflight_reaches_the_api_and_nothing_else_does(proxy: Proxy) {
    let stage = Stage::set();
    let of_orders = "path = \"/orders/*\"\nmethods = [\"GET\"]";
    let with = |lines: &str| format!("{lines}\npreflight = true");
    assert!(docs::toml("preflight").contains("preflight = true"));
    stage.edit("examples/gateway/portcullis.toml", of_orders, &with(of_orders));
    let writing = "methods = [\"POST\", \"PUT\", \"DELETE\"]";
    stage.edit("examples/gateway/portcullis.toml", writing, &with(writing));
    let scene = Scene::on(stage, proxy).await;
    let port = scene.stage.ports.proxy;
    let browser = |method: &'static str| {
        [
            ("Origin", "https://app.example.com"),
            ("Access-Control-Request-Method", method),
            ("Access-Control-Request-Headers", "authorization,content-type"),
        ]
    };
    for method in ["GET", "PUT", "DELETE"] {
        let echo = ask(port, "OPTIONS /orders/1", &browser(method)).await.echo();
        assert_eq!((echo.method(), echo.url()), ("OPTIONS", "/orders/1"));
        assert_eq!(echo.all("access-control-request-method"), [method]);
        assert!(echo.all("x-auth-subject").iter().all(|value| value.is_empty()), "{echo:?}");
    }
    // Neither another method, nor another path, nor an overriding method.
    for line in ["GET /orders/1", "POST /orders/1", "PUT /orders/1", "DELETE /orders/1", "PATCH /orders/1"] {
        assert!([401, 403].contains(&ask(port, line, &browser("GET")).await.status), "{line}");
    }
    for line in ["options /orders/1", "Options /orders/1", "OPTIONSX /orders/1", "TRACE /orders/1"] {
        assert_ne!(ask(port, line, &browser("GET")).await.status, 200, "{line}");
    }
    for line in ["OPTIONS /admin/users", "OPTIONS /elsewhere", "OPTIONS /orders/../admin/users"] {
        assert_ne!(ask(port, line, &browser("GET")).await.status, 200, "{line}");
    }
    // Requests that are almost a preflight.
    let [origin, method, headers] = browser("GET");
    for fields in [
        &[origin][..],
        &[method, headers],
        &[origin, method, ("Cookie", "session=1")],
        &[origin, ("Access-Control-Request-Method", "PATCH")],
    ] {
        assert_ne!(ask(port, "OPTIONS /orders/1", fields).await.status, 200, "{fields:?}");
    }
    // Some proxies answer `OPTIONS *` themselves; it does not reach the API.
    let whole = ask(port, "OPTIONS *", &browser("GET")).await;
    assert!(whole.body.is_empty() || whole.status != 200, "{whole:?}");
    let token = scene.read().sign();
    assert_eq!(scene.ask("GET /orders/1", Some(&token)).await.echo().all("x-auth-subject"), ["alice"]);
}
