//! The peers whose descriptions of a request count, and descriptions by an absolute URL.

use portcullis_testkit::{AuthorizationServer, Endpoint};

use crate::{
    ext_authz::{self, Told},
    forward_auth::{WAYS, ask, send, setup},
    support::{Gateway, ROUTES, introspecting},
};

/// The description by ingress-nginx.
const INGRESS: &str = "X-Original-URL: https://shop.example.com/orders/1?x=1\r\nX-Original-Method: GET\r\n\
                       X-Forwarded-For: 192.0.2.7\r\nX-Real-IP: 192.0.2.7\r\nX-Sent-From: nginx-ingress-controller\r\n\
                       X-Auth-Request-Redirect: /orders/1?x=1\r\nX-Request-ID: 1\r\n";

#[tokio::test]
async fn an_absolute_url_says_which_request_is_meant() {
    let (server, gateway) = setup().await;
    let token = server.token().scope("read").sign();
    let bearer = format!("Authorization: Bearer {token}\r\n");
    for (fields, code) in [
        (INGRESS.to_owned(), "no_credentials"),
        (format!("{INGRESS}{bearer}"), "pass"),
        (format!("{INGRESS}{bearer}X-Forwarded-Host: shop.example.com\r\nX-Forwarded-Proto: https\r\n"), "pass"),
        (format!("{}{bearer}", INGRESS.replace("GET", "PUT")), "insufficient_scope"),
        (format!("{}{bearer}", INGRESS.replace("GET", "DELETE")), "no_route"),
        // The client's fields beside it are a conflict, even with the same content.
        (format!("{INGRESS}{bearer}X-Original-URI: /open/a\r\n"), "ambiguous_original_request"),
        (format!("{INGRESS}{bearer}X-Original-URI: /orders/1?x=1\r\n"), "ambiguous_original_request"),
        (format!("{INGRESS}{bearer}X-Forwarded-Uri: /open/a\r\n"), "ambiguous_original_request"),
        (format!("{INGRESS}{bearer}X-Forwarded-Method: GET\r\n"), "ambiguous_original_request"),
        (
            format!("{INGRESS}{bearer}X-Forwarded-Method: GET\r\nX-Forwarded-Uri: /open/a\r\n"),
            "ambiguous_original_request",
        ),
        (format!("{INGRESS}X-Original-URL: https://shop.example.com/open/a\r\n"), "ambiguous_original_request"),
        (format!("{INGRESS}X-Original-Method: GET\r\n"), "ambiguous_original_request"),
        ("X-Original-URL: https://shop.example.com/open/a\r\n".to_owned(), "ambiguous_original_request"),
    ] {
        assert_eq!(send(&gateway, "GET", "/auth", &fields).await.code(), code, "{fields}");
    }
    for (url, code) in [
        ("http://shop.example.com/open/a", "pass"),
        ("https://shop.example.com:8443/open/a?b=https://c/admin", "pass"),
        ("https://192.0.2.1/open/a", "pass"),
        ("https://[2001:db8::1]:443/open/a", "pass"),
        ("https://shop_1.example.com/open/a", "pass"),
        ("https://shop.example.com/admin", "no_credentials"),
        ("https://shop.example.com//admin", "ambiguous_path"),
        ("https://shop.example.com/open/../admin", "ambiguous_path"),
        ("https://shop.example.com/open/..%2fadmin", "ambiguous_path"),
        ("https://shop.example.com/open/%2", "malformed_path"),
        // The authority is the client's `Host`: it must neither take in the path nor add to it.
        ("https://shop.example.com?/open/a", "malformed_path"),
        ("https://shop.example.com#/open/a", "malformed_path"),
        ("https://shop.example.com\\/open/a", "malformed_path"),
        ("https://shop.example.com%2fx/open/a", "malformed_path"),
        ("https://user@shop.example.com/open/a", "malformed_path"),
        ("https://shop.example.com:80:80/open/a", "malformed_path"),
        ("https://shop example.com/open/a", "malformed_path"),
        ("https:///open/a", "malformed_path"),
        ("https://:443/open/a", "malformed_path"),
        ("https://shop.example.com", "malformed_path"),
        ("https:/shop.example.com/open/a", "malformed_path"),
        ("ftp://shop.example.com/open/a", "malformed_path"),
        ("javascript://shop.example.com/open/a", "malformed_path"),
        ("//shop.example.com/open/a", "malformed_path"),
        ("/open/a", "malformed_path"),
        ("open/a", "malformed_path"),
        ("*", "malformed_path"),
        ("", "malformed_path"),
    ] {
        let fields = format!("X-Original-URL: {url}\r\nX-Original-Method: GET\r\n");
        assert_eq!(send(&gateway, "GET", "/auth", &fields).await.code(), code, "{url}");
    }
}

#[tokio::test]
async fn only_trusted_peers_are_answered() {
    let server = AuthorizationServer::start().await;
    let tables = format!("{}{ROUTES}", introspecting(&server, "phantom", ""));
    let opaque = server.issue_opaque(server.token().scope("read"));
    let bearer = format!("Bearer {opaque}");
    let nobody = r#"["192.0.2.0/24", "::1", "::ffff:192.0.2.0/120"]"#;
    for (listen, trusted, code) in [
        ("127.0.0.1", "[]", "untrusted_proxy"),
        ("127.0.0.1", nobody, "untrusted_proxy"),
        ("127.0.0.1", r#"["127.0.0.1"]"#, "pass"),
        // The peer appears as ::ffff:127.0.0.1.
        ("[::]", r#"["127.0.0.1"]"#, "pass"),
        ("[::]", nobody, "untrusted_proxy"),
    ] {
        let gateway = Gateway::start_on(listen, &format!("trusted_proxies = {trusted}"), &tables).await;
        let before = server.requests(Endpoint::Introspection);
        for (path, token) in [("/open/a", None), ("/orders/1", Some(opaque.as_str()))] {
            for way in WAYS {
                let answer = ask(&gateway, way, "GET", path, token).await;
                assert_eq!(answer.code(), code, "{listen} {trusted} {way} {path}");
                let told = format!("{answer:?}");
                assert!(code == "pass" || !told.contains("trusted_proxies") && !told.contains("127.0.0.1"), "{told}");
            }
            let fields: &[_] = if token.is_some() { &[("authorization", bearer.as_str())] } else { &[] };
            let mut client = ext_authz::connect(&gateway).await;
            match ext_authz::ask(&mut client, ext_authz::request("GET", path, fields)).await {
                Told::Pass { .. } => assert_eq!("pass", code, "{listen} {trusted}"),
                Told::Refused { status, code: told } => assert_eq!((status, &*told), (403, code), "{listen} {trusted}"),
            }
        }
        let asked = server.requests(Endpoint::Introspection) - before;
        assert_eq!(asked == 0, code != "pass", "an untrusted peer's token is sent nowhere");
        if code != "pass" {
            for door in ["forward_auth", "ext_authz"] {
                let line = gateway.logged(|line| line["code"] == code && line["door"] == door).await;
                let reason = line["reason"].as_str().unwrap();
                assert!(reason.contains("from 127.0.0.1:") && reason.contains("trusted_proxies"), "{reason}");
            }
        }
    }
}
