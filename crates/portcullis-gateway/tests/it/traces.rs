//! Traces, as a collector receives them.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::{
    collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse},
    common::v1::{KeyValue, any_value::Value},
    trace::v1::{Span, span::SpanKind},
};
use portcullis_testkit::AuthorizationServer;
use prost::Message;
use tokio::{net::TcpListener, task::AbortHandle};

use crate::support::{Answer, Gateway, ROUTES, client, introspecting, issuer, within};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

/// A collector of spans by OTLP over HTTP, on a free port.
struct Collector {
    address: SocketAddr,
    received: Arc<Mutex<Vec<ExportTraceServiceRequest>>>,
    accepting: AbortHandle,
}

impl Collector {
    async fn start() -> Self {
        Self::at(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    fn at(listener: TcpListener) -> Self {
        let address = listener.local_addr().unwrap();
        let received: Arc<Mutex<Vec<_>>> = Arc::default();
        let keep = Arc::clone(&received);
        let accepting = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let keep = Arc::clone(&keep);
                let service = service_fn(move |request| take(request, Arc::clone(&keep)));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { address, received, accepting: accepting.abort_handle() }
    }

    fn table(&self, further: &str) -> String {
        table(self.address, further)
    }

    fn spans(&self) -> Vec<Span> {
        let received = self.received.lock().unwrap();
        let resources = received.iter().flat_map(|request| &request.resource_spans);
        resources.flat_map(|resource| &resource.scope_spans).flat_map(|scope| scope.spans.clone()).collect()
    }

    /// Returns the first span of this name that fits, as soon as there is one.
    async fn span(&self, name: &str, like: impl Fn(&Span) -> bool) -> Span {
        let found = within(|| self.spans().into_iter().find(|span| span.name == name && like(span))).await;
        found.unwrap_or_else(|| panic!("no such span among {:#?}", self.spans()))
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn take(
    request: Request<Incoming>,
    keep: Arc<Mutex<Vec<ExportTraceServiceRequest>>>,
) -> Result<Response<Full<bytes::Bytes>>, Infallible> {
    assert_eq!((request.method().as_str(), request.uri().path()), ("POST", "/v1/traces"));
    assert_eq!(request.headers()["content-type"], "application/x-protobuf");
    assert_eq!(request.headers()["user-agent"], concat!("portcullis/", env!("CARGO_PKG_VERSION")));
    let body = request.into_body().collect().await.unwrap().to_bytes();
    keep.lock().unwrap().push(ExportTraceServiceRequest::decode(body).unwrap());
    Ok(Response::new(ExportTraceServiceResponse::default().encode_to_vec().into()))
}

fn table(collector: SocketAddr, further: &str) -> String {
    format!("[traces]\nendpoint = \"http://{collector}/v1/traces\"\n{further}\n")
}

fn attributes(of: &[KeyValue]) -> BTreeMap<&str, String> {
    let text = |attribute: &KeyValue| match attribute.value.as_ref().unwrap().value.as_ref().unwrap() {
        Value::StringValue(text) => text.clone(),
        other => panic!("{other:?}"),
    };
    of.iter().map(|attribute| (attribute.key.as_str(), text(attribute))).collect()
}

fn code(span: &Span) -> String {
    attributes(&span.attributes).remove("code").unwrap_or_default()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn traceparent(sampled: bool) -> String {
    format!("00-{TRACE}-{PARENT}-0{}", u8::from(sampled))
}

/// Sends a question as nginx does, which forwards the client's fields.
async fn ask(gateway: &Gateway, target: &str, token: Option<&str>, traceparents: &[&str]) -> Answer {
    let mut request =
        client().get(gateway.url("/auth")).header("X-Original-Method", "GET").header("X-Original-URI", target);
    for traceparent in traceparents {
        request = request.header("traceparent", *traceparent);
    }
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    Answer::of(request.send().await.unwrap()).await
}

async fn ended(mut gateway: Gateway) -> String {
    gateway.signal("TERM");
    assert!(gateway.ended().await.success());
    gateway.log()
}

#[tokio::test]
async fn each_decision_is_a_span_with_what_it_came_to() {
    let (server, collector) = (AuthorizationServer::start().await, Collector::start().await);
    let gateway = Gateway::start(&format!("{}{ROUTES}{}", issuer(&server, ""), collector.table(""))).await;
    gateway.ready().await;
    let token = server.token().subject("alice").scope("read").sign();
    let writer = server.token().scope("write").sign();
    for (target, token, status) in [
        ("/orders/1?secret=1", Some(&token), 200),
        ("/orders/2", Some(&writer), 403),
        ("/open/1", None, 200),
        ("/nowhere", Some(&token), 403),
    ] {
        assert_eq!(ask(&gateway, target, token.map(String::as_str), &[]).await.status, status, "{target}");
    }
    ended(gateway).await;

    let spans = collector.spans();
    let decided: Vec<_> = spans.iter().filter(|span| span.name == "decide").collect();
    let told: Vec<_> = decided.iter().map(|span| attributes(&span.attributes)).collect();
    let common = [("door", "forward_auth"), ("http.request.method", "GET")];
    let expected = [
        vec![("code", "pass"), ("route", "GET /orders/*"), ("issuer", server.issuer())],
        vec![("code", "insufficient_scope"), ("route", "GET /orders/*")],
        vec![("code", "pass"), ("route", "/open/*")],
        vec![("code", "no_route")],
    ];
    let expected = expected.map(|own| {
        own.into_iter().chain(common).map(|(key, value)| (key, value.to_owned())).collect::<BTreeMap<_, _>>()
    });
    assert_eq!(told, expected);
    for span in &decided {
        assert_eq!(span.kind, SpanKind::Server as i32);
        assert!(span.parent_span_id.is_empty() && span.start_time_unix_nano <= span.end_time_unix_nano);
    }
    let received = format!("{:?}", collector.received.lock().unwrap());
    assert!(!received.contains(&token[..20]) && !received.contains("alice") && !received.contains("secret=1"));
    let resource = collector.received.lock().unwrap()[0].resource_spans[0].resource.clone().unwrap();
    assert_eq!(attributes(&resource.attributes)["service.name"], "portcullis");
}

#[tokio::test]
async fn a_span_is_the_child_of_the_clients_traceparent() {
    let (server, collector) = (AuthorizationServer::start().await, Collector::start().await);
    let tables = collector.table("service_name = \"edge\"");
    let gateway = Gateway::start(&format!("{}{ROUTES}{tables}", issuer(&server, ""))).await;
    let parent = traceparent(true);
    for (target, traceparents) in [
        ("/open/child", &[&*parent] as &[&str]),
        ("/open/twice", &[&*parent, &*parent]),
        ("/open/malformed", &["00-0af7-b7ad-01"]),
        ("/open/unsampled", &[&*traceparent(false)]),
    ] {
        assert_eq!(ask(&gateway, target, None, traceparents).await.status, 200, "{target}");
    }
    ended(gateway).await;
    let spans: Vec<_> = collector.spans().into_iter().filter(|span| span.name == "decide").collect();
    let parents: Vec<_> = spans.iter().map(|span| hex(&span.parent_span_id)).collect();
    assert_eq!(parents, [PARENT, "", ""], "a span is not sampled if its parent is not");
    assert_eq!(hex(&spans[0].trace_id), TRACE);
    assert!(spans[1..].iter().all(|span| hex(&span.trace_id) != TRACE));
    let resource = collector.received.lock().unwrap()[0].resource_spans[0].resource.clone().unwrap();
    assert_eq!(attributes(&resource.attributes)["service.name"], "edge");
}

#[tokio::test]
async fn envoy_hands_the_parent_on_by_grpc() {
    let (server, collector) = (AuthorizationServer::start().await, Collector::start().await);
    let gateway = Gateway::start(&format!("{}{ROUTES}{}", issuer(&server, ""), collector.table(""))).await;
    let parent = traceparent(true);
    crate::ext_authz::check(&gateway, "GET", "/open/1", &[("traceparent", &parent)]).await;
    let span = collector.span("decide", |_| true).await;
    assert_eq!((hex(&span.trace_id), hex(&span.parent_span_id)), (TRACE.to_owned(), PARENT.to_owned()));
    let told = attributes(&span.attributes);
    assert_eq!((&*told["door"], &*told["code"], &*told["route"]), ("ext_authz", "pass", "/open/*"));
}

#[tokio::test]
async fn what_had_to_be_fetched_is_beneath_the_decision() {
    let (server, collector) = (AuthorizationServer::start().await, Collector::start().await);
    let tables = format!("{}{ROUTES}{}", introspecting(&server, "phantom", ""), collector.table(""));
    let gateway = Gateway::start(&tables).await;
    gateway.ready().await;
    let opaque = server.issue_opaque(server.token().scope("read"));
    assert_eq!(ask(&gateway, "/orders/1", Some(&opaque), &[&traceparent(true)]).await.status, 200);
    let decided = collector.span("decide", |span| code(span) == "pass").await;
    let asked = collector.span("introspect", |_| true).await;
    assert_eq!(asked.kind, SpanKind::Client as i32);
    assert_eq!((&asked.parent_span_id, &asked.trace_id), (&decided.span_id, &decided.trace_id));
    assert_eq!(attributes(&asked.attributes)["endpoint"], format!("{}/introspect", server.issuer()));

    let prefetched = collector.span("fetch_jwks", |_| true).await;
    assert!(prefetched.parent_span_id.is_empty(), "no request caused it");
    server.rotate_and_withdraw();
    let new = server.token().scope("read").sign();
    assert_eq!(ask(&gateway, "/orders/1", Some(&new), &[]).await.status, 200);
    let fetched = collector.span("fetch_jwks", |span| !span.parent_span_id.is_empty()).await;
    let decided = collector.span("decide", |span| span.span_id == fetched.parent_span_id).await;
    assert_eq!((code(&decided), &decided.trace_id), ("pass".to_owned(), &fetched.trace_id));
    assert!(!format!("{:?}", collector.spans()).contains(&opaque));
}

#[tokio::test]
async fn with_a_ratio_of_zero_only_what_the_client_traces_is() {
    let (server, collector) = (AuthorizationServer::start().await, Collector::start().await);
    let tables = format!("{}{ROUTES}{}", issuer(&server, ""), collector.table("sample = 0"));
    let gateway = Gateway::start(&tables).await;
    gateway.ready().await;
    for _ in 0..100 {
        assert_eq!(ask(&gateway, "/open/1", None, &[]).await.status, 200);
    }
    assert_eq!(ask(&gateway, "/open/1", None, &[&traceparent(true)]).await.status, 200);
    ended(gateway).await;
    let parents: Vec<_> = collector.spans().iter().map(|span| hex(&span.parent_span_id)).collect();
    assert_eq!(parents, [PARENT]);
}

#[tokio::test]
async fn a_collector_that_is_gone_costs_no_decision_and_is_told_of_once() {
    let server = AuthorizationServer::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let gateway = Gateway::start(&format!("{}{ROUTES}{}", issuer(&server, ""), table(address, ""))).await;
    gateway.ready().await;
    let token = server.token().scope("read").sign();
    let client = client();
    let failed = "portcullis_gateway_trace_exports_total{outcome=\"failed\"}";
    while gateway.metric(failed).await < 3.0 {
        let request = client.get(gateway.url("/orders/1")).bearer_auth(&token);
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
    let told = |log: &str| log.matches("spans cannot be exported").count();
    assert_eq!(told(&gateway.log()), 1, "{}", gateway.log());

    let collector = Collector::at(TcpListener::bind(address).await.unwrap());
    assert_eq!(ask(&gateway, "/orders/1", Some(&token), &[]).await.status, 200);
    collector.span("decide", |_| true).await;
    let log = ended(gateway).await;
    assert_eq!((told(&log), log.matches("spans are exported again").count()), (1, 1), "{log}");
}

#[tokio::test]
async fn a_collector_that_hangs_holds_up_neither_decisions_nor_the_end() {
    let server = AuthorizationServer::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let tables = format!("{}{ROUTES}{}", issuer(&server, ""), table(listener.local_addr().unwrap(), ""));
    let gateway = Gateway::start(&tables).await;
    gateway.ready().await;
    let token = server.token().scope("read").sign();
    assert_eq!(ask(&gateway, "/orders/1", Some(&token), &[]).await.status, 200);
    let (_silent, _) = listener.accept().await.unwrap();
    let client = client();
    // More than the queue takes.
    for _ in 0..3000 {
        let request = client.get(gateway.url("/open/1"));
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
    ended(gateway).await;
}

#[tokio::test]
async fn without_the_table_no_field_is_read_and_no_span_made() {
    let server = AuthorizationServer::start().await;
    let gateway = Gateway::start(&format!("{}{ROUTES}", issuer(&server, ""))).await;
    assert_eq!(ask(&gateway, "/open/1", None, &["malformed", "twice"]).await.status, 200);
    assert!(!ended(gateway).await.contains("span"));
}
