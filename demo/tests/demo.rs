//! The demo, started and stopped with various arguments.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    dead_code,
    reason = "a test that cannot go on fails; each test uses a part of what they share"
)]

mod running;

use std::{io::Read, process::Stdio};

use running::{Demo, FREE_PORTS, command};

#[test]
fn it_stops_cleanly_when_asked() {
    for signal in ["INT", "TERM"] {
        let mut demo = Demo::start(&FREE_PORTS);
        demo.welcome();
        assert!(demo.signal(signal).success(), "{signal}");
    }
}

#[test]
fn a_client_that_never_ends_its_request_holds_nothing_up() {
    use std::{io::Write, net::TcpStream};
    let mut demo = Demo::start(&FREE_PORTS);
    let welcome = demo.welcome();
    let address = welcome[0].rsplit("http://").next().unwrap();
    let mut half = TcpStream::connect(address).unwrap();
    half.write_all(b"GET /secured/token HTTP/1.1\r\nhost: x\r\n").unwrap();
    assert!(demo.signal("TERM").success());
}

#[test]
fn the_embedded_server_may_listen_on_all_addresses() {
    let mut demo = Demo::start(&["--listen", "127.0.0.1:0", "--as-listen", "0.0.0.0:0"]);
    demo.welcome();
    assert!(demo.signal("TERM").success());
}

/// The raw answer to a request.
fn ask(address: &str, request: &str) -> String {
    use std::{io::Write, net::TcpStream};
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn get(address: &str, path: &str, host: &str) -> String {
    ask(address, &format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"))
}

/// The URL of the embedded authorization server.
fn issuer(welcome: &[String]) -> String {
    let line = welcome.iter().find_map(|line| line.strip_prefix("Authorization server: "));
    line.and_then(|line| line.split_whitespace().next()).unwrap().to_owned()
}

fn post(address: &str, path: &str, fields: &str, body: &str) -> String {
    let length = body.len();
    let head = format!("POST {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n");
    ask(address, &format!("{head}{fields}\r\n{body}"))
}

#[test]
fn the_playground_is_for_its_own_page_only() {
    let mut demo = Demo::start(&FREE_PORTS);
    let welcome = demo.welcome();
    let address = welcome[0].rsplit("http://").next().unwrap();
    assert!(welcome[1].starts_with("Playground: "), "{welcome:?}");
    let page = get(address, "/", address);
    assert!(page.starts_with("HTTP/1.1 200 ") && page.contains("\r\ncontent-security-policy: default-src 'none'; "));
    assert!(page.contains("<option value=\"alg_none\">") && !page.contains("{{"), "{page}");
    // A foreign name that resolves to this address.
    for path in ["/", "/playground/status", "/playground/page.js"] {
        assert!(get(address, path, "rebound.example:3000").starts_with("HTTP/1.1 421 "), "{path}");
    }

    let (json, plain) = ("content-type: application/json\r\n", "content-type: text/plain\r\n");
    let order = r#"{"scope":"read","claims":{},"lifetime":60,"algorithm":"RS256","tampering":null}"#;
    assert!(post(address, "/playground/token", json, order).contains("\"token\":\"ey"));
    for path in ["token", "explain", "rotate", "withdraw", "refresh", "stop", "start"] {
        let path = format!("/playground/{path}");
        assert!(post(address, &path, plain, order).starts_with("HTTP/1.1 415 "), "{path}");
        assert!(post(address, &path, "", order).starts_with("HTTP/1.1 415 "), "{path}");
        let elsewhere = format!("{json}origin: http://evil.example\r\n");
        assert!(post(address, &path, &elsewhere, order).starts_with("HTTP/1.1 403 "), "{path}");
        assert!(get(address, &path, address).starts_with("HTTP/1.1 405 "), "{path}");
    }
}

#[test]
fn each_start_has_keys_with_other_ids() {
    let kids = [(); 2].map(|()| {
        let mut demo = Demo::start(&FREE_PORTS);
        let issuer = issuer(&demo.welcome());
        let address = issuer.strip_prefix("http://").unwrap();
        let answer = get(address, "/jwks", address);
        let kids = answer.split("\"kid\":\"").skip(1).filter_map(|rest| rest.split('"').next());
        kids.map(str::to_owned).collect::<Vec<_>>()
    });
    assert_eq!(kids.each_ref().map(Vec::len), [5, 5]);
    assert!(kids[0].iter().all(|kid| !kids[1].contains(kid)), "{kids:?}");
}

#[test]
fn an_order_that_cannot_be_served_is_refused() {
    let mut demo = Demo::start(&FREE_PORTS);
    let welcome = demo.welcome();
    let address = welcome[0].rsplit("http://").next().unwrap();
    let json = "content-type: application/json\r\n";
    let order = |lifetime: &str, algorithm: &str, tampering: &str| {
        format!(
            r#"{{"scope":"","claims":{{}},"lifetime":{lifetime},"algorithm":"{algorithm}","tampering":{tampering}}}"#
        )
    };
    for body in [
        order("0", "RS256", "null"),
        order("86401", "RS256", "null"),
        order("18446744073709551615", "RS256", r#""expired""#),
        order("-1", "RS256", "null"),
        order("60", "HS256", "null"),
        order("60", "none", "null"),
        order("60", "RS256", r#""no_such""#),
        order("60", "RS256", r#""oversized""#),
        r#"{"scope":"","claims":[],"lifetime":60,"algorithm":"RS256"}"#.to_owned(),
        "{}".to_owned(),
    ] {
        assert!(post(address, "/playground/token", json, &body).starts_with("HTTP/1.1 422 "), "{body}");
    }
    assert!(post(address, "/playground/token", json, "{").starts_with("HTTP/1.1 400 "));
    let question = r#"{"method":"GET","endpoint":"/secured/other","authorization":null,"proof":null}"#;
    assert!(post(address, "/playground/explain", json, question).starts_with("HTTP/1.1 422 "));
}

#[test]
fn there_is_no_playground_beyond_this_machine_nor_beside_a_real_authorization_server() {
    let elsewhere = ["--listen", "0.0.0.0:0", "--as-listen", "127.0.0.1:0"];
    for arguments in [&elsewhere[..], &["--listen", "127.0.0.1:0", "--issuer", "https://as.example.com"]] {
        let mut demo = Demo::start(arguments);
        let welcome = demo.welcome();
        assert!(!welcome.iter().any(|line| line.starts_with("Playground")), "{welcome:?}");
        let address = welcome[0].rsplit("http://").next().unwrap().replace("0.0.0.0", "127.0.0.1");
        assert!(get(&address, "/", &address).contains("Portcullis demo: try these with a token"));
        for path in ["/playground/status", "/playground/page.js"] {
            assert!(get(&address, path, &address).starts_with("HTTP/1.1 404 "), "{path}");
        }
    }
}

#[test]
fn another_authorization_server_can_be_named() {
    let mut embedded = Demo::start(&FREE_PORTS);
    let issuer = issuer(&embedded.welcome());
    let jwks_uri = format!("{issuer}/jwks");
    for flags in
        [vec!["--issuer", &issuer], vec!["--jwks-uri", &jwks_uri], vec!["--issuer", &issuer, "--audience", "x"]]
    {
        let mut demo = Demo::start(&[&["--listen", "127.0.0.1:0"], flags.as_slice()].concat());
        let welcome = demo.welcome();
        assert!(welcome.iter().any(|line| line.contains("$TOKEN")));
        assert!(demo.signal("TERM").success());
    }
}

#[test]
fn a_port_in_use_and_a_bad_url_are_told_with_what_to_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let table: [(&[&str], &str); 5] = [
        (&["--as-listen", "127.0.0.1:0", "--issuer", "https://as.example.com"], "cannot be used with"),
        (&["--listen", &taken, "--as-listen", "127.0.0.1:0"], "--listen"),
        (&["--listen", "127.0.0.1:0", "--as-listen", &taken], "--as-listen"),
        (&["--listen", "127.0.0.1:0", "--jwks-uri", "nonsense"], "URL"),
        (&["--listen", "127.0.0.1:0", "--issuer", "http://as.example.com"], "https"),
    ];
    for (arguments, expected) in table {
        let mut process = command(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut error = String::new();
        process.stderr.take().unwrap().read_to_string(&mut error).unwrap();
        assert!(matches!(process.wait().unwrap().code(), Some(1 | 2)), "{arguments:?}");
        assert!(error.contains("error: ") && error.contains(expected), "{arguments:?}: {error}");
    }
}
