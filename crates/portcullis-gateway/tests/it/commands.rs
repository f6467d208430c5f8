//! The command line: its texts and exit statuses.

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
    let (output, out, err) = run(&["check-config"], Some(GOOD));
    assert!(output.status.success());
    assert!(out.starts_with("portcullis.toml is good.\n"), "{out}");
    for line in ["forward-auth at 127.0.0.1:9080", "keys by discovery", "route /orders/* (any method): any valid token"]
    {
        assert!(out.contains(line), "{line} in {out}");
    }
    let last = out.lines().last().unwrap_or_default();
    assert!(last.contains("No server was asked") && last.contains("`portcullis keys --issuer https://as.example.com`"));
    assert_eq!(err, "", "no warning");
    let (_, help, _) = run(&["check-config", "--help"], None);
    assert!(help.contains("without asking any server") && help.contains("portcullis keys --issuer URL"), "{help}");
}

#[test]
fn a_missing_audience_is_warned_of_and_no_mistake() {
    let (output, out, err) = run(&["check-config"], Some("\n[[issuers]]\nissuer = \"https://as.example.com\"\n"));
    assert!(output.status.success() && out.contains("for any audience"), "{out}{err}");
    assert_eq!(
        err,
        "portcullis.toml:3: warning: no `audience`: tokens that https://as.example.com made for other APIs pass, too; write \
         `audience = \"…\"`\n"
    );
}

#[test]
fn several_mistakes_have_no_empty_lines_between_them() {
    let (_, _, err) = run(&["check-config"], Some(&format!("{GOOD}scpoe = 1\nhots = 1\n")));
    assert!(err.contains("2 mistakes") && !err.contains("Error:"), "{err}");
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
fn an_issuer_that_cannot_be_asked_is_shown_on_its_line() {
    for issuer in ["http://as.example.com", "as.example.com", "https://as.example.com:port"] {
        let (output, _, err) = run(&["check-config"], Some(&format!("[[issuers]]\nissuer = \"{issuer}\"\n")));
        assert!(!output.status.success());
        assert!(err.contains("portcullis.toml:2:10") && err.contains(&format!("`{issuer}`")), "{err}");
    }
}

#[test]
fn a_missing_file_is_told() {
    let (output, _, err) = run(&["serve", "--config", "nowhere.toml"], None);
    assert!(!output.status.success());
    assert!(err.contains("nowhere.toml") && err.contains("`portcullis init --issuer URL` writes one"), "{err}");
}

#[test]
fn an_address_that_cannot_be_had_is_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let text = format!("listen = \"{}\"\nadmin = false\n{GOOD}", taken.local_addr().unwrap());
    let (output, _, err) = run(&["serve"], Some(&text));
    assert!(!output.status.success());
    assert!(err.contains("`listen`") && err.contains(&taken.local_addr().unwrap().to_string()), "{err}");
    assert!(err.matches("cannot listen").count() == 1 && err.contains("help: another program listens there"), "{err}");
}

#[test]
fn nothing_in_a_configuration_steers_the_terminal_nor_is_a_secret_shown() {
    let steers = "\\u001b]0;owned\\u0007\\u009b31m\\u202e";
    let issuer = |issuer: &str| format!("[[issuers]]\nissuer = \"{issuer}\"\naudience = \"{steers}\"\n");
    let secret = "introspection = { endpoint = \"https://as.example.com\", client_id = \"c\", client_secrt = \"hunter2\", client_secret_file = \"hunter2\" }\n";
    for (text, good) in [
        (issuer(&format!("https://as.example.com/{steers}")), true),
        (
            format!(
                "{}[[routes]]\npath = \"/a\"\nclaims = [{{ name = \"{steers}\", value = \"{steers}\" }}]\n",
                issuer("https://as.example.com")
            ),
            true,
        ),
        (format!("{}[[routes]]\npath = \"/{steers}\"\n", issuer("https://as.example.com")), false),
        (format!("{}x\u{1b}[31m = 1", issuer("https://as.example.com")), false),
        (format!("{}{secret}", issuer("https://as.example.com")), false),
        (
            format!("admin = false\nlisten = \"127.0.0.1:1\"\n{}", issuer(&format!("http://{steers}.example.com"))),
            false,
        ),
    ] {
        for command in [&["check-config"][..], &["serve"], &["explain", "--path", "/a"]] {
            if good && command != ["check-config"] {
                continue;
            }
            let (output, out, err) = run(command, Some(&text));
            assert_eq!(output.status.success(), good, "{command:?} {text}: {out}{err}");
            for told in [out, err] {
                let steers = |character: char| character.is_control() && character != '\n' || character == '\u{202e}';
                assert!(!told.contains(steers), "{command:?} {text}: {told:?}");
                assert!(!told.contains("hunter2"), "{told}");
            }
        }
    }
    let (_, _, err) = run(&["check-config", "no\u{1b}[31mwhere\u{9b}.toml"], None);
    assert!(err.contains("cannot read") && !err.contains(['\u{1b}', '\u{9b}']), "{err:?}");
    let (_, _, err) = run(&["keys", "no\u{1b}[31mwhere\u{9b}.json"], None);
    assert!(err.contains("cannot read") && !err.contains(['\u{1b}', '\u{9b}']), "{err:?}");
}
