use super::*;

/// The breaches in a file of the library: the line, and the text after file and line.
fn found(file: &str, code: &str) -> Vec<(usize, String)> {
    let file = format!("crates/portcullis/src/{file}");
    let breaches = breaches_of(LIBRARY, &file, code).unwrap();
    let places =
        breaches.iter().map(|breach| breach.strip_prefix(&format!("{file}:")).unwrap().split_once(": ").unwrap());
    places.map(|(line, what)| (line.parse().unwrap(), what.to_owned())).collect()
}

#[test]
fn a_room_names_rooms_below_it_and_its_own() {
    for (file, code) in [
        ("bearer/mod.rs", "use crate::refusal::Refusal;"),
        (
            "claims/mod.rs",
            "use crate::{json::{self, Object}, token::SignedToken as Signed}; use std::{fmt, time::SystemTime};",
        ),
        ("claims/mod.rs", "use crate::claims::verified;"),
        ("claims/deep/verified.rs", "use super::super::scopes; use super::*; use self::x::y;"),
        ("claims.rs", "mod inner { use super::X; mod more { use super::super::Y; } }"),
        ("clock.rs", "fn now() -> SystemTime { SystemTime::now() }"),
        ("crypto.rs", "use aws_lc_rs::signature;"),
        ("crypto/rsa.rs", "use aws_lc_rs::{rsa, signature};"),
        ("policy/mod.rs", "fn f() { let metrics = 1; let tokio = metrics; x.tracing(); }"),
        ("jwks/mod.rs", "use crate::keys::KeySet; async fn f() { tokio::spawn(g()).await; }"),
        ("jwks/fetch.rs", "use tracing::info; use std::fs; fn f() { let t = Instant::now(); }"),
        ("axum/mod.rs", "use crate::tower::Secure; use axum_core::extract;"),
        ("bearer/mod.rs", "// use crate::jwks;\n/// [`crate::tower::Secure`]\nstruct S; /* tokio::spawn */"),
        ("bearer/mod.rs", "/// [`Secure`](crate::Secure)\n#[doc = \"crate::jwks::x\"]\nstruct S;"),
        ("bearer/mod.rs", "fn f() { g(\"crate::jwks::x \\\" tokio::spawn\"); format!(\"tokio::spawn {x}\"); }"),
        ("bearer/mod.rs", "#[cfg(test)]\n#[allow(x)]\nmod tests {\n use crate::jwks;\n fn f() { tokio::spawn(g); }\n}"),
        ("lib.rs", "pub use axum::Claims; pub use crate::refusal::Refusal;"),
        ("bearer/tests/hostile.rs", "use crate::jwks;"),
        ("bearer/tests.rs", "use crate::jwks;"),
        ("bearer/mod.rs", "pub(crate) fn f() {} pub(super) fn g() {} pub(in crate::bearer) fn h() {}"),
    ] {
        assert_eq!(found(file, code), [], "{file}: {code}");
    }
}

#[test]
fn a_room_names_no_room_above_or_beside_it() {
    for (file, code, line, named) in [
        ("bearer.rs", "\nuse crate::jwks::Snapshot;", 2, "bearer names crate::jwks::Snapshot"),
        ("bearer.rs", "fn f(\n x: &crate::verifier::Verifier) {}", 2, "bearer names crate::verifier::Verifier"),
        ("bearer.rs", "fn f(x: Vec<crate::gate::X>) {}", 1, "bearer names crate::gate::X"),
        ("bearer.rs", "fn f(x: <T as crate::gate::X>::Z) {}", 1, "bearer names crate::gate::X::Z"),
        (
            "token/mod.rs",
            "use crate::{\n json::X,\n jwks::{cache::Cache},\n};",
            3,
            "token names crate::jwks::cache::Cache",
        ),
        ("keys/set.rs", "use crate::tower;", 1, "keys names crate::tower"),
        ("keys/set.rs", "use {crate::axum as a};", 1, "keys names crate::axum"),
        ("keys/set.rs", "use crate::axum::{self};", 1, "keys names crate::axum::self"),
        ("keys/set.rs", "fn f() { use crate::token::X; }", 1, "keys names crate::token::X"),
        ("claims/mod.rs", "use crate::telemetry::*;", 1, "claims names crate::telemetry::*"),
        ("axum/mod.rs", "use crate::actix;", 1, "axum names crate::actix"),
        ("actix/mod.rs", "use crate::axum::Claims;", 1, "actix names crate::axum::Claims"),
        ("json/mod.rs", "#[cfg(test)] mod tests;\nuse crate::bearer;", 2, "json names crate::bearer"),
        // In macros and attributes.
        ("claims/mod.rs", "fn f() { matches!(x,\n crate::gate::X { .. }) }", 2, "claims names crate::gate::X"),
        ("claims/mod.rs", "macro_rules! m { () => { $crate::gate::f::<T>() } }", 1, "claims names crate::gate::f::<"),
        ("claims/mod.rs", "#[x(with = \"crate::gate::seconds\")] struct S;", 1, "claims names crate::gate::seconds"),
        ("claims/mod.rs", "#[crate::gate::x] struct S;", 1, "claims names crate::gate::x"),
    ] {
        assert_breach(file, code, line, named, "which stands above or beside it (list in xtask/src/imports/mod.rs)");
    }
}

#[test]
fn a_room_is_named_by_its_name() {
    for (file, code, named) in [
        ("policy/mod.rs", "use crate::Claims;", "policy names crate::Claims"),
        ("policy/mod.rs", "use crate::{claims::X, Claims};", "policy names crate::Claims"),
        ("policy/mod.rs", "use crate::*;", "policy names crate::*"),
        ("jwks/mod.rs", "fn f(x: crate::Secure) {}", "jwks names crate::Secure"),
        ("jwks/mod.rs", "fn f() { x!(crate::Secure); }", "jwks names crate::Secure"),
    ] {
        assert_breach(file, code, 1, named, "which is not a room: name the room that defines it");
    }
    for (file, code, named) in [
        ("policy.rs", "use super::claims::X;", "policy names super::claims::X"),
        ("policy/mod.rs", "fn f(x: super::claims::X) {}", "policy names super::claims::X"),
        ("policy/a.rs", "use super::super::claims;", "policy names super::super::claims"),
        ("policy.rs", "mod inner { use super::super::claims; }", "policy names super::claims"),
        ("policy/a/b.rs", "use super::super::super::claims;", "policy names super::super::super::claims"),
    ] {
        assert_breach(file, code, 1, named, "out of its own room: write `crate::`");
    }
    let unplaced = found("secrets/mod.rs", "use std::fmt;");
    assert!(matches!(&unplaced[..], [(1, what)] if what.starts_with("expected secrets in the list")), "{unplaced:?}");
}

#[test]
fn a_pure_room_waits_for_nothing_and_asks_nobody() {
    for (file, code, named) in [
        ("clock.rs", "fn f() { g().await }", "clock names await"),
        ("policy/mod.rs", "fn f() { async { g().await }; }", "policy names await"),
        ("policy/mod.rs", "fn f() { tokio::spawn(f); }", "policy names tokio::spawn"),
        ("policy/mod.rs", "use ::tokio::sync::Mutex;", "policy names tokio::sync::Mutex"),
        ("policy/mod.rs", "#[tracing::instrument] fn f() {}", "policy names tracing::instrument"),
        ("policy/mod.rs", "fn f() { metrics::counter!(\"x\"); }", "policy names metrics::counter"),
        ("policy/mod.rs", "use metrics;", "policy names metrics"),
        ("keys/mod.rs", "use std::{fmt, fs::File};", "keys names std::fs::File"),
        ("keys/mod.rs", "use std::net::IpAddr;", "keys names std::net::IpAddr"),
        ("keys/mod.rs", "fn f() { std::env::var(\"X\") }", "keys names std::env::var"),
        ("claims/mod.rs", "fn f() { SystemTime::now(); }", "claims names SystemTime::now"),
        ("claims/mod.rs", "fn f() { std::time::Instant::now() }", "claims names std::time::Instant::now"),
        ("claims/mod.rs", "const F: fn() -> SystemTime = SystemTime::now;", "claims names SystemTime::now"),
    ] {
        assert_breach(file, code, 1, named, "and is a pure room");
    }
}

#[test]
fn crypto_alone_names_the_cryptographic_libraries() {
    for (file, code, named) in [
        ("keys/mod.rs", "use aws_lc_rs::signature;", "keys names aws_lc_rs::signature"),
        ("jwks/mod.rs", "fn f() { aws_lc_rs::digest::digest(&X, b); }", "jwks names aws_lc_rs::digest::digest"),
        ("verifier/mod.rs", "use ed25519_dalek as e;", "verifier names ed25519_dalek"),
    ] {
        assert_breach(file, code, 1, named, "a cryptographic library, which only `crypto` may name");
    }
    assert!(
        breaches_of(GATEWAY, "crates/portcullis-gateway/src/serve/mod.rs", "use aws_lc_rs::digest; use std::fs;")
            .unwrap()
            .is_empty()
    );
}

fn assert_breach(file: &str, code: &str, line: usize, named: &str, why: &str) {
    let found = found(file, code);
    let [(at, what)] = found.as_slice() else { panic!("{file}: {code}: expected one breach, got {found:?}") };
    assert_eq!(*at, line, "{file}: {code}");
    assert!(what.starts_with(&format!("{named}, {why}")), "{file}: {code}: got {what}");
}
