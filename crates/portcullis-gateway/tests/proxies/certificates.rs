//! Tokens that are bound to a client certificate, behind each proxy: its configuration from `examples/`, with the lines of the
//! documentation.

use std::{fs, process::Command, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use portcullis_testkit::TokenBuilder;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use serde_json::json;
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore},
};

use crate::{
    client::{Answer, try_ask_over},
    docs,
    each_proxy::behind_each_proxy,
    process::until,
    scene::{Proxy, Scene, Stage},
};

behind_each_proxy!(
    a_bound_token_passes_with_its_certificate_alone,
    no_field_of_the_clients_passes_for_a_certificate,
    without_its_own_line_the_gateway_believes_no_field,
);

/// The folder with certificates in the documentation.
const FOLDER: &str = "/tmp/portcullis-tls";

/// A client with a certificate, or without.
struct Client {
    tls: TlsConnector,
    der: Vec<u8>,
    pem: String,
}

/// A scene whose proxy speaks TLS with clients.
struct Secured {
    scene: Scene,
    own: Client,
    other: Client,
    nobody: Client,
}

impl Client {
    fn new(stage: &Stage, name: Option<&str>) -> Self {
        let read = |name: &str| fs::read(stage.path("tls").join(name)).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&read("ca.pem")).unwrap()).unwrap();
        let config = ClientConfig::builder().with_root_certificates(roots);
        let Some(name) = name else {
            let tls = TlsConnector::from(Arc::new(config.with_no_client_auth()));
            return Self { tls, der: Vec::new(), pem: String::new() };
        };
        let pem = read(&format!("{name}.pem"));
        let certificate = CertificateDer::from_pem_slice(&pem).unwrap();
        let key = PrivateKeyDer::from_pem_slice(&read(&format!("{name}-key.pem"))).unwrap();
        let der = certificate.to_vec();
        let config = config.with_client_auth_cert(vec![certificate], key).unwrap();
        Self { tls: TlsConnector::from(Arc::new(config)), der, pem: String::from_utf8(pem).unwrap() }
    }

    fn sha256(&self) -> Vec<u8> {
        aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &self.der).as_ref().to_vec()
    }

    /// Returns each field in which some proxy would hand the certificate on.
    fn fields(&self) -> Vec<(&'static str, String)> {
        let base64 = base64::engine::general_purpose::STANDARD.encode(&self.der);
        let escaped = utf8_percent_encode(&self.pem, NON_ALPHANUMERIC).to_string();
        let hash: String = self.sha256().iter().map(|byte| format!("{byte:02x}")).collect();
        vec![
            ("X-Client-Cert", escaped),
            ("X-Client-Cert", base64.clone()),
            ("X-Forwarded-Tls-Client-Cert", base64.clone()),
            ("X-Forwarded-Client-Cert", format!("Hash={hash}")),
            ("X-Forwarded-Client-Cert", format!("Hash={hash};Subject=\"")),
            ("Client-Cert", format!(":{base64}:")),
        ]
    }
}

impl Secured {
    async fn with(proxy: Proxy) -> Self {
        Self::on(proxy, true).await
    }

    /// Sets the scene; the gateway's own line may be left out.
    async fn on(proxy: Proxy, gateway_knows: bool) -> Self {
        let stage = Stage::set();
        certify(&stage);
        secure(&stage, proxy, gateway_knows);
        let nobody = Client::new(&stage, None);
        let scene = Scene::started(stage, proxy, async |stage| {
            let process = stage.start(proxy.line(), stage.ports.proxy).await;
            until("the proxy serves", async || {
                let answer = try_ask_over(&nobody.tls, stage.ports.proxy, "GET /health", &[]).await;
                answer.is_ok_and(|answer| answer.status == 200)
            })
            .await;
            process
        })
        .await;
        let [own, other] = ["app", "other"].map(|name| Client::new(&scene.stage, Some(name)));
        Self { scene, own, other, nobody }
    }

    /// Returns a token that is bound to the certificate of [`Self::own`], not yet signed.
    fn bound_builder(&self) -> TokenBuilder {
        let thumbprint = URL_SAFE_NO_PAD.encode(self.own.sha256());
        self.scene.read().claim("cnf", json!({ "x5t#S256": thumbprint }))
    }

    fn bound(&self) -> String {
        self.bound_builder().sign()
    }

    async fn ask(&self, client: &Client, token: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(client, "GET /orders/1", token, fields).await
    }

    /// Waits for a line with this code in the gateway's log, which is written later than the answer is sent.
    async fn logged(&self, code: &str) {
        until("the log tells the reason", async || self.scene.gateway.log().contains(code)).await;
    }

    async fn send(&self, client: &Client, line: &str, token: &str, fields: &[(&str, &str)]) -> Answer {
        let bearer = format!("Bearer {token}");
        let fields = [&[("Authorization", bearer.as_str())], fields].concat();
        try_ask_over(&client.tls, self.scene.stage.ports.proxy, line, &fields).await.unwrap()
    }
}

/// Makes the certificates by the commands of the documentation.
fn certify(stage: &Stage) {
    let commands = in_place(stage, &docs::block("sh", "openssl req"));
    let output = Command::new("sh").args(["-ec", &commands]).output().unwrap();
    assert!(output.status.success(), "is openssl here? {}", String::from_utf8_lossy(&output.stderr));
    // nginx started by root runs as another user.
    let readable = Command::new("chmod").arg("-R").arg("a+rX").arg(stage.path("tls")).status().unwrap();
    assert!(readable.success());
}

fn in_place(stage: &Stage, text: &str) -> String {
    stage.ports.in_place(text).replace(FOLDER, &stage.path("tls").display().to_string())
}

/// The place of a part of a block in an example.
enum Place {
    Instead(&'static str),
    Above(&'static str),
    Below(&'static str),
}

use Place::{Above, Below, Instead};

/// Writes a block of the documentation into an example, part by part.
fn write(stage: &Stage, example: &str, (language, block): (&str, &str), places: &[Place]) {
    let parts = docs::parts(language, block);
    assert_eq!(parts.len(), places.len(), "{block}");
    for (place, part) in places.iter().zip(parts) {
        let (old, new) = match place {
            Instead(old) => (old, part),
            Above(old) => (old, format!("{part}{old}")),
            Below(old) => (old, format!("{old}{part}")),
        };
        stage.edit(example, &in_place(stage, old), &in_place(stage, &new));
    }
}

/// Writes the lines of the documentation for a proxy into the examples.
fn secure(stage: &Stage, proxy: Proxy, gateway_knows: bool) {
    let gateway = |line: &str| {
        if gateway_knows {
            let listen = "listen = \"127.0.0.1:9080\" # forward-auth: nginx, Caddy, Traefik, Envoy by HTTP\n";
            write(stage, "examples/gateway/portcullis.toml", ("toml", line), &[Instead(listen)]);
        }
    };
    let envoy_tls = || Above("\n  clusters:\n");
    match proxy {
        Proxy::Nginx => {
            let places = [
                Instead("        listen 127.0.0.1:8080;\n"),
                Below("            proxy_pass_request_body off;\n"),
                Below("            auth_request /_portcullis;\n"),
            ];
            write(stage, "examples/nginx/nginx.conf", ("nginx", "$ssl_client_escaped_cert"), &places);
            gateway("escaped_pem");
        }
        Proxy::EnvoyByGrpc => {
            let places = [envoy_tls(), Below("              failure_mode_allow: false\n")];
            write(stage, "examples/envoy/envoy.yaml", ("yaml", "include_peer_certificate"), &places);
        }
        Proxy::EnvoyByHttp => {
            let tls = docs::parts("yaml", "include_peer_certificate").remove(0);
            stage.edit(
                "examples/envoy/http.yaml",
                "\n  clusters:\n",
                &in_place(stage, &format!("{tls}\n  clusters:\n")),
            );
            let places =
                [Below("          stat_prefix: api\n"), Below("                - { exact: x-forwarded-for }\n")];
            write(stage, "examples/envoy/http.yaml", ("yaml", "SANITIZE_SET"), &places);
            gateway("xfcc");
        }
        Proxy::Traefik => {
            let places = [Below("      aliasHeadersStrategy: delete\n")];
            write(stage, "examples/traefik/traefik.yaml", ("yaml", "entry point `web`"), &places);
            let places = [
                Above("http:\n"),
                Instead("      middlewares: [portcullis]\n"),
                Below("  middlewares:\n"),
                Instead("        trustForwardHeader: false\n"),
            ];
            write(stage, "examples/traefik/dynamic.yaml", ("yaml", "passTLSClientCert"), &places);
            gateway("X-Forwarded-Tls-Client-Cert");
        }
        Proxy::Caddy => {
            let places = [Instead("http://:8080 {\n"), Below("\troute {\n"), Below("\t\t\turi /auth\n")];
            write(stage, "examples/caddy/Caddyfile", ("caddyfile", "certificate_der_base64"), &places);
            gateway("\"X-Client-Cert\", format = \"base64_der\"");
        }
        Proxy::Haproxy => {
            let places = [
                Instead("    bind 127.0.0.1:8080\n"),
                Above("    # The URL of the question"),
                Above("    # The nonce for"),
            ];
            write(stage, "examples/haproxy/haproxy.cfg", ("haproxy", "ssl_c_der"), &places);
            gateway("\"X-Client-Cert\", format = \"base64_der\"");
        }
        // The module takes the certificate of the connection.
        Proxy::NginxModule => {
            let tls = docs::parts("nginx", "$ssl_client_escaped_cert").remove(0);
            let listen = "        listen 127.0.0.1:8080;\n";
            stage.edit("examples/nginx-module/nginx.conf", &stage.ports.in_place(listen), &in_place(stage, &tls));
        }
        Proxy::EnvoyBeforeTwo => panic!("this one is not secured"),
    }
}

async fn a_bound_token_passes_with_its_certificate_alone(proxy: Proxy) {
    let secured = Secured::with(proxy).await;
    let Secured { own, other, nobody, scene } = &secured;
    let (bound, plain) = (secured.bound(), scene.read().sign());
    let opaque = scene.authorization.issue_opaque(secured.bound_builder());
    for _ in 0..2 {
        for token in [&bound, &opaque] {
            let echo = secured.ask(own, token, &[]).await.echo();
            assert_eq!(echo.all("x-auth-subject"), ["alice"]);
            for stranger in [other, nobody] {
                let refused = secured.ask(stranger, token, &[]).await;
                assert_eq!(refused.status, 401, "{refused:?}");
                assert!(refused.challenge().contains("error=\"invalid_token\""), "{refused:?}");
            }
        }
        for client in [own, other, nobody] {
            assert_eq!(secured.ask(client, &plain, &[]).await.status, 200);
        }
    }
    secured.logged("wrong_certificate").await;
    secured.logged("sender_constrained_token").await;
    let log = scene.gateway.log();
    assert!(!log.contains("client_certificates") && !log.contains("malformed_client_certificate"), "{log}");
}

async fn no_field_of_the_clients_passes_for_a_certificate(proxy: Proxy) {
    let secured = Secured::with(proxy).await;
    let Secured { own, other, nobody, .. } = &secured;
    let bound = secured.bound();
    for (name, value) in own.fields() {
        let underscored = name.replace('-', "_");
        let lower = name.to_ascii_lowercase();
        let connection = format!("close, {name}");
        for fields in [
            vec![(name, value.as_str())],
            vec![(lower.as_str(), value.as_str())],
            vec![(underscored.as_str(), value.as_str())],
            vec![(name, value.as_str()), (name, value.as_str())],
            vec![(name, ""), (name, value.as_str())],
            vec![(name, value.as_str()), ("Connection", connection.as_str())],
        ] {
            for stranger in [other, nobody] {
                let refused = secured.ask(stranger, &bound, &fields).await;
                assert!((400..500).contains(&refused.status), "{fields:?}: {refused:?}");
            }
        }
    }
    // Nor does a description of another request count, where the proxy has to believe more of its fields.
    for (line, fields) in [
        ("GET /admin/users", [("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", "/health")]),
        ("POST /orders/1", [("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", "/orders/1")]),
        ("POST /orders/1", [("X-Original-Method", "GET"), ("X-Original-URI", "/orders/1")]),
    ] {
        let refused = secured.send(own, line, &bound, &fields).await;
        assert!((400..500).contains(&refused.status), "{line}: {refused:?}");
    }
    // The owner is not hindered by a field of another certificate, and the API does not get it in the proxy's name.
    // (With the module there is no such field.)
    for (name, value) in other.fields().iter().filter(|(name, _)| Some(*name) == field_of(proxy)) {
        let answer = secured.ask(own, &bound, &[(name, value)]).await;
        let arrived = answer.echo().all(&name.to_ascii_lowercase()).concat();
        assert!(!arrived.contains(value.as_str()), "{arrived}");
    }
}

/// Returns the field in which a proxy hands certificates on, if it does.
fn field_of(proxy: Proxy) -> Option<&'static str> {
    match proxy {
        Proxy::Nginx | Proxy::Caddy | Proxy::Haproxy => Some("X-Client-Cert"),
        Proxy::Traefik => Some("X-Forwarded-Tls-Client-Cert"),
        Proxy::NginxModule => None,
        _ => Some("X-Forwarded-Client-Cert"),
    }
}

async fn without_its_own_line_the_gateway_believes_no_field(proxy: Proxy) {
    // Envoy's own description of the connection needs no line, nor does the connection itself.
    if matches!(proxy, Proxy::EnvoyByGrpc | Proxy::NginxModule) {
        return;
    }
    let secured = Secured::on(proxy, false).await;
    assert_eq!(secured.ask(&secured.own, &secured.bound(), &[]).await.status, 401);
    secured.logged("sender_constrained_token").await;
}
