//! A client with DPoP (RFC 9449) behind each proxy.

use portcullis_testkit::{Algorithm, DpopCase, DpopClient};

use crate::{
    client::{Answer, ask, try_ask},
    each_proxy::behind_each_proxy,
    scene::{Proxy, Scene, Stage},
};

behind_each_proxy!(
    a_client_passes_with_its_key_and_a_thief_does_not,
    each_hostile_proof_is_refused_and_each_unusual_one_passes,
    the_url_of_a_proof_is_the_one_that_the_proxy_tells,
);

const CONFIGURATION: &str = "examples/gateway/portcullis.toml";

/// The host of the requests of `ask`.
const HOST: &str = "api.example.com";

impl Proxy {
    /// Returns true if a nonce reaches the client with a good response, too.
    fn gives_nonces_on_success(self) -> bool {
        self != Self::Traefik
    }

    /// Returns true if the gateway learns the port of the client's URL.
    fn tells_ports(self) -> bool {
        self != Self::Nginx
    }
}

impl Scene {
    /// Returns the URL of a path as clients of the example write it.
    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.stage.ports.proxy)
    }

    /// Returns a token for payments that is bound to the client's key.
    fn bound(&self, client: &DpopClient) -> String {
        self.authorization.token().scope("pay").bound_to_key(client.thumbprint()).sign()
    }

    /// Sends a request with these fields.
    async fn send(&self, line: &str, fields: &[(&'static str, String)]) -> Answer {
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        ask(self.stage.ports.proxy, line, &fields).await
    }

    /// Returns a client with a nonce of the gateway's.
    async fn client_with_nonce(&self) -> DpopClient {
        let client = DpopClient::new(Algorithm::ES256);
        let fields = client.fields("GET", &self.url("/payments/1"), &self.bound(&client));
        let told = self.send("GET /payments/1", &fields).await;
        let [nonce] = told.all("dpop-nonce")[..] else { panic!("{told:?}") };
        client.with_nonce(nonce)
    }
}

/// A scene with these lines in place of the example's `public_url`, and without nonces.
async fn at(public_url: &str, proxy: Proxy) -> Scene {
    let stage = Stage::set();
    let written = format!("public_url = \"http://127.0.0.1:{}\"\nnonces = true\n", stage.ports.proxy);
    stage.edit(CONFIGURATION, &written, &format!("{public_url}\n"));
    Scene::on(stage, proxy).await
}

async fn a_client_passes_with_its_key_and_a_thief_does_not(proxy: Proxy) {
    let scene = Scene::with(proxy).await;
    let (line, url) = ("GET /payments/1?x=1", scene.url("/payments/1?x=1"));
    let client = DpopClient::new(Algorithm::ES256);
    let token = scene.bound(&client);

    // Without a token: how to get in.
    let none = scene.send(line, &[]).await;
    assert_eq!(none.status, 401, "{none:?}");
    assert!(none.challenge().starts_with("DPoP ") && none.challenge().contains("algs=\""), "{none:?}");

    // The first request of a client has no nonce.
    let told = scene.send(line, &client.fields("GET", &url, &token)).await;
    assert_eq!(told.status, 401, "{told:?}");
    assert!(told.challenge().contains("DPoP ") && told.challenge().contains("error=\"use_dpop_nonce\""), "{told:?}");
    let [nonce] = told.all("dpop-nonce")[..] else { panic!("{told:?}") };
    let client = client.with_nonce(nonce);

    let fields = client.fields("GET", &url, &token);
    let passed = scene.send(line, &fields).await;
    let echo = passed.echo();
    assert_eq!(echo.all("x-auth-subject"), ["alice"]);
    assert_eq!(echo.all("authorization"), [format!("DPoP {token}")]);
    assert_eq!(echo.all("dpop"), [&fields[1].1], "as sent");
    assert_eq!(passed.all("dpop-nonce").len(), usize::from(proxy.gives_nonces_on_success()), "{passed:?}");

    // A thief has the token, and perhaps a proof.
    let thief = DpopClient::new(Algorithm::ES256).with_nonce(nonce);
    let by_thief = thief.proof("GET", &url).token(&token).sign();
    for (what, fields) in [
        ("the same proof again", fields.clone()),
        ("no proof", vec![("authorization", format!("DPoP {token}"))]),
        ("a bearer token", vec![("authorization", format!("Bearer {token}"))]),
        ("a bearer token with a good proof", {
            let proof = client.proof("GET", &url).token(&token).sign();
            vec![("authorization", format!("Bearer {token}")), ("dpop", proof)]
        }),
        ("a proof by another key", vec![("authorization", format!("DPoP {token}")), ("dpop", by_thief)]),
        ("a proof for another path", client.fields("GET", &scene.url("/payments/2"), &token)),
        ("a proof for another method", client.fields("POST", &url, &token)),
    ] {
        let refused = scene.send(line, &fields).await;
        assert_eq!(refused.status, 401, "{what}: {refused:?}");
        assert!(
            refused.challenge().contains("DPoP ") && refused.challenge().contains("error=\""),
            "{what}: {refused:?}"
        );
    }
    // Nor is it of use where DPoP is off.
    for scheme in ["Bearer", "DPoP"] {
        let fields = [("authorization", format!("{scheme} {token}"))];
        assert_eq!(scene.send("GET /orders/1", &fields).await.status, 401, "{scheme}");
    }

    // A weak token of a good client.
    let weak = scene.authorization.token().scope("read").bound_to_key(client.thumbprint()).sign();
    let refused = scene.send(line, &client.fields("GET", &url, &weak)).await;
    assert_eq!(refused.status, 403, "{refused:?}");
    for part in ["DPoP ", "error=\"insufficient_scope\"", "scope=\"pay\""] {
        assert!(refused.challenge().contains(part), "{part}: {refused:?}");
    }

    // Opaque tokens are bound by the answer of the introspection endpoint; the API gets the JWT.
    let opaque = scene.authorization.token().scope("pay").bound_to_key(client.thumbprint());
    let opaque = scene.authorization.issue_opaque(opaque);
    let echo = scene.send(line, &client.fields("GET", &url, &opaque)).await.echo();
    assert!(echo.all("authorization")[0].starts_with("Bearer ey"), "{echo:?}");
    let refused = scene.send(line, &[("authorization", format!("Bearer {opaque}"))]).await;
    assert_eq!(refused.status, 401, "{refused:?}");
}

async fn each_hostile_proof_is_refused_and_each_unusual_one_passes(proxy: Proxy) {
    let public_url = format!("public_url = \"http://{HOST}\"");
    let scene = at(&public_url, proxy).await;
    try_each(&scene, &DpopClient::new(Algorithm::ES256), DpopCase::ALL).await;
    drop(scene);

    // A nonce tells the time in place of the client's clock.
    let scene = at(&format!("{public_url}\nnonces = true"), proxy).await;
    let client = scene.client_with_nonce().await;
    try_each(&scene, &client, &[&[DpopCase::Plain, DpopCase::Replay], DpopCase::NONCES].concat()).await;
}

async fn try_each(scene: &Scene, client: &DpopClient, cases: &[DpopCase]) {
    let line = "GET /payments/order?x=1";
    let url = format!("http://{HOST}/payments/order?x=1");
    for case in cases {
        let attempt = client.attempt(*case, "GET", &url, &scene.authorization.token().scope("pay"));
        for earlier in attempt.earlier() {
            assert_eq!(scene.send(line, earlier).await.status, 200, "before {case}");
        }
        let fields: Vec<_> = attempt.fields().iter().map(|(name, value)| (*name, value.as_str())).collect();
        let status = try_ask(scene.stage.ports.proxy, line, &fields).await.map(|answer| answer.status);
        match (case.must_pass(), status) {
            (true, status) => assert_eq!(status.ok(), Some(200), "{case}: {}", case.description()),
            (false, Ok(status)) => assert!((400..500).contains(&status), "{case}: {status}"),
            // A proxy may end a connection with fields that are too large.
            (false, Err(error)) => assert_eq!(*case, DpopCase::Oversized, "{error}"),
        }
    }
}

async fn the_url_of_a_proof_is_the_one_that_the_proxy_tells(proxy: Proxy) {
    let scene = at("", proxy).await;
    let client = DpopClient::new(Algorithm::ES256);
    let token = scene.bound(&client);
    let ask_with = async |url: &str, further: &[(&'static str, &str)]| {
        let further = further.iter().map(|(name, value)| (*name, (*value).to_owned()));
        let fields: Vec<_> = client.fields("GET", url, &token).into_iter().chain(further).collect();
        scene.send("GET /payments/1", &fields).await.status
    };
    assert_eq!(ask_with("http://api.example.com/payments/1", &[]).await, 200);
    assert_eq!(ask_with("HTTP://API.example.com:80/./payments/%31", &[]).await, 200);
    for url in [
        "https://api.example.com/payments/1",
        "http://other.example.com/payments/1",
        "http://api.example.com:8080/payments/1",
        "http://127.0.0.1/payments/1",
        "http://api.example.com/auth",
        "http://api.example.com/auth/payments/1",
        "http://api.example.com/payments",
    ] {
        assert_eq!(ask_with(url, &[]).await, 401, "{url}");
    }
    if proxy.tells_ports() {
        let host = [("Host", "api.example.com:8443")];
        assert_eq!(ask_with("http://api.example.com:8443/payments/1", &host).await, 200);
        assert_eq!(ask_with("http://api.example.com/payments/1", &host).await, 401);
    }
    // A client's own fields change nothing.
    for (name, value) in [
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "other.example.com"),
        ("X-Forwarded-Ssl", "on"),
        ("X-Forwarded-Scheme", "https"),
        ("Forwarded", "proto=https;host=other.example.com"),
    ] {
        let field = [(name, value)];
        for url in [
            "https://api.example.com/payments/1",
            "http://other.example.com/payments/1",
            "https://other.example.com/payments/1",
        ] {
            assert_eq!(ask_with(url, &field).await, 401, "{url} by {name}");
        }
        assert_eq!(ask_with("http://api.example.com/payments/1", &field).await, 200, "{name}");
    }
}
