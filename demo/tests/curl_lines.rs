//! Each printed line, pasted into a shell, gets the answer printed above it.
//!
//! `cargo xtask test` checks for curl and runs this test.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    dead_code,
    reason = "a test that cannot go on fails; each test uses a part of what they share"
)]

mod running;

use std::process::Command;

use running::{Demo, FREE_PORTS};

fn paste(line: &str) -> String {
    let output = Command::new("sh").args(["-c", line]).output().expect("sh starts");
    assert!(output.status.success(), "is curl here? {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_printed_line_gives_what_it_promises() {
    let mut demo = Demo::start(&FREE_PORTS);
    let welcome = demo.welcome();
    let promises: Vec<_> =
        welcome.windows(2).filter(|pair| pair[0].starts_with("# ") && pair[1].starts_with("curl")).collect();
    assert_eq!(promises.len(), 8);
    // Twice, because users repeat lines; the last line rotates the key in between.
    for _ in 0..2 {
        for pair in &promises {
            let (promise, answer) = (pair[0].trim_start_matches("# "), paste(&pair[1]));
            let Some(status) = promise.get(..3).filter(|status| status.parse::<u16>().is_ok()) else { continue };
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{promise}\n{}\n{answer}", pair[1]);
            let error = promise.split([',', ':']).nth(1).map(str::trim).filter(|error| error.contains('_'));
            assert!(error.is_none_or(|error| answer.contains(&format!("error=\"{error}\""))), "{promise}\n{answer}");
            assert_eq!(status == "200", answer.contains("\"claims\":{"), "{answer}");
        }
    }
}
