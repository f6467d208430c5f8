//! `docs/gateway.md`: the tests type the page's commands, and the page names every key.

use std::{collections::BTreeSet, fs, process::Command};

use crate::scene::{Proxy, Scene, repository};

/// Returns the commands in the documentation, with continuation lines joined.
fn lines() -> Vec<String> {
    let read = |page: &str| fs::read_to_string(repository().join("docs").join(page)).unwrap();
    let lines = |text: String| {
        let blocks = text.split("```").skip(1).step_by(2).filter_map(|block| block.strip_prefix("sh\n"));
        blocks.flat_map(str::lines).map(str::to_owned).collect::<Vec<_>>()
    };
    ["gateway.md", "nginx-module.md"].into_iter().map(read).flat_map(lines).collect()
}

/// Returns the one line of the documentation with this beginning.
pub(crate) fn line(start: &str) -> String {
    let found: Vec<_> = lines().into_iter().filter(|line| line.starts_with(start)).collect();
    assert_eq!(found.len(), 1, "docs/ should have one line `{start}…`: {found:?}");
    found.into_iter().next().unwrap()
}

/// Returns the one block of configuration in the documentation with this text.
pub(crate) fn toml(part: &str) -> String {
    block("toml", part)
}

/// Returns the one block of a language in the documentation with this text.
pub(crate) fn block(language: &str, part: &str) -> String {
    block_of("docs/gateway.md", language, part)
}

/// Returns the one block of a language in a page with this text.
pub(crate) fn block_of(page: &str, language: &str, part: &str) -> String {
    let text = fs::read_to_string(repository().join(page)).unwrap();
    let start = format!("{language}\n");
    let blocks = text.split("```").skip(1).step_by(2).filter_map(|block| block.strip_prefix(start.as_str()));
    let found: Vec<_> = blocks.filter(|block| block.contains(part)).collect();
    assert_eq!(found.len(), 1, "{page} should have one block with {part}");
    found[0].to_owned()
}

/// Returns the parts of such a block; each begins with a comment that ends in a colon.
pub(crate) fn parts(language: &str, part: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for line in block(language, part).lines().filter(|line| !line.is_empty()) {
        match line.starts_with('#') && line.ends_with(':') {
            true => parts.push(String::new()),
            false => *parts.last_mut().unwrap() += &format!("{line}\n"),
        }
    }
    parts
}

#[test]
fn files_that_they_name_are_there() {
    for page in ["docs/gateway.md", "docs/kubernetes.md"] {
        let text = fs::read_to_string(repository().join(page)).unwrap();
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.starts_with('#') && !link.contains("://")) {
            let file = link.split('#').next().unwrap();
            assert!(repository().join("docs").join(file).exists(), "{link}");
        }
    }
    let typed = lines().join(" ");
    for file in typed.split([' ', '"']).filter_map(|word| word.find("examples/").map(|at| &word[at..])) {
        assert!(repository().join(file).exists(), "{file}");
    }
}

#[test]
fn versions_that_it_installs_are_those_that_are_tested() {
    let tested = fs::read_to_string(repository().join("xtask/src/proxies.rs")).unwrap();
    let packages: Vec<_> =
        lines().into_iter().filter_map(|line| Some(line.strip_prefix("pip install ")?.to_owned())).collect();
    assert_eq!(packages.len(), 3);
    for package in packages {
        assert!(tested.contains(&format!("\"{package}\"")), "{package}");
    }
}

/// Returns the names of the configuration's keys, from the code that reads them.
fn keys() -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for name in ["certificate", "check", "dpop", "issuer", "listener", "resource", "route", "secret", "store", "traces"]
    {
        let source = repository().join(format!("crates/portcullis-gateway/src/config/{name}.rs"));
        let source = fs::read_to_string(source).unwrap();
        for read in ["get(\"", "require(\"", "list(\"", "table(\"", "tables(\"", "listener(root, \""] {
            keys.extend(source.split(read).skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
        }
    }
    assert!(keys.len() > 30, "{keys:?}");
    keys
}

#[test]
fn every_key_of_the_configuration_is_told_of() {
    let text = fs::read_to_string(repository().join("docs/gateway.md")).unwrap();
    for key in keys() {
        let told = [format!("`{key}`"), format!("`[{key}]`"), format!("`[[{key}]]`")];
        assert!(told.iter().any(|told| text.contains(told)), "docs/gateway.md does not tell of `{key}`");
    }
}

/// A key that is gone stops the users' gateways: docs/stability.md.
#[test]
fn the_keys_of_the_configuration_are_those_that_were_promised() {
    let list = fs::read_to_string(repository().join("docs/stable-names.txt")).unwrap();
    let listed: Vec<_> = list.lines().filter_map(|line| line.strip_prefix("key ")).collect();
    let expected: Vec<_> = keys().into_iter().collect();
    assert_eq!(listed, expected, "write into docs/stable-names.txt:\nkey {}", expected.join("\nkey "));
}

/// Under "Try it", each comment tells the outcome of the line below it.
#[tokio::test(flavor = "multi_thread")]
async fn lines_to_try_give_what_they_promise() {
    let scene = Scene::with(Proxy::Nginx).await;
    let lines = lines();
    let tokens: Vec<_> = lines
        .iter()
        .filter(|line| ["token()", "JWT=", "OPAQUE="].iter().any(|start| line.starts_with(start)))
        .collect();
    assert_eq!(tokens.len(), 3);
    let tokens = tokens.into_iter().map(|line| scene.stage.ports.in_place(line)).collect::<Vec<_>>().join("\n");
    let promises: Vec<_> = lines.windows(2).filter(|pair| pair[0].starts_with("# ")).collect();
    assert_eq!(promises.len(), 8);
    for pair in promises {
        let (promise, line) = (pair[0].trim_start_matches("# "), scene.stage.ports.in_place(&pair[1]));
        let answer = pasted(format!("{tokens}\n{line}")).await;
        let (status, said) = promise.split_at(3);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{promise}\n{line}\n{answer}");
        let error = said.split([',', ':']).nth(1).map(str::trim).filter(|error| error.contains('_'));
        assert!(error.is_none_or(|error| answer.contains(&format!("error=\"{error}\""))), "{promise}\n{answer}");
    }
}

async fn pasted(text: String) -> String {
    let pasted = move || Command::new("sh").args(["-c", &text]).output().unwrap();
    let output = tokio::task::spawn_blocking(pasted).await.unwrap();
    assert!(output.status.success(), "is curl here? {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
