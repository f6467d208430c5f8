//! The fields of the log line of a decision, compared with the promised ones: docs/stability.md.

use std::collections::BTreeSet;

use portcullis_testkit::AuthorizationServer;

use crate::support::{Gateway, client, introspecting, issuer};

#[tokio::test]
async fn the_fields_of_log_lines_are_those_that_were_promised() {
    let server = AuthorizationServer::start().await;
    let routes = "[log]\nformat = \"json\"\ndecisions = \"all\"\nrequests = true\n\n[[routes]]\npath = \"/orders/*\"\nscope = [\"read\"]\n\n\
                  [[routes]]\npath = \"/new/*\"\nscope = [\"read\"]\nreport_only = true\n";
    let gateway = Gateway::start(&format!("{}{routes}", issuer(&server, ""))).await;
    let (good, bad) = (server.token().scope("read").sign(), server.token().sign());
    for (path, token, status) in [("/orders/1", &good, 200), ("/orders/1", &bad, 403), ("/new/1", &bad, 200)] {
        let answer = client().get(gateway.url(path)).bearer_auth(token).send().await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
    }
    let mut fields = BTreeSet::new();
    for (kind, message) in [
        ("pass", "request may pass"),
        ("refusal", "request refused"),
        ("report", "request would be refused, and may pass"),
    ] {
        let line = gateway.logged(|line| line["message"] == message).await;
        fields.extend(line.as_object().unwrap().keys().map(|field| format!("log {kind} {field}")));
    }
    let list = include_str!("../../../../docs/stable-names.txt").lines();
    let listed: Vec<_> = list.filter(|line| line.starts_with("log ")).collect();
    let expected: Vec<_> = fields.iter().collect();
    assert_eq!(listed, expected, "write into docs/stable-names.txt");
}

#[tokio::test]
async fn the_request_is_logged_where_the_operator_asks_for_it_and_neither_its_query_nor_a_token() {
    let server = AuthorizationServer::start().await;
    let token = server.token().sign();
    let log = |requests: &str| {
        let routes = "[[routes]]\npath = \"/orders/*\"\nscope = [\"read\"]\n";
        format!("{}[log]\nformat = \"json\"\n{requests}\n{routes}", introspecting(&server, "phantom", ""))
    };
    let long = format!("/orders/{}", "x".repeat(300));
    let path_with_token = format!("/orders/{token}/x");
    let opaque = server.issue_opaque(server.token());
    let table = [
        (&token, "/orders/1?secret=s3cr3t", "/orders/1", "insufficient_scope"),
        (&token, "/new/%C3%BC", "/new/%C3%BC", "no_route"),
        (&token, &path_with_token, "/orders/…/x", "insufficient_scope"),
        (&token, &long, &*format!("{}…", long.get(..256).unwrap()), "insufficient_scope"),
        // The decision waits for the introspection response.
        (&opaque, "/orders/2", "/orders/2", "insufficient_scope"),
    ];
    let [with, without] = [log("requests = true"), log("")];
    let [with, without] = [Gateway::start(&with).await, Gateway::start(&without).await];
    let host = with.url("").replace("http://", "");
    for (token, target, path, code) in table {
        for gateway in [&with, &without] {
            let answer = client().delete(gateway.url(target)).bearer_auth(token).send().await.unwrap();
            assert_eq!(answer.status(), 403, "{target}");
        }
        let line = with.logged(|line| line["path"] == path).await;
        assert_eq!((&line["code"], &line["method"], &line["host"]), (&code.into(), &"DELETE".into(), &(&*host).into()));
        without.logged(|line| line["code"] == code && line.get("path").is_none() && line.get("method").is_none()).await;
    }
    for text in [with.log(), without.log()] {
        assert!(!text.contains("s3cr3t") && !token.split('.').any(|part| text.contains(part)), "{text}");
    }
    assert!(!without.log().contains("/new/"), "{}", without.log());
}
