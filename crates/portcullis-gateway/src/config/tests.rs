#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::fs;

use miette::{Diagnostic, NarratableReportHandler};
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

mod dpop;
mod exchange;
mod headers;
mod issuers;
mod resources;
mod routes;
mod rules;

/// The example of the README, including the keys that it leaves to comments.
const EXAMPLE: &str = r#"
listen = "127.0.0.1:9080"          # forward-auth HTTP
grpc = "127.0.0.1:9090"
admin = "127.0.0.1:9081"
invalid_token_status = 401         # or 403

[[issuers]]
issuer = "https://as.example.com"
jwks_uri = "https://as.example.com/jwks"
audience = ["https://api.example.com"]
algorithms = ["RS256", "ES256"]
leeway = "5s"
rfc9068 = true
introspection = { endpoint = "https://as.example.com/introspect", client_id = "gateway", client_secret_file = "secret", mode = "phantom" }

[[routes]]
path = "/orders/*"
methods = ["GET"]
scope = ["read"]
claims = [{ name = "role", value = "admin" }, { name = "/realm_access/roles", value = "ops" }, { name = "sub" }]
realm = "orders"

[[routes]]
path = "/health"
public = true

[[headers]]
name = "X-Auth-Subject"
claim = "sub"
"#;

const ISSUER: &str = "[[issuers]]\nissuer = \"https://as.example.com\"\n";

/// A secret and a public key.
const KEYS: &str = r#"{"keys":[{"kty":"oct","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldCE"},
    {"kty":"OKP","crv":"Ed25519","kid":"k","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

/// A public key of RFC 7517 appendix A.1.
const EC: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
    "y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}"#;

/// A SPIFFE bundle.
const BUNDLE: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","use":"jwt-svid","kid":"k",
    "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

/// Makes a folder with secrets, keys and certificates, good and bad ones.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (pair.cert.pem(), pair.signing_key.serialize_pem());
    let long = "a secret that is long enough to seal with\n";
    for (name, text) in [
        ("secret", "hush\n"),
        ("windows", "hush\r\n"),
        ("two-lines", "hush\n\n"),
        ("long", long),
        ("empty", "\n"),
        ("keys.json", KEYS),
        ("bad.json", "hush {"),
        ("cert.pem", certificate.as_str()),
        ("oct.json", r#"{"kty":"oct","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldCE"}"#),
        ("ec.json", EC),
        ("public.b64", "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="),
        ("bundle.json", BUNDLE),
        ("page.html", "<!doctype html><html></html>"),
        ("id.pub", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea me@here"),
        ("metadata.json", r#"{"issuer":"https://as.example.com","jwks_uri":"https://as.example.com/jwks"}"#),
        ("map.json", r#"{"k1":"-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----"}"#),
        ("key.pem", key.as_str()),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    fs::write(folder.path().join("binary"), [0xff, 0xfe]).unwrap();
    folder
}

fn read(text: &str) -> Result<Config, Report> {
    let folder = folder();
    Config::read(text, "portcullis.toml", folder.path())
}

fn good(text: &str) -> Config {
    read(text).unwrap_or_else(|report| panic!("{}", rendered(&report)))
}

fn rendered(report: &Report) -> String {
    let mut text = String::new();
    NarratableReportHandler::new().with_context_lines(0).render_report(&mut text, report.as_ref()).unwrap();
    text
}

/// Returns the mistakes: the first line that each points at, with its message and help.
fn mistakes(text: &str) -> Vec<(usize, String)> {
    let report = read(text).unwrap_err();
    assert!(graphical(&report).contains("[portcullis.toml:"), "{}", graphical(&report));
    let tell = |problem: &dyn Diagnostic| {
        let place = problem.labels().unwrap().next().unwrap().offset();
        let help = problem.help().map(|help| help.to_string()).unwrap_or_default();
        (text[..place].matches('\n').count() + 1, format!("{problem} / {help}"))
    };
    let top: &dyn Diagnostic = report.as_ref();
    match top.related() {
        Some(related) => related.map(tell).collect(),
        None => vec![tell(top)],
    }
}

/// Returns a listener with these keys in its `client_certificate`.
fn listening(key: &str, keys: &str) -> String {
    format!("{key} = {{ address = \"127.0.0.1:1\", client_certificate = {{ {keys} }} }}")
}

#[test]
fn the_example_is_accepted() {
    let config = good(EXAMPLE);
    assert_eq!(
        config.forward_auth,
        Listener { address: "127.0.0.1:9080".parse().unwrap(), tls: None, client_certificate: None }
    );
    assert_eq!(config.grpc.unwrap().address.port(), 9090);
    assert_eq!(config.routes.len(), 2);
    assert_eq!(config.routes[0].to_string(), "GET /orders/*");
    assert_eq!(config.routes[0].rules.claims[1].value, Some("ops".into()));
    assert_eq!(config.routes[0].rules.claims[2].value, None);
    assert!(config.routes[1].public);
    assert_eq!(
        config.headers,
        [HeaderRule {
            name: HeaderName::from_static("x-auth-subject"),
            source: HeaderSource::Claim { claim: "sub".into(), notation: Notation::Plain },
            anonymous: None,
        }]
    );
    let issuer = &config.issuers[0];
    assert_eq!(issuer.keys, Keys::Uri("https://as.example.com/jwks".into()));
    assert_eq!(issuer.rules.algorithms, [Algorithm::RS256, Algorithm::ES256]);
    assert_eq!(issuer.rules.leeway, Duration::from_secs(5));
    let introspection = issuer.introspection.as_ref().unwrap();
    assert_eq!(introspection.form, IntrospectionForm::Phantom);
    assert_eq!(introspection.client, Client::Basic(Secret::new("hush")));
}

#[test]
fn little_has_to_be_said() {
    let config = good(ISSUER);
    assert_eq!(config.forward_auth.address, "127.0.0.1:9080".parse().unwrap());
    assert_eq!(config.grpc, None);
    assert_eq!(config.admin_hosts, [] as [&str; 0]);
    assert_eq!(config.admin.unwrap().address, "127.0.0.1:9081".parse().unwrap());
    assert_eq!(
        config.limits,
        Limits {
            connections: 10_000,
            connections_per_peer: 256,
            streams: 128,
            header_bytes: 65_536,
            check_bytes: 131_072,
            path_bytes: 8_192,
            header_time: Duration::from_secs(10),
            request_time: Duration::from_secs(15),
            idle_time: Duration::from_secs(65 * 60),
            drain_time: Duration::from_secs(30),
        }
    );
    assert_eq!(config.log, Log { format: LogFormat::Human, decisions: LoggedDecisions::Refused, requests: false });
    assert_eq!(
        (config.rules.invalid_token_status, config.rules.problem_json),
        (portcullis::InvalidTokenStatus::Unauthorized, false)
    );
    assert_eq!(config.issuers[0].rules.token_cache.bytes, 32 << 20);
    assert_eq!(config.issuers[0].keys, Keys::Discovery);
    assert!(config.routes.is_empty() && config.headers.is_empty() && config.store.is_none() && config.traces.is_none());
    let trusted =
        |address: &str| config.trusted_proxies.iter().any(|network| network.contains(address.parse().unwrap()));
    assert!(trusted("127.9.9.9") && trusted("::1") && trusted("::ffff:127.0.0.1") && !trusted("10.0.0.1"));
}

#[test]
fn all_can_be_said() {
    let config = good(
        r#"
        listen = { address = "[::]:9080", tls = { certificate = "cert.pem", key = "key.pem", client_ca = "cert.pem" }, client_certificate = { field = "X-Client-Cert", format = "escaped_pem" } }
        grpc = false
        admin = false
        admin_hosts = ["gateway.internal"]
        trusted_proxies = []
        invalid_token_status = 403
        problem_json = true
        limits = { connections = 5, connections_per_peer = 2, streams = 3, check_bytes = "9KiB", path_bytes = "2KiB", idle_time = "5m", header_bytes = "16KiB", header_time = "1s", request_time = "250ms", drain_time = "0s" }
        log = { format = "json", decisions = "all" }
        cache = { bytes = "1MiB" }

        [[issuers]]
        issuer = "local"
        jwks_file = "keys.json"
        audience = "api"
        algorithms = ["HS256"]
        dangerously_allow_http = true

        [[issuers]]
        issuer = "https://other"
        [issuers.introspection]
        endpoint = "https://as.example.com/introspect"
        client_id = "gateway"
        authentication = "private_key_jwt"
        key_file = "key.pem"
        algorithm = "ES256"
        kid = "1"
        audience = "https://as.example.com"
        timeout = "2s"
        keep_for = "30s"
        cache_bytes = 1024

        [[routes]]
        path = "/a/*"
        any_scope = ["a", "b"]
        [[routes.claims]]
        name = "n"
        value = { x = [1, 2.5, true, "t"] }

        [store]
        urls = ["rediss://a:6379", "rediss://b"]
        cluster = true
        username = "gateway"
        password_file = "windows"
        secret_file = "long"
        ca_file = "cert.pem"

        [traces]
        endpoint = "https://collector.example.com/v1/traces"
        sample = 0.25
        service_name = "edge"
        "#,
    );
    let name = HeaderName::from_static("x-client-cert");
    let field = CertificateField { name, format: CertificateFormat::EscapedPem };
    assert_eq!(config.forward_auth.client_certificate, Some(field));
    assert!(config.forward_auth.tls.unwrap().client_ca.unwrap().ends_with("cert.pem"));
    assert_eq!((config.grpc, config.admin), (None, None));
    assert_eq!(config.admin_hosts, ["gateway.internal"]);
    assert_eq!(config.trusted_proxies, []);
    assert_eq!(config.limits.request_time, Duration::from_millis(250));
    assert_eq!(config.limits.header_bytes, 16 << 10);
    let Limits { connections_per_peer, streams, check_bytes, path_bytes, idle_time, .. } = config.limits;
    assert_eq!((connections_per_peer, streams, check_bytes, path_bytes), (2, 3, 9 << 10, 2 << 10));
    assert_eq!(idle_time, Duration::from_secs(300));
    assert!(matches!(&config.issuers[0].keys, Keys::Local { text, .. } if text == KEYS.as_bytes()));
    let client = &config.issuers[1].introspection.as_ref().unwrap().client;
    assert!(matches!(client, Client::PrivateKeyJwt { algorithm: Algorithm::ES256, kid: Some(kid), .. } if kid == "1"));
    assert_eq!(config.routes[0].rules.claims[0].value, Some(serde_json::json!({ "x": [1, 2.5, true, "t"] })));
    let store = config.store.unwrap();
    assert_eq!(store.password, Some(Secret::new("hush")));
    assert_eq!(store.secret.reveal(), "a secret that is long enough to seal with");
    let endpoint = "https://collector.example.com/v1/traces".parse().unwrap();
    assert_eq!(config.traces, Some(Traces { endpoint, sample: 0.25, service_name: "edge".into() }));
}

#[test]
fn traces_need_only_a_collector() {
    assert_eq!(good(ISSUER).traces, None);
    let endpoint = "http://127.0.0.1:4318/v1/traces";
    let traces = good(&format!("{ISSUER}[traces]\nendpoint = \"{endpoint}\"")).traces.unwrap();
    assert_eq!((traces.endpoint.as_str(), traces.sample, &*traces.service_name), (endpoint, 1.0, "portcullis"));
    for (ratio, sample) in [("0", 0.0), ("1", 1.0), ("1e-3", 0.001), ("0.5", 0.5)] {
        let traces = good(&format!("{ISSUER}[traces]\nendpoint = \"{endpoint}\"\nsample = {ratio}")).traces.unwrap();
        assert_eq!(traces.sample, sample);
    }
}

#[test]
fn a_mistake_in_traces_is_shown_on_its_line() {
    let table: &[(&str, usize, &str)] = &[
        ("sample = 0.5", 3, "`endpoint` in this table"),
        ("endpoint = \"127.0.0.1:4318\"", 4, "\"http://127.0.0.1:4318/v1/traces\""),
        ("endpoint = \"grpc://a:4317/\"", 4, "OTLP over HTTP"),
        ("endpoint = \"http://127.0.0.1:4318\"", 4, "without a path"),
        ("endpoint = \"http://me:hush@a/v1/traces\"", 4, "OTEL_EXPORTER_OTLP_HEADERS"),
        ("endpoint = \"http://a/v1/traces\"\nsample = 1.1", 5, "from 0 to 1"),
        ("endpoint = \"http://a/v1/traces\"\nsample = -1", 5, "from 0 to 1"),
        ("endpoint = \"http://a/v1/traces\"\nsample = nan", 5, "from 0 to 1"),
        ("endpoint = \"http://a/v1/traces\"\nsample = \"10%\"", 5, "from 0 to 1"),
        ("endpoint = \"http://a/v1/traces\"\nservice_name = \"\"", 5, "got an empty one"),
        ("endpoint = \"http://a/v1/traces\"\nsampel = 1", 5, "did you mean `sample`?"),
    ];
    for (lines, line, words) in table {
        let found = mistakes(&format!("{ISSUER}[traces]\n{lines}"));
        assert!(matches!(&found[..], [(at, told)] if at == line && told.contains(words)), "{lines}: {found:?}");
    }
}

#[test]
fn a_mistake_at_the_top_is_shown_on_its_line() {
    let table: &[(&str, &str)] = &[
        ("listne = \"127.0.0.1:1\"", "did you mean `listen`?"),
        ("x = 1", "known here:"),
        ("listen = \"localhost:9080\"", "IP address and a port"),
        ("listen = 9080", "IP address and a port"),
        ("listen = false", "got false / write an IP address and a port"),
        ("admin = true", "IP address and a port"),
        ("grpc = \"127.0.0.1:9080\"\nlisten = \"127.0.0.1:9080\"", "its own port"),
        ("admin = \"127.0.0.1:9081\"\ngrpc = \"127.0.0.1:9081\"", "its own port"),
        ("listen = { tls = { certificate = \"cert.pem\", key = \"key.pem\" } }", "`address` in this table"),
        (
            "listen = { address = \"127.0.0.1:1\", tls = { certificate = \"none.pem\", key = \"key.pem\" } }",
            "no such file",
        ),
        (
            "listen = { address = \"127.0.0.1:1\", tls = { certificate = \"key.pem\", key = \"key.pem\" } }",
            "BEGIN CERTIFICATE",
        ),
        (
            "listen = { address = \"127.0.0.1:1\", tls = { certificate = \"cert.pem\", key = \"cert.pem\" } }",
            "BEGIN PRIVATE KEY",
        ),
        ("listen = { address = \"127.0.0.1:1\", tls = { certificate = \"cert.pem\" } }", "`key` in this table"),
        (&listening("listen", "field = \"a b\", format = \"xfcc\""), "the name of a header field"),
        (&listening("listen", "field = \"X-Cert\", format = \"pem\""), "\"rfc9440\", \"escaped_pem\", "),
        (&listening("listen", "format = \"xfcc\""), "`field` in this table"),
        (&listening("listen", "field = \"X-Cert\""), "`format` in this table"),
        (&listening("listen", "field = \"X-Cert\", format = \"xfcc\", trust = true"), "unknown key `trust`"),
        (&listening("grpc", "field = \"X-Cert\", format = \"base64_der\""), "include_peer_certificate"),
        (&listening("admin", "field = \"X-Cert\", format = \"xfcc\""), "unknown key `client_certificate`"),
        ("invalid_token_status = 402", "the status 401 or 403, got 402"),
        ("invalid_token_status = \"401\"", "without quotes"),
        ("problem_json = \"yes\"", "without quotes"),
        ("trusted_proxies = \"10.0.0.0/8\"", "an array of addresses"),
        ("trusted_proxies = [\"10.0.0.1/8\"]", "\"10.0.0.0/8\""),
        ("trusted_proxies = [\"proxy\"]", "an address or a network"),
        ("limits = { connections = 0 }", "from 1 to 1000000"),
        ("limits = { connections = 9223372036854775807 }", "from 1 to 1000000"),
        ("limits = { connections = 99999999999999999999 }", "from 1 to 1000000"),
        ("limits = { header_bytes = 8191 }", "from 8 KiB to 16 MiB, got 8191"),
        ("limits = { header_time = 10 }", "expected a time with its unit, such as 30s (at most 24h), got 10"),
        ("limits = { header_time = \"0s\" }", "longer than zero, got \"0s\""),
        ("limits = { request_time = \"2d\" }", "\"5s\""),
        ("limits = { request_time = \"25h\" }", "(at most 24h), got \"25h\""),
        ("limits = { drain_tim = \"1s\" }", "`drain_time`"),
        ("log = { format = \"jsn\" }", "did you mean `json`?"),
        (
            "log = { decisions = true }",
            "expected \"all\", \"refused\" or \"none\", got true / write one of them, in quotes",
        ),
        ("cache = { bytes = \"32 mb\" }", "\"32MiB\""),
        ("cache = { bytes = -1 }", "\"32MiB\""),
        ("cache = 5", "a table"),
        ("routes = 5", "[[routes]]"),
        ("[[issuer]]\nissuer = \"https://b\"", "did you mean `issuers`?"),
        ("[[resource]]\nresource = \"https://b\"", "did you mean `resources`?"),
        ("[route]\npath = \"/a\"", "did you mean `routes`?"),
        ("listen = ", "not TOML"),
        ("listen = \"127.0.0.1:1\"\nlisten = \"127.0.0.1:1\"", "not TOML"),
    ];
    for (line, words) in table {
        let found = mistakes(&format!("# first\n{line}\n{ISSUER}"));
        assert_eq!(found.len(), 1, "{line}: {found:?}");
        let lines = line.matches('\n').count();
        assert!(found[0].0 == 2 || (lines == 1 && found[0].0 == 3), "{line}: {found:?}");
        assert!(found[0].1.contains(words), "{line}: {found:?}");
    }
}

#[test]
fn a_mistake_in_an_issuer_is_shown_on_its_line() {
    let table: &[(&str, usize, &str)] = &[
        ("", 1, "[[issuers]]"),
        ("issuers = []", 1, "[[issuers]]"),
        ("[issuers]\nissuer = \"https://a\"", 1, "[[issuers]]"),
        ("[[issuers]]", 1, "`issuer` in this table"),
        ("[[issuers]]\nissuer = \"\"", 2, "empty"),
        ("[[issuers]]\nissuer = \"https://a\"\n[[issuers]]\nissuer = \"https://a\"", 4, "got `https://a` twice"),
        ("[[issuers]]\nissuer = \"https://a\"\njwks_uri = \"https://a\"\njwks_file = \"keys.json\"", 3, "got both"),
        ("[[issuers]]\nissuer = \"https://a\"\njwks_file = \"none.json\"", 3, "no such file"),
        ("[[issuers]]\nissuer = \"https://a\"\njwks_file = \"bad.json\"", 3, "JWK Set"),
        ("[[issuers]]\nissuer = \"https://a\"\njwks_file = \"key.pem\"", 3, "private"),
        ("[[issuers]]\nissuer = \"https://a\"\njwks_file = \"page.html\"", 3, "a page of HTML"),
        ("[[issuers]]\nissuer = \"https://a\"\njwks_file = \"id.pub\"", 3, "ssh-keygen"),
        ("[[issuers]]\nissuer = \"https://a\"\njwks_file = \"metadata.json\"", 3, "metadata"),
        ("[[issuers]]\nissuer = \"https://a\"\njwks_file = \"map.json\"", 3, "by key id"),
        ("[[issuers]]\nissuer = \"https://a\"\njwks_file = \"binary\"", 3, "UTF-16"),
        ("[[issuers]]\nissuer = \"https://a\"\njwks_file = \"bundle.json\"", 3, "key_uses"),
        (
            "[[issuers]]\nissuer = \"https://a\"\njwks_file = \"keys.json\"\ntimeout = \"7s\"",
            4,
            "no `timeout` with `jwks_file`",
        ),
        ("[[issuers]]\nissuer = \"https://a\"\nkey_uses = [\"enc\"]", 3, "such keys encrypt"),
        ("[[issuers]]\nissuer = \"https://a\"\nkey_uses = \"jwt-svid\"", 3, "an array of texts"),
        ("[[issuers]]\nissuer = \"https://a\"\nca_file = \"keys.json\"", 3, "BEGIN CERTIFICATE"),
        ("[[issuers]]\nissuer = \"https://a\"\nbearer_token_file = \"none\"", 3, "no such file"),
        ("[[issuers]]\nissuer = \"https://a\"\nmax_keys = 0", 3, "from 1"),
        ("[[issuers]]\nissuer = \"https://a\"\nmax_key_attempts = 0", 3, "from 1"),
        ("[[issuers]]\nissuer = \"https://a\"\nmax_document_bytes = 0", 3, "a size"),
        // Servers that the gateway would not ask.
        (
            "[[issuers]]\nissuer = \"http://as.example.com\"",
            2,
            "expected an https URL, got `http://as.example.com`: keys, tokens and secrets that are sent in the clear can be read \
             and replaced on their way / write https://as.example.com; `dangerously_allow_http = true` in this issuer permits \
             http",
        ),
        (
            "[[issuers]]\nissuer = \"http://as.example.com/{t}\"\ntenant_claim = \"t\"",
            2,
            "write https://as.example.com/{t}",
        ),
        (
            "[[issuers]]\nissuer = \"https://as.example.com/realms/a/.well-known/openid-configuration\"",
            2,
            "expected the issuer, got the URL of its metadata or keys / write `https://as.example.com/realms/a`, or the `iss`",
        ),
        ("[[issuers]]\nissuer = \"https://a\"\njwks_uri = \"http://b/jwks\"", 3, "got `http://b/jwks`"),
        ("[[issuers]]\nissuer = \"as.example.com\"", 2, "got `as.example.com` / write https://as.example.com"),
        ("[[issuers]]\nissuer = \"localhost:8080/a\"", 2, "write http://localhost:8080/a"),
        ("[[issuers]]\nissuer = \"ftp://as.example.com\"", 2, "expected an https URL, got `ftp://as.example.com`"),
        ("[[issuers]]\nissuer = \"a\"\njwks_uri = \"b/jwks\"", 3, "got `b/jwks` / write https://b/jwks"),
        (
            "[[issuers]]\nissuer = \"https://a\"\nexchange = { endpoint = \"http://b\", client_id = \"c\", client_secret_env = \
             \"PATH\" }",
            3,
            "write https://b",
        ),
        (
            "[[issuers]]\nissuer = \"https://a\"\nintrospection = { endpoint = \"http://b\", client_id = \"c\", \
             client_secret_env = \"PATH\" }",
            3,
            "write https://b",
        ),
        // Files without a key that could be used.
        (
            "[[issuers]]\nissuer = \"a\"\njwks_file = \"oct.json\"",
            3,
            "got keys for HS256, HS384, HS512 alone: no key of oct.json can be used / HS256 has to be named: `algorithms = \
             [\"HS256\"]`",
        ),
        ("[[issuers]]\nissuer = \"a\"\nalgorithms = [\"RS256\"]\njwks_file = \"oct.json\"", 4, "HS256 has to be named"),
        ("[[issuers]]\nissuer = \"a\"\nalgorithms = [\"RS256\"]\njwks_file = \"ec.json\"", 4, "ES256 has to be named"),
        ("[[issuers]]\nissuer = \"a\"\njwks_file = \"secret\"", 3, "{\"kty\":\"oct\",\"k\":\"BASE64URL\"}"),
        ("[[issuers]]\nissuer = \"https://a\"\ntrust_domain = \"a.example\"\njwks_uri = \"https://a\"", 2, "got both"),
        ("[[issuers]]\ntrust_domain = \"a.example\"", 2, "got neither"),
        ("[[issuers]]\ntrust_domain = \"A b\"\njwks_uri = \"https://a\"", 2, "lower-case letters"),
        (
            "[[issuers]]\ntrust_domain = \"a\"\njwks_uri = \"https://a\"\nrfc9068 = true\naudience = \"b\"",
            2,
            "no tokens of RFC 9068",
        ),
        ("[[issuers]]\nissuer = \"https://a/{t}\"", 2, "expected `tenant_claim` with the placeholder"),
        ("[[issuers]]\nissuer = \"https://{t}.a/\"\ntenant_claim = \"t\"", 2, "never a server"),
        ("[[issuers]]\nissuer = \"https://a/{t}/{u}\"\ntenant_claim = \"t\"", 2, "one placeholder"),
        ("[[issuers]]\nissuer = \"https://a/t-{u}\"\ntenant_claim = \"t\"", 2, "part of a segment"),
        ("[[issuers]]\nissuer = \"https://a/t\"\ntenant_claim = \"tid\"", 3, "expected a placeholder for the tenant"),
        ("[[issuers]]\nissuer = \"https://a/t\"\ntenants = [\"a\"]", 3, "expected a placeholder for the tenant"),
        (
            "[[issuers]]\nissuer = \"https://a/{t}\"\ntenant_claim = \"t\"\ntenants = []",
            4,
            "at least one text in `tenants`",
        ),
        ("[[issuers]]\nissuer = \"https://a/{t}\"\ntenant_claim = \"t\"\ntenants = [5]", 4, "in quotes"),
        ("[[issuers]]\nissuer = \"https://a/{t}\"\ntenant_claim = \"t\"\ntenants = [\"a/b\"]", 4, "the part of `iss`"),
        ("[[issuers]]\nissuer = \"https://a/{t}\"\ntenant_claim = 5", 3, "in quotes"),
        ("[[issuers]]\nissuer = \"https://a/{t}\"\ntenant_claim = \"t\"\nmax_tenants = 0", 4, "from 1"),
        ("[[issuers]]\nissuer = \"https://a/t\"\nmax_tenants = 7", 3, "expected a placeholder for the tenant"),
        (
            "[[issuers]]\nissuer = \"https://a/{t}\"\ntenant_claim = \"t\"\njwks_uri = \"https://a\"\nmax_tenants = 7",
            5,
            "share one key set",
        ),
        (
            "[[issuers]]\nissuer = \"https://a/{t}\"\ntenant_claim = \"t\"\n[issuers.introspection]\nendpoint = \"https://a\"\n\
             client_id = \"b\"\nclient_secret_env = \"PATH\"",
            4,
            "does not name its tenant",
        ),
        ("[[issuers]]\nissuer = \"https://a\"\njwks_url = \"https://a\"", 3, "`jwks_uri`"),
        ("[[issuers]]\nissuer = \"https://a\"\naudience = []", 3, "leave `audience` out"),
        ("[[issuers]]\nissuer = \"https://a\"\naudience = [1]", 3, "in quotes"),
        ("[[issuers]]\nissuer = \"https://a\"\nalgorithms = [\"none\"]", 3, "proves nothing"),
        ("[[issuers]]\nissuer = \"https://a\"\nalgorithms = [\"RS256\",\n\"RSA\"]", 4, "expected one of RS256, RS384"),
        ("[[issuers]]\nissuer = \"https://a\"\nalgorithms = []", 3, "leave `algorithms` out"),
        ("[[issuers]]\nissuer = \"https://a\"\nalgorithms = [true]", 3, "expected an algorithm, got true"),
        (
            "[[issuers]]\nissuer = \"https://a\"\nalgorithms = [\"HS256\"]",
            3,
            "expected `jwks_file` with HS256, got none",
        ),
        (
            "[[issuers]]\nissuer = \"https://a\"\njwks_uri = \"https://a\"\nalgorithms = [\"HS512\"]",
            4,
            "expected `jwks_file` with HS512, got `jwks_uri` / a server that verifies by a shared secret can sign as well, so that \
             it is taken from a local file only: take HS512 out, or put {\"kty\":\"oct\",\"k\":\"BASE64URL\"} into a file and \
             name it by `jwks_file`",
        ),
        ("[[issuers]]\nissuer = \"https://a\"\nleeway = \"301s\"", 3, "set the clocks"),
        (
            "[[issuers]]\nissuer = \"https://a\"\nleeway = \"5 minutes\"",
            3,
            "expected a time with its unit, such as 30s (at most 5m), got \"5 minutes\"",
        ),
        ("[[issuers]]\nissuer = \"https://a\"\ntimeout = 5", 3, "such as 30s (at most 24h), got 5"),
        ("[[issuers]]\nissuer = \"https://a\"\ntimeout = \"2d\"", 3, "such as 30s (at most 24h), got \"2d\""),
        ("[[issuers]]\nissuer = \"https://a\"\nmax_token_age = \"3600\"", 3, "such as 30s, got \"3600\""),
        ("[[issuers]]\nissuer = \"https://a\"\ntypes = []", 3, "leave `types` out"),
        ("[[issuers]]\nissuer = \"https://a\"\ntypes = \"at+jwt\"", 3, "an array of types"),
        ("[[issuers]]\nissuer = \"https://a\"\ntypes = [\"at+jwt\", \"\"]", 3, "got an empty one"),
        ("[[issuers]]\nissuer = \"https://a\"\nor_no_typ = true", 3, "`or_no_type`"),
        ("[[issuers]]\nissuer = \"https://a\"\nor_no_type = \"true\"", 3, "without quotes"),
        ("[[issuers]]\nissuer = \"https://a\"\nmax_token_bytes = 0", 3, "from 1 byte to 16 MiB"),
        ("[[issuers]]\nissuer = \"https://a\"\nmax_token_bytes = \"17MiB\"", 3, "to 16 MiB, got \"17MiB\""),
        ("[[issuers]]\nissuer = \"https://a\"\nmax_token_bytes = \"16 kb\"", 3, "to 16 MiB, got \"16 kb\""),
        (
            "[[issuers]]\nissuer = \"https://a\"\ndangerously_accept_sender_constrained_tokens = 1",
            3,
            "`true` or `false`",
        ),
        ("[[issuers]]\nissuer = \"https://a\"\nleeway = 5", 3, "unit"),
        ("[[issuers]]\nissuer = \"https://a\"\nrfc9068 = true", 3, "expected an `audience` with `rfc9068`"),
        ("[[issuers]]\nissuer = \"https://a\"\ndangerously_allow_http = 1", 3, "`true` or `false`"),
    ];
    for (text, line, words) in table {
        let found = mistakes(text);
        assert!(matches!(&found[..], [(at, told)] if at == line && told.contains(words)), "{text}: {found:?}");
    }
}

#[test]
fn a_mistake_in_introspection_is_shown_on_its_line() {
    let secret = "client_secret_file = \"secret\"\n";
    let key = "authentication = \"private_key_jwt\"\n";
    let table: &[(String, usize, &str)] = &[
        (String::new(), 3, "`client_secret_file` or `client_secret_env`"),
        ("client_secret = \"hush\"".into(), 6, "name that by `client_secret_file`"),
        ("client_secret_file = \"none\"".into(), 6, "no such file"),
        ("client_secret_file = \"empty\"".into(), 6, "got the empty"),
        ("client_secret_file = \"binary\"".into(), 6, "text file in UTF-8"),
        ("client_secret_file = \".\"".into(), 6, "cannot read"),
        ("client_secret_env = \"PORTCULLIS_TEST_NOT_SET\"".into(), 6, "not set"),
        (format!("{secret}client_secret_env = \"PATH\""), 6, "got both"),
        (format!("{secret}mode = \"opaque\""), 7, "\"json\", \"jwt\" or \"phantom\""),
        (format!("{secret}authentication = \"bsic\""), 7, "did you mean `basic`?"),
        (format!("{secret}key_file = \"key.pem\""), 7, "leave `key_file` out"),
        (format!("{secret}timeout = \"0s\""), 7, "longer than zero"),
        (format!("{secret}cache_bytes = \"much\""), 7, "\"64KiB\""),
        (format!("{secret}cach_bytes = 5"), 7, "`cache_bytes`"),
        (format!("{key}key_file = \"key.pem\""), 3, "`algorithm`"),
        (format!("{key}algorithm = \"ES256\""), 3, "`key_file`"),
        (format!("{key}algorithm = \"RS256\"\nkey_file = \"key.pem\""), 8, "private key"),
        (format!("{key}algorithm = \"ES256\"\nkey_file = \"cert.pem\""), 8, "BEGIN PRIVATE KEY"),
        (format!("{key}algorithm = \"ES256\"\nkey_file = \"key.pem\"\n{secret}"), 9, "leave `client_secret_file` out"),
        ("authentication = \"tls\"\nkey_file = \"key.pem\"".into(), 3, "`certificate_file`"),
    ];
    for (lines, line, words) in table {
        let head =
            "[issuers.introspection]\nendpoint = \"https://as.example.com/introspect\"\nclient_id = \"gateway\"\n";
        let found = mistakes(&format!("{ISSUER}{head}{lines}"));
        assert!(matches!(&found[..], [(at, told)] if at == line && told.contains(words)), "{lines}: {found:?}");
    }
    let one = |name: &str| {
        format!(
            "[[issuers]]\nissuer = \"{name}\"\nintrospection = {{ endpoint = \"https://e\", client_id = \"c\", \
             client_secret_env = \"PATH\" }}\n"
        )
    };
    assert!(
        matches!(&mistakes(&(one("https://a") + &one("https://b")))[..], [(6, told)] if told.contains("one issuer at most"))
    );
}

#[test]
fn a_mistake_in_a_route_or_a_header_is_shown_on_its_line() {
    let table: &[(&str, usize, &str)] = &[
        ("[[routes]]\nscope = [\"a\"]", 3, "`path` in this table"),
        ("[[routes]]\npath = \"orders\"", 4, "write `/orders`"),
        ("[[routes]]\npath = \"/a/../b\"", 4, "dot segments"),
        ("[[routes]]\npath = \"/users/{id}\"", 4, "variables have no names"),
        ("[[routes]]\npath = \"/a\"\nmethods = [\"get\"]", 5, "write \"GET\""),
        ("[[routes]]\npath = \"/a\"\nmethods = [\"GET POST\"]", 5, "one method in each text"),
        ("[[routes]]\npath = \"/a\"\nmethods = []", 5, "leave `methods` out"),
        ("[[routes]]\npath = \"/a\"\nscope = \"read\"", 5, "an array of scope values"),
        ("[[routes]]\npath = \"/a\"\nscope = [\"read write\"]", 5, "quotes of its own"),
        ("[[routes]]\npath = \"/a\"\nany_scope = []", 5, "leave `any_scope` out"),
        ("[[routes]]\npath = \"/a\"\nscopes = [\"a\"]", 5, "did you mean `scope`?"),
        // A suggestion never asks for less.
        (
            "[[routes]]\npath = \"/a\"\nall_scope = [\"a\"]",
            5,
            "did you mean `scope` (all of these) or `any_scope` (one of these)?",
        ),
        ("[[routes]]\npath = \"/a\"\nmy_scope = [\"a\"]", 5, "did you mean `scope` (all of these) or"),
        ("[[routes]]\npath = \"/a\"\nrequired_scopes = [\"a\"]", 5, "did you mean `scope` (all of these) or"),
        ("[[routes]]\npath = \"/a\"\nany_scopes = [\"a\"]", 5, "did you mean `any_scope`?"),
        ("[[routes]]\npath = \"/a\"\nclaims = [{ name = \"a\", values = [\"b\"] }]", 5, "did you mean `one_of`"),
        ("[[routes]]\npath = \"/a\"\nclaims = [{ name = \"a\", values = \"b\" }]", 5, "did you mean `value`?"),
        ("[[routes]]\npath = \"/a\"\nclaims = [{ name = \"a\", any_of = [\"b\"] }]", 5, "did you mean `one_of`?"),
        ("[[routes]]\npath = \"/a\"\nclaims = [{ name = \"a\", none_of = [\"b\"] }]", 5, "known here: `absent`"),
        ("[[routes]]\npath = \"/a\"\nclaims = [{ value = 1 }]", 5, "`name` in this table"),
        ("[[routes]]\npath = \"/a\"\nclaims = [{ name = \"a\", value = 2020-01-01 }]", 5, "that JSON has"),
        ("[[routes]]\npath = \"/a\"\nclaims = [{ name = \"a\", value = nan }]", 5, "that JSON has"),
        ("[[routes]]\npath = \"/a\"\nclaims = [{ name = \"/a~b\" }]", 5, "`~0`"),
        ("[[routes]]\npath = \"/a\"\nclaims = [\"sub\"]", 5, "a table"),
        // Values that would refuse every request.
        ("audience = \"api \"", 3, "compared to the letter"),
        ("audience = [\"a\", \" b\"]", 3, "compared to the letter"),
        ("[[issuers]]\nissuer = \" https://b.example.com\"", 4, "compared to the letter"),
        ("[[routes]]\npath = \"/a\"\nclaims = [{ name = \"sub \" }]", 5, "compared to the letter"),
        ("[[routes]]\npath = \"/a\"\nclaims = []", 5, "leave `claims` out"),
        ("[[routes]]\npath = \"/a\"\nclaims = [{ name = \"client_id\", value = [\"a\", \"b\"] }]", 5, "one of several"),
        ("[[routes]]\npath = \"/a\"\nclaims = [{ name = \"/x/roles\", value = [\"a\"] }]", 5, "one of several"),
        ("[[routes]]\npath = \"/a\"\nclaims = [{ name = \"role\", value = [] }]", 5, "got an array"),
        ("[[routes]]\npath = \"/a\"\nclaims = [{ name = \"role\", value = \"\" }]", 5, "leave `value` out"),
        ("[[routes]]\npath = \"/a\"\nclaims = [{ name = \"sub\", value = 5 }]", 5, "expected a text for `sub`"),
        ("[[routes]]\npath = \"/a\"\nclaims = [{ name = \"/sub\", value = true }]", 5, "expected a text for `sub`"),
        ("[[routes]]\npath = \"/a\"\nclaims = [{ name = \"aud\", value = 5 }]", 5, "expected a text for `aud`"),
        ("[[routes]]\npath = \"/a\"\nclaims = [{ name = \"scp\", value = true }]", 5, "expected a text for `scp`"),
        (
            "[[routes]]\npath = \"/a\"\nclaims = [{ name = \"iss\", value = \"https://b.example\" }]",
            5,
            "one of the issuers",
        ),
        ("[[routes]]\npath = \"/a\"\nclaims = [{ name = \"exp\", value = 1700000000 }]", 5, "no other token"),
        ("[[routes]]\npath = \"/a\"\nclaims = [{ name = \"/sub/id\" }]", 5, "one into `sub`"),
        ("[[routes]]\npath = \"/a\"\nclaims = [{ name = \"realm_access.roles\" }]", 5, "\"/realm_access/roles\""),
        (
            "[[routes]]\npath = \"/a\"\nclaims = [{ name = \"azp\", value = \"a\" },\n{ name = \"/azp\", value = \"b\" }]",
            6,
            "one of several",
        ),
        ("[[routes]]\npath = \"/a\"\nscope = [\"\"]", 5, "got an empty one"),
        ("[[routes]]\npath = \"/a\"\nscope = []", 5, "leave `scope` out"),
        (
            "[[routes]]\npath = \"/a/*\"\nmethods = [\"GET\"]\n[[routes]]\npath = \"/a/*\"\nmethods = [\"PUT\"]\n\
             [[routes]]\npath = \"/a/b\"\nmethods = [\"PUT\", \"HEAD\"]",
            10,
            "covered already",
        ),
        (
            "[[routes]]\npath = \"/a/*\"\npublic = true\n[[routes]]\npath = \"/a/b\"\nscope = [\"a\"]",
            7,
            "covered already",
        ),
        ("[[routes]]\npath = \"/a\"\nrealm = \"a\\nb\"", 5, "plain ASCII"),
        ("[[routes]]\npath = \"/a\"\npublic = true\nscope = [\"a\"]", 6, "public route"),
        ("[[routes]]\npath = \"/a\"\npublic = true\nany_scope = [\"a\"]", 6, "public route"),
        ("[[routes]]\npath = \"/a\"\npublic = true\nclaims = [{ name = \"a\" }]", 6, "public route"),
        ("[[routes]]\npath = \"/a\"\nrealm = \"a\"\npublic = true", 5, "public route"),
        ("[[routes]]\npath = \"/*\"\n[[routes]]\npath = \"/a\"", 6, "narrower route first"),
        (
            "[[routes]]\npath = \"/a/*\"\nmethods = [\"GET\"]\n[[routes]]\npath = \"/a/b\"\nmethods = [\"HEAD\"]",
            7,
            "covered already",
        ),
        ("[[routes]]\npath = \"/a\"\n[[routes]]\npath = \"/a\"\nmethods = [\"GET\"]", 6, "narrower route first"),
        (
            "[[routes]]\npath = \"/a\"\n[[routes]]\npath = \"/a\"\nscope = [\"a\"]",
            6,
            "these two have the same path and methods: merge them",
        ),
        (
            "[[routes]]\npath = \"/a\"\nmethods = [\"GET\", \"PUT\"]\n[[routes]]\npath = \"/a\"\nmethods = [\"PUT\", \"GET\"]",
            7,
            "merge them",
        ),
        ("[[headers]]\nclaim = \"sub\"", 3, "`name` in this table"),
        ("[[headers]]\nname = \"X-A\"", 3, "`claim` in this table"),
        ("[[headers]]\nname = \"X-A\"\nclaim = \"a\"\njson = \"yes\"", 6, "without quotes"),
        ("[[headers]]\nname = \"X A\"\nclaim = \"sub\"", 4, "name of a header field"),
        ("[[headers]]\nname = \"authorization\"\nclaim = \"sub\"", 4, "a claim may set"),
        ("[[headers]]\nname = \"Content_Length\"\nclaim = \"sub\"", 4, "a claim may set"),
        ("[[headers]]\nname = \"Host\"\nclaim = \"sub\"", 4, "a claim may set"),
        (
            "[[headers]]\nname = \"X-A\"\nclaim = \"a\"\n[[headers]]\nname = \"x_a\"\nclaim = \"b\"",
            7,
            "got `x_a` twice",
        ),
    ];
    for (lines, line, words) in table {
        let found = mistakes(&format!("{ISSUER}{lines}"));
        assert!(matches!(&found[..], [(at, told)] if at == line && told.contains(words)), "{lines}: {found:?}");
    }
    for different in [
        "methods = [\"GET\"]\n[[routes]]\npath = \"/a\"",
        "methods = [\"GET\"]\n[[routes]]\npath = \"/a\"\nmethods = [\"POST\"]",
    ] {
        assert_eq!(good(&format!("{ISSUER}[[routes]]\npath = \"/a\"\n{different}")).routes.len(), 2);
    }
}

#[test]
fn a_mistake_in_the_store_is_shown_on_its_line() {
    let table: &[(&str, usize, &str)] = &[
        ("secret_file = \"long\"", 3, "`url` in this table"),
        ("url = \"redis://a\"", 3, "`secret_file` or `secret_env`"),
        ("url = \"redis://a\"\nsecret_file = \"secret\"", 5, "32 bytes or more"),
        ("url = \"redis://a\"\nsecret = \"hush\"", 5, "`secret_file`"),
        ("url = \"redis://a\"\nsecret_file = \"long\"\npassword = \"hush\"", 6, "`password_file`"),
        ("url = \"http://a\"\nsecret_file = \"long\"", 4, "\"redis://127.0.0.1:6379\""),
        ("url = \"redis://:hush@a\"\nsecret_file = \"long\"", 4, "`password_file`"),
        ("urls = []\nsecret_file = \"long\"", 4, "`urls`"),
        ("urls = [\"redis://a\", \"redis://b\"]\nsecret_file = \"long\"", 4, "`cluster = true`"),
        ("url = \"redis://a\"\nurls = [\"redis://b\"]\nsecret_file = \"long\"", 4, "got both"),
        ("url = \"redis://a\"\nsecret_file = \"long\"\nca_file = \"cert.pem\"", 6, "`rediss://`"),
        ("url = \"rediss://a\"\nsecret_file = \"long\"\nca_file = \"secret\"", 6, "BEGIN CERTIFICATE"),
    ];
    for (lines, line, words) in table {
        let found = mistakes(&format!("{ISSUER}[store]\n{lines}"));
        assert!(matches!(&found[..], [(at, told)] if at == line && told.contains(words)), "{lines}: {found:?}");
    }
}

#[test]
fn rules_that_can_be_met_are_good() {
    for rules in [
        "{ name = \"roles\", value = \"a\" }, { name = \"roles\", value = \"b\" }",
        "{ name = \"azp\", value = \"a\" }, { name = \"azp\", value = \"a\" }, { name = \"azp\" }",
        "{ name = \"exp\" }, { name = \"level\", value = 3 }, { name = \"admin\", value = true }",
        "{ name = \"https://example.com/roles\", value = \"a\" }, { name = \"/realm_access/roles/0\" }",
        "{ name = \"cnf\", value = { jkt = [\"a\"] } }",
        "{ name = \"iss\", value = \"https://as.example.com\" }, { name = \"aud\", value = \"b\" }, { name = \"aud\", value = \"c\" }",
    ] {
        good(&format!("{ISSUER}[[routes]]\npath = \"/a\"\nclaims = [{rules}]"));
    }
    for methods in ["", "methods = [\"GET\", \"POST\"]"] {
        let first = "[[routes]]\npath = \"/a/*\"\nmethods = [\"GET\"]\n";
        good(&format!("{ISSUER}{first}[[routes]]\npath = \"/a/b\"\n{methods}"));
    }
    let (line, told) = mistakes(&format!("routes = []\n{ISSUER}")).remove(0);
    assert!(line == 1 && told.contains("leave `routes` out"), "{told}");
}

#[test]
fn no_secret_is_in_a_report_nor_in_debug_output() {
    let texts = [
        format!("{ISSUER}[store]\nsecret = \"hush\"\npassword = \"hush\"\nurl = \"redis://me:hush@a\""),
        format!("{ISSUER}[store]\nsecret = \"\"\"\nhush\nhush\"\"\"\nx = 1"),
        format!("{ISSUER}[issuers.introspection]\nclient_secret = \"hush\"\nx = 1"),
        format!("{ISSUER}introspection = {{ client_secret = \"hush\", x = 1 }}"),
        format!("{ISSUER}jwks_file = \"bad.json\""),
        format!("{ISSUER}key_pem = \"\"\"-----BEGIN PRIVATE KEY-----\nhush\n\"\"\""),
        // Not TOML: values are starred by their look.
        format!("{ISSUER}client_secret = \"hush"),
        format!("{ISSUER}client_secret = hush"),
        format!("{ISSUER}\"client_secret\" = 'hush\n"),
        format!("{ISSUER}introspection = {{ client_secret = \"hush\", x = }}"),
        format!("{ISSUER}[store]\nurl = \"redis://me:hush@a\nx"),
        format!("{ISSUER}[store]\nsecret_file = \"secret\"\nurl = \"redis://a\""),
        format!("{ISSUER}[traces]\nendpoint = \"http://me:hush@a/v1/traces\""),
        // Under a key that is misspelt, in a table that is, or below the right one.
        format!("{ISSUER}[issuers.introspection]\nclient_secrt = \"hush\""),
        format!("{ISSUER}[issuers.introspection]\nclientSecret = \"hush\"\npwd = \"hush\"\nclient_pasword = \"hush\""),
        format!("{ISSUER}[issuers.introspection]\nclient_secret_fil = \"hush\"\nx = [{{ y = \"hush\" }}]"),
        format!("{ISSUER}[[issuer]]\nintrospection = {{ client_scrt = \"hush\" }}"),
        format!("{ISSUER}[storage]\nsecret = \"hush\"\n[storage.deep]\nx = \"hush\""),
        format!("{ISSUER}[store]\nsecret.x = \"hush\"\npassword = {{ a = \"hush\" }}"),
        format!("{ISSUER}[store.password]\nx = [\"hush\"]"),
        // In place of a name.
        format!("{ISSUER}introspection = {{ endpoint = \"e\", client_id = \"c\", client_secret_file = \"hush\" }}"),
        format!("{ISSUER}introspection = {{ endpoint = \"e\", client_id = \"c\", client_secret_env = \"hush\" }}"),
        format!("{ISSUER}[store]\nurl = \"redis://a\"\nsecret_file = \"hush/hush\"\npassword_env = \"hush=hush\""),
        format!("{ISSUER}[store]\nurl = \"redis://a\"\nsecret_file = \"{}\"", "hush".repeat(2_000)),
        format!("{ISSUER}jwks_file = '{{\"keys\":[{{\"k\":\"hush\"}}]}}'"),
        format!("{ISSUER}jwks_uri = \"https://as.example.com/jwks?key=hush\"\nx = 1"),
        format!(
            "listen = {{ address = \"[::1]:0\", tls = {{ certificate = \"cert.pem\", key = \"-----BEGIN hush\" }} \
             }}\n{ISSUER}"
        ),
        format!(
            "listen = {{ address = \"[::1]:0\", tls = {{ certificate = \"-----BEGIN hush\", key = \"hush\" }} \
             }}\n{ISSUER}"
        ),
        format!("{ISSUER}introspection = {{ endpoint = \"e\", client_id = \"c\", client_secret_file = [\"hush\"] }}"),
        format!("{ISSUER}[issuers.introspection]\nclient_secret_env = {{ value = \"hush\" }}"),
        format!("{ISSUER}[issuers.introspection]\nkey_file = [{{ pem = \"hush\" }}]"),
        format!("{ISSUER}bearer_token_file = [\"hush\"]"),
        // Malformed URLs, or ones with a secret in an unusual place.
        format!("{ISSUER}[store]\nurl = \"redis:/me:hush@a\""),
        format!("{ISSUER}[store]\nurl = \"a:hush@6379\""),
        format!("{ISSUER}[store]\nurl = \"hush\""),
        format!("{ISSUER}[store]\nurls = [\"hush\"]"),
        format!("{ISSUER}jwks_uri = \"https://as.example.com/jwks#hush\"\nx = 1"),
        format!("{ISSUER}introspection = {{ endpoint = \"as.example.com/i?client_secret=hush\", client_id = \"c\" }}"),
        // In a comment, beside a mistake.
        format!("{ISSUER}# client_secret = \"hush\"\nx = 1"),
        format!("{ISSUER}x = 1 # the password: hush"),
        format!("{ISSUER}# redis://me:hush@a\nx = 1"),
        // Not TOML, in any spelling.
        format!("{ISSUER}client_secret: hush"),
        format!("{ISSUER}client_secret hush"),
        format!("{ISSUER}clientsecrt = \"hush\nx = 1"),
        format!("{ISSUER}x =\n\"hush\""),
        format!("{ISSUER}x = \"\"\"\nHush=hush\nhush==\nhush"),
        format!("{ISSUER}x = [\n\"hush\",\n[hush],\nhush\n"),
        format!("{ISSUER}x = \"hush\"\nx = \"hush\""),
    ];
    for text in texts {
        let report = read(&text).unwrap_err();
        for told in [rendered(&report), graphical(&report), format!("{report}"), format!("{:?}", mistakes(&text))] {
            assert!(!told.contains("hush"), "{told}");
        }
    }
    let config = good(&format!("{EXAMPLE}[[issuers]]\nissuer = \"local\"\njwks_file = \"keys.json\""));
    let debug = format!("{config:?}");
    assert!(!debug.contains("hush") && !debug.contains("c2VjcmV0"), "{debug}");
}

#[test]
fn nothing_in_a_report_steers_a_terminal() {
    let foreign = ["\u{1b}[31m", "\u{7}", "\u{9b}31m", "\u{202e}", "\u{e0041}", "\r"];
    for foreign in foreign {
        let escaped: String = foreign.chars().map(|character| format!("\\U{:08x}", u32::from(character))).collect();
        for text in [
            format!("{ISSUER}x{foreign} = 1"),
            format!("{ISSUER}# {foreign}\nx = 1"),
            format!("{ISSUER}x = \"{foreign}\"\ny = 1"),
            format!("listen = \"{escaped}\"\n{ISSUER}"),
            format!("{ISSUER}\"x{escaped}\" = 1"),
            format!("{ISSUER}[[routes]]\npath = \"/{escaped}\"\nmethods = [\"{escaped}\"]\nscope = [\"{escaped}\"]"),
            format!("{ISSUER}[[issuers]]\nissuer = \"{escaped}\"\n[[issuers]]\nissuer = \"{escaped}\""),
            format!("{ISSUER}jwks_file = \"{escaped}\"\n[[headers]]\nname = \"{escaped}\"\nclaim = \"/~{escaped}\""),
        ] {
            let name = format!("{foreign}.toml");
            let report = Config::read(&text, &name, Path::new("")).unwrap_err();
            for told in [graphical(&report), rendered(&report), format!("{report}")] {
                let steers = |character: char| character != '\n' && crate::terminal::is_dangerous(character);
                assert!(!told.contains(steers), "{text:?}: {told:?}");
            }
        }
    }
}

fn graphical(report: &Report) -> String {
    let mut text = String::new();
    let handler =
        miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::unicode_nocolor()).with_context_lines(1);
    handler.render_report(&mut text, report.as_ref()).unwrap();
    text
}

#[test]
fn several_mistakes_are_shown_at_once_in_the_order_of_the_text() {
    let text = "lisen = 1\n[[issuers]]\nissuer = 5\nleeway = \"1d\"\n[[routes]]\npath = \"a\"\nscope = \"b\"\n[limits]\nconnections = 0";
    let lines: Vec<_> = mistakes(text).iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [1, 3, 4, 6, 7, 9]);
}

#[test]
fn a_report_reads_well() {
    let text = "[[issuers]]\nissuer = \"https://as.example.com\"\n\n[[routes]]\npath = \"/*\"\n\n[[routes]]\npath = \"/orders\"\nscop = [\"read\"]\n";
    let report = read(text).unwrap_err();
    let expected = r#"  × 2 mistakes in portcullis.toml

  × expected a route that can match, `/orders` is covered already
   ╭─[portcullis.toml:5:8]
 4 │ [[routes]]
 5 │ path = "/*"
   ·        ──┬─
   ·          ╰── `/*` takes all of its requests
 6 │ 
 7 │ [[routes]]
 8 │ path = "/orders"
   ·        ────┬────
   ·            ╰── here
 9 │ scop = ["read"]
   ╰────
  help: the first match wins: put the narrower route first, or take one of them out

  × unknown key `scop`
   ╭─[portcullis.toml:9:1]
 8 │ path = "/orders"
 9 │ scop = ["read"]
   · ──┬─
   ·   ╰── here
   ╰────
  help: did you mean `scope`?
"#;
    assert_eq!(crate::terminal::told(&report), expected);
}

#[test]
fn an_issuer_whose_tokens_pass_whichever_api_they_are_for_is_warned_of() {
    let second = "[[issuers]]\nissuer = \"https://b.example.com\"\naudience = \"b\"\n";
    let resource = "[[resources]]\nresource = \"https://mcp.example.com/mcp\"\n";
    let of = |rule: &str| format!("[[routes]]\npath = \"/a\"\nclaims = [{{ {rule} }}]\n");
    for (lines, warned) in [
        (String::new(), true),
        (second.to_owned(), true),
        ("audience = \"a\"\n".to_owned(), false),
        (resource.to_owned(), false),
        (format!("{resource}[[routes]]\npath = \"/mcp\"\n"), false),
        (format!("{resource}[[routes]]\npath = \"/other\"\n"), true),
        (format!("{resource}[[routes]]\npath = \"/mcp\"\n{}", of("name = \"aud\", value = \"b\"")), false),
        (of("name = \"aud\", one_of = [\"b\", \"c\"]"), false),
        (of("name = \"client_id\", value = \"b\""), false),
        (of("name = \"aud\""), true),
        (of("name = \"role\", value = \"b\""), true),
        (of("name = \"aud\", value = \"b\"") + "[[routes]]\npath = \"/b\"\n", true),
        (of("name = \"aud\", value = \"b\"") + "[[routes]]\npath = \"/b\"\npublic = true\n", false),
    ] {
        let text = format!("{ISSUER}{lines}");
        let (_, warnings) = Config::read_with_warnings(&text, "portcullis.toml", Path::new("")).unwrap();
        let expected = "portcullis.toml:2: warning: no `audience`: tokens that https://as.example.com made for other APIs pass, \
                        too; write `audience = \"…\"`";
        let expected: &[&str] = if warned { &[expected] } else { &[] };
        assert_eq!(warnings, expected, "{text}");
    }
}

#[test]
fn http_is_permitted_to_this_machine_and_by_name() {
    for issuer in [
        "issuer = \"http://localhost:8080/realms/a\"",
        "issuer = \"http://127.0.0.1/a\"\njwks_uri = \"http://[::1]:80/jwks\"",
        "issuer = \"http://as.example.com\"\ndangerously_allow_http = true",
        "issuer = \"a\"\njwks_uri = \"http://as.example.com/jwks\"\ndangerously_allow_http = true",
        // It is not asked.
        "issuer = \"http://as.example.com\"\njwks_uri = \"https://as.example.com/jwks\"",
        "issuer = \"a\"\njwks_file = \"keys.json\"",
    ] {
        let text = format!("[[issuers]]\n{issuer}");
        let config = good(&text);
        // The library agrees.
        assert!(crate::decision::Gateway::build(&config, None).is_ok(), "{text}");
    }
}

#[test]
fn a_file_is_read_from_its_folder() {
    let folder = folder();
    let path = folder.path().join("portcullis.toml");
    fs::write(&path, format!("{ISSUER}jwks_file = \"keys.json\"")).unwrap();
    let config = Config::load(&path).unwrap();
    assert!(matches!(&config.issuers[0].keys, Keys::Local { file, .. } if *file == folder.path().join("keys.json")));
    let report = Config::load(&folder.path().join("none.toml")).unwrap_err();
    let help = report.help().unwrap().to_string();
    assert!(report.to_string().contains("cannot read") && help.contains("`portcullis init --issuer URL` writes one"));
}

#[test]
fn the_examples_are_good() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/gateway");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let examples: Vec<_> = files.filter(|path| path.extension().is_some_and(|extension| extension == "toml")).collect();
    assert!(!examples.is_empty());
    for example in examples {
        if let Err(report) = Config::load(&example) {
            panic!("{}", rendered(&report));
        }
    }
}

#[test]
fn one_newline_at_the_end_is_no_part_of_a_secret() {
    for (file, secret) in [("secret", "hush"), ("windows", "hush"), ("two-lines", "hush\n")] {
        let text = EXAMPLE.replace("client_secret_file = \"secret\"", &format!("client_secret_file = \"{file}\""));
        let config = good(&text);
        assert_eq!(
            config.issuers[0].introspection.as_ref().unwrap().client,
            Client::Basic(Secret::new(secret)),
            "{file}"
        );
    }
    let path = std::env::var("PATH").unwrap();
    let config = good(
        &EXAMPLE.replace("client_secret_file = \"secret\"", "client_secret_env = \"PATH\", authentication = \"post\""),
    );
    assert_eq!(config.issuers[0].introspection.as_ref().unwrap().client, Client::Post(Secret::new(path)));
}

proptest! {
    #[test]
    fn nothing_panics_and_no_cut_shows_a_secret(at in 0..EXAMPLE.len(), junk in "\\PC{0,4}|[\\[\\]{}=\"\n]{1,4}") {
        let text = EXAMPLE.replace("client_secret_file = \"secret\"", "client_secret = \"hush\"");
        let at = at.min(text.len());
        for text in [text[..at].to_owned(), format!("{}{junk}{}", &text[..at], &text[at..])] {
            if let Err(report) = Config::read(&text, "portcullis.toml", Path::new("")) {
                let told = graphical(&report);
                prop_assert!(!told.is_empty() && (text.len() != at || !told.contains("hush")), "{}", told);
            }
        }
    }
}

#[test]
fn keys_of_an_issuer_may_be_in_a_file_of_any_form() {
    for file in ["keys.json", "cert.pem", "public.b64"] {
        let config = good(&format!("{ISSUER}jwks_file = \"{file}\""));
        assert!(matches!(&config.issuers[0].keys, Keys::Local { .. }), "{file}");
    }
    let config = good("[[issuers]]\ntrust_domain = \"example.org\"\njwks_file = \"bundle.json\"");
    let issuer = &config.issuers[0];
    assert_eq!(
        (issuer.name.as_str(), issuer.rules.trust_domain.as_deref()),
        ("spiffe://example.org", Some("example.org"))
    );
    assert_eq!(issuer.key_uses, ["jwt-svid"]);
}

#[test]
fn how_keys_are_fetched_is_read() {
    let config = good(&format!(
        "{ISSUER}timeout = \"7s\"\nca_file = \"cert.pem\"\nbearer_token_file = \"secret\"\nmax_keys = 20\n\
         max_document_bytes = \"1MiB\"\nmax_key_attempts = 3\nkey_uses = [\"jwt-svid\"]"
    ));
    let issuer = &config.issuers[0];
    let Fetching { timeout, authorities, bearer_token_file, max_keys, max_document_bytes, .. } = &issuer.fetching;
    assert_eq!(*timeout, Some(Duration::from_secs(7)));
    assert!(authorities.as_ref().unwrap().contains("BEGIN CERTIFICATE"));
    assert!(bearer_token_file.as_ref().unwrap().ends_with("secret"));
    assert_eq!((*max_keys, *max_document_bytes), (Some(20), Some(1 << 20)));
    assert_eq!((issuer.rules.max_key_attempts, issuer.key_uses.as_slice()), (3, ["jwt-svid".to_owned()].as_slice()));
    // Keys of a file are not fetched, but introspection may be configured.
    let asks = "introspection = { endpoint = \"https://a\", client_id = \"b\", client_secret_file = \"secret\" }";
    let config = good(&format!(
        "[[issuers]]\nissuer = \"https://a\"\njwks_file = \"keys.json\"\nca_file = \"cert.pem\"\n{asks}"
    ));
    assert!(config.issuers[0].fetching.authorities.is_some());
}

#[test]
fn what_asks_for_nothing_is_no_rule() {
    let resource = "[[resources]]\nresource = \"https://mcp.example.com/mcp\"\n";
    for (text, expected) in [
        ("[[routes]]\npath = \"/*\"\nacr = []", "expected something in `acr`, got an empty array"),
        ("[[routes]]\npath = \"/*\"\nscope = []", "expected something in `scope`, got an empty array"),
        (&*format!("{resource}mcp = {{ tools = [] }}"), "expected something in `tools`, got an empty array"),
        (&format!("{resource}mcp = {{ methods = [] }}"), "expected something in `methods`, got an empty array"),
        ("[[routes]]\npath = \"/*\"\nmethods = [\"*\"]", "expected a method, got \"*\""),
        ("[[routes]]\npath = \"/*\"\nmethods = [\"GET\", \"any\"]", "expected a method, got \"any\""),
        ("[[routes]]\npath = \"/*\"\nmethods = [\"ALL\"]", "expected a method, got \"ALL\""),
    ] {
        let report = Config::read(&format!("{ISSUER}audience = \"a\"\n{text}"), "portcullis.toml", Path::new(""));
        let mistakes = problem::mistakes(&report.unwrap_err());
        let told: Vec<_> = mistakes.iter().map(|mistake| mistake.text.as_str()).collect();
        assert_eq!(told, [expected], "{text}");
    }
}

#[test]
fn methods_that_fall_to_a_looser_route_are_warned_of() {
    let route = |path: &str, further: &str| format!("[[routes]]\npath = \"{path}\"\n{further}\n");
    let write = |methods: &str| route("/orders/*", &format!("methods = {methods}\nscope = [\"write\"]"));
    let (any, public, optional) = (route("/*", ""), route("/*", "public = true"), route("/*", "optional = true"));
    let strict = route("/*", "scope = [\"admin\"]");
    let read = route("/orders/*", "methods = [\"GET\"]\nscope = [\"read\"]");
    let rest = route("/orders/*", "scope = [\"write\"]");
    let puts = write("[\"POST\", \"PUT\", \"DELETE\"]");
    for (routes, forgotten) in [
        (puts.clone() + &any, "PATCH"),
        (puts.clone() + &public, "PATCH"),
        (puts.clone() + &optional, "PATCH"),
        (write("[\"PATCH\"]") + &any, "PUT"),
        (read.clone() + &any, "POST, PUT, PATCH, DELETE"),
        (read.clone() + &write("[\"POST\", \"DELETE\"]") + &any, "PUT, PATCH"),
        // A request under no route is refused, and a route may ask for as much as another.
        (puts.clone(), ""),
        (puts.clone() + &strict, ""),
        (puts.clone() + &route("/other/*", ""), ""),
        (read.clone() + &rest + &any, ""),
        (write("[\"POST\", \"PUT\", \"PATCH\", \"DELETE\"]") + &any, ""),
        // One method alone, or one that is seldom beside the others, is asked for on purpose.
        (write("[\"DELETE\"]") + &any, ""),
        (route("/orders/*", "methods = [\"PUT\"]") + &any, ""),
    ] {
        let text = format!("{ISSUER}audience = \"a\"\n{routes}");
        let (_, warnings) = Config::read_with_warnings(&text, "portcullis.toml", Path::new("")).unwrap();
        let told: Vec<_> = warnings.iter().filter_map(|warning| warning.split("warning: ").nth(1)).collect();
        match forgotten {
            "" => assert!(told.is_empty(), "{routes}: {told:?}"),
            methods => {
                assert!(told[0].starts_with(&format!("{methods} on `/orders/*` falls to the route `/*`")), "{told:?}");
            }
        }
    }
}

#[test]
fn to_trust_everyone_is_warned_of() {
    for (networks, warned) in [("\"0.0.0.0/0\"", true), ("\"10.0.0.0/8\", \"::/0\"", true), ("\"10.0.0.0/8\"", false)] {
        let text = format!("trusted_proxies = [{networks}]\n{ISSUER}audience = \"a\"\n");
        let (_, warnings) = Config::read_with_warnings(&text, "portcullis.toml", Path::new("")).unwrap();
        assert_eq!(
            warnings.iter().any(|warning| warning.contains("every peer is a trusted proxy")),
            warned,
            "{networks}"
        );
    }
}

#[test]
fn a_method_that_mcp_does_not_have_is_warned_of() {
    for (method, warned) in [("tool/call", true), ("tools/call", false), ("x-vendor/*", false)] {
        let rule = format!("mcp = {{ methods = [{{ method = \"{method}\", scope = [\"a\"] }}] }}");
        let text = format!("{ISSUER}[[resources]]\nresource = \"https://mcp.example.com/mcp\"\n{rule}\n");
        let (_, warnings) = Config::read_with_warnings(&text, "portcullis.toml", Path::new("")).unwrap();
        assert_eq!(
            warnings.iter().any(|warning| warning.contains("is no method of MCP")),
            warned,
            "{method}: {warnings:?}"
        );
    }
}
