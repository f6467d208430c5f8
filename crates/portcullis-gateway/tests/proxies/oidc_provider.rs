//! Tokens of a third-party authorization server, opaque and JWT, behind nginx.

use std::path::PathBuf;

use serde_json::Value;

use crate::{
    client::ask_with,
    load::Load,
    process::{Process, until},
    scene::{Proxy, Stage},
};

/// The forms of introspection answers.
const FORMS: [&str; 3] = ["json", "jwt", "phantom"];

struct Scene {
    provider: Process,
    issuer: String,
    _others: [Process; 3],
    stage: Stage,
}

impl Scene {
    async fn start(form: &str) -> Self {
        let stage = Stage::set();
        let config = "examples/gateway/portcullis.toml";
        stage.edit(config, "/introspect\"", "/token/introspection\"");
        stage.edit(config, "client_id = \"demo\"", "client_id = \"gateway\"");
        stage.edit("examples/gateway/client-secret", "demo", "gateway-secret");
        stage.edit(config, "mode = \"phantom\"", &format!("mode = \"{form}\"\nkeep_for = \"60s\""));
        let audiences = ["opaque", "RS256", "ES256", "EdDSA"].map(|name| format!("\"{}\"", resource(name)));
        stage.edit(config, "\"https://api.example.com\"", &audiences.join(", "));
        let provider = provider(&stage).await;
        let issuer = format!("http://127.0.0.1:{}", stage.ports.authorization);
        let others = [stage.upstream().await, stage.gateway().await, stage.proxy(Proxy::Nginx).await];
        Self { provider, issuer, _others: others, stage }
    }

    async fn token(&self, name: &str) -> String {
        let form = [("grant_type", "client_credentials"), ("resource", &resource(name)), ("scope", "read")];
        let answer = self.post("/token").form(&form).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        answer["access_token"].as_str().unwrap_or_else(|| panic!("no token: {answer}")).to_owned()
    }

    async fn revoke(&self, token: &str) {
        let answer = self.post("/token/revocation").form(&[("token", token)]).send().await.unwrap();
        assert!(answer.status().is_success());
    }

    fn post(&self, path: &str) -> reqwest::RequestBuilder {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        client.post(format!("{}{path}", self.issuer)).basic_auth("test-client", Some("test-secret"))
    }

    async fn status(&self, token: &str) -> u16 {
        ask_with(self.stage.ports.proxy, "GET /orders/1", token).await.status
    }
}

async fn provider(stage: &Stage) -> Process {
    let folder = std::env::var_os("PORTCULLIS_OIDC_PROVIDER").map(PathBuf::from);
    let folder = folder.expect("PORTCULLIS_OIDC_PROVIDER names no folder: run `cargo xtask test`, which sets it up");
    let port = stage.ports.authorization;
    let server = folder.join("server.mjs");
    Process::typed(&format!("node {} {port}", server.display()), &stage.path("")).listening(port).await
}

fn resource(name: &str) -> String {
    format!("https://api.example.com/{name}")
}

#[tokio::test(flavor = "multi_thread")]
async fn its_tokens_pass_in_every_form() {
    for form in FORMS {
        let scene = Scene::start(form).await;
        for algorithm in ["RS256", "ES256", "EdDSA"] {
            assert_eq!(scene.status(&scene.token(algorithm).await).await, 200, "{algorithm}");
        }
        let opaque = scene.token("opaque").await;
        let echo = ask_with(scene.stage.ports.proxy, "GET /orders/1", &opaque).await.echo();
        assert_eq!(echo.all("x-auth-subject"), ["test-client"], "{form}");
        assert_eq!(echo.all("x-auth-scope"), ["read"], "{form}");
        let handed_on = echo.all("authorization").concat();
        assert_eq!(form == "phantom", handed_on.matches('.').count() == 2, "{form}: {handed_on}");
        assert_eq!(form != "phantom", handed_on.ends_with(&opaque), "{form}: {handed_on}");

        let revoked = scene.token("opaque").await;
        scene.revoke(&revoked).await;
        assert_eq!(scene.status(&revoked).await, 401, "{form}: revoked before it was shown");
        let refused = ask_with(scene.stage.ports.proxy, "POST /orders/1", &opaque).await;
        assert!(refused.challenge().contains("insufficient_scope"), "{form}: {refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_under_load_it_costs_no_request_with_a_cached_answer() {
    let mut scene = Scene::start("phantom").await;
    let good = [scene.token("RS256").await, scene.token("ES256").await, scene.token("opaque").await];
    for token in &good {
        assert_eq!(scene.status(token).await, 200);
    }
    let late = scene.token("opaque").await;
    let cut_off = good[0][..good[0].len() - 5].to_owned();
    let load = Load::start(scene.stage.ports.proxy, &good, &[cut_off, "no-such-token".to_owned()]);
    load.goes_on().await;
    scene.provider.kill();
    load.goes_on().await;
    load.goes_on().await;
    load.stop().await;
    assert_eq!(scene.status(&late).await, 503);

    // It restarts with other keys, and without its tokens.
    scene.provider = scene.provider.restart(scene.stage.ports.authorization).await;
    let new = scene.token("opaque").await;
    until("its new tokens pass", async || scene.status(&new).await == 200).await;
    let new = scene.token("ES256").await;
    until("its new keys are known", async || scene.status(&new).await == 200).await;
}
