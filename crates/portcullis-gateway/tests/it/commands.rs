//! The command line: what it says and how it ends.

use std::process::Output;

use tempfile::TempDir;

use crate::support::command;

fn run(arguments: &[&str], configuration: Option<&str>) -> (Output, String, String) {
    let folder = TempDir::new().unwrap();
    if let Some(text) = configuration {
        std::fs::write(folder.path().join("portcullis.toml"), text).unwrap();
    }
    let output = command(&folder).args(arguments).output().unwrap();
    let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8(text.clone()).unwrap());
    (output, out, err)
}

const GOOD: &str = "[[issuers]]\nissuer = \"https://as.example.com\"\naudience = \"https://api.example.com\"\n\n[[routes]]\npath = \"/orders/*\"\n";

#[test]
fn a_good_configuration_is_told_so() {
    let (output, out, _) = run(&["check-config"], Some(GOOD));
    assert!(output.status.success());
    assert!(out.starts_with("portcullis.toml is good.\n"), "{out}");
    for line in ["forward-auth at 127.0.0.1:9080", "keys by discovery", "route /orders/* (any method): any valid token"]
    {
        assert!(out.contains(line), "{line} in {out}");
    }
}

#[test]
fn a_configuration_is_named_with_the_option_or_without() {
    for arguments in [&["check-config", "portcullis.toml"][..], &["check-config", "--config", "portcullis.toml"]] {
        assert!(run(arguments, Some(GOOD)).0.status.success(), "{arguments:?}");
    }
    assert!(!run(&["check-config", "nowhere.toml"], Some(GOOD)).0.status.success());
}

#[test]
fn a_mistake_is_shown_on_its_line_with_help() {
    let text = format!("{GOOD}scpoe = [\"read\"]\n");
    for command in ["check-config", "serve"] {
        let (output, out, err) = run(&[command], Some(&text));
        assert_eq!(output.status.code(), Some(1), "{out}{err}");
        assert!(err.contains("scpoe") && err.contains("portcullis.toml:7"), "{err}");
    }
}

#[test]
fn what_the_library_refuses_is_told_before_anything_is_served() {
    let (output, _, err) = run(&["check-config"], Some("[[issuers]]\nissuer = \"http://as.example.com\"\n"));
    assert!(!output.status.success());
    assert!(err.contains("http://as.example.com"), "{err}");
}

#[test]
fn a_missing_file_is_told() {
    let (output, _, err) = run(&["serve", "--config", "nowhere.toml"], None);
    assert!(!output.status.success());
    assert!(err.contains("nowhere.toml"), "{err}");
}

#[test]
fn an_address_that_cannot_be_had_is_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let text = format!("listen = \"{}\"\nadmin = false\n{GOOD}", taken.local_addr().unwrap());
    let (output, _, err) = run(&["serve"], Some(&text));
    assert!(!output.status.success());
    assert!(err.contains("`listen`") && err.contains(&taken.local_addr().unwrap().to_string()), "{err}");
}
