//! Envoy's ext_authz over gRPC: the same decisions, and the fields set and removed.

use std::collections::HashMap;

use envoy_types::pb::{
    envoy::{
        config::core::v3::{HeaderMap, HeaderValue},
        service::auth::v3::{
            AttributeContext, CheckRequest, CheckResponse,
            attribute_context::{HttpRequest, Request},
            authorization_client::AuthorizationClient,
            check_response::HttpResponse,
        },
    },
    google::protobuf::value::Kind,
};
use portcullis_testkit::{Attack, AuthorizationServer};
use tonic::{Code, transport::Channel};

use crate::{
    forward_auth::{BY_METHOD, OTHER_METHODS, OTHER_PATHS},
    support::{Gateway, ROUTES, code_of, introspecting, issuer},
};

async fn setup() -> (AuthorizationServer, Gateway, AuthorizationClient<Channel>) {
    let server = AuthorizationServer::start().await;
    let gateway = Gateway::start(&format!("{}{ROUTES}", introspecting(&server, "phantom", ""))).await;
    gateway.ready().await;
    let client = connect(&gateway).await;
    (server, gateway, client)
}

pub async fn connect(gateway: &Gateway) -> AuthorizationClient<Channel> {
    AuthorizationClient::connect(format!("http://{}", gateway.grpc)).await.unwrap()
}

pub fn request(method: &str, path: &str, fields: &[(&str, &str)]) -> CheckRequest {
    let headers: HashMap<_, _> = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    of(HttpRequest { method: method.to_owned(), path: path.to_owned(), headers, ..HttpRequest::default() })
}

pub fn of(http: HttpRequest) -> CheckRequest {
    let request = Request { http: Some(http), ..Request::default() };
    CheckRequest { attributes: Some(AttributeContext { request: Some(request), ..AttributeContext::default() }) }
}

/// The effect of an answer in Envoy.
#[derive(Debug, PartialEq)]
pub enum Told {
    Pass { set: Vec<(String, String)>, removed: Vec<String> },
    Refused { status: i32, code: String },
}

fn told(response: &CheckResponse) -> Told {
    let grpc = response.status.as_ref().unwrap();
    let fields = |options: &[envoy_types::pb::envoy::config::core::v3::HeaderValueOption]| -> Vec<(String, String)> {
        options.iter().map(|option| option.header.clone().unwrap()).map(|header| (header.key, header.value)).collect()
    };
    match response.http_response.as_ref().unwrap() {
        HttpResponse::OkResponse(ok) => {
            assert_eq!(grpc.code, Code::Ok as i32);
            let mut removed = ok.headers_to_remove.clone();
            removed.sort();
            Told::Pass { set: fields(&ok.headers), removed }
        }
        HttpResponse::DeniedResponse(denied) => {
            assert_ne!(grpc.code, Code::Ok as i32);
            let code = code_of(&denied.body);
            assert_eq!(grpc.message, code);
            Told::Refused { status: denied.status.as_ref().unwrap().code, code }
        }
        other => panic!("{other:?}"),
    }
}

pub async fn ask(client: &mut AuthorizationClient<Channel>, request: CheckRequest) -> Told {
    told(&client.check(request).await.unwrap().into_inner())
}

/// Sends one check, for tests that look at other things.
pub async fn check(gateway: &Gateway, method: &str, path: &str, fields: &[(&str, &str)]) {
    let mut client = connect(gateway).await;
    client.check(request(method, path, fields)).await.unwrap();
}

#[tokio::test]
async fn the_decisions_are_those_of_forward_auth() {
    let (server, gateway, mut client) = setup().await;
    let reader = server.token().scope("read").sign();
    let writer = server.token().scope("write").sign();
    for (method, path, token) in [
        ("GET", "/open/a", None),
        ("GET", "/orders/1", None),
        ("GET", "/orders/1", Some(&reader)),
        ("GET", "/orders/1", Some(&writer)),
        ("PUT", "/orders/1", Some(&writer)),
        ("GET", "/admin", Some(&reader)),
        ("GET", "/open/../admin", None),
        ("GET", "/open/%2", None),
        ("GET", "/nowhere", Some(&reader)),
        ("DELETE", "/orders/1", Some(&reader)),
    ] {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let fields: Vec<_> = bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
        let answer = gateway.ask(method, path, token.map(String::as_str)).await;
        match ask(&mut client, request(method, path, &fields)).await {
            Told::Pass { .. } => assert_eq!(answer.status, 200, "{method} {path}"),
            Told::Refused { status, code } => {
                assert_eq!((i32::from(answer.status), answer.code()), (status, code), "{method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn no_other_method_than_the_judged_one_is_served() {
    let server = AuthorizationServer::start().await;
    let gateway = Gateway::start(&format!("{}{BY_METHOD}", issuer(&server, ""))).await;
    gateway.ready().await;
    let mut client = AuthorizationClient::connect(format!("http://{}", gateway.grpc)).await.unwrap();
    let bearer = format!("Bearer {}", server.token().scope("read").sign());
    for (method, path, field, code) in OTHER_METHODS {
        let field = field.split_once(':').map(|(name, value)| (name.to_ascii_lowercase(), value));
        let fields: Vec<_> = field.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        let refused = Told::Refused { status: 403, code: code.to_owned() };
        let joined = request(method, path, &[&[("authorization", bearer.as_str())], fields.as_slice()].concat());
        assert_eq!(ask(&mut client, joined).await, refused, "{method} {path} {fields:?}");
        let raw = [("authorization", bearer.as_str())].iter().chain(&fields).map(raw).collect();
        let header_map = Some(HeaderMap { headers: raw });
        let http =
            HttpRequest { method: method.to_owned(), path: path.to_owned(), header_map, ..HttpRequest::default() };
        assert_eq!(ask(&mut client, of(http)).await, refused, "{method} {path} {fields:?}, raw");
    }
    let same = [("authorization", bearer.as_str()), ("x-http-method", "PUT")];
    assert!(matches!(ask(&mut client, request("POST", "/orders/1", &same)).await, Told::Pass { .. }));
}

#[tokio::test]
async fn no_other_path_than_the_judged_one_is_served() {
    let (_server, _gateway, mut client) = setup().await;
    for field in OTHER_PATHS.iter().chain(&["X-Original-URL: /admin"]) {
        let (name, value) = field.split_once(": ").unwrap();
        let asked = request("GET", "/open/a", &[(&name.to_ascii_lowercase(), value)]);
        let refused = Told::Refused { status: 403, code: "ambiguous_path".to_owned() };
        assert_eq!(ask(&mut client, asked).await, refused, "{field}");
    }
    let same = request("GET", "/open/a", &[("x-original-url", "/open/b")]);
    assert!(matches!(ask(&mut client, same).await, Told::Pass { .. }));
}

/// A field as Envoy sends it if configured to send raw ones.
fn raw((name, value): &(&str, &str)) -> HeaderValue {
    HeaderValue { key: (*name).to_owned(), raw_value: value.as_bytes().to_vec(), ..HeaderValue::default() }
}

#[tokio::test]
async fn no_hostile_token_passes() {
    let (server, _gateway, mut client) = setup().await;
    for attack in Attack::ALL {
        let bearer = format!("Bearer {}", server.hostile_from(*attack, server.token().scope("read")));
        match client.check(request("GET", "/orders/1", &[("authorization", &bearer)])).await {
            Ok(response) => {
                let told = told(response.get_ref());
                assert!(matches!(told, Told::Refused { status: 400 | 401, .. }), "{attack}: {told:?}");
            }
            // It is too large for any check.
            Err(status) => assert_eq!(status.code(), Code::OutOfRange, "{attack}: {status}"),
        }
    }
}

#[tokio::test]
async fn fields_are_set_and_forged_ones_removed() {
    let (server, _gateway, mut client) = setup().await;
    let bearer = format!("Bearer {}", server.token().subject("alice").scope("read").sign());
    let fields = [
        ("authorization", &*bearer),
        ("x-auth-subject", "mallory"),
        ("x_auth_subject", "mallory"),
        ("x-auth_roles", "ops"),
        ("x-auth-roles", "ops"),
        ("X_AUTH_ROLES", "ops"),
        ("x-other", "1"),
    ];
    let told = ask(&mut client, request("GET", "/orders/1", &fields)).await;
    let removed = ["X_AUTH_ROLES", "x-auth-roles", "x-auth_roles", "x_auth_subject"].map(str::to_owned).into();
    let set = vec![("x-auth-subject".to_owned(), "alice".to_owned())];
    assert_eq!(told, Told::Pass { set, removed });

    let told = ask(&mut client, request("GET", "/open/a", &fields[1..])).await;
    let removed = ["X_AUTH_ROLES", "x-auth-roles", "x-auth-subject", "x-auth_roles", "x_auth_subject"];
    let removed = removed.map(str::to_owned).into();
    assert_eq!(
        told,
        Told::Pass { set: Vec::new(), removed },
        "on a public route no subject is sent, not even the client's"
    );
}

#[tokio::test]
async fn an_opaque_token_is_exchanged_and_claims_are_metadata() {
    let (server, _gateway, mut client) = setup().await;
    let opaque = server.issue_opaque(server.token().subject("alice").scope("read").claim("level", 3));
    let check = request("GET", "/orders/1", &[("authorization", &format!("Bearer {opaque}"))]);
    let response = client.check(check).await.unwrap().into_inner();
    let Told::Pass { set, .. } = told(&response) else { panic!("{response:?}") };
    let handed_on = &set.iter().find(|(name, _)| name == "authorization").unwrap().1;
    assert_eq!(handed_on.split('.').count(), 3, "a JWT in place of the opaque token");
    let Some(Kind::StructValue(claims)) = response.dynamic_metadata.unwrap().fields["claims"].kind.clone() else {
        panic!()
    };
    assert_eq!(claims.fields["sub"].kind, Some(Kind::StringValue("alice".to_owned())));
    assert_eq!(claims.fields["level"].kind, Some(Kind::NumberValue(3.0)));
}

#[tokio::test]
async fn two_tokens_are_refused_joined_or_raw() {
    let (server, _gateway, mut client) = setup().await;
    let bearer = format!("Bearer {}", server.token().scope("read").sign());
    let joined = format!("{bearer},{bearer}");
    let told = ask(&mut client, request("GET", "/orders/1", &[("authorization", &joined)])).await;
    assert!(matches!(told, Told::Refused { .. }), "{told:?}");
    let field = |value: &str| HeaderValue {
        key: "Authorization".to_owned(),
        raw_value: value.as_bytes().to_vec(),
        ..Default::default()
    };
    let raw = |fields: &[&str]| {
        let header_map = Some(HeaderMap { headers: fields.iter().map(|value| field(value)).collect() });
        of(HttpRequest { method: "GET".to_owned(), path: "/orders/1".to_owned(), header_map, ..HttpRequest::default() })
    };
    assert_eq!(
        ask(&mut client, raw(&[&bearer, &bearer])).await,
        Told::Refused { status: 400, code: "several_tokens".to_owned() }
    );
    assert!(matches!(ask(&mut client, raw(&[&bearer])).await, Told::Pass { .. }));
}

#[tokio::test]
async fn a_check_about_nothing_is_refused() {
    let (_server, _gateway, mut client) = setup().await;
    for check in [CheckRequest::default(), CheckRequest { attributes: Some(AttributeContext::default()) }] {
        let refused = Told::Refused { status: 403, code: "no_original_request".to_owned() };
        assert_eq!(ask(&mut client, check).await, refused);
    }
    let told = ask(&mut client, of(HttpRequest::default())).await;
    assert!(matches!(told, Told::Refused { status: 403, .. }), "{told:?}");
}
