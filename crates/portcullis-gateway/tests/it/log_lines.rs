//! The fields of the log line of a decision, compared with the promised ones: docs/stability.md.

use std::collections::BTreeSet;

use portcullis_testkit::AuthorizationServer;

use crate::support::{Gateway, client, issuer};

#[tokio::test]
async fn the_fields_of_log_lines_are_those_that_were_promised() {
    let server = AuthorizationServer::start().await;
    let routes = "[log]\nformat = \"json\"\ndecisions = \"all\"\n\n[[routes]]\npath = \"/orders/*\"\nscope = [\"read\"]\n\n\
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
