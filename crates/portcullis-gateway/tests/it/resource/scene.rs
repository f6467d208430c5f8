//! A protected resource and its authorization server on one listener: good, until a test changes them.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Method, Response, Uri},
};
use portcullis_testkit::{Algorithm, SigningKey};
use serde_json::{Value, json};

/// The documents and pages of the listener.
pub(super) struct Scene {
    /// The origin.
    pub(super) base: String,
    /// The same listener under another name, which makes it another origin.
    pub(super) elsewhere: String,
    /// The URL to inspect.
    pub(super) url: String,
    /// The resource's metadata.
    pub(super) metadata: Value,
    /// The authorization server's metadata.
    pub(super) server: Value,
    /// The pages by path, by method and path (`POST /mcp`), or for browsers alone (`Origin /mcp`).
    pub(super) pages: BTreeMap<String, Page>,
}

#[derive(Clone)]
pub(super) struct Page {
    pub(super) status: u16,
    pub(super) fields: Vec<(&'static str, String)>,
    pub(super) body: String,
}

pub(super) const RESOURCE: &str = "/.well-known/oauth-protected-resource/mcp";
pub(super) const SERVER: &str = "/.well-known/oauth-authorization-server/as";

impl Page {
    pub(super) fn status(status: u16) -> Self {
        Self { status, fields: Vec::new(), body: String::new() }
    }

    pub(super) fn html() -> Self {
        Self {
            body: "<!doctype html><title>Sign in</title>".to_owned(),
            ..Self::status(200).with("content-type", "text/html")
        }
    }

    pub(super) fn redirect(to: &str) -> Self {
        Self::status(302).with("location", to)
    }

    pub(super) fn unauthorized(challenge: &str) -> Self {
        Self::status(401).with("www-authenticate", challenge)
    }

    /// A public document.
    pub(super) fn json(value: &Value) -> Self {
        let page = Self { body: value.to_string(), ..Self::status(200) };
        page.with("content-type", "application/json").with("access-control-allow-origin", "*")
    }

    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.fields.retain(|(known, _)| *known != name);
        self.fields.push((name, value.to_owned()));
        self
    }

    pub(super) fn without(mut self, name: &'static str) -> Self {
        self.fields.retain(|(known, _)| *known != name);
        self
    }
}

impl Scene {
    /// Starts the listener, with the changes, until the runtime ends.
    pub(super) async fn start(change: impl FnOnce(&mut Self)) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut scene = Self::good(listener.local_addr().unwrap().port());
        change(&mut scene);
        for (path, value) in [(RESOURCE, &scene.metadata), (SERVER, &scene.server)] {
            scene.pages.entry(path.to_owned()).or_insert_with(|| Page::json(value));
        }
        let pages = Arc::new(scene.pages.clone());
        let router = Router::new().fallback(move |method: Method, uri: Uri, fields: HeaderMap| {
            let of_browser = fields.get("origin").and_then(|_| pages.get(&format!("Origin {}", uri.path())));
            let page = of_browser.or_else(|| pages.get(&format!("{method} {}", uri.path())));
            let page = page.or_else(|| pages.get(uri.path()));
            let page = page.cloned().unwrap_or_else(|| Page::status(404));
            async move { answer(page) }
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        scene
    }

    fn good(port: u16) -> Self {
        let base = format!("http://127.0.0.1:{port}");
        let url = format!("{base}/mcp");
        let keys = json!({ "keys": [SigningKey::generate(Algorithm::ES256, "k1").public_jwk()] });
        let challenge = format!("Bearer scope=\"files:read\", resource_metadata=\"{base}{RESOURCE}\"");
        let metadata = json!({
            "resource": url,
            "authorization_servers": [format!("{base}/as")],
            "scopes_supported": ["files:read", "files:write"],
            "bearer_methods_supported": ["header"],
        });
        let server = json!({
            "issuer": format!("{base}/as"),
            "authorization_endpoint": format!("{base}/as/authorize"),
            "token_endpoint": format!("{base}/as/token"),
            "registration_endpoint": format!("{base}/as/register"),
            "jwks_uri": format!("{base}/as/jwks"),
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": ["openid", "offline_access", "files:read", "files:write"],
        });
        let pages = [("/mcp".to_owned(), Page::unauthorized(&challenge)), ("/as/jwks".to_owned(), Page::json(&keys))];
        let elsewhere = format!("http://localhost:{port}");
        Self { base, elsewhere, url, metadata, server, pages: BTreeMap::from(pages) }
    }

    pub(super) fn page(&mut self, path: &str, page: Page) {
        self.pages.insert(path.to_owned(), page);
    }

    /// Replaces the challenge; `{base}` and `{elsewhere}` stand for the origins.
    pub(super) fn challenge(&mut self, challenge: &str) {
        let challenge = challenge.replace("{base}", &self.base).replace("{elsewhere}", &self.elsewhere);
        self.page("/mcp", Page::unauthorized(&challenge));
    }

    /// Replaces the page of the resource's metadata by a changed one.
    pub(super) fn metadata_page(&mut self, change: impl FnOnce(Page) -> Page) {
        let page = change(Page::json(&self.metadata));
        self.page(RESOURCE, page);
    }
}

/// Removes a member.
pub(super) fn remove(document: &mut Value, name: &str) {
    document.as_object_mut().unwrap().remove(name).unwrap();
}

fn answer(page: Page) -> Response<Body> {
    let mut response = Response::builder().status(page.status);
    for (name, value) in page.fields {
        response = response.header(name, value);
    }
    response.body(Body::from(page.body)).unwrap()
}
