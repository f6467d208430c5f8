//! The directives: rules for each block, inheritance, and mistakes.

use std::fs;

use crate::scene::{Scene, configuration, folder, in_place, tested};

const BLOCK: &str = "
    server {
        listen {port};
        portcullis_issuer {issuer};
        portcullis_audience https://api.example.com;
        portcullis_realm orders;
        location / { proxy_pass http://{api}; }
        location /read { portcullis_scope read; proxy_pass http://{api}; }
        location /read/admin { portcullis_claim role admin; proxy_pass http://{api}; }
        location /public {
            portcullis off;
            proxy_pass http://{api};
            location /public/not { portcullis_scope write; proxy_pass http://{api}; }
        }
        location /some { portcullis_any_scope read write; portcullis_realm some; proxy_pass http://{api}; }
        location /claims {
            portcullis_claim sub alice bob;
            portcullis_claim repo ~my-org/*;
            portcullis_claim !act;
            portcullis_claim level 3;
            proxy_pass http://{api};
        }
    }";

#[tokio::test]
async fn rules_by_directives() {
    let scene = Scene::with(BLOCK).await;
    let none = scene.ask("GET /", None).await;
    assert_eq!((none.status, none.challenge()), (401, "Bearer realm=\"orders\""));
    let reader = scene.read().sign();
    let writer = scene.authorization.token().scope("write").sign();
    let admin = scene.read().claim("role", "admin").sign();
    let of_claims = || scene.read().claim("repo", "my-org/x").claim("level", 3);
    for (line, token, status) in [
        ("GET /", Some(&reader), 200),
        ("GET /", Some(&scene.read().audience("https://other.example").sign()), 401),
        ("GET /public/x", None, 200),
        ("GET /public/not", None, 401),
        ("GET /public/not", Some(&reader), 403),
        ("GET /public/not", Some(&writer), 200),
        ("GET /read/x", Some(&reader), 200),
        ("GET /read/x", Some(&writer), 403),
        ("GET /some", Some(&writer), 200),
        ("GET /some", Some(&scene.authorization.token().sign()), 403),
        ("GET /read/admin", Some(&admin), 200),
        ("GET /read/admin", Some(&reader), 401),
        ("GET /claims", Some(&of_claims().sign()), 200),
        ("GET /claims", Some(&of_claims().subject("eve").sign()), 401),
        ("GET /claims", Some(&of_claims().claim("repo", "x/my-org/x").sign()), 401),
        ("GET /claims", Some(&of_claims().claim("level", "3").sign()), 401),
        ("GET /claims", Some(&of_claims().claim("act", "x").sign()), 401),
    ] {
        let answer = scene.ask(line, token.map(String::as_str)).await;
        assert_eq!(answer.status, status, "{line} {answer:?}");
    }
    assert_eq!(scene.ask("GET /some", None).await.challenge(), "Bearer realm=\"some\"");
    assert_eq!(scene.authorization.requests(portcullis_testkit::Endpoint::Jwks), 1, "one fetch for all blocks");
}

#[test]
fn mistakes_are_told_with_file_and_line() {
    let folder = folder();
    fs::write(folder.path().join("bad.toml"), "[[issuers]]\nissuer = \"https://as.example.com\"\nscop = 1\n").unwrap();
    fs::write(folder.path().join("good.toml"), "[[issuers]]\nissuer = \"https://as.example.com\"\naudience = \"a\"\n")
        .unwrap();
    for (lines, expected) in [
        ("portcullis on;", "expected portcullis_config or portcullis_issuer here or in a block around it"),
        ("portcullis_scope read;", "expected portcullis_issuer here or in a block around it, got rules without one"),
        ("portcullis_config no-such-file.toml;", "cannot read"),
        ("portcullis_config bad.toml;", "unknown key `scop`"),
        ("portcullis_issuer nonsense;", "nginx.conf:"),
        ("portcullis_issuer https://as.example.com jwks;", "expected KEY=VALUE"),
        ("portcullis_issuer https://as.example.com jwks_urii=https://x.example;", "unknown key `jwks_urii`"),
        ("portcullis_config good.toml;\nportcullis_route none;", "expected the name of a route in"),
        ("portcullis_issuer https://as.example.com;\nportcullis_claim !role=admin;", "expected the name of a claim"),
        ("portcullis_issuer https://as.example.com;\nportcullis_claim role=admin;", "expected the name of a claim"),
        ("portcullis maybe;", "expected portcullis on or portcullis off"),
        ("portcullis_config $host.toml;", "got the variable in \"$host.toml\""),
        ("portcullis_issuer https://$host;\nportcullis_audience a;", "got the variable in \"https://$host\""),
        ("portcullis_issuer https://as.example.com;\nportcullis_claim sub $x;", "got the variable in \"$x\""),
        (
            "portcullis_issuer https://as.example.com;\nlocation / { portcullis_config good.toml; }",
            "expected no rules around portcullis_config, got those at",
        ),
        (
            "portcullis_issuer https://as.example.com;\nportcullis_route x;",
            "expected portcullis_config beside portcullis_route",
        ),
    ] {
        let http = format!("server {{ listen {{port}}; {lines} }}");
        let text = in_place(&configuration(folder.path(), "", &http), 1, "", "");
        fs::write(folder.path().join("nginx.conf"), text).unwrap();
        let (said, is_good) = tested(folder.path());
        assert!(!is_good && said.contains(expected), "{lines}: {said}");
        let has_place =
            said.contains("nginx.conf:") || said.contains("bad.toml:3") || said.contains("no-such-file.toml");
        assert!(has_place, "{lines}: {said}");
    }
}
