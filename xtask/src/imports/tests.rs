use super::*;

const LIB: &str = "
mod jwks;
pub use jwks::{JwksService, cache::InMemoryCache as Memory};
pub use self::refusal::Refusal;
pub use crate::tower::Secure;
";

/// The lines of `text` that break a rule in `file`, each with what it names.
fn found(file: &str, text: &str) -> Vec<(usize, String)> {
    let violations = source_violations(Path::new(file), text, &Exports::of(LIB));
    let found = violations.into_iter();
    found.map(|violation| (violation.line, violation.what)).collect()
}

#[test]
fn allowed() {
    for (file, text) in [
        ("bearer.rs", "use crate::refusal::Refusal;"),
        ("bearer.rs", "use crate::Refusal;"),
        ("claims/mod.rs", "use super::token::Claims; use std::{fmt, time::SystemTime};"),
        ("token/parse.rs", "use super::jwks::Local; use super::super::keys::Algorithm;"),
        ("clock.rs", "fn now() -> SystemTime { SystemTime::now() }"),
        ("crypto.rs", "use aws_lc_rs::signature;"),
        ("crypto/rsa.rs", "use aws_lc_rs::{rsa, signature};"),
        ("policy/mod.rs", "let metrics = 1; let tokio = metrics; x.tracing();"),
        ("jwks/mod.rs", "use crate::{keys::KeySet, verifier}; async fn f() { tokio::spawn(g()).await; }"),
        ("jwks/fetch.rs", "use tracing::info; use std::fs; let t = Instant::now();"),
        ("tower/mod.rs", "use crate::{challenge, verifier::Verifier, jwks::JwksService}; use tower_service::Service;"),
        ("axum/mod.rs", "use crate::tower::Secure; use axum_core::extract;"),
        ("axum/mod.rs", "use crate::Secure;"),
        ("lib.rs", "pub use axum::Claims; pub use refusal::Refusal;"),
        ("bearer.rs", "// use crate::jwks;\n//! [`crate::tower`]\n/* crate::tower::x /* */ tokio::spawn */"),
        ("bearer.rs", "let s = \"crate::jwks::x \\\" tokio::spawn\"; let c = '\"'; let l: &'static str;"),
        ("bearer.rs", "let s = r#\"crate::jwks::x \" tokio::spawn\"#; let b = br\"crate::jwks::x\";"),
        ("bearer.rs", "#[cfg(test)]\n#[allow(x)]\nmod tests {\n use crate::jwks;\n async fn f() {}\n}"),
        ("bearer.rs", "#[cfg(test)]\nuse crate::jwks::{self, X};\nuse crate::refusal;"),
        ("bearer.rs", "pub(crate) fn f() {} pub(super) fn g() {}"),
    ] {
        assert_eq!(found(file, text), [], "{file}: {text}");
    }
}

#[test]
fn refused() {
    for (file, text, line, what) in [
        // Upward.
        ("bearer.rs", "\nuse crate::jwks::Snapshot;", 2, "bearer names crate::jwks::Snapshot"),
        ("bearer.rs", "fn f(x: &crate::verifier::Verifier) {}", 1, "bearer names crate::verifier::Verifier"),
        (
            "token/mod.rs",
            "use crate::{\n    keys::Key,\n    jwks::{cache::Cache},\n};",
            3,
            "token names crate::jwks::cache::Cache",
        ),
        ("keys/set.rs", "use crate::tower;", 1, "keys names crate::tower"),
        ("keys/set.rs", "use {crate::axum as a};", 1, "keys names crate::axum"),
        ("claims/mod.rs", "use crate::telemetry::*;", 1, "claims names crate::telemetry"),
        ("refusal.rs", "use super::token_cache::X;", 1, "refusal names super::token_cache::X"),
        ("token/parse.rs", "use super::super::introspection;", 1, "token names super::super::introspection"),
        ("verifier/mod.rs", "use crate::tower::Secure;", 1, "verifier names crate::tower::Secure"),
        ("jwks/a/b.rs", "crate::actix::f();", 1, "jwks names crate::actix::f"),
        // Through the names in lib.rs.
        ("policy/mod.rs", "use crate::JwksService;", 1, "policy names crate::JwksService"),
        ("policy/mod.rs", "use crate::{Refusal, Memory};", 1, "policy names crate::Memory"),
        ("jwks/mod.rs", "use crate::Secure;", 1, "jwks names crate::Secure"),
        // Doors beside doors.
        ("tower/layer.rs", "use crate::axum::Claims;", 1, "tower names crate::axum::Claims"),
        ("actix/mod.rs", "use crate::tower::Secure;", 1, "actix names crate::tower::Secure"),
        ("axum/mod.rs", "use crate::actix;", 1, "axum names crate::actix"),
        // The pure core.
        ("clock.rs", "\n\nasync fn f() {}", 3, "clock has `async`"),
        ("policy/mod.rs", "f().await", 1, "policy has `await`"),
        ("policy/mod.rs", "tokio::spawn(f);", 1, "policy names tokio::spawn"),
        ("policy/mod.rs", "use ::tokio::sync::Mutex;", 1, "policy names tokio::sync::Mutex"),
        ("policy/mod.rs", "#[tracing::instrument]", 1, "policy names tracing::instrument"),
        ("policy/mod.rs", "metrics::counter!(\"x\");", 1, "policy names metrics::counter"),
        ("policy/mod.rs", "use metrics;", 1, "policy names metrics"),
        ("keys/mod.rs", "use std::{fmt, fs::File};", 1, "keys names std::fs::File"),
        ("keys/mod.rs", "use std::net::IpAddr;", 1, "keys names std::net::IpAddr"),
        ("keys/mod.rs", "std::env::var(\"X\")", 1, "keys names std::env::var"),
        ("claims/mod.rs", "let now = SystemTime::now();", 1, "claims names SystemTime::now"),
        ("claims/mod.rs", "std::time::Instant::now()", 1, "claims names std::time::Instant::now"),
        ("claims/mod.rs", "let f: fn() -> _ = SystemTime::now;", 1, "claims names SystemTime::now"),
        // After what only looks like something else.
        ("bearer.rs", "let s = \"//\"; tokio::spawn(f);", 1, "bearer names tokio::spawn"),
        ("bearer.rs", "fn f<'a>(c: char) { c == '\\''; tokio::spawn(f) }", 1, "bearer names tokio::spawn"),
        ("bearer.rs", "#[cfg(test)]\nmod tests { fn f() {} }\ntokio::spawn(f);", 3, "bearer names tokio::spawn"),
        ("bearer.rs", "#[cfg(test)]\nmod tests;\ntokio::spawn(f);", 3, "bearer names tokio::spawn"),
        // The cryptographic library.
        ("keys/mod.rs", "use aws_lc_rs::signature;", 1, "keys names aws_lc_rs::signature"),
        ("jwks/mod.rs", "aws_lc_rs::digest::digest(&X, b);", 1, "jwks names aws_lc_rs::digest::digest"),
        // A module that the table does not know.
        ("secrets/mod.rs", "", 1, "secrets has no layer"),
    ] {
        assert_eq!(found(file, text), [(line, what.to_owned())], "{file}: {text}");
    }
}

#[test]
fn a_violation_is_told_with_its_place_and_reason() {
    let [violation] =
        source_violations(Path::new("keys/mod.rs"), "\nuse crate::jwks;", &Exports::default()).try_into().unwrap();
    assert_eq!(
        violation.to_string(),
        "crates/portcullis/src/keys/mod.rs:2: keys names crate::jwks: \
         imports go from doors to services to the core, never upward"
    );
}

#[test]
fn dependencies_between_our_crates() {
    for (package, text, line) in [
        ("portcullis", "[dev-dependencies]\nportcullis-testkit.workspace = true", None),
        ("portcullis", "[dependencies]\nportcullis-testkit.workspace = true", Some(2)),
        ("portcullis-testkit", "[package]\nname = \"portcullis-testkit\"", None),
        ("portcullis-testkit", "[dependencies]\naxum = \"1\"\nportcullis = { path = \"..\" }", Some(3)),
        ("portcullis-testkit", "[dev-dependencies.portcullis]\npath = \"..\"", Some(1)),
    ] {
        let violations = manifest_violations(package, text);
        let lines: Vec<_> = violations.iter().map(|violation| violation.line).collect();
        assert_eq!(lines, Vec::from_iter(line), "{package}: {text}");
    }
}
