//! `portcullis init`: from an issuer's URL to a gateway that guards.

use portcullis_testkit::{Algorithm, AuthorizationServer, CertificateAuthority, Endpoint, Fault, SigningKey};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    support::{Gateway, text},
    terminal::{Desk, Ran},
};

const AUDIENCE: &str = "https://api.example.com";

async fn realm() -> AuthorizationServer {
    AuthorizationServer::builder().path("/realms/shop").client("portcullis", "test-secret").start().await.unwrap()
}

/// Runs the command, and returns the run and the folder.
async fn init(arguments: &[&str]) -> (Ran, Desk) {
    let desk = Desk::new(&[("client-secret", "test-secret")]);
    let ran = desk.run(&[&["init"], arguments].concat(), "").await;
    (ran, desk)
}

/// Starts a gateway with the configuration in `written`, on free ports.
async fn guard(written: &str) -> Gateway {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("client-secret"), "test-secret").unwrap();
    std::fs::write(folder.path().join("portcullis.toml"), text("", written)).unwrap();
    Gateway::start_in(folder).await
}

#[tokio::test]
async fn the_written_configuration_is_good_and_guards_an_api() {
    let server = realm().await;
    let (ran, desk) = init(&["--issuer", server.issuer(), "--audience", AUDIENCE]).await;
    assert_eq!((ran.status, ran.err.as_str()), (Some(0), ""), "{ran:?}");
    for told in [
        server.issuer(),
        "1 key for RS256",
        "Wrote portcullis.toml",
        "1. portcullis check-config --config portcullis.toml",
        "2. portcullis serve",
        "nginx",
        "/introspect",
    ] {
        assert!(ran.out.contains(told), "{told} is not in:\n{}", ran.out);
    }
    assert!(!ran.out.contains("Write the audience"), "{}", ran.out);
    let checked = desk.run(&["check-config"], "").await;
    assert_eq!(checked.status, Some(0), "{checked:?}");
    assert!(checked.out.contains(&format!("for {AUDIENCE}, algorithms [\"RS256\"]")), "{}", checked.out);

    let gateway = guard(&desk.read("portcullis.toml")).await;
    let good = gateway.ask("GET", "/orders/1", Some(&server.token().scope("a b").sign())).await;
    let fields = ["x-auth-subject", "x-auth-scope"].map(|name| good.header(name));
    assert_eq!((good.status, fields), (200, [Some("alice"), Some("a b")]), "{good:?}");
    assert_eq!(gateway.ask("GET", "/orders/1", None).await.status, 401);
    let elsewhere = server.token().audience("https://other.example.com").sign();
    assert_eq!(gateway.ask("GET", "/orders/1", Some(&elsewhere)).await.code(), "wrong_audience");
}

#[tokio::test]
async fn the_commented_lines_are_good_as_well() {
    let server = realm().await;
    let (_, desk) = init(&["--issuer", server.issuer(), "--audience", AUDIENCE]).await;
    let uncommented: String = desk
        .read("portcullis.toml")
        .lines()
        .map(|line| {
            let code = line.strip_prefix("# ").filter(|rest| rest.starts_with('[') || rest.contains(" = "));
            format!("{}\n", code.unwrap_or(line))
        })
        .collect();
    assert!(
        ["\n[issuers.introspection]\n", "\n[issuers.exchange]\n", "\nlisten = "]
            .iter()
            .all(|part| uncommented.contains(part)),
        "{uncommented}"
    );
    let tables = uncommented.split_once("[[issuers]]").unwrap().1;
    let gateway = guard(&format!("[[issuers]]{tables}")).await;
    assert_eq!(gateway.ask("GET", "/health", None).await.status, 200);
    let [reads, writes] = ["orders:read", "orders:write"].map(|scope| server.token().scope(scope).sign());
    for (method, passing, refused) in
        [("GET", &reads, &writes), ("POST", &writes, &reads), ("PATCH", &writes, &reads), ("DELETE", &writes, &reads)]
    {
        assert_eq!(gateway.ask(method, "/orders/1", Some(passing)).await.status, 200, "{method}");
        assert_eq!(gateway.ask(method, "/orders/1", Some(refused)).await.code(), "insufficient_scope", "{method}");
    }
    let opaque = server.issue_opaque(server.token().scope("orders:read"));
    assert_eq!(gateway.ask("GET", "/orders/1", Some(&opaque)).await.status, 200);
    let checked = Desk::new(&[("portcullis.toml", &uncommented), ("client-secret", "x")]);
    assert_eq!(checked.run(&["check-config"], "").await.status, Some(0));
}

#[tokio::test]
async fn without_an_audience_the_user_is_told_what_that_means() {
    let server = realm().await;
    let (ran, desk) = init(&["--issuer", server.issuer()]).await;
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.out.contains("Write the audience of your API into portcullis.toml"), "{}", ran.out);
    assert!(desk.read("portcullis.toml").contains("# audience = ["));
    assert_eq!(desk.run(&["check-config"], "").await.status, Some(0));
}

#[tokio::test]
async fn the_url_of_the_metadata_will_do_and_other_forms_of_metadata() {
    let server = AuthorizationServer::builder()
        .algorithms([Algorithm::ES256, Algorithm::EdDSA])
        .openid_configuration(false)
        .path("/oauth2/default")
        .start()
        .await
        .unwrap();
    let url = format!("{}/.well-known/openid-configuration", server.issuer());
    let (ran, desk) = init(&["--issuer", &url]).await;
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let written = desk.read("portcullis.toml");
    assert!(written.contains(&format!("issuer = \"{}\"\n", server.issuer())), "{written}");
    assert!(written.contains("algorithms = [\"ES256\", \"EdDSA\"]"), "{written}");
}

#[tokio::test]
async fn no_file_is_overwritten_and_the_standard_output_is_none() {
    let server = realm().await;
    let desk = Desk::new(&[("portcullis.toml", "# mine\n")]);
    let ran = desk.run(&["init", "--issuer", server.issuer()], "").await;
    assert_eq!((ran.status, ran.out.as_str()), (Some(2), ""), "{ran:?}");
    for told in ["expected no file portcullis.toml, got one", "`--output`"] {
        assert!(ran.err.contains(told), "{told} is not in:\n{}", ran.err);
    }
    assert_eq!(desk.read("portcullis.toml"), "# mine\n");
    assert_eq!(server.requests(Endpoint::OpenIdConfiguration), 0);

    let ran = desk.run(&["init", "--issuer", server.issuer(), "--output", "-"], "").await;
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.out.starts_with("# The gateway") && ran.out.contains("[[issuers]]"), "{}", ran.out);
    assert!(ran.err.contains("Next:") && !ran.out.contains("Next:"), "{}", ran.err);
    assert!(ran.err.contains("1. Save the configuration as portcullis.toml."), "{}", ran.err);
    let ran = desk.run(&["init", "--issuer", server.issuer(), "-o", "nowhere/other.toml"], "").await;
    assert!(ran.status == Some(2) && ran.err.contains("cannot write nowhere/other.toml"), "{ran:?}");
    let ran = desk.run(&["init", "--issuer", server.issuer(), "-o", "other.toml"], "").await;
    assert!(ran.status == Some(0) && ran.out.contains("serve --config other.toml"), "{ran:?}");
}

#[tokio::test]
async fn an_issuer_that_cannot_be_used_is_told_with_the_remedy() {
    let silent =
        AuthorizationServer::builder().openid_configuration(false).oauth_metadata(false).start().await.unwrap();
    let page = AuthorizationServer::start().await;
    page.fault(Endpoint::OpenIdConfiguration, Fault::NotJson);
    page.fault(Endpoint::OAuthMetadata, Fault::NotJson);
    let other = AuthorizationServer::builder().metadata_issuer("https://login.example.com/").start().await.unwrap();
    let tenants = AuthorizationServer::builder()
        .metadata_issuer("https://login.microsoftonline.com/{tenantid}/v2.0")
        .start()
        .await
        .unwrap();
    let keyless = AuthorizationServer::start().await;
    keyless.fault(Endpoint::Jwks, Fault::NoKeys);
    let useless = AuthorizationServer::start().await;
    useless.set_jwks(Some(json!({ "keys": [{ "kty": "oct", "kid": "\x1b[2Jours", "k": "c2VjcmV0" }] })));
    let stopped = AuthorizationServer::start().await;
    stopped.stop().await;
    let rows: [(&str, i32, &[&str]); 10] = [
        (silent.issuer(), 2, &["404", "/.well-known/openid-configuration", "is http"]),
        (page.issuer(), 2, &["HTML", "It is the `iss` of a token"]),
        (other.issuer(), 1, &["portcullis init --issuer https://login.example.com/"]),
        (tenants.issuer(), 1, &["stands for all tenants", "docs/providers/entra.md"]),
        (keyless.issuer(), 1, &["expected a key", "the key set is empty"]),
        (useless.issuer(), 1, &["expected a key", "in a published key set"]),
        (stopped.issuer(), 2, &["is http"]),
        ("http://as.example.com", 2, &["expected an https URL", "--dangerously-allow-http"]),
        ("as.example.com", 2, &["expected an absolute URL"]),
        ("https://login.example.com/{tenant}", 2, &["placeholder", "docs/providers/entra.md"]),
    ];
    for (issuer, status, told) in rows {
        let (ran, desk) = init(&["--issuer", issuer]).await;
        assert_eq!((ran.status, ran.out.as_str()), (Some(status), ""), "{issuer}: {ran:?}");
        // Lines may be broken within a word.
        let err = without_blanks(&ran.err);
        for words in told {
            assert!(err.contains(&without_blanks(words)), "{issuer}: {words} is not in:\n{}", ran.err);
        }
        assert!(!ran.err.contains('\x1b'), "{ran:?}");
        assert!(!desk.has("portcullis.toml"), "{issuer}: nothing is written");
    }
    for arguments in [&[][..], &["--issuer", keyless.issuer(), "--audience", ""]] {
        assert_eq!(init(arguments).await.0.status, Some(2), "{arguments:?}");
    }
}

#[tokio::test]
async fn an_authority_of_ones_own_is_trusted_here_and_written_down() {
    let authority = CertificateAuthority::new();
    let server = AuthorizationServer::builder().tls(authority.clone()).start().await.unwrap();
    let desk = Desk::new(&[("ca.pem", &authority.pem())]);
    let ran = desk.run(&["init", "--issuer", server.issuer()], "").await;
    assert!(ran.status == Some(2) && without_blanks(&ran.err).contains("--ca-file"), "{ran:?}");
    let ran = desk.run(&["init", "--issuer", server.issuer(), "--ca-file", "ca.pem"], "").await;
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let gateway = guard(&desk.read("portcullis.toml")).await;
    assert_eq!(gateway.ask("GET", "/", Some(&server.token().sign())).await.status, 200);
    let ran = desk.run(&["init", "--issuer", server.issuer(), "--ca-file", "none.pem", "-o", "-"], "").await;
    assert_eq!(ran.status, Some(2), "{ran:?}");
}

#[tokio::test]
async fn nothing_in_the_metadata_gets_out_of_its_line() {
    let server = AuthorizationServer::start().await;
    let odd = SigningKey::generate(Algorithm::ES256, "\x1b[2J\n[[issuers]]");
    server.publish_jwk(odd.public_jwk());
    let metadata = json!({
        "issuer": server.issuer(),
        "jwks_uri": server.jwks_uri(),
        "introspection_endpoint": "https://as.example.com/\n[[issuers]]\nissuer = \"https://evil.example\" \u{202e}${HOME}",
        "id_token_signing_alg_values_supported": ["\n[[issuers]]", 7],
    });
    let body = Fault::Body { content_type: "application/json".into(), body: metadata.to_string() };
    server.fault(Endpoint::OpenIdConfiguration, body);
    let (ran, desk) = init(&["--issuer", server.issuer()]).await;
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let document: Value = toml_of(&desk.read("portcullis.toml"));
    assert_eq!(document["issuers"].as_array().unwrap().len(), 1);
    assert!(!ran.out.contains(['\x1b', '\u{202e}']), "{ran:?}");
    assert!(!ran.out.lines().any(|line| line.starts_with("[[issuers]]")), "{ran:?}");
}

/// Returns metadata of a server with another member.
fn metadata(server: &AuthorizationServer, name: &str, value: &str) -> Fault {
    let mut metadata = json!({ "issuer": server.issuer(), "jwks_uri": server.jwks_uri() });
    metadata[name] = value.into();
    Fault::Body { content_type: "application/json".into(), body: metadata.to_string() }
}

/// The gateway's secret and its clients' tokens would go there.
#[tokio::test]
async fn no_endpoint_is_suggested_that_the_issuer_may_not_name() {
    let server = AuthorizationServer::start().await;
    let long = format!("https://as.example.com/{}", "x".repeat(10_000));
    for (endpoint, suggested) in [
        ("https://as.example.com/introspect", true),
        ("http://169.254.169.254/latest/api/token", false),
        ("https://[fd00:ec2::254]/introspect", false),
        ("http://as.example.com/introspect", false),
        ("javascript:alert(1)", false),
        ("relative/path", false),
        (&long, false),
    ] {
        server.fault(Endpoint::OpenIdConfiguration, metadata(&server, "introspection_endpoint", endpoint));
        let (ran, desk) = init(&["--issuer", server.issuer()]).await;
        assert_eq!(ran.status, Some(0), "{ran:?}");
        let written = desk.read("portcullis.toml");
        assert_eq!(written.contains(endpoint), suggested, "{written}");
        assert_eq!(ran.out.contains(endpoint), suggested, "{}", ran.out);
        assert_eq!(ran.out.contains("no introspection endpoint"), !suggested, "{}", ran.out);
    }
}

#[tokio::test]
async fn the_suggested_command_has_the_options_that_were_given() {
    let other = AuthorizationServer::builder().metadata_issuer("https://login.example.com/").start().await.unwrap();
    let given = ["--audience", "https://api.example.com", "--audience", "$(id)", "-o", "my gateway.toml"];
    let (ran, _) = init(&[&["--issuer", other.issuer()], &given[..]].concat()).await;
    let expected = "portcullis init --issuer https://login.example.com/ --audience https://api.example.com --audience '$(id)' \
                    --output 'my gateway.toml'";
    assert!(without_blanks(&ran.err).contains(&without_blanks(expected)), "{}", ran.err);
}

/// People copy the commands that they are shown.
#[tokio::test]
async fn no_command_is_suggested_in_which_a_shell_would_find_another() {
    for other in
        ["https://evil.example/$(id)", "https://evil.example/`id`", "https://evil.example/;id", "-o /etc/passwd"]
    {
        let server = AuthorizationServer::builder().metadata_issuer(other).start().await.unwrap();
        let (ran, _) = init(&["--issuer", server.issuer()]).await;
        assert_eq!(ran.status, Some(1), "{ran:?}");
        let told = without_blanks(&ran.err);
        assert!(told.contains(&without_blanks("no plain URL")), "{}", ran.err);
        assert!(!told.contains("portcullisinit"), "{}", ran.err);
    }
}

#[tokio::test]
async fn a_key_set_fills_no_terminal() {
    let server = AuthorizationServer::start().await;
    for number in 0..100 {
        server.publish_jwk(json!({ "kty": "RSA", "use": "enc", "kid": format!("{number}-{}", "k".repeat(1_000)) }));
    }
    let (ran, _) = init(&["--issuer", server.issuer()]).await;
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.out.contains("not used: 90 more keys") && ran.out.len() < 4_000, "{}", ran.out);
}

fn without_blanks(text: &str) -> String {
    text.chars().filter(|character| !character.is_whitespace()).collect()
}

fn toml_of(text: &str) -> Value {
    let table: toml::Table = toml::from_str(text).unwrap();
    serde_json::to_value(table).unwrap()
}
