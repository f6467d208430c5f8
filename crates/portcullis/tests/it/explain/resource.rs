//! An inspection of what Portcullis itself protects, and the restraint of any: where requests go, and how many. The gateway's
//! tests make each finding.

use std::sync::{Arc, Mutex};

use axum::{Router, routing::post};
use bytes::Bytes;
use http::{Request, Response};
use portcullis::{
    HttpClient, HttpRequest, ProtectedResource, ResourceFinding, ResourceInspector, ResourceReport, Secure, Verifier,
};
use portcullis_testkit::AuthorizationServer;
use serde_json::json;

/// Answers by the URL, and remembers the requests.
#[derive(Clone)]
struct Canned {
    answer: fn(&str) -> Response<Bytes>,
    requests: Arc<Mutex<Vec<Request<Bytes>>>>,
}

impl HttpClient for Canned {
    async fn send(&self, request: HttpRequest) -> Result<Response<Bytes>, Box<dyn std::error::Error + Send + Sync>> {
        let answer = (self.answer)(&request.request.uri().to_string());
        self.requests.lock().unwrap().push(request.request);
        Ok(answer)
    }
}

const RESOURCE: &str = "https://mcp.example.com/mcp";

async fn inspect(answer: fn(&str) -> Response<Bytes>) -> (ResourceReport, Vec<Request<Bytes>>) {
    let requests = Arc::default();
    let client = Canned { answer, requests: Arc::clone(&requests) };
    let report = ResourceInspector::new(RESOURCE).unwrap().http_client(client).inspect().await.unwrap();
    let sent = std::mem::take(&mut *requests.lock().unwrap());
    (report, sent)
}

fn page(status: u16, field: (&str, &str), body: String) -> Response<Bytes> {
    Response::builder().status(status).header(field.0, field.1).body(Bytes::from(body)).unwrap()
}

fn metadata(servers: &[String]) -> Response<Bytes> {
    let body = json!({ "resource": RESOURCE, "authorization_servers": servers });
    page(200, ("content-type", "application/json"), body.to_string())
}

fn hosts(requests: &[Request<Bytes>]) -> Vec<&str> {
    requests.iter().map(|request| request.uri().host().unwrap()).collect()
}

#[tokio::test]
async fn a_public_resource_leads_to_no_inner_address() {
    let (report, requests) = inspect(|url| match url {
        RESOURCE => {
            page(401, ("www-authenticate", "Bearer resource_metadata=\"http://127.0.0.1:9200/\""), String::new())
        }
        url if url.contains("oauth-protected-resource") => metadata(&[
            "http://localhost:2375".to_owned(),
            "https://10.0.0.1".to_owned(),
            "https://169.254.169.254/latest".to_owned(),
            "https://[::ffff:7f00:1]".to_owned(),
        ]),
        _ => page(404, ("x", "y"), String::new()),
    })
    .await;
    assert!(hosts(&requests).iter().all(|host| *host == "mcp.example.com"), "{requests:?}");
    let findings: Vec<_> = report.errors().collect();
    assert!(findings.contains(&ResourceFinding::MetadataUnreachable), "{findings:?}");
    assert_eq!(findings.iter().filter(|finding| **finding == ResourceFinding::ServerUnreachable).count(), 4);
}

#[tokio::test]
async fn no_redirect_leads_to_another_origin() {
    for status in [301, 302, 303, 307, 308] {
        let client = Canned {
            answer: |url| {
                let status = url.rsplit('/').next().and_then(|status| status.parse().ok()).unwrap_or(404);
                page(status, ("location", "//elsewhere.example/"), String::new())
            },
            requests: Arc::default(),
        };
        let url = format!("https://mcp.example.com/{status}");
        let report = ResourceInspector::new(&url).unwrap().http_client(client.clone()).inspect().await.unwrap();
        assert_eq!(report.errors().next(), Some(ResourceFinding::RedirectsElsewhere), "{status}");
        assert!(!hosts(&client.requests.lock().unwrap()).contains(&"elsewhere.example"), "{status}");
    }
}

#[tokio::test]
async fn requests_are_few_and_carry_no_credentials() {
    let (report, requests) = inspect(|url| match url {
        RESOURCE => page(307, ("location", "/mcp"), String::new()),
        url if url.contains("oauth-protected-resource") => {
            metadata(&(0..100).map(|number| format!("https://as{}.example/{number}", number / 2)).collect::<Vec<_>>())
        }
        _ => page(301, ("location", "?again"), String::new()),
    })
    .await;
    assert!(requests.len() < 80, "{} requests", requests.len());
    assert!(report.errors().any(|finding| finding == ResourceFinding::NoServerMetadata));
    for request in &requests {
        assert!(!request.headers().contains_key("authorization") && !request.headers().contains_key("cookie"));
        assert!(request.headers()["user-agent"].to_str().unwrap().starts_with("portcullis/"));
    }
}

#[tokio::test]
async fn a_resource_that_portcullis_protects_keeps_no_client_out() {
    let server = AuthorizationServer::start().await;
    for (path, is_mcp) in [("", false), ("/mcp", false), ("/a/mcp/", false), ("/mcp", true)] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}{path}", listener.local_addr().unwrap());
        let resource = ProtectedResource::new(&url).issuer(Verifier::discover(server.issuer()).unwrap()).name("Files");
        let secure = if is_mcp {
            Secure::mcp(resource.tool("delete_*", ["files:write"])).unwrap()
        } else {
            Secure::protecting(resource).unwrap()
        };
        let secure = secure.scope(["files:read"]);
        let route = if path.is_empty() { "/" } else { path };
        let app = secure.protect(Router::new().route(route, post(|| async { "in" })));
        tokio::spawn(async move { axum::serve(listener, app).await });
        let report = ResourceInspector::new(&url).unwrap().inspect().await.unwrap();
        // The test kit's authorization server is for programs alone.
        let findings: Vec<_> = report.checks.iter().filter_map(|check| check.finding()).collect();
        assert_eq!(findings, [ResourceFinding::NoAuthorizationCode], "{path}: {report:#?}");
    }
}
