//! Tokens that are bound to a client certificate (RFC 8705), and each place of the client's certificate.

use envoy_types::pb::envoy::service::auth::v3::{CheckRequest, attribute_context::Peer};
use portcullis_testkit::{AuthorizationServer, CertificateAuthority, ClientIdentity, TokenBuilder};

use crate::{
    ext_authz::{self, Told, request},
    support::{Answer, Gateway, client, introspecting, issuer},
};

/// Returns a token that is bound to a client's certificate.
fn token(server: &AuthorizationServer, client: &ClientIdentity) -> TokenBuilder {
    server.token().scope("read").bound_to_certificate(client.thumbprint())
}

/// Returns the field of a client in a format, named as in the configuration.
fn written(client: &ClientIdentity, format: &str) -> String {
    match format {
        "rfc9440" => client.client_cert_field(),
        "escaped_pem" => client.escaped_pem(),
        "base64_der" => client.base64_der(),
        "xfcc" => client.xfcc(),
        other => panic!("{other}"),
    }
}

fn two() -> (ClientIdentity, ClientIdentity) {
    (ClientIdentity::self_signed("own"), ClientIdentity::self_signed("other"))
}

const ROUTES: &str = r#"
[[routes]]
path = "/open"
public = true

[[routes]]
path = "/shadow"
report_only = true

[[routes]]
path = "/*"
"#;

/// Starts a gateway with this field at `listen` and at `grpc`.
async fn gateway(server: &AuthorizationServer, listen: &str, grpc: &str) -> Gateway {
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::write(folder.path().join("secret"), "test-secret\n").unwrap();
    let plain = crate::support::text("", &format!("{}{ROUTES}", introspecting(server, "json", "")));
    let at = |field: &str| format!("{{ address = \"127.0.0.1:0\"{field} }}");
    let text = plain
        .replace("listen = \"127.0.0.1:0\"", &format!("listen = {}", at(listen)))
        .replace("grpc = \"127.0.0.1:0\"", &format!("grpc = {}", at(grpc)));
    std::fs::write(folder.path().join("portcullis.toml"), text).unwrap();
    let gateway = Gateway::start_in(folder).await;
    gateway.ready().await;
    gateway
}

fn field(name: &str, format: &str) -> String {
    format!(", client_certificate = {{ field = \"{name}\", format = \"{format}\" }}")
}

/// Asks about `GET` of a path as nginx does, with further fields.
async fn ask(gateway: &Gateway, path: &str, token: Option<&str>, fields: &[(&str, &str)]) -> Answer {
    let mut request =
        client().get(gateway.url("/auth")).header("X-Original-Method", "GET").header("X-Original-URI", path);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    Answer::of(request.send().await.unwrap()).await
}

#[tokio::test]
async fn a_proxys_field_tells_the_certificate_in_each_notation() {
    let server = AuthorizationServer::start().await;
    let (own, other) = two();
    let (bound, plain) = (token(&server, &own).sign(), server.token().sign());
    let opaque = server.issue_opaque(token(&server, &own));
    for format in ["rfc9440", "escaped_pem", "base64_der", "xfcc"] {
        let gateway = gateway(&server, &field("X-Client-Cert", format), "").await;
        let (good, wrong) = (written(&own, format), written(&other, format));
        let (good, wrong) = (("X-Client-Cert", good.as_str()), ("X-Client-Cert", wrong.as_str()));
        for (fields, code, status) in [
            (vec![good], "pass", 200),
            (vec![("x-client-cert", good.1)], "pass", 200),
            (vec![wrong], "wrong_certificate", 401),
            (vec![], "sender_constrained_token", 401),
            (vec![("X-Client-Cert", "")], "sender_constrained_token", 401),
            (vec![("X-Client-Certificate", good.1)], "sender_constrained_token", 401),
            (vec![good, good], "several_client_certificates", 403),
            (vec![good, wrong], "several_client_certificates", 403),
            (vec![("X-Client-Cert", ""), good], "several_client_certificates", 403),
            (vec![("X-Client-Cert", "certificate")], "malformed_client_certificate", 403),
            (vec![("X-Client-Cert", "{http.request.tls.client.certificate}")], "malformed_client_certificate", 403),
            (vec![("X_Client_Cert", good.1)], "forged_header", 403),
            (vec![good, ("X_Client_Cert", good.1)], "forged_header", 403),
            (vec![good, ("Connection", "close, X-Client-Cert")], "hop_by_hop_header", 403),
        ] {
            for token in [&bound, &opaque] {
                let answer = ask(&gateway, "/orders", Some(token), &fields).await;
                assert_eq!((answer.code().as_str(), answer.status), (code, status), "{format}: {fields:?}");
                assert!(!answer.body.contains(&own.thumbprint()), "{answer:?}");
            }
        }
        // A token that is not bound needs no certificate; a field that cannot be read is a mistake of the proxy's all the same.
        assert_eq!(ask(&gateway, "/orders", Some(&plain), &[wrong]).await.code(), "pass", "{format}");
        let malformed = [("X-Client-Cert", "certificate")];
        assert_eq!(ask(&gateway, "/orders", Some(&plain), &malformed).await.code(), "malformed_client_certificate");
        assert_eq!(ask(&gateway, "/open", None, &malformed).await.code(), "pass");
        assert_eq!(ask(&gateway, "/shadow", Some(&bound), &malformed).await.code(), "pass");
        gateway.logged(|line| line["route"] == "/shadow" && line["code"] == "malformed_client_certificate").await;
    }
}

#[tokio::test]
async fn no_field_has_an_effect_unless_it_is_configured() {
    let server = AuthorizationServer::start().await;
    let (own, _) = two();
    let bound = token(&server, &own).sign();
    let gateway = gateway(&server, "", "").await;
    let mut envoy = ext_authz::connect(&gateway).await;
    let bearer = format!("Bearer {bound}");
    for (name, format) in [
        ("Client-Cert", "rfc9440"),
        ("X-Client-Cert", "escaped_pem"),
        ("X-Forwarded-Tls-Client-Cert", "base64_der"),
        ("X-Forwarded-Client-Cert", "xfcc"),
    ] {
        let value = written(&own, format);
        let answer = ask(&gateway, "/orders", Some(&bound), &[(name, &value)]).await;
        assert_eq!(answer.code(), "sender_constrained_token", "{name}");
        let fields = [("authorization", bearer.as_str()), (&*name.to_ascii_lowercase(), &value)];
        let told = ext_authz::ask(&mut envoy, request("GET", "/orders", &fields)).await;
        assert_eq!(told, Told::Refused { status: 401, code: "sender_constrained_token".to_owned() }, "{name}");
    }
}

fn with_source(mut check: CheckRequest, certificate: &str) -> CheckRequest {
    let source = Peer { certificate: certificate.to_owned(), ..Peer::default() };
    check.attributes.as_mut().unwrap().source = Some(source);
    check
}

#[tokio::test]
async fn envoy_tells_the_certificate_of_the_clients_connection() {
    let server = AuthorizationServer::start().await;
    let (own, other) = two();
    let bearer = format!("Bearer {}", token(&server, &own).sign());
    let opaque = format!("Bearer {}", server.issue_opaque(token(&server, &own)));
    let plain = gateway(&server, "", "").await;
    // Behind another Envoy: its field alone counts, and the connection is that of the other Envoy.
    let behind = gateway(&server, "", &field("X-Forwarded-Client-Cert", "xfcc")).await;
    let refused = |status, code: &str| Told::Refused { status, code: code.to_owned() };
    let (missing, wrong) = (refused(401, "sender_constrained_token"), refused(401, "wrong_certificate"));
    let malformed = refused(403, "malformed_client_certificate");
    let (hash, forged) = (own.xfcc(), other.xfcc());
    let joined = format!("{hash},{forged}");
    for (gateway, source, field, expected) in [
        (&plain, own.envoy_pem(), None, None),
        (&plain, own.envoy_pem(), Some(&forged), None),
        (&plain, other.envoy_pem(), Some(&hash), Some(&wrong)),
        (&plain, String::new(), Some(&hash), Some(&missing)),
        (&plain, own.pem(), None, Some(&malformed)),
        (&plain, "certificate".to_owned(), None, Some(&malformed)),
        (&behind, other.envoy_pem(), Some(&hash), None),
        (&behind, own.envoy_pem(), Some(&forged), Some(&wrong)),
        (&behind, own.envoy_pem(), None, Some(&missing)),
        (&behind, own.envoy_pem(), Some(&joined), Some(&malformed)),
    ] {
        let mut envoy = ext_authz::connect(gateway).await;
        for bearer in [&bearer, &opaque] {
            let mut fields = vec![("authorization", bearer.as_str())];
            fields.extend(field.map(|field| ("x-forwarded-client-cert", field.as_str())));
            let told = ext_authz::ask(&mut envoy, with_source(request("GET", "/orders", &fields), &source)).await;
            match expected {
                None => assert!(matches!(told, Told::Pass { .. }), "{told:?}: {field:?}"),
                Some(expected) => assert_eq!(told, *expected, "{source}: {field:?}"),
            }
        }
    }
}

#[tokio::test]
async fn the_upstream_gets_the_field_in_the_proxys_spelling_alone() {
    let server = AuthorizationServer::start().await;
    let gateway = gateway(&server, "", &field("X-Forwarded-Client-Cert", "xfcc")).await;
    let mut envoy = ext_authz::connect(&gateway).await;
    let (bearer, hash) = (format!("Bearer {}", server.token().sign()), two().0.xfcc());
    let fields = [
        ("authorization", bearer.as_str()),
        ("x-forwarded-client-cert", &hash),
        ("x_forwarded_client_cert", &hash),
        ("x.forwarded.client.cert", &hash),
    ];
    let Told::Pass { removed, .. } = ext_authz::ask(&mut envoy, request("GET", "/orders", &fields)).await else {
        panic!("refused")
    };
    assert_eq!(removed, ["x.forwarded.client.cert", "x_forwarded_client_cert"]);
}

/// The certificate of a connection is the client's if the client itself asks; otherwise it is the proxy's.
#[tokio::test]
async fn a_client_that_asks_for_itself_shows_its_certificate_in_the_handshake() {
    let server = AuthorizationServer::start().await;
    let authority = crate::tls::Authority::new();
    let clients = CertificateAuthority::new();
    let (own, other) = (clients.client("own"), clients.client("other"));
    let folder = tempfile::TempDir::new().unwrap();
    crate::tls::write(folder.path(), authority.issue());
    std::fs::write(folder.path().join("ca.pem"), clients.pem()).unwrap();
    let tls = "{ address = \"127.0.0.1:0\", tls = { certificate = \"cert.pem\", key = \"key.pem\", client_ca = \"ca.pem\" } }";
    let text = crate::support::text("", &format!("{}{ROUTES}", issuer(&server, "")));
    let text = text.replace("listen = \"127.0.0.1:0\"", &format!("listen = {tls}"));
    std::fs::write(folder.path().join("portcullis.toml"), text).unwrap();
    let gateway = Gateway::start_in(folder).await;

    let bound = token(&server, &own).sign();
    let url = |path: &str| format!("https://{}{path}", gateway.forward_auth);
    for (identity, path, described, expected) in [
        (&own, "/orders", false, "pass"),
        (&other, "/orders", false, "wrong_certificate"),
        (&own, "/auth", true, "sender_constrained_token"),
        (&own, "/auth/orders", false, "sender_constrained_token"),
    ] {
        let client = crate::tls::client(&authority, Some((identity.pem(), identity.key_pem())));
        let mut request = client.get(url(path)).bearer_auth(&bound);
        if described {
            request = request.header("X-Original-Method", "GET").header("X-Original-URI", "/orders");
        }
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert_eq!(answer.code(), expected, "{path}");
    }
}
