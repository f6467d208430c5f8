//! Claims of a token.

use portcullis_testkit::Algorithm;
use serde_json::json;

use crate::{
    cell::{Cell, time},
    effort::Effort,
    issuer::Issuer,
    verify::{by_turns, remember, typed_by_turns},
};

/// Payload sizes, and the number of permissions beside the usual claims; each takes 64 bytes in JSON.
const PAYLOADS: [(&str, usize); 5] = [("0.5 KB", 0), ("1 KB", 8), ("2 KB", 24), ("4 KB", 56), ("8 KB", 120)];

pub fn print(effort: Effort) {
    let issuer = Issuer::new(Algorithm::RS256);
    let tokens = PAYLOADS.map(|(payload, permissions)| (payload, tokens(&issuer, permissions)));
    let (forgetful, remembering) = (issuer.forgetful(), issuer.remembering(&[]));
    let mut cells = Vec::new();
    for (payload, tokens) in &tokens {
        remember(&remembering, tokens);
        cells.push(Cell::new(*payload, "new token", typed_by_turns(&forgetful, tokens)));
        cells.push(Cell::new(*payload, "cached token", by_turns(&remembering, tokens)));
        cells.push(Cell::new(*payload, "cached token, claims typed", typed_by_turns(&remembering, tokens)));
    }
    time("growth: claims", cells, effort);
}

fn tokens(issuer: &Issuer, permissions: usize) -> Vec<String> {
    let permission = |number| format!("warehouse-{number:03}:inventory:adjustments-and-returns:approve-until");
    let permissions: Vec<String> = (0..permissions).map(permission).collect();
    let token = || issuer.unsigned().claim("permissions", json!(permissions)).sign();
    (0..16).map(|_| token()).collect()
}
