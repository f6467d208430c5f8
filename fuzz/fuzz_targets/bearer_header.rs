//! Request header fields: an `Authorization`, a `Cookie` and a field of our own, a line each.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| portcullis::fuzzing::bearer_header(bytes));
