//! Routes by host and by name, and preflights, at both doors.

use std::collections::HashMap;

use envoy_types::pb::envoy::service::auth::v3::{
    AttributeContext, CheckRequest,
    attribute_context::{HttpRequest, Request},
};
use portcullis_testkit::AuthorizationServer;

use crate::{
    ext_authz::{self, Told},
    forward_auth::send_to,
    support::{Gateway, issuer},
};

/// A request of a client, as proxies describe it.
#[derive(Clone, Copy)]
struct Asked<'a> {
    host: &'a str,
    method: &'a str,
    path: &'a str,
    fields: &'a [(&'a str, &'a str)],
    /// The route that Envoy chooses.
    route: Option<&'a str>,
}

/// Method, path and fields of a request, and its code.
type Row<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a str);

const PLAIN: Asked<'_> = Asked { host: "api.example.com", method: "GET", path: "/orders/1", fields: &[], route: None };

/// Returns the code at forward-auth, in the manner of Traefik, nginx and ingress-nginx, which is the same in each.
async fn by_http(gateway: &Gateway, Asked { host, method, path, fields, .. }: Asked<'_>) -> String {
    let fields: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let mut codes = Vec::new();
    for (own, description) in [
        ("gateway", format!("X-Forwarded-Method: {method}\r\nX-Forwarded-Uri: {path}\r\nX-Forwarded-Host: {host}\r\n")),
        (host, format!("X-Original-Method: {method}\r\nX-Original-URI: {path}\r\n")),
        ("gateway", format!("X-Original-Method: {method}\r\nX-Original-URL: https://{host}{path}\r\n")),
    ] {
        let answer = send_to(own, gateway, "GET", "/auth", &format!("{description}{fields}")).await;
        codes.push(answer.code());
    }
    codes.dedup();
    let [code] = <[String; 1]>::try_from(codes).unwrap();
    code
}

async fn by_grpc(gateway: &Gateway, asked: Asked<'_>) -> String {
    let owned = |text: &str| text.to_owned();
    let headers = asked.fields.iter().map(|(name, value)| (name.to_ascii_lowercase(), owned(value))).collect();
    let (host, method, path) = (owned(asked.host), owned(asked.method), owned(asked.path));
    let http = HttpRequest { host, method, path, headers, ..HttpRequest::default() };
    let request = Some(Request { http: Some(http), ..Request::default() });
    let route = asked.route.map(|route| ("portcullis_route".to_owned(), route.to_owned()));
    let context_extensions: HashMap<_, _> = route.into_iter().collect();
    let attributes = AttributeContext { request, context_extensions, ..AttributeContext::default() };
    let check = CheckRequest { attributes: Some(attributes) };
    match ext_authz::ask(&mut ext_authz::connect(gateway).await, check).await {
        Told::Pass { .. } => "pass".to_owned(),
        Told::Refused { code, .. } => code,
    }
}

async fn at_both_doors(gateway: &Gateway, asked: Asked<'_>) -> String {
    let code = by_http(gateway, asked).await;
    assert_eq!(code, by_grpc(gateway, asked).await);
    code
}

#[tokio::test]
async fn the_host_decides_where_routes_name_it() {
    let server = AuthorizationServer::start().await;
    let routes = "[[routes]]\npath = \"/orders/*\"\nhost = \"api.example.com\"\nscope = [\"read\"]\n\
                  [[routes]]\npath = \"/orders/*\"\nhost = [\"*.test.example.com\"]\npublic = true\n\
                  [[routes]]\npath = \"/health\"\nhost = \"*\"\npublic = true\n";
    let gateway = Gateway::start(&format!("{}{routes}", issuer(&server, ""))).await;
    gateway.ready().await;
    for (host, path, code) in [
        ("api.example.com", "/orders/1", "no_credentials"),
        ("API.example.com:8443", "/orders/1", "no_credentials"),
        ("a.test.example.com", "/orders/1", "pass"),
        ("test.example.com", "/orders/1", "no_route"),
        ("evil.example", "/orders/1", "no_route"),
        ("evil.example", "/health", "pass"),
        ("api.example.com", "/health", "pass"),
    ] {
        assert_eq!(at_both_doors(&gateway, Asked { host, path, ..PLAIN }).await, code, "{host} {path}");
    }
    let described = "X-Forwarded-Method: GET\r\nX-Forwarded-Uri: /orders/1\r\nX-Forwarded-Host: a.test.example.com\r\n";
    let twice = format!("{described}X-Forwarded-Host: api.example.com\r\n");
    assert_eq!(send_to("gateway", &gateway, "GET", "/auth", &twice).await.code(), "unknown_host");
    assert_eq!(by_grpc(&gateway, Asked { host: "", ..PLAIN }).await, "unknown_host");
}

#[tokio::test]
async fn two_descriptions_of_a_host_have_to_agree() {
    let server = AuthorizationServer::start().await;
    let routes = "[[routes]]\npath = \"/*\"\nhost = \"admin.example.com\"\nscope = [\"admin\"]\n\
                  [[routes]]\npath = \"/*\"\nhost = \"www.example.com\"\npublic = true\n";
    let gateway = Gateway::start_with("forwarded = true", &format!("{}{routes}", issuer(&server, ""))).await;
    gateway.ready().await;
    let (by_url, by_field) =
        ("X-Original-URL: https://www.example.com/a", "X-Forwarded-Uri: /a\r\nX-Forwarded-Host: www.example.com");
    for (method, described) in [("X-Original-Method", by_url), ("X-Forwarded-Method", by_field)] {
        for (forwarded, code) in [
            ("", "pass"),
            ("Forwarded: for=192.0.2.1;proto=https\r\n", "pass"),
            ("Forwarded: proto=https;host=WWW.example.com\r\n", "pass"),
            ("Forwarded: proto=https;host=admin.example.com\r\n", "unknown_host"),
            ("Forwarded: host=www.example.com, host=admin.example.com\r\n", "unknown_host"),
            ("Forwarded: host=\r\n", "unknown_host"),
        ] {
            let fields = format!("{method}: GET\r\n{described}\r\n{forwarded}");
            let answer = send_to("www.example.com", &gateway, "GET", "/auth", &fields).await;
            assert_eq!(answer.code(), code, "{fields}");
        }
    }
}

/// Traefik takes each of these for the host without its end, and describes the request with it.
#[tokio::test]
async fn no_spelling_of_a_host_chooses_another_route() {
    let server = AuthorizationServer::start().await;
    let routes = "[[routes]]\npath = \"/*\"\nhost = \"admin.example.com\"\nscope = [\"admin\"]\n\
                  [[routes]]\npath = \"/*\"\nhost = [\"*.internal.example.com\", \"[::1]\", \"127.0.0.1\"]\nscope = [\"admin\"]\n\
                  [[routes]]\npath = \"/*\"\nhost = \"*\"\npublic = true\n";
    let gateway = Gateway::start(&format!("{}{routes}", issuer(&server, ""))).await;
    gateway.ready().await;
    for (host, code) in [
        ("admin.example.com", "no_credentials"),
        ("ADMIN.example.com:443", "no_credentials"),
        ("other.example.com", "pass"),
        ("admin.example.com.", "unknown_host"),
        ("ADMIN.example.com.:443", "unknown_host"),
        ("a.internal.example.com.", "unknown_host"),
        ("[::1]:9080", "no_credentials"),
        ("127.0.0.1", "no_credentials"),
        ("[::2]", "pass"),
        ("127.0.0.2", "pass"),
        ("[0:0:0:0:0:0:0:1]", "unknown_host"),
        ("[0::1]", "unknown_host"),
        ("[::0001]:443", "unknown_host"),
        ("127.1", "unknown_host"),
        ("2130706433", "unknown_host"),
        ("0x7f.0.0.1", "unknown_host"),
    ] {
        assert_eq!(at_both_doors(&gateway, Asked { host, ..PLAIN }).await, code, "{host}");
    }
    let described = "X-Forwarded-Method: GET\r\nX-Forwarded-Uri: /a\r\nX-Forwarded-Host: ";
    for host in ["admin.example.com:x", "admin.example.com, other.example.com", "x@admin.example.com"] {
        let fields = format!("{described}{host}\r\n");
        assert_eq!(send_to("gateway", &gateway, "GET", "/auth", &fields).await.code(), "unknown_host", "{host}");
        assert_eq!(by_grpc(&gateway, Asked { host, ..PLAIN }).await, "unknown_host", "{host}");
    }
}

#[tokio::test]
async fn a_route_that_envoy_chooses_is_for_its_methods_and_hosts_alone() {
    let server = AuthorizationServer::start().await;
    let routes = "[[routes]]\nname = \"orders\"\npath = \"/orders/*\"\nmethods = [\"GET\"]\nhost = \"api.example.com\"\nscope = [\"read\"]\n";
    let gateway = Gateway::start(&format!("{}{routes}", issuer(&server, ""))).await;
    gateway.ready().await;
    let token = format!("Bearer {}", server.token().scope("read").sign());
    let bearer = ("authorization", &*token);
    for (host, method, fields, code) in [
        ("api.example.com", "GET", &[bearer][..], "pass"),
        ("api.example.com", "HEAD", &[bearer], "pass"),
        ("api.example.com", "DELETE", &[bearer], "no_route"),
        ("other.example.com", "GET", &[bearer], "no_route"),
        ("api.example.com", "GET", &[bearer, ("x-http-method-override", "DELETE")], "ambiguous_method"),
        // Envoy has chosen by another path than the one that some servers go by.
        ("api.example.com", "GET", &[bearer, ("x-original-url", "/admin")], "ambiguous_path"),
        ("api.example.com", "GET", &[bearer, ("x_rewrite_url", "/orders/1")], "ambiguous_path"),
    ] {
        let asked = Asked { host, method, fields, route: Some("orders"), ..PLAIN };
        assert_eq!(by_grpc(&gateway, asked).await, code, "{host} {method} {fields:?}");
    }
}

#[tokio::test]
async fn a_request_whose_content_envoy_shows_is_no_preflight() {
    let server = AuthorizationServer::start().await;
    let routes = "[[routes]]\npath = \"/orders/*\"\npreflight = true\n";
    let gateway = Gateway::start(&format!("{}{routes}", issuer(&server, ""))).await;
    gateway.ready().await;
    for (content, passes) in [("", true), ("_method=DELETE", false)] {
        let fields = [("origin", "https://app.example"), ("access-control-request-method", "GET")];
        let headers = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let (method, path) = ("OPTIONS".to_owned(), "/orders/1".to_owned());
        let http = HttpRequest { method, path, headers, raw_body: content.into(), ..HttpRequest::default() };
        let request = Some(Request { http: Some(http), ..Request::default() });
        let check = CheckRequest { attributes: Some(AttributeContext { request, ..AttributeContext::default() }) };
        let told = ext_authz::ask(&mut ext_authz::connect(&gateway).await, check).await;
        assert_eq!(matches!(told, Told::Pass { .. }), passes, "{content}");
    }
}

#[tokio::test]
async fn envoy_may_choose_the_route_by_its_name() {
    let server = AuthorizationServer::start().await;
    let routes = "[[routes]]\nname = \"open\"\npublic = true\n[[routes]]\npath = \"/orders/*\"\nname = \"orders\"\nscope = [\"read\"]\n";
    let gateway = Gateway::start(&format!("{}{routes}", issuer(&server, ""))).await;
    gateway.ready().await;
    for (route, path, code) in [
        (None, "/orders/1", "no_credentials"),
        (None, "/elsewhere", "no_route"),
        (Some("open"), "/orders/1", "pass"),
        (Some("open"), "/elsewhere", "pass"),
        (Some("orders"), "/elsewhere", "no_credentials"),
        (Some("Orders"), "/orders/1", "unknown_route"),
        (Some(""), "/orders/1", "unknown_route"),
    ] {
        assert_eq!(by_grpc(&gateway, Asked { route, path, ..PLAIN }).await, code, "{route:?} {path}");
    }
    // A client cannot choose one.
    let fields = &[("portcullis_route", "open"), ("X-Portcullis-Route", "open")];
    assert_eq!(at_both_doors(&gateway, Asked { fields, ..PLAIN }).await, "no_credentials");
    let metric = "portcullis_gateway_decisions_total{route=\"open\",code=\"pass\"}";
    assert_eq!(gateway.metric(metric).await, 2.0);
}

#[tokio::test]
async fn a_preflight_passes_where_its_route_says_so_and_nothing_like_it_does() {
    let server = AuthorizationServer::start().await;
    let routes = "[[routes]]\npath = \"/orders/*\"\nmethods = [\"GET\", \"PUT\"]\nscope = [\"read\"]\npreflight = true\n\
                  [[routes]]\npath = \"/orders/*\"\nmethods = [\"DELETE\"]\n[[routes]]\npath = \"/all/*\"\npreflight = true\ntoken_field = \"X-Token\"\n";
    let gateway = Gateway::start(&format!("{}{routes}", issuer(&server, ""))).await;
    gateway.ready().await;
    let (origin, method) = (("Origin", "https://app.example.com"), ("Access-Control-Request-Method", "PUT"));
    let preflight = [origin, method, ("Access-Control-Request-Headers", "authorization"), ("Content-Length", "0")];
    let with = |further: (&'static str, &'static str)| [origin, method, further];
    let table: &[Row<'_>] = &[
        ("OPTIONS", "/orders/1", &preflight, "pass"),
        ("OPTIONS", "/orders/1", &[origin, method], "pass"),
        ("OPTIONS", "/all/1", &[origin, ("Access-Control-Request-Method", "PATCH")], "pass"),
        ("OPTIONS", "/all/1", &[origin], "no_credentials"),
        ("OPTIONS", "/all/1", &[method], "no_credentials"),
        ("OPTIONS", "/all/1", &[origin, ("Access-Control-Request-Method", "P T")], "no_credentials"),
        ("OPTIONS", "/all/1", &with(("Authorization", "Bearer x")), "malformed_token_parts"),
        ("OPTIONS", "/all/1", &with(("Cookie", "session=1")), "no_credentials"),
        ("OPTIONS", "/all/1", &with(("DPoP", "x")), "no_credentials"),
        ("OPTIONS", "/all/1", &with(("X-Token", "x")), "malformed_token_parts"),
        ("OPTIONS", "/orders/1", &with(("X-Token", "x")), "pass"),
        // The API would get it without the field that makes it a preflight.
        ("OPTIONS", "/all/1", &with(("Connection", "Origin")), "hop_by_hop_header"),
        ("OPTIONS", "/all/1", &with(("Connection", "close, access-control-request-method")), "hop_by_hop_header"),
        ("OPTIONS", "/all/1", &with(("Content-Length", "2")), "no_credentials"),
        ("OPTIONS", "/all/1", &with(("X-HTTP-Method-Override", "GET")), "no_credentials"),
        ("OPTIONS", "/all/1", &with(("X-Rewrite-URL", "/all/2")), "no_credentials"),
        ("OPTIONS", "/all/1?_method=PUT", &[origin, method], "no_credentials"),
        ("GET", "/all/1", &[origin, method], "no_credentials"),
        ("POST", "/all/1", &[origin, method], "no_credentials"),
        ("options", "/all/1", &[origin, method], "no_credentials"),
        ("OPTIONS", "/orders/1", &[origin, ("Access-Control-Request-Method", "DELETE")], "no_route"),
        ("OPTIONS", "/orders/1", &[origin, ("Access-Control-Request-Method", "POST")], "no_route"),
        ("OPTIONS", "/orders/1", &[origin, ("Access-Control-Request-Method", "put")], "no_route"),
        ("OPTIONS", "/orders/../elsewhere", &[origin, method], "no_route"),
        ("OPTIONS", "/elsewhere", &[origin, method], "no_route"),
        ("OPTIONS", "/orders/%2e%2e/all/1", &[origin, method], "ambiguous_path"),
    ];
    for &(method, path, fields, code) in table {
        // Nothing is read of the question's own content.
        let has_content = fields.contains(&("Content-Length", "2"));
        let asked = Asked { method, path, fields, ..PLAIN };
        let found = if has_content { by_grpc(&gateway, asked).await } else { at_both_doors(&gateway, asked).await };
        assert_eq!(found, code, "{method} {path} {fields:?}");
    }
    let fields = &[origin, origin, method];
    assert_ne!(by_http(&gateway, Asked { method: "OPTIONS", fields, path: "/all/1", ..PLAIN }).await, "pass");
}

/// A client that has a token for an MCP server sends it to its public paths, too.
#[tokio::test]
async fn an_mcp_server_gets_no_token_on_a_public_path_either() {
    let server = AuthorizationServer::start().await;
    let tables = |further: &str| {
        format!(
            "[[resources]]\nresource = \"https://api.example.com/mcp\"\n[resources.mcp]\n{further}\n\
             [[resources]]\nresource = \"https://api.example.com/orders\"\n\
             [[routes]]\npath = \"/mcp/public/*\"\npublic = true\npreflight = true\n[[routes]]\npath = \"/*\"\npublic = true\n"
        )
    };
    let bearer = format!("Bearer {}", server.token().sign());
    for further in ["", "forward_authorization = true"] {
        let gateway = Gateway::start(&format!("{}{}", issuer(&server, ""), tables(further))).await;
        gateway.ready().await;
        let mut client = ext_authz::connect(&gateway).await;
        for (path, host, kept_back) in [
            ("/mcp/public/1", "api.example.com", true),
            // The same server may answer to this name.
            ("/mcp/public/1", "other.example.com", true),
            ("/orders/1", "api.example.com", false),
            ("/else", "api.example.com", false),
        ] {
            let kept_back = kept_back && further.is_empty();
            let described = format!(
                "X-Forwarded-Method: GET\r\nX-Forwarded-Uri: {path}\r\nX-Forwarded-Host: {host}\r\nAuthorization: {bearer}\r\n"
            );
            let answer = send_to("gateway", &gateway, "GET", "/auth", &described).await;
            let mark = answer.header("portcullis-unjudged").is_none();
            assert_eq!((answer.status, mark), (200, kept_back), "{path} {host} {answer:?}");
            let http = HttpRequest {
                host: host.to_owned(),
                method: "GET".to_owned(),
                path: path.to_owned(),
                headers: [("authorization".to_owned(), bearer.clone())].into(),
                ..HttpRequest::default()
            };
            let request = Some(Request { http: Some(http), ..Request::default() });
            let check = CheckRequest { attributes: Some(AttributeContext { request, ..AttributeContext::default() }) };
            let Told::Pass { removed, .. } = ext_authz::ask(&mut client, check).await else { panic!("{path} {host}") };
            assert_eq!(removed.contains(&"authorization".to_owned()), kept_back, "{path} {host}");
        }
    }
}

#[tokio::test]
async fn a_preflight_of_a_resource_is_at_its_host_and_from_an_origin_of_an_mcp_server() {
    let server = AuthorizationServer::start().await;
    let tables = "[[resources]]\nresource = \"https://api.example.com/orders\"\n\
                  [[resources]]\nresource = \"https://api.example.com/mcp\"\nmcp = { allowed_origins = [\"https://chat.example.com\"] }\n\
                  [[routes]]\npath = \"/orders/*\"\npreflight = true\n[[routes]]\npath = \"/mcp/*\"\npreflight = true\n";
    let gateway = Gateway::start(&format!("{}{tables}", issuer(&server, ""))).await;
    gateway.ready().await;
    for (host, path, origin, code) in [
        ("api.example.com", "/orders/1", "https://app.example.com", "pass"),
        ("API.example.com:443", "/orders/1", "https://app.example.com", "pass"),
        ("other.example.com", "/orders/1", "https://app.example.com", "wrong_host"),
        ("api.example.com", "/mcp", "https://chat.example.com", "pass"),
        ("api.example.com", "/mcp", "https://api.example.com", "pass"),
        ("api.example.com", "/mcp", "https://evil.example", "mcp_origin"),
        ("api.example.com", "/mcp", "null", "mcp_origin"),
        ("other.example.com", "/mcp", "https://chat.example.com", "wrong_host"),
    ] {
        let fields = &[("Origin", origin), ("Access-Control-Request-Method", "POST")];
        let asked = Asked { host, method: "OPTIONS", path, fields, route: None };
        assert_eq!(at_both_doors(&gateway, asked).await, code, "{host} {path} {origin}");
    }
}
