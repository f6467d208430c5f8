//! `docs/nginx-module.md` and the README of the packed module: nginx accepts each of their configurations, and the page names each directive and variable.

use std::fs;

use crate::scene::{configuration, folder, in_place, tested};

const PAGE: &str = include_str!("../../../../docs/nginx-module.md");
const README: &str = include_str!("../../../../deploy/nginx/README.md");

/// Returns the blocks of a language in the page and the README.
fn blocks(language: &str) -> Vec<&'static str> {
    let blocks = [PAGE, README].into_iter().flat_map(|page| page.split("```").skip(1).step_by(2));
    blocks.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n')).collect()
}

#[test]
fn nginx_accepts_each_block() {
    let folder = folder();
    let [toml] = blocks("toml")[..] else { panic!("expected one block of TOML") };
    fs::write(folder.path().join("portcullis.toml"), toml).unwrap();
    fs::write(folder.path().join("client-secret"), "secret").unwrap();
    let mut accepted = 0;
    // Directives of the modules that people come from are theirs.
    let own = |block: &&str| !["phantom_token", "auth_jwt", "curity"].iter().any(|other| block.contains(other));
    for block in blocks("nginx").into_iter().filter(own) {
        let http = match block.trim_start() {
            // The scene has a line of its own for this.
            line if line.starts_with("load_module") => continue,
            block if block.starts_with("server") || block.starts_with("log_format") => block.to_owned(),
            block => format!("server {{ listen {{port}}; {block} }}"),
        };
        let http = http.replace("/etc/portcullis/", "").replace("listen 127.0.0.1:8080", "listen {port}");
        let http = format!("upstream api {{ server 127.0.0.1:1; }}\n{http}");
        fs::write(folder.path().join("nginx.conf"), in_place(&configuration(folder.path(), "", &http), 1, "", ""))
            .unwrap();
        let (said, is_good) = tested(folder.path());
        assert!(is_good, "{block}\n{said}");
        accepted += 1;
    }
    assert_eq!(accepted, 7);
}

#[test]
fn each_directive_and_variable_is_on_the_page() {
    let sources = [include_str!("../../src/settings.rs"), include_str!("../../src/nginx/variables.rs")];
    let names: Vec<_> = sources
        .iter()
        .flat_map(|source| source.split('"').skip(1).step_by(2))
        .filter(|text| {
            text.starts_with("portcullis") && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        })
        .collect();
    assert!(names.len() > 15, "{names:?}");
    for name in names {
        let is_named = PAGE.contains(&format!("`{name} ")) || PAGE.contains(&format!("`{name}`"));
        assert!(is_named || PAGE.contains(&format!("${name}")), "{name}");
    }
}
