//! One client cannot affect others, behind any proxy.

use portcullis_testkit::{Endpoint, Fault};

use crate::{
    client::ask_from,
    each_proxy::behind_each_proxy,
    scene::{Proxy, Scene},
};

const STRANGER: [u8; 4] = [127, 0, 0, 2];
const USER: [u8; 4] = [127, 0, 0, 3];

behind_each_proxy!(tokens_that_the_server_fails_at_harm_nobody_else);

async fn tokens_that_the_server_fails_at_harm_nobody_else(proxy: Proxy) {
    let scene = Scene::with(proxy).await;
    let port = scene.stage.ports.proxy;
    scene.authorization.fault(Endpoint::Introspection, Fault::InactiveToken { status: 500, body: false });
    // The hostile client also sends another address as its own.
    for (number, claimed) in
        (0..10).zip(["127.0.0.3", "192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"].iter().cycle())
    {
        let token = format!("Bearer made-up-{number}");
        let fields = [("Authorization", token.as_str()), ("X-Forwarded-For", claimed), ("X-Real-IP", claimed)];
        assert_eq!(ask_from(STRANGER, port, "GET /orders/1", &fields).await.status, 503);
    }
    assert_eq!(scene.authorization.requests(Endpoint::Introspection), 5, "he waits");
    let good = format!("Bearer {}", scene.opaque());
    let answer = ask_from(USER, port, "GET /orders/1", &[("Authorization", &good)]).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}
