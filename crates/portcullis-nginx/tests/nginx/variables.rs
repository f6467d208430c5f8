//! The variables `$portcullis_…`, in every place where nginx takes variables.

use std::fs;

use serde_json::json;

use crate::{
    scene::{Scene, ask, until},
    site::{ISSUER, site},
};

const FILE: &str = "
[[routes]]
path = \"/problem/*\"
scope = [\"admin\"]
problem_json = true
[[routes]]
path = \"/reported/*\"
scope = [\"admin\"]
report_only = true
[[routes]]
path = \"/public/*\"
public = true
[[routes]]
path = \"/admin/*\"
scope = [\"admin\"]
[[routes]]
path = \"/*\"
";

const BLOCK: &str = r#"
    log_format verdicts '$uri|$portcullis_code|$portcullis_sub|$portcullis_scope|$portcullis_client_id|$portcullis_would_refuse|$portcullis_claim_role';
    map $portcullis_claim_role $is_admin { default no; admin yes; }
    server {
        listen {port};
        access_log {folder}/access.log verdicts;
        portcullis_config portcullis.toml;
        add_header X-Sub $portcullis_sub always;
        add_header X-Scope $portcullis_scope always;
        add_header X-Client $portcullis_client_id always;
        add_header X-Code $portcullis_code always;
        add_header X-Would-Refuse $portcullis_would_refuse always;
        add_header X-Reason $portcullis_reason always;
        add_header X-Role $portcullis_claim_role always;
        add_header X-Admin $is_admin always;
        add_header X-Https-Role $portcullis_claim_https___example_com_role always;
        add_header X-Folded $portcullis_claim_two_fold always;
        add_header X-Upper $portcullis_claim_upper always;
        add_header X-Email $portcullis_claim_email_verified always;
        proxy_set_header X-Told-Sub $portcullis_sub;
        proxy_set_header X-Told-Role $portcullis_claim_role;
        proxy_set_header X-Told-Admin $is_admin;
        location / { proxy_pass http://{api}; }
        location /early/ {
            if ($portcullis_sub) { return 200 known; }
            if ($portcullis_code = "") { set $early unknown; }
            add_header X-Early $early;
            add_header X-Code $portcullis_code;
            proxy_pass http://{api};
        }
        location /off/ { portcullis off; proxy_pass http://{api}; }
    }"#;

async fn scene() -> Scene {
    site(&[("portcullis.toml", &format!("{ISSUER}{FILE}"))], BLOCK).await
}

#[tokio::test]
async fn claims_of_any_kind() {
    let scene = scene().await;
    let is_role = |claim| ("role", claim);
    for ((name, claim), field, expected) in [
        (is_role(json!("admin")), "x-role", Some("admin")),
        (is_role(json!("")), "x-role", None),
        (is_role(json!("quoted \"role\" \\ ')")), "x-role", Some("quoted \"role\" \\ ')")),
        (is_role(json!("größe 🦀")), "x-role", Some("größe 🦀")),
        (is_role(json!("a\r\nX-Admin: yes")), "x-role", None),
        (is_role(json!("a\nb")), "x-role", None),
        (is_role(json!("a\u{0}b")), "x-role", None),
        (is_role(json!("a\u{7f}b")), "x-role", None),
        (is_role(json!("a\u{85}b")), "x-role", None),
        (is_role(json!({ "a": ["b\n", 1] })), "x-role", Some(r#"{"a":["b\n",1]}"#)),
        (is_role(json!(["a", "b"])), "x-role", Some(r#"["a","b"]"#)),
        // Text is not taken for something else, and no server trims it to another text.
        (is_role(json!("[\"a\",\"b\"]")), "x-role", None),
        (is_role(json!("{}")), "x-role", None),
        (is_role(json!(" admin")), "x-role", None),
        (is_role(json!("ad\u{200b}min")), "x-role", None),
        (is_role(json!(5)), "x-role", Some("5")),
        (is_role(json!(-1.5)), "x-role", Some("-1.5")),
        (is_role(json!(true)), "x-role", Some("true")),
        (is_role(json!(null)), "x-role", None),
        (("email_verified", json!(false)), "x-email", Some("false")),
        (("https://example.com/role", json!("a")), "x-https-role", Some("a")),
        (("HTTPS:/.example.com/role", json!("a")), "x-https-role", Some("a")),
        (("https://example.com", json!("a")), "x-https-role", None),
        (("UPPER", json!("a")), "x-upper", Some("a")),
        (("Upper", json!("a")), "x-upper", Some("a")),
        (("two/fold", json!("a")), "x-folded", Some("a")),
        (("twö/fold", json!("a")), "x-folded", None),
    ] {
        let token = scene.read().claim(name, claim.clone()).sign();
        let answer = scene.ask("GET /x", Some(&token)).await;
        assert_eq!(answer.status, 200, "{name} {claim} {answer:?}");
        assert_eq!(answer.all(field).first().copied(), expected, "{name} {claim} {answer:?}");
        let is_admin = if claim == json!("admin") { "yes" } else { "no" };
        assert_eq!(answer.all("x-admin"), [is_admin], "{name} {claim} {answer:?}");
        if field == "x-role" {
            assert_eq!(answer.echo().all("x-told-role").first().copied(), expected, "{name} {claim}");
        }
    }
}

#[tokio::test]
async fn two_claims_with_one_spelling_have_none_of_it() {
    let scene = scene().await;
    for (first, second, expected) in [
        ("two/fold", "two.fold", None),
        ("Two_Fold", "two-fold", None),
        ("two_fold", "two/fold", Some("first")),
        ("two/fold", "two_fold", Some("second")),
    ] {
        let token = scene.read().claim(first, "first").claim(second, "second").sign();
        let answer = scene.ask("GET /x", Some(&token)).await;
        assert_eq!(answer.all("x-folded").first().copied(), expected, "{first} {second} {answer:?}");
    }
}

#[tokio::test]
async fn the_verdict_in_fields_and_in_the_access_log() {
    let scene = scene().await;
    let token = scene.read().subject("alice").claim("role", "a\"b\\").sign();
    let quiet = scene.read().without_claim("client_id").without_claim("scope").sign();
    let mut lines = Vec::new();
    for (path, token, status, line) in [
        ("/x", Some(&token), 200, "pass|alice|read|test-client|-|a\\x22b\\x5C"),
        ("/x", None, 401, "no_credentials|-|-|-|-|-"),
        ("/x", Some(&"nonsense".to_owned()), 401, "malformed_token_parts|-|-|-|-|-"),
        ("/admin/x", Some(&token), 403, "insufficient_scope|-|-|-|-|-"),
        ("/problem/x", Some(&token), 403, "insufficient_scope|-|-|-|-|-"),
        ("/problem/x", None, 401, "no_credentials|-|-|-|-|-"),
        ("/reported/x", Some(&token), 200, "pass|-|-|-|insufficient_scope|-"),
        ("/public/x", Some(&token), 200, "pass|-|-|-|-|-"),
        ("/off/x", Some(&token), 200, "-|-|-|-|-|-"),
        ("/early/x", Some(&token), 200, "pass|alice|read|test-client|-|a\\x22b\\x5C"),
        ("/quiet", Some(&quiet), 200, "pass|alice|-|-|-|-"),
    ] {
        let answer = scene.ask(&format!("GET {path}"), token.map(String::as_str)).await;
        assert_eq!(answer.status, status, "{path} {answer:?}");
        let code = line.split('|').next().filter(|code| *code != "-");
        assert_eq!(answer.all("x-code").first().copied(), code, "{path} {answer:?}");
        lines.push(format!("{path}|{line}"));
    }
    let log = scene.folder.path().join("access.log");
    let logged = || fs::read_to_string(&log).unwrap_or_default();
    until("all requests are in the access log", async || logged().lines().count() >= lines.len()).await;
    for (logged, expected) in logged().lines().zip(&lines) {
        assert_eq!(logged, expected);
    }
}

#[tokio::test]
async fn the_rewrite_phase_comes_before_the_verdict() {
    let scene = scene().await;
    let answer = scene.ask("GET /early/x", Some(&scene.read().sign())).await;
    assert_eq!((answer.status, answer.all("x-early")), (200, vec!["unknown"]), "{answer:?}");
    let bare = ask(scene.port, "GET /early/x", &[]).await;
    assert_eq!(bare.status, 401, "{bare:?}");
}
