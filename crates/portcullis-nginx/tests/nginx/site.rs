//! A scene with files: `portcullis.toml` beside `nginx.conf`, pages, and an API that answers as a test wants it.

use std::fs;

use axum::{Router, body::Bytes, extract::Request, http::HeaderMap, response::IntoResponse};
use portcullis_testkit::AuthorizationServer;
use serde_json::{Map, Value, json};

use crate::scene::{Nginx, Scene, configuration, folder, free_port, in_place, serve};

/// The issuer of a `portcullis.toml`, with introspection in this mode.
pub(crate) fn introspecting(mode: &str) -> String {
    format!(
        "[[issuers]]\nissuer = \"{{issuer}}\"\naudience = [\"https://api.example.com\"]\n\
         introspection = {{ endpoint = \"{{issuer}}/introspect\", client_id = \"demo\", client_secret_file = \"secret\", \
         mode = \"{mode}\" }}\n"
    )
}

/// The issuer of a `portcullis.toml`.
pub(crate) const ISSUER: &str = "[[issuers]]\nissuer = \"{issuer}\"\naudience = [\"https://api.example.com\"]\n";

/// The location with the metrics.
pub(crate) const STATUS: &str = "location = /status { portcullis off; portcullis_status; }";

/// Starts nginx with this text in its `http` block and these files beside `nginx.conf`. In all of them, `{folder}` stands for their
/// folder, and `{issuer}`, `{api}` and `{port}` for what they are in a [`Scene`].
pub(crate) async fn site(files: &[(&str, &str)], http: &str) -> Scene {
    site_with_main("", files, http).await
}

/// Like [`site`], with further lines above the blocks.
pub(crate) async fn site_with_main(main: &str, files: &[(&str, &str)], http: &str) -> Scene {
    let authorization = AuthorizationServer::builder().client("demo", "demo").start().await.unwrap();
    let (api, folder, port) = (serve(Router::new().fallback(answer)).await, folder(), free_port());
    let path = folder.path().display().to_string();
    let in_place = |text: &str| in_place(text, port, authorization.issuer(), &api).replace("{folder}", &path);
    fs::write(folder.path().join("secret"), "demo\n").unwrap();
    for (name, text) in files {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, in_place(text)).unwrap();
    }
    fs::write(folder.path().join("nginx.conf"), in_place(&configuration(folder.path(), main, http))).unwrap();
    let nginx = Nginx::start(folder.path(), port).await;
    Scene { authorization, nginx, folder, port }
}

/// Answers with the request. Its query may ask for another status (`status=404`) or an `X-Accel-Redirect` (`accel=/path`).
async fn answer(request: Request) -> impl IntoResponse {
    let (parts, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, 16 << 20).await.unwrap_or_default();
    let mut fields = Map::new();
    for (name, value) in &parts.headers {
        let values = fields.entry(name.as_str()).or_insert_with(|| json!([]));
        values.as_array_mut().unwrap().push(String::from_utf8_lossy(value.as_bytes()).into());
    }
    let target = parts.uri.to_string();
    let told = |key: &str| parts.uri.query()?.split('&').find_map(|pair| pair.strip_prefix(key)).map(str::to_owned);
    let status = told("status=").map_or(200, |status| status.parse().unwrap());
    let mut headers = HeaderMap::new();
    if let Some(path) = told("accel=") {
        headers.insert("x-accel-redirect", path.parse().unwrap());
    }
    headers.insert("cache-control", "max-age=60".parse().unwrap());
    let told = json!({
        "method": parts.method.as_str(), "target": target, "fields": Value::Object(fields), "length": body.len(),
    });
    (axum::http::StatusCode::from_u16(status).unwrap(), headers, told.to_string())
}

/// Returns the number of decisions with this code, of all routes.
pub(crate) async fn decisions(scene: &Scene, code: &str) -> u64 {
    let text = scene.ask("GET /status", None).await.body;
    let code = format!("code=\"{code}\"");
    let lines = text.lines().filter(|line| line.starts_with("portcullis_gateway_decisions_total{"));
    let counts =
        lines.filter(|line| line.contains(&code)).filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
    counts.sum()
}
