//! The demo as a newcomer runs it: started, stopped, and told to use something else.

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

#[test]
fn another_authorization_server_can_be_named() {
    let mut embedded = Demo::start(&FREE_PORTS);
    let issuer = embedded.welcome().iter().find_map(|line| {
        line.strip_prefix("Authorization server: ").and_then(|rest| rest.split_whitespace().next()).map(str::to_owned)
    });
    let issuer = issuer.unwrap();
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
