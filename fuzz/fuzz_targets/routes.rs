//! Checks that every server serves a path under the route and the resource by which the gateway judges it.
#![no_main]
#![allow(dead_code, unreachable_pub, reason = "a module of the gateway, which is a program")]

#[path = "../../crates/portcullis-gateway/src/characters.rs"]
mod characters;
#[path = "../../crates/portcullis-gateway/src/routes/mod.rs"]
mod routes;

use routes::agreement::{RESOURCES, TABLES, WORDS, disagreement, disagreement_in_any_case, routes};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let [table, count, rest @ ..] = bytes else { return };
    let Some((choices, rest)) = rest.split_first_chunk() else { return };
    let Some((steps, target)) = rest.split_at_checked(usize::from(count % 7)) else { return };
    let (target, choices) = (target_of(target), u64::from_le_bytes(*choices));
    let (resources, table) =
        (RESOURCES[usize::from(*table) % RESOURCES.len()], TABLES[usize::from(*table) % TABLES.len()]);
    if let Some(disagreement) = disagreement(&routes(table), &target, steps, choices) {
        panic!("{disagreement}, of {table:?}");
    }
    if let Some(disagreement) = disagreement_in_any_case(resources, &target, steps, choices) {
        panic!("{disagreement}, of {resources:?}");
    }
});

/// A request target: printable bytes of ASCII unchanged, any other byte replaced by a hostile piece.
fn target_of(bytes: &[u8]) -> String {
    // Longer targets take longer and find nothing more.
    let bytes = bytes.iter().take(32);
    let word = |byte: &u8| match byte {
        b' '..=b'~' => char::from(*byte).to_string(),
        _ => WORDS[usize::from(byte.wrapping_sub(128)) % WORDS.len()].to_owned(),
    };
    format!("/{}", bytes.map(word).collect::<String>())
}
