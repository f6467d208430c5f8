//! `portcullis keys`, completions and man pages.

use portcullis_testkit::{Algorithm, AuthorizationServer, Endpoint, Fault, SigningKey};
use serde_json::{Value, json};

use crate::{
    support::within,
    terminal::{Desk, Ran},
};

fn rows(ran: &Ran) -> Vec<Value> {
    let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("no JSON: {ran:?}"));
    report["keys"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_fetched_set_is_listed_with_what_cannot_be_used_and_why() {
    let algorithms = [Algorithm::RS256, Algorithm::ES384, Algorithm::EdDSA];
    let server = AuthorizationServer::builder().algorithms(algorithms).start().await.unwrap();
    let mut for_encryption = SigningKey::generate(Algorithm::ES256, "for-encryption").public_jwk();
    for_encryption["use"] = json!("enc");
    server.publish_jwk(for_encryption);
    server.publish_jwk(json!({ "kty": "oct", "kid": "a-secret", "k": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" }));
    server.publish_jwk(json!({ "kty": "quantum", "kid": "\x1b[2J\u{202e}hostile" }));
    let ran = Desk::new(&[]).run(&["keys", &server.jwks_uri()], "").await;
    assert_eq!((ran.status, ran.err.as_str()), (Some(0), ""), "{ran:?}");
    let lines: Vec<_> = ran.out.lines().collect();
    assert!(lines[0].starts_with("kid ") && lines[0].ends_with("state"), "{}", ran.out);
    assert_eq!(lines.len(), 7, "{}", ran.out);
    for words in ["2048 bits", "P-384", "Ed25519", "usable", "not used: its `use`", "in a published key set"] {
        assert!(ran.out.contains(words), "{words} is not in:\n{}", ran.out);
    }
    assert!(!ran.out.contains(|c: char| (c.is_control() && c != '\n') || c == '\u{202e}'), "{:?}", ran.out);
    assert!(!ran.out.contains("AAECAwQF"), "no secret is shown");

    let ran = Desk::new(&[]).run(&["keys", "--issuer", server.issuer(), "--json"], "").await;
    let rows = rows(&ran);
    let keys: Vec<_> = rows[0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["alg", "kid", "kty", "problem", "size", "thumbprint", "usable", "use"]);
    assert_eq!(
        rows.iter().map(|row| row["usable"].as_bool().unwrap()).collect::<Vec<_>>(),
        [true, true, true, false, false, false]
    );
    assert_eq!(rows[0]["thumbprint"].as_str().unwrap().len(), 43);
    assert!(!ran.out.contains('\x1b') && !ran.out.contains('\u{202e}'));
}

#[tokio::test]
async fn a_file_may_hold_secrets_and_pem() {
    let key = SigningKey::generate(Algorithm::ES256, "mine");
    let set =
        json!({ "keys": [key.public_jwk(), { "kty": "oct", "k": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" }] });
    let desk = Desk::new(&[("keys.json", &set.to_string()), ("key.pem", &key.public_pem())]);
    let ran = desk.run(&["keys", "keys.json"], "").await;
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert_eq!(ran.out.matches("usable").count(), 2, "{}", ran.out);
    let ran = desk.run(&["keys", "key.pem", "--json"], "").await;
    assert_eq!((ran.status, rows(&ran).len()), (Some(0), 1), "{ran:?}");
}

#[tokio::test]
async fn the_exit_status_says_whether_there_is_a_key_to_use() {
    let server = AuthorizationServer::start().await;
    let (uri, none) = (server.jwks_uri(), r#"{ "keys": [{ "kty": "quantum" }] }"#);
    let desk = Desk::new(&[("none.json", none), ("empty.json", r#"{ "keys": [] }"#), ("no-set.json", "[]")]);
    let rows: [(&[&str], i32); 9] = [
        (&[&uri], 0),
        (&["none.json"], 1),
        (&["empty.json"], 1),
        (&["no-set.json"], 2),
        (&["nowhere.json"], 2),
        (&["http://127.0.0.1:1/jwks"], 2),
        (&["http://as.example.com/jwks"], 2),
        (&[], 2),
        (&[&uri, "--issuer", &uri], 2),
    ];
    for (arguments, status) in rows {
        let ran = desk.run(&[&["keys"], arguments].concat(), "").await;
        assert_eq!(ran.status, Some(status), "{arguments:?}: {ran:?}");
        assert_eq!(ran.err.is_empty(), status != 2, "{arguments:?}: {ran:?}");
    }
    server.set_jwks(Some(serde_json::from_str(none).unwrap()));
    let ran = desk.run(&["keys", &uri], "").await;
    assert_eq!(ran.status, Some(1), "a set without a usable key is shown all the same: {ran:?}");
    assert!(ran.out.contains("quantum"), "{}", ran.out);
    server.fault(Endpoint::Jwks, Fault::Status(404));
    let ran = desk.run(&["keys", &uri], "").await;
    assert_eq!(ran.status, Some(2));
    assert!(ran.err.contains("404") && ran.err.contains("--issuer"), "{}", ran.err);
}

#[tokio::test]
async fn the_help_is_for_the_reason_why_there_are_no_keys() {
    let server = AuthorizationServer::start().await;
    let (desk, other) = (Desk::new(&[]), server.url("/nowhere"));
    let (of_issuer, of_set) = ("write `--issuer URL`", "write that without `--issuer`");
    let http = "expected an https URL, or an http URL of this machine, got `http://as.example.com";
    let table: [(&[&str], &[&str], &[&str]); 7] = [
        (&["keys", &other], &["got 404", of_issuer], &["server runs"]),
        (&["keys", "--issuer", &other], &["got 404", of_set], &["server runs"]),
        (&["keys", "http://127.0.0.1:1/jwks"], &["the server runs"], &[of_issuer]),
        (&["keys", "--issuer", "http://127.0.0.1:1"], &["the server runs"], &[of_set]),
        (&["keys", "http://as.example.com/jwks"], &[http, "name its file"], &["dangerously_allow_http", "--jwks-file"]),
        (&["keys", "--issuer", "http://as.example.com"], &[http, "name its file"], &["dangerously_allow_http"]),
        (
            &["explain", "--jwks-uri", "http://as.example.com/jwks"],
            &[http, "by --jwks-file"],
            &["dangerously_allow_http"],
        ),
    ];
    for (arguments, words, absent) in table {
        let ran = desk.run(arguments, "").await;
        assert_eq!((ran.status, ran.out.as_str()), (Some(2), ""), "{arguments:?}: {ran:?}");
        // The report is broken into lines, also within a URL.
        let bare = |text: &str| text.replace('│', "").split_whitespace().collect::<String>();
        let contains = |words: &&str| bare(&ran.err).contains(&bare(words));
        assert!(words.iter().all(contains) && !absent.iter().any(contains), "{arguments:?}: {}", ran.err);
    }
}

#[tokio::test]
async fn completions_and_manual_pages_are_made_of_the_definition() {
    let desk = Desk::new(&[]);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = desk.run(&["completions", shell], "").await;
        assert_eq!(ran.status, Some(0), "{shell}");
        for word in ["explain", "jwks-file", "check-config"] {
            assert!(ran.out.contains(word), "{shell}: {word}");
        }
    }
    let ran = desk.run(&["man"], "").await;
    assert!(ran.out.contains(".TH portcullis 1") && ran.out.contains("check\\-config"), "{}", ran.out);
    assert!(!ran.out.contains("portcullis\\-help"), "{}", ran.out);
    let ran = desk.run(&["man", "explain"], "").await;
    for words in [".TH portcullis-explain 1", "\\-\\-jwks\\-uri", "Exit status"] {
        assert!(ran.out.contains(words), "{words} is not in:\n{}", ran.out);
    }
    assert_eq!(desk.run(&["man", "nonsense"], "").await.status, Some(2));
    assert_eq!(desk.run(&["completions", "nonsense"], "").await.status, Some(2));
}

#[tokio::test]
async fn bash_can_read_its_completions() {
    let desk = Desk::new(&[]);
    let script = desk.run(&["completions", "bash"], "").await.out;
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("portcullis.bash");
    std::fs::write(&file, script).unwrap();
    let read = || std::process::Command::new("bash").arg("-n").arg(&file).status().ok();
    assert!(within(read).await.unwrap().success());
}

#[tokio::test]
async fn odd_keys_are_listed_with_what_is_odd_and_other_files_are_named() {
    let mut odd = SigningKey::generate(Algorithm::EdDSA, "odd").public_jwk();
    odd["x"] = json!(format!("{}=", odd["x"].as_str().unwrap()));
    let certificate = portcullis_testkit::CertificateAuthority::new().pem();
    let desk = Desk::new(&[
        ("odd.json", &json!({ "keys": [odd] }).to_string()),
        ("certificate.pem", &certificate),
        ("page.html", "<!doctype html><html></html>"),
        ("private.pem", "-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----"),
    ]);
    let ran = desk.run(&["keys", "odd.json"], "").await;
    assert!(ran.out.contains("usable; its `x` is not in base64url"), "{ran:?}");
    let ran = desk.run(&["keys", "odd.json", "--json"], "").await;
    assert_eq!(rows(&ran)[0]["warnings"].as_array().unwrap().len(), 1, "{ran:?}");
    assert_eq!(desk.run(&["keys", "certificate.pem"], "").await.status, Some(0));
    for (file, named) in [("page.html", "HTML"), ("private.pem", "private")] {
        let ran = desk.run(&["keys", file], "").await;
        assert!(ran.status == Some(2) && ran.err.contains(named), "{ran:?}");
    }
}
