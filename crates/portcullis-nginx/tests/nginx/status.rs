//! `portcullis_status`: the metrics of all workers as one.

use crate::{
    scene::{Scene, ask},
    site::{STATUS, decisions, site_with_main},
};

async fn scene() -> Scene {
    let http = format!(
        "server {{ listen {{port}}; portcullis_issuer {{issuer}}; portcullis_audience https://api.example.com;
         {STATUS} location / {{ proxy_pass http://{{api}}; }}
         location /guarded-status {{ portcullis_status; }} }}"
    );
    site_with_main("worker_processes 2;", &[], &http).await
}

#[tokio::test]
async fn the_counts_of_several_workers_add_up_and_survive_a_reload() {
    let scene = scene().await;
    let token = scene.read().sign();
    let mut workers = scene.nginx.workers();
    for round in 1..=3 {
        let requests = (0..40).map(|_| scene.ask("GET /x", Some(&token)));
        for request in requests {
            assert_eq!(request.await.status, 200);
        }
        assert_eq!(scene.ask("GET /x", None).await.status, 401);
        assert_eq!((decisions(&scene, "pass").await, decisions(&scene, "no_credentials").await), (40 * round, round));
        scene.nginx.signal("HUP");
        let before = std::mem::take(&mut workers);
        crate::scene::until("new workers only", async || {
            let now = scene.nginx.workers();
            now.len() == 2 && now.iter().all(|worker| !before.contains(worker))
        })
        .await;
        workers = scene.nginx.workers();
        assert_eq!((decisions(&scene, "pass").await, decisions(&scene, "no_credentials").await), (40 * round, round));
    }
}

#[tokio::test]
async fn the_text_is_that_of_prometheus() {
    let scene = scene().await;
    scene.ask("GET /x", Some(&scene.read().sign())).await;
    let answer = scene.ask("GET /status", None).await;
    assert_eq!((answer.status, answer.all("content-type")), (200, vec!["text/plain; version=0.0.4"]));
    let mut families = Vec::new();
    for line in answer.body.lines() {
        if let Some(described) = line.strip_prefix("# TYPE ") {
            let (name, kind) = described.split_once(' ').unwrap();
            assert!(["counter", "gauge", "histogram"].contains(&kind) && !families.contains(&name), "{line}");
            families.push(name);
        } else if !line.starts_with('#') {
            let (sample, value) = line.rsplit_once(' ').unwrap();
            let name = sample.split('{').next().unwrap();
            assert!(name.starts_with(families.last().unwrap()), "each sample is below its type: {line}");
            assert!(value.parse::<f64>().is_ok(), "{line}");
        }
    }
    assert!(families.contains(&"portcullis_gateway_decisions_total"), "{families:?}");
    let head = scene.ask("HEAD /status", None).await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert_eq!(scene.ask("GET /guarded-status", None).await.status, 401);
    let posted = ask(scene.port, "POST /status", &[("Content-Length", "0")]).await;
    assert_eq!(posted.status, 200, "{posted:?}");
}
