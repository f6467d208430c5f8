#![allow(clippy::unwrap_used, reason = "tests")]

use std::{path::Path, sync::Arc};

use arc_swap::ArcSwap;
use http::{Request, StatusCode};
use hyper::service::Service;
use portcullis_testkit::AuthorizationServer;

use super::ForwardAuth;
use crate::{
    answering::Answering,
    config::Config,
    decision::{Decider, Door, Gateway},
    listener::tests::local_peer,
};

fn gateway(server: &AuthorizationServer, tables: &str) -> Gateway {
    let text = format!("[[issuers]]\nissuer = \"{}\"\n{tables}", server.issuer());
    Gateway::build(&Config::read(&text, "portcullis.toml", Path::new(".")).unwrap(), None).unwrap()
}

#[tokio::test]
async fn a_request_that_waits_while_the_configuration_changes_is_judged_by_one() {
    let server = AuthorizationServer::start().await;
    let before = "[[routes]]\npath = \"/orders\"\n[[headers]]\nname = \"X-Subject\"\nclaim = \"sub\"";
    let after = "[[routes]]\npath = \"/orders\"\nscope = [\"other\"]";
    let current = Arc::new(ArcSwap::from_pointee(gateway(&server, before)));
    let door = ForwardAuth::new(Decider::new(Door::ForwardAuth, Arc::clone(&current), None, None), local_peer());
    let request = Request::get("/orders").header("Authorization", format!("Bearer {}", server.token().sign()));
    // Its keys have to be fetched.
    let answering = door.call(request.body(()).unwrap());
    assert!(matches!(answering, Answering::Later(_)));
    current.store(Arc::new(gateway(&server, after)));
    let answer = answering.await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(answer.headers().contains_key("x-subject"));
}
