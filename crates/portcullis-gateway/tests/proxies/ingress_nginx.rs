//! The configuration that ingress-nginx makes of the annotations in `examples/kubernetes` and `docs/kubernetes.md`.

use std::{collections::BTreeMap, fs};

use portcullis_testkit::{Algorithm, DpopClient};

use crate::{
    client::{Answer, ask},
    docs,
    each_proxy::{SPELLINGS, arrives_unforged},
    process::Process,
    scene::{Scene, Stage, repository},
    sizes::nobody_is_harmed,
};

async fn scene() -> Scene {
    Scene::behind(Stage::set(), async |stage| start(stage, "").await).await
}

/// The scene with the snippets of the documentation.
async fn scene_with_snippets(stage: Stage) -> Scene {
    let snippets = docs::block_of("docs/kubernetes.md", "yaml", "auth-snippet");
    Scene::behind(stage, async |stage| start(stage, &snippets).await).await
}

/// Starts nginx with the annotations of the example, and further ones.
async fn start(stage: &Stage, further: &str) -> Process {
    let example = fs::read_to_string(repository().join("examples/kubernetes/ingress-nginx.yaml")).unwrap();
    let conf = stage.path("ingress.conf");
    fs::write(&conf, stage.ports.in_place(&rendered(&values(&format!("{example}\n{further}"))))).unwrap();
    let scratch = stage.path("portcullis-nginx");
    fs::create_dir_all(&scratch).unwrap();
    let line = format!("nginx -p {} -c {}", scratch.display(), conf.display());
    Process::typed(&line, &stage.path("")).listening(stage.ports.proxy).await
}

/// Returns annotations, and keys of the ConfigMap, with their values.
fn values(manifest: &str) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    let mut lines = manifest.lines().peekable();
    while let Some(line) = lines.next() {
        let Some((name, value)) = line.trim().split_once(": ") else { continue };
        let mut value = value.trim_matches('"').to_owned();
        if value == "|" {
            value.clear();
            let depth = |line: &str| line.len() - line.trim_start().len();
            while let Some(part) = lines.next_if(|next| depth(next) > depth(line)) {
                value += &format!("{}\n", part.trim());
            }
        }
        values.insert(name.trim_start_matches("nginx.ingress.kubernetes.io/").to_owned(), value);
    }
    values
}

/// Returns the configuration with these values, as the controller renders it.
fn rendered(values: &BTreeMap<String, String>) -> String {
    let source = repository().join("crates/portcullis-gateway/tests/proxies/ingress_nginx.conf");
    let value = |name: &str| values.get(name).cloned().unwrap_or_default();
    let fields = value("auth-response-headers");
    let fields = fields.split(',').enumerate().map(|(number, field)| {
        let variable = field.to_ascii_lowercase().replace('-', "_");
        format!(
            "auth_request_set $authHeader{number} $upstream_http_{variable};\n\
             proxy_set_header '{field}' $authHeader{number};\n"
        )
    });
    let mut text = fs::read_to_string(source).unwrap().replace("@auth-response-headers@", &fields.collect::<String>());
    for name in ["auth-url", "auth-snippet", "configuration-snippet", "proxy-buffer-size", "proxy-buffers-number"]
        .into_iter()
        .chain(["large-client-header-buffers"])
    {
        text = text.replace(&format!("@{name}@"), &value(name));
    }
    text.replace("portcullis.default.svc.cluster.local", "127.0.0.1")
}

#[tokio::test(flavor = "multi_thread")]
async fn its_requests_are_judged() {
    let scene = scene().await;
    let jwt = scene.read().sign();
    let echo = scene.ask("GET /orders/1?x=1", Some(&jwt)).await.echo();
    assert_eq!(echo.url(), "/orders/1?x=1");
    assert_eq!(echo.all("x-auth-subject"), ["alice"]);
    assert_eq!(echo.all("authorization"), [format!("Bearer {jwt}")]);
    let echo = scene.ask("GET /orders/1", Some(&scene.opaque())).await.echo();
    assert_eq!(echo.all("authorization")[0].matches('.').count(), 2, "the JWT");
    assert_eq!(scene.ask("GET /health", None).await.status, 200);

    let none = scene.ask("GET /orders/1", None).await;
    assert_eq!((none.status, none.challenge()), (401, "Bearer realm=\"orders\""));
    for line in ["POST /orders/1", "DELETE /orders/1", "GET /elsewhere", "GET /orders/../admin/users", "GET //health"] {
        assert_eq!(scene.ask(line, Some(&jwt)).await.status, 403, "{line}");
    }
    assert_eq!(scene.ask("GET /admin/users", Some(&jwt)).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_with_dpop_gets_its_nonce_and_passes() {
    let stage = Stage::set();
    let written = format!("public_url = \"http://127.0.0.1:{}\"\n", stage.ports.proxy);
    stage.edit("examples/gateway/portcullis.toml", &written, "");
    let scene = scene_with_snippets(stage).await;
    let client = DpopClient::new(Algorithm::ES256);
    let token = scene.authorization.token().scope("pay").bound_to_key(client.thumbprint()).sign();
    let send = async |client: &DpopClient, url: &str| {
        let fields = client.fields("GET", url, &token);
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        ask(scene.stage.ports.proxy, "GET /payments/1", &fields).await
    };
    // The URL is in `X-Original-URL`.
    let url = "http://api.example.com/payments/1";
    let told = send(&client, url).await;
    let [nonce] = told.all("dpop-nonce")[..] else { panic!("{told:?}") };
    assert!(told.status == 401 && told.challenge().contains("use_dpop_nonce"), "{told:?}");
    let client = client.with_nonce(nonce);
    let passed = send(&client, url).await;
    assert_eq!((passed.status, passed.all("dpop-nonce").len()), (200, 1), "{passed:?}");
    for other in ["https://api.example.com/payments/1", "http://other.example.com/payments/1"] {
        assert_eq!(send(&client, other).await.status, 401, "{other}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_else_it_hands_on_is_judged_with_the_snippet() {
    let scene = scene_with_snippets(Stage::set()).await;
    for (name, value, status) in [
        ("X-Original-URL", "/admin/users", 403),
        ("X-Rewrite-URL", "/admin/users", 403),
        ("Upgrade", "h2c", 403),
        ("Upgrade", "websocket", 200),
        ("X-Original-URL", "/health", 200),
    ] {
        let fields = [("Connection", "close, Upgrade"), (name, value)];
        let answer = ask(scene.stage.ports.proxy, "GET /health", &fields).await;
        assert_eq!(answer.status, status, "{name}: {value}: {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_client_has_another_request_judged_than_its_own() {
    let scene = scene().await;
    let port = scene.stage.ports.proxy;
    let refused = |answer: &Answer| matches!(answer.status, 400 | 401 | 403);
    for field in [
        ("X-Original-URI", "/health"),
        ("X-Original-URI", "/admin/users"),
        ("X-Forwarded-Uri", "/health"),
        ("X-Forwarded-Method", "GET"),
    ] {
        let answer = ask(port, "GET /admin/users", &[field]).await;
        assert!(refused(&answer), "{field:?}: {answer:?}");
    }
    // ingress-nginx writes these itself.
    for field in
        [("X-Original-URL", "https://x/health"), ("X-Original-Method", "GET"), ("Connection", "close, X-Original-URL")]
    {
        let answer = ask(port, "GET /admin/users", &[field]).await;
        assert!(refused(&answer), "{field:?}: {answer:?}");
    }
    // The URL is made of the client's `Host`.
    for host in [
        "x?",
        "x#",
        "x?y=",
        "x#/health",
        "x\\",
        "x@health",
        "x%2fhealth",
        "x:80:80",
        "x, y",
        "x;",
        "[x",
        "x?/health",
        "",
    ] {
        for line in ["/admin/users", "/health/../admin/users", "//health"] {
            let request = format!("GET {line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
            let answer = crate::client::exchange(port, request.as_bytes()).await.unwrap();
            let status = answer.split(' ').nth(1).unwrap_or_default();
            assert!(["400", "401", "403"].contains(&status), "{host} {line}: {answer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_clients_send_in_the_gateways_name_never_arrives() {
    let scene = scene().await;
    let bearer = format!("Bearer {}", scene.authorization.token().without_claim("sub").scope("read").sign());
    for spelling in SPELLINGS {
        let forged = [("Authorization", bearer.as_str()), (spelling, "forged"), (spelling, "forged too")];
        for (line, fields) in [("GET /orders/1", &forged[..]), ("GET /health", &forged[1..])] {
            arrives_unforged(&ask(scene.stage.ports.proxy, line, fields).await, spelling);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_sends_harms_nobody_else() {
    let scene = scene().await;
    let token = scene.read().sign();
    nobody_is_harmed(scene.stage.ports.proxy, &token).await;
}
