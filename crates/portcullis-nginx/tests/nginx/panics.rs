//! Panics of the module, which a debug build has at a place that a variable of the environment names.

use portcullis_testkit::Endpoint;

use crate::clients::{FILE, site};

#[tokio::test]
async fn a_panic_costs_one_request() {
    for place in ["access/panic", "task/panic"] {
        let scene = site(&format!("env PORTCULLIS_NGINX_PANIC={place};"), FILE).await;
        scene.knows_keys().await;
        let worker = scene.nginx.workers();
        for _ in 0..5 {
            let (failed, other) = (scene.opaque(), scene.opaque());
            assert_eq!(scene.ask("GET /panic", Some(&failed)).await.status, 500, "{place}");
            assert_eq!(scene.ask("GET /", Some(&other)).await.status, 200, "{place}");
            assert_eq!(scene.ask("GET /", None).await.status, 401, "{place}");
        }
        assert_eq!(scene.authorization.requests(Endpoint::Introspection), 5, "{place}: nothing of a failed request");
        assert_eq!(scene.nginx.workers(), worker, "{place}");
        let log = scene.nginx.log();
        let told = log.lines().filter(|line| line.contains("[error]") && line.contains("panic at"));
        assert_eq!(told.count(), 5, "{place}");
        scene.accessed("500 /panic", 5).await;
        scene.waits_for(0).await;
    }
}
