//! Key sets and metadata in the forms of real servers.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use portcullis::{
    CheckKind, HttpClient, HttpRequest, JwksBuilder, JwksService, KeyOddity, KeyWarning, Notation, PeerAddress,
    Verifier,
};
use portcullis_testkit::{Algorithm, AuthorizationServer, CertificateAuthority, Endpoint, Fault, SigningKey};
use serde_json::{Value, json};

use crate::support::Setup;

const USER_AGENT: &str = concat!("portcullis/", env!("CARGO_PKG_VERSION"));

fn body(content_type: &str, body: impl Into<String>) -> Fault {
    Fault::Body { content_type: content_type.into(), body: body.into() }
}

/// The key of a server, changed.
fn changed(server: &AuthorizationServer, change: impl FnOnce(&mut Value)) -> Value {
    let mut jwk = server.signing_key().public_jwk();
    change(&mut jwk);
    json!({ "keys": [jwk] })
}

async fn code(verifier: &Verifier, token: &str) -> &'static str {
    verifier.verify(token).await.map_or_else(|refusal| refusal.code(), |_| "passes")
}

#[tokio::test]
async fn a_set_as_dotnet_writes_it_is_used() {
    let setup = Setup::new().await;
    let set = changed(&setup.server, |jwk| {
        for name in ["key_ops", "oth", "x5c"] {
            jwk[name] = json!([]);
        }
        for name in ["d", "dp", "dq", "p", "q", "qi", "k", "x", "y", "crv", "x5t", "x5u"] {
            jwk[name] = Value::Null;
        }
    });
    setup.server.set_jwks(Some(set));
    assert_eq!(code(&setup.jwks.clone().into(), &setup.server.token().sign()).await, "passes");
    assert_eq!(setup.jwks.status().warnings, []);
}

#[tokio::test]
async fn odd_numbers_are_read_and_told() {
    use base64::{Engine, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD};
    let standard = |jwk: &mut Value, name: &str| {
        let octets = URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
        jwk[name] = STANDARD.encode(octets).into();
    };
    type Change<'a> = &'a dyn Fn(&mut Value);
    let table: [(Algorithm, Change<'_>, KeyOddity); 2] = [
        (Algorithm::RS256, &|jwk| standard(jwk, "n"), KeyOddity::Encoding { name: "n" }),
        (
            Algorithm::ES512,
            &|jwk| {
                let octets = URL_SAFE_NO_PAD.decode(jwk["x"].as_str().unwrap()).unwrap();
                jwk["x"] = URL_SAFE_NO_PAD.encode([&[0], octets.as_slice()].concat()).into();
            },
            KeyOddity::Length { name: "x" },
        ),
    ];
    for (algorithm, change, oddity) in table {
        let setup = Setup::with(|server| server.algorithm(algorithm), |jwks| jwks).await;
        setup.server.set_jwks(Some(changed(&setup.server, change)));
        assert_eq!(code(&setup.jwks.clone().into(), &setup.server.token().sign()).await, "passes", "{algorithm:?}");
        let kid = Some(setup.server.signing_key().kid().to_owned());
        assert_eq!(setup.jwks.status().warnings, [KeyWarning { kid, oddity }]);
        let explained =
            Verifier::from(setup.jwks.clone()).explain(&setup.server.token().sign(), setup.clock.now()).await;
        let found = explained.checks.iter().find(|check| check.kind == CheckKind::KeyFound).unwrap();
        let told = found.actual.as_ref().unwrap().text.clone();
        assert!(told.contains("oddly written") && told.contains(&oddity.to_string()), "{told}");
    }
}

#[tokio::test]
async fn the_tenth_of_ten_keys_signs_a_token_without_kid() {
    let setup = Setup::with(|server| server.algorithm(Algorithm::ES256), |jwks| jwks).await;
    for _ in 0..9 {
        setup.server.rotate();
    }
    let token = setup.server.token().without_header("kid").sign();
    assert_eq!(code(&setup.jwks.clone().into(), &token).await, "passes");
    let few = Verifier::builder(setup.jwks.clone()).max_key_attempts(5).build().unwrap();
    let keys: Vec<_> = setup.server.keys().iter().map(SigningKey::public_jwk).collect();
    assert_eq!(keys.len(), 10);
    let refusal = few.verify(&token).await.unwrap_err();
    assert_eq!(refusal.code(), "too_many_keys");
    assert!(refusal.to_string().contains("`max_key_attempts`") && refusal.to_string().contains("5 keys"), "{refusal}");
    let explained = few.explain(&token, setup.clock.now()).await;
    assert!(explained.first_failure().unwrap().hint.as_ref().unwrap().contains("10 keys fit"));
    // A token that names its key costs one signature, for any number of keys.
    let one = Verifier::builder(setup.jwks.clone()).max_key_attempts(1).build().unwrap();
    assert_eq!(code(&one, &setup.server.token().sign()).await, "passes");
}

#[tokio::test]
async fn a_key_that_was_skipped_is_named_with_the_reason() {
    let table: [(Value, &str); 4] = [
        (json!({ "use": "enc" }), "not for verifying"),
        (json!({ "alg": "RSA-OAEP" }), "`alg`"),
        (json!({ "d": "AQAB" }), "published"),
        (json!({ "use": "jwt-svid" }), "key_uses"),
    ];
    for (members, reason) in table {
        let setup = Setup::new().await;
        let change = |jwk: &mut Value| jwk.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let mut set = changed(&setup.server, change);
        set["keys"].as_array_mut().unwrap().push(SigningKey::generate(Algorithm::ES256, "other").public_jwk());
        setup.server.set_jwks(Some(set));
        let verifier = Verifier::from(setup.jwks.clone());
        let token = setup.server.token().sign();
        let refusal = verifier.verify(&token).await.unwrap_err();
        assert_eq!(refusal.code(), "unusable_key");
        assert!(refusal.to_string().contains(reason), "{refusal}");
        assert!(!refusal.description().contains(reason), "a client learns nothing about the set");
        let explained = verifier.explain(&token, setup.clock.now()).await;
        let hint = explained.first_failure().unwrap().hint.clone().unwrap();
        assert!(hint.contains(reason) && !hint.contains("forged"), "{hint}");
        assert_eq!(setup.server.requests(Endpoint::Jwks), 1, "no fetch would change that");
    }
}

#[tokio::test]
async fn a_key_that_was_skipped_without_its_id_is_told_too() {
    let setup = Setup::new().await;
    let mut set = changed(&setup.server, |jwk| jwk["kid"] = json!(7));
    set["keys"].as_array_mut().unwrap().push(SigningKey::generate(Algorithm::ES256, "other").public_jwk());
    setup.server.set_jwks(Some(set));
    let verifier = Verifier::from(setup.jwks.clone());
    let explained = verifier.explain(&setup.server.token().sign(), setup.clock.now()).await;
    let hint = explained.first_failure().unwrap().hint.clone().unwrap();
    assert!(hint.contains("`kid`") && hint.contains("a string") && !hint.contains("forged"), "{hint}");
}

#[tokio::test]
async fn what_is_no_key_set_is_named() {
    let jwt = AuthorizationServer::start().await.token().sign();
    let table: Vec<(Fault, &str)> = vec![
        (body("application/json", ""), "an empty text"),
        (body("text/html", "\n<!DOCTYPE html><html><body>Sign in</body></html>"), "a page of HTML"),
        (body("text/xml", "<?xml version=\"1.0\"?><EntitiesDescriptor/>"), "XML"),
        (body("application/json", r#"{"k1":"-----BEGIN CERTIFICATE-----\nMIID\n"}"#), "by key id"),
        (body("application/json", "{\0\"\0k\0e\0y\0s\0"), "UTF-16"),
        (body("application/json", r#"{"error":"invalid_request"}"#), "an error message"),
        (
            body("application/json", r#"{"issuer":"https://as.example","jwks_uri":"https://as.example/jwks"}"#),
            "`jwks_uri`",
        ),
        (body("application/json", r#"{"keys":{"kty":"RSA"}}"#), "`keys` is not an array"),
        (body("application/json", r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#), "one JWK alone"),
        (body("application/json", r#"{"keys":[{"kty":"RSA","#), "breaks off"),
        (body("application/jwt", jwt), "a signed token"),
        (
            body("application/x-pem-file", "-----BEGIN CERTIFICATE-----\nMIID\n-----END CERTIFICATE-----"),
            "a certificate",
        ),
        (body("text/plain", "Not found."), "not JSON"),
    ];
    for (fault, named) in table {
        let setup = Setup::new().await;
        setup.server.fault(Endpoint::Jwks, fault.clone());
        let refusal = Verifier::from(setup.jwks.clone()).verify(&setup.server.token().sign()).await.unwrap_err();
        assert_eq!(refusal.code(), "keys_unavailable");
        let error = setup.jwks.status().last_error.unwrap();
        assert!(error.contains(named), "{fault:?}: {error}");
        assert!(!refusal.to_string().contains(named), "{refusal}");
    }
}

/// URLs and their answers.
type Answers = Vec<(String, http::Response<Bytes>)>;

/// The requests: the URL, the fields, and true if the request may reach this machine.
type Asked = Vec<(String, http::HeaderMap, bool)>;

/// Answers from memory, and records the requests.
#[derive(Clone, Default)]
struct Canned {
    answers: Arc<Mutex<Answers>>,
    asked: Arc<Mutex<Asked>>,
}

impl Canned {
    fn at(self, url: &str, answer: http::Response<Bytes>) -> Self {
        self.answers.lock().unwrap().push((url.to_owned(), answer));
        self
    }

    fn urls(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|(url, ..)| url.clone()).collect()
    }
}

fn answer(body: impl Into<Bytes>) -> http::Response<Bytes> {
    http::Response::new(body.into())
}

/// The metadata of a server at this address.
fn metadata(issuer: &str, jwks_uri: &str, peer: &str) -> http::Response<Bytes> {
    let mut answer = answer(json!({ "issuer": issuer, "jwks_uri": jwks_uri }).to_string());
    answer.extensions_mut().insert(PeerAddress(peer.parse().unwrap()));
    answer
}

impl HttpClient for Canned {
    async fn send(
        &self,
        request: HttpRequest,
    ) -> Result<http::Response<Bytes>, Box<dyn std::error::Error + Send + Sync>> {
        let url = request.request.uri().to_string();
        let inner = request.may_connect_to(IpAddr::from([127, 0, 0, 1]));
        self.asked.lock().unwrap().push((url.clone(), request.request.headers().clone(), inner));
        let answers = self.answers.lock().unwrap();
        let (_, answer) = answers.iter().find(|(known, _)| *known == url).ok_or("nobody is there")?;
        let mut copy = http::Response::new(answer.body().clone());
        *copy.status_mut() = answer.status();
        *copy.headers_mut() = answer.headers().clone();
        *copy.extensions_mut() = answer.extensions().clone();
        Ok(copy)
    }
}

#[tokio::test]
async fn a_compressed_body_is_named() {
    let url = "https://as.example.com/jwks";
    let gzip = answer(&b"\x1f\x8b\x08\x00\x00"[..]);
    let mut brotli = answer(&b"\x0b\x02\x80{}"[..]);
    brotli.headers_mut().insert("content-encoding", http::HeaderValue::from_static("br"));
    for compressed in [gzip, brotli] {
        let jwks = JwksService::builder(url).http_client(Canned::default().at(url, compressed)).build().unwrap();
        let error = jwks.prefetch().await.unwrap_err().to_string();
        assert!(error.contains("compressed"), "{error}");
    }
    assert_eq!("<html>".parse::<portcullis::JwkSet>().unwrap_err().came, Notation::Html);
}

#[tokio::test]
async fn discovery_goes_on_until_metadata_come() {
    let faults = [
        body("text/html", "<!DOCTYPE html><html>single-page application</html>"),
        body("application/json", "{}"),
        body("application/json", r#"{"issuer":"https://other.example","jwks_uri":"https://other.example/jwks"}"#),
        Fault::Status(401),
        Fault::Status(404),
        Fault::Status(500),
        Fault::NotJson,
        Fault::CutOff,
        Fault::Refuse,
        Fault::Redirect("https://as.example.com/login".into()),
    ];
    for fault in faults {
        let server = AuthorizationServer::start().await;
        server.fault(Endpoint::OpenIdConfiguration, fault.clone());
        let jwks = JwksService::discover(server.issuer()).build().unwrap();
        assert_eq!(jwks.prefetch().await.map_err(|error| error.to_string()), Ok(()), "{fault:?}");
        assert_eq!(server.requests(Endpoint::OAuthMetadata), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn discovery_waits_for_no_address_that_never_answers() {
    let server = AuthorizationServer::start().await;
    let discover = || JwksService::discover(server.issuer()).timeout(Duration::from_millis(800)).build().unwrap();
    server.fault(Endpoint::OpenIdConfiguration, Fault::Hang);
    discover().prefetch().await.unwrap();
    // If both are slow, the first answer counts.
    server.heal_all();
    let slow = Duration::from_millis(500);
    server.fault(Endpoint::OpenIdConfiguration, Fault::Delay(slow));
    server.fault(Endpoint::OAuthMetadata, Fault::Status(404));
    discover().prefetch().await.unwrap();
    server.fault(Endpoint::OAuthMetadata, Fault::Hang);
    discover().prefetch().await.unwrap();
}

#[tokio::test]
async fn metadata_with_a_byte_order_mark_are_read() {
    let server = AuthorizationServer::start().await;
    let text = format!("\u{feff}{}", json!({ "issuer": server.issuer(), "jwks_uri": server.jwks_uri() }));
    server.fault(Endpoint::OpenIdConfiguration, body("application/json", text));
    JwksService::discover(server.issuer()).build().unwrap().prefetch().await.unwrap();
    assert_eq!(server.requests(Endpoint::OAuthMetadata), 0);
}

#[tokio::test]
async fn the_issuer_of_other_metadata_is_named() {
    let server = AuthorizationServer::start().await;
    let with_slash = JwksService::discover(&format!("{}/", server.issuer())).build().unwrap();
    let error = with_slash.prefetch().await.unwrap_err().to_string();
    assert!(error.contains(&format!("got {:?}", server.issuer())), "{error}");
    assert!(error.contains("without the slash at its end"), "{error}");

    let lie = format!("https://else.example/\u{1b}[31m{}", "x".repeat(10_000));
    let server = AuthorizationServer::builder().metadata_issuer(lie).start().await.unwrap();
    let error = JwksService::discover(server.issuer()).build().unwrap().prefetch().await.unwrap_err().to_string();
    assert!(error.contains("else.example") && !error.contains('\u{1b}') && error.len() < 1_500, "{error}");

    let slashed = format!("{}/", server.issuer());
    let server = AuthorizationServer::builder().metadata_issuer("https://as.example/").start().await.unwrap();
    drop(slashed);
    let error = JwksService::discover(server.issuer()).build().unwrap().prefetch().await.unwrap_err().to_string();
    assert!(error.contains("https://as.example/"), "{error}");
}

#[tokio::test]
async fn every_request_says_who_asks() {
    let server = AuthorizationServer::start().await;
    JwksService::discover(server.issuer()).build().unwrap().prefetch().await.unwrap();
    for endpoint in [Endpoint::OpenIdConfiguration, Endpoint::Jwks] {
        let fields = server.last_request_headers(endpoint).unwrap();
        assert_eq!(fields.get_all("user-agent").iter().collect::<Vec<_>>(), [USER_AGENT], "{endpoint:?}");
    }
    // A user's own client gets the reach with the request.
    let canned = Canned::default();
    let jwks = JwksService::builder("https://as.example.com/jwks").http_client(canned.clone()).build().unwrap();
    jwks.prefetch().await.unwrap_err();
    assert_eq!(canned.asked.lock().unwrap()[0].1["user-agent"], USER_AGENT);
}

/// The URLs that a builder's service asks, in order.
async fn asked(
    issuer: &str,
    jwks_uri: &str,
    peer: &str,
    configure: impl FnOnce(JwksBuilder) -> JwksBuilder,
) -> (Vec<String>, Option<bool>, String) {
    let canned = Canned::default().at(
        &format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/')),
        metadata(issuer, jwks_uri, peer),
    );
    let jwks = configure(JwksService::discover(issuer).http_client(canned.clone())).build().unwrap();
    let error = jwks.prefetch().await.unwrap_err().to_string();
    let reaches_this_machine = canned.asked.lock().unwrap().get(1).map(|(_, _, inner)| *inner);
    (canned.urls(), reaches_this_machine, error)
}

#[tokio::test]
async fn an_issuer_outside_sends_nobody_farther_in() {
    let issuer = "https://as.example.com";
    let targets = [
        "http://127.0.0.1:8500/v1/agent",
        "https://127.0.0.1/jwks",
        "https://localhost/jwks",
        "https://LOCALHOST./jwks",
        "https://0/jwks",
        "https://[::1]/jwks",
        "https://[::ffff:127.0.0.1]/jwks",
        "https://[64:ff9b::7f00:1]/jwks",
        "https://[2002:7f00:1::]/jwks",
        "https://169.254.169.254/latest/meta-data/",
        "https://2852039166/latest/meta-data/",
        "https://[fd00:ec2::254]/latest",
        "https://[fe80::1]/jwks",
        "https://10.0.0.5/jwks",
        "https://192.168.0.1/jwks",
        "https://172.20.0.1/jwks",
        "https://100.64.0.9/jwks",
        "https://[fd12::1]/jwks",
        "https://224.0.0.1/jwks",
        "http://as.example.com/jwks",
        "http://keys.example.com/jwks",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
    ];
    for target in targets {
        let (urls, _, error) = asked(issuer, target, "203.0.113.7", |jwks| jwks).await;
        assert_eq!(urls.len(), 1, "{target} was asked");
        assert!(error.contains("jwks_uri"), "{target}: {error}");
    }
    // Even if plain http is allowed.
    for target in ["http://127.0.0.1/jwks", "http://169.254.169.254/jwks", "https://10.0.0.1/jwks"] {
        let (urls, ..) = asked(issuer, target, "203.0.113.7", JwksBuilder::dangerously_allow_http).await;
        assert_eq!(urls.len(), 1, "{target} was asked");
    }
    // A name is requested, and the client must not connect to this machine.
    let (urls, inner, _) = asked(issuer, "https://keys.example.com/jwks", "203.0.113.7", |jwks| jwks).await;
    assert_eq!((urls.last().unwrap().as_str(), inner), ("https://keys.example.com/jwks", Some(false)));
}

#[tokio::test]
async fn an_issuer_of_a_private_network_has_its_keys_there() {
    let table = [
        ("https://as.internal", "https://10.0.0.5/jwks", "10.0.0.4", true),
        ("https://as.internal", "https://[fd12::1]/jwks", "10.0.0.4", true),
        ("https://as.internal", "https://127.0.0.1/jwks", "10.0.0.4", false),
        ("https://as.internal", "https://169.254.169.254/jwks", "10.0.0.4", false),
        ("https://10.0.0.4", "https://10.0.0.5/jwks", "10.0.0.4", true),
        ("https://as.internal", "https://keys.example.com/jwks", "10.0.0.4", true),
        ("http://127.0.0.1:9/as", "http://127.0.0.1:10/jwks", "127.0.0.1", true),
        ("http://localhost:9", "http://127.0.0.1:10/jwks", "127.0.0.1", true),
        ("http://localhost:9", "https://169.254.169.254/jwks", "127.0.0.1", false),
        // An https issuer may not choose http, not even on this machine.
        ("https://localhost:9", "https://127.0.0.1:10/jwks", "127.0.0.1", true),
        ("https://localhost:9", "http://127.0.0.1:10/jwks", "127.0.0.1", false),
        // A literal address of the issuer counts, not the client's word about the connection.
        ("https://203.0.113.7", "https://127.0.0.1/jwks", "127.0.0.1", false),
    ];
    for (issuer, target, peer, allowed) in table {
        let (urls, ..) = asked(issuer, target, peer, |jwks| jwks).await;
        assert_eq!(urls.get(1).map(String::as_str), allowed.then_some(target), "{issuer} to {target}");
    }
}

/// An issuer may move its keys to a server with the same ETags.
#[tokio::test]
async fn a_tag_of_one_url_is_not_shown_at_another() {
    let setup = Setup::new().await;
    let (issuer, old, new) = ("https://as.example.com", "https://as.example.com/1", "https://as.example.com/2");
    let tagged = |status: u16, body: String| {
        let answer = http::Response::builder().status(status).header("etag", "\"1\"");
        answer.body(Bytes::from(body)).unwrap()
    };
    let key = setup.server.signing_key();
    let set = |key: &SigningKey| json!({ "keys": [key.public_jwk()] }).to_string();
    let server = Canned::default()
        .at(&format!("{issuer}/.well-known/openid-configuration"), metadata(issuer, old, "203.0.113.1"))
        .at(old, tagged(200, set(&key)));
    let builder = JwksService::discover(issuer).http_client(server.clone());
    let jwks = crate::support::by(&setup.clock, builder).build().unwrap();
    jwks.prefetch().await.unwrap();
    let fresh = SigningKey::generate(Algorithm::RS256, "fresh");
    *server.answers.lock().unwrap() = Vec::new();
    let server = server
        .at(&format!("{issuer}/.well-known/openid-configuration"), metadata(issuer, new, "203.0.113.1"))
        .at(new, tagged(200, set(&fresh)));
    setup.clock.advance(Duration::from_secs(25 * 60 * 60));
    jwks.refresh().await.unwrap();
    let asked = server.asked.lock().unwrap();
    let (url, fields, _) = asked.last().unwrap();
    assert_eq!((url.as_str(), fields.get("if-none-match")), (new, None));
    assert_eq!(jwks.status().keys, [Some("fresh".to_owned())]);
}

#[tokio::test]
async fn a_configured_url_is_the_operators_word() {
    let canned = Canned::default();
    let jwks = JwksService::builder("https://169.254.169.254/jwks").http_client(canned.clone()).build().unwrap();
    jwks.prefetch().await.unwrap_err();
    assert!(canned.asked.lock().unwrap()[0].2, "no bound");
}

#[tokio::test]
async fn credentials_are_shown_to_the_configured_server_alone_and_read_anew() {
    let server = AuthorizationServer::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "first\n").unwrap();
    let jwks = JwksService::builder(&server.jwks_uri()).bearer_token_file(&file).header_field("X-Api-Key", "k1");
    let jwks = jwks.header_field("user-agent", "curl/8").build().unwrap();
    let seen = |name: &str| server.last_request_headers(Endpoint::Jwks).unwrap()[name].to_str().unwrap().to_owned();
    jwks.prefetch().await.unwrap();
    assert_eq!((seen("authorization"), seen("x-api-key")), ("Bearer first".into(), "k1".into()));
    assert_eq!(seen("user-agent"), "curl/8");
    std::fs::write(&file, "second").unwrap();
    jwks.refresh().await.unwrap();
    assert_eq!(seen("authorization"), "Bearer second");
    for broken in ["", "two\nlines\n"] {
        std::fs::write(&file, broken).unwrap();
        let error = jwks.refresh().await.unwrap_err().to_string();
        assert!(error.contains("bearer token") && !error.contains("two"), "{error}");
    }
    std::fs::remove_file(&file).unwrap();
    let error = jwks.refresh().await.unwrap_err().to_string();
    assert!(error.contains("token"), "{error}");

    // Keys at another origin are fetched without them.
    std::fs::write(&file, "third").unwrap();
    let issuer = "https://as.example.com";
    for (target, shown) in [("https://as.example.com/jwks", true), ("https://keys.example.com/jwks", false)] {
        let document = metadata(issuer, target, "203.0.113.7");
        let canned = Canned::default().at("https://as.example.com/.well-known/openid-configuration", document);
        let jwks = JwksService::discover(issuer).http_client(canned.clone()).bearer_token_file(&file);
        jwks.header_field("x-api-key", "k1").build().unwrap().prefetch().await.unwrap_err();
        let asked = canned.asked.lock().unwrap();
        let shows = |name: &str| asked.iter().map(|(_, fields, _)| fields.contains_key(name)).collect::<Vec<_>>();
        assert_eq!((shows("authorization"), shows("x-api-key")), (vec![true, shown], vec![true, shown]), "{target}");
    }
}

#[tokio::test]
async fn a_private_authority_is_trusted_by_its_file() {
    let authority = CertificateAuthority::new();
    let server = AuthorizationServer::builder().tls(authority.clone()).start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, authority.pem()).unwrap();
    JwksService::discover(server.issuer()).ca_file(&file).build().unwrap().prefetch().await.unwrap();
    let nobodys = JwksService::discover(server.issuer()).build().unwrap();
    assert!(nobodys.prefetch().await.unwrap_err().to_string().contains("certificate"));
    let builder = || JwksService::builder("https://as.example.com/jwks");
    let missing = builder().ca_file(folder.path().join("none.pem")).build().unwrap_err();
    assert!(missing.to_string().contains("none.pem"), "{missing}");
    let key = server.signing_key().public_pem();
    for pem in ["", "ca.pem", &key] {
        let error = builder().ca_pem(pem).build().expect_err("nobody would be trusted by it");
        assert!(error.to_string().contains("CERTIFICATE"), "{pem}: {error}");
    }
    let both = builder().ca_file(&file).http_client(Canned::default()).build().unwrap_err();
    assert!(both.to_string().contains("`ca_file`"), "{both}");
}

#[tokio::test]
async fn an_endpoint_that_takes_its_time_is_waited_for_as_configured() {
    let delay = Duration::from_millis(300);
    let server = AuthorizationServer::start().await;
    server.fault(Endpoint::Jwks, Fault::Delay(delay));
    let waiting = |timeout| JwksService::builder(&server.jwks_uri()).timeout(timeout).build().unwrap();
    assert!(waiting(delay / 10).prefetch().await.unwrap_err().to_string().contains("within 0.03 s"));
    waiting(delay * 20).prefetch().await.unwrap();
}

/// Metadata and keys together exceed the timeout, but the keys alone do not.
#[tokio::test]
async fn a_server_that_is_slow_twice_is_had_at_the_second_attempt() {
    let server = AuthorizationServer::start().await;
    let slow = || Fault::Delay(Duration::from_millis(600));
    server.fault(Endpoint::OpenIdConfiguration, slow());
    server.fault(Endpoint::OAuthMetadata, slow());
    server.fault(Endpoint::Jwks, slow());
    let jwks = JwksService::discover(server.issuer()).timeout(Duration::from_secs(1)).build().unwrap();
    jwks.refresh().await.unwrap_err();
    jwks.refresh().await.unwrap();
}

#[tokio::test]
async fn each_limit_of_a_set_is_named_with_its_option() {
    let setup = Setup::new().await;
    let build = |configure: &dyn Fn(JwksBuilder) -> JwksBuilder| {
        configure(JwksService::builder(&setup.server.jwks_uri())).build().unwrap()
    };
    setup.server.publish_jwk(json!({ "kty": "quantum" }));
    type Configure<'a> = &'a dyn Fn(JwksBuilder) -> JwksBuilder;
    let table: [(Configure<'_>, &str); 2] = [
        (&|jwks| jwks.max_keys(1), "expected at most 1 keys, got 2: if the key set is right, raise `max_keys`"),
        (
            &|jwks| jwks.max_document_bytes(100),
            "expected at most 100 bytes, got more: if the document is right, raise `max_document_bytes`",
        ),
    ];
    for (configure, expected) in table {
        let error = build(configure).prefetch().await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    build(&|jwks| jwks.max_keys(2).max_document_bytes(10_000)).prefetch().await.unwrap();
    let many: Vec<_> = (0..1001).map(|_| json!({})).collect();
    setup.server.set_jwks(Some(json!({ "keys": many })));
    let error = build(&|jwks| jwks).prefetch().await.unwrap_err().to_string();
    assert!(error.contains("expected at most 1000 keys, got 1001"), "{error}");
    let small = json!({ "keys": [{ "kty": "RSA", "n": "gQAB", "e": "AQAB" }] });
    let error = JwksService::from_json(&small.to_string()).unwrap_err().to_string();
    assert!(error.contains("2048 to 8192 bits"), "{error}");
}
