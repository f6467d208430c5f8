#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::{collections::HashMap, future::ready, path::Path, pin::pin, sync::Arc};

use arc_swap::ArcSwap;
use envoy_types::{
    ext_authz::v3::pb::{CheckRequest, HttpResponse},
    pb::envoy::service::auth::v3::{AttributeContext, attribute_context},
};
use portcullis_testkit::AuthorizationServer;

use super::{ExtAuthz, HttpRequest};
use crate::{
    config::Config,
    decision::{Decider, Door, Gateway},
    listener::tests::local_peer,
};

fn gateway(server: &AuthorizationServer, field: &str) -> Gateway {
    let tables = format!("[[headers]]\nname = \"{field}\"\nclaim = \"nothing\"");
    let text = format!("[[issuers]]\nissuer = \"{}\"\n{tables}", server.issuer());
    Gateway::build(&Config::read(&text, "portcullis.toml", Path::new(".")).unwrap(), None).unwrap()
}

fn check(fields: &[(&str, &str)]) -> CheckRequest {
    let headers: HashMap<_, _> = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let http = HttpRequest { method: "GET".to_owned(), path: "/".to_owned(), headers, ..HttpRequest::default() };
    let request = attribute_context::Request { http: Some(http), ..Default::default() };
    CheckRequest { attributes: Some(AttributeContext { request: Some(request), ..AttributeContext::default() }) }
}

#[tokio::test]
async fn a_check_that_waits_while_the_configuration_changes_is_judged_by_one() {
    let server = AuthorizationServer::start().await;
    let current = Arc::new(ArcSwap::from_pointee(gateway(&server, "X-First")));
    let decider = Decider::new(Door::ExtAuthz, Arc::clone(&current), None, None);
    let door = ExtAuthz::new(decider, local_peer(), 1 << 20);
    let bearer = format!("Bearer {}", server.token().sign());
    let mut answer = pin!(door.check(check(&[("authorization", &bearer), ("x_first", "1"), ("x_second", "2")])));
    tokio::select! {
        biased;
        _ = &mut answer => panic!("its keys have to be fetched"),
        () = ready(()) => {}
    }
    current.store(Arc::new(gateway(&server, "X-Second")));
    let Some(HttpResponse::OkResponse(ok)) = answer.await.response.http_response else { panic!("refused") };
    // The forged fields of one configuration are removed.
    assert_eq!(ok.headers_to_remove, ["x-first", "x_first"]);
}
