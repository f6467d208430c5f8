//! The same requests at each door.

use actix_web::{
    App,
    dev::Payload,
    error::PayloadError,
    test::{TestRequest, call_service, init_service},
    web,
};
use http::Response;
use portcullis::refusal;
use tower::{Layer, ServiceExt, service_fn};

use super::*;

const NOW: (&str, &str) = ("mcp-protocol-version", "2026-07-28");
const CALL: (&str, &str) = ("mcp-method", "tools/call");

/// The request of a client that may read: its method, fields and content.
type Sent<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);

/// Each case with its status and the code of its refusal.
fn table() -> Vec<(Sent<'static>, u16, &'static str)> {
    let list = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"list"}}"#;
    let delete = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"delete_all"}}"#;
    let batch = r#"[{"jsonrpc":"2.0","id":7,"method":"ping"},{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"name":"delete_all"}}]"#;
    let twice = r#"{"jsonrpc":"2.0","id":7,"method":"ping","method":"tools/call","params":{"name":"delete_all"}}"#;
    vec![
        // Revision 2026-07-28.
        (("POST", &[NOW, CALL, ("mcp-name", "list")], list), 200, ""),
        (("POST", &[NOW, CALL, ("mcp-name", "delete_all")], delete), 403, "insufficient_scope"),
        (("POST", &[NOW, CALL, ("mcp-name", "list")], delete), 400, "mcp_fields_disagree"),
        (("POST", &[NOW, ("mcp-method", "ping")], delete), 400, "mcp_fields_disagree"),
        (("POST", &[NOW, CALL, ("mcp-name", "list"), ("mcp-name", "list")], list), 400, "mcp_fields_malformed"),
        (("POST", &[NOW, CALL, ("mcp-name", "=?base64?%?=")], list), 400, "mcp_fields_malformed"),
        // Revisions 2025-11-25 and 2025-06-18.
        (("POST", &[("mcp-protocol-version", "2025-11-25")], list), 200, ""),
        (("POST", &[("mcp-protocol-version", "2025-11-25")], delete), 403, "insufficient_scope"),
        (
            ("POST", &[("mcp-protocol-version", "2025-06-18"), ("mcp-session-id", "1")], delete),
            403,
            "insufficient_scope",
        ),
        (("POST", &[], r#"{"jsonrpc":"2.0","id":7,"result":{}}"#), 200, ""),
        (("POST", &[], r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#), 200, ""),
        (("GET", &[("accept", "text/event-stream")], ""), 200, ""),
        (("DELETE", &[("mcp-session-id", "1")], ""), 200, ""),
        // Others.
        (("POST", &[], batch), 403, "insufficient_scope"),
        (("POST", &[], twice), 400, "mcp_body"),
        (("POST", &[], "{"), 400, "mcp_body"),
        (("POST", &[], ""), 400, "mcp_body"),
        (("PUT", &[], delete), 403, "insufficient_scope"),
        (("GET", &[("content-length", "72")], delete), 403, "insufficient_scope"),
        (("GET", &[("x-http-method-override", "POST")], delete), 403, "insufficient_scope"),
        (("GET", &[("connection", "upgrade"), ("upgrade", "websocket")], ""), 415, "mcp_content_type"),
        (("POST", &[("content-encoding", "gzip")], list), 415, "mcp_content_type"),
        (("POST", &[("origin", "https://chat.example.com")], list), 200, ""),
        (("POST", &[("origin", "https://evil.example")], list), 403, "mcp_origin"),
        (("GET", &[("origin", "null")], ""), 403, "mcp_origin"),
    ]
}

/// The code of a refusal, by its JSON-RPC error or its challenge.
fn code(answer: &Answer) -> String {
    if let Ok(error) = serde_json::from_str::<serde_json::Value>(&answer.body)
        && let Some(code) = error["error"]["data"]["code"].as_str()
    {
        assert_eq!(answer.headers["content-type"], "application/json");
        assert_eq!(answer.challenge(), None, "another token would not help");
        return code.to_owned();
    }
    let error = answer.challenge().and_then(|challenge| challenge.split("error=\"").nth(1));
    error.and_then(|error| error.split('"').next()).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn axum_judges_the_content() {
    let setup = Setup::new().await;
    let (app, token) = (app(secure(&setup)), token(&setup, "read").sign());
    for ((method, fields, content), status, expected) in table() {
        let mut request = post(Some(&token), fields, content.to_owned());
        *request.method_mut() = method.parse().unwrap();
        let answer = answer(&app, request).await;
        assert_eq!((answer.status.as_u16(), &*code(&answer)), (status, expected), "{method} {fields:?} {content}");
        if status == 200 {
            assert_eq!(answer.body, format!("without token: {content}"));
        }
    }
}

#[tokio::test]
async fn actix_judges_the_content() {
    let setup = Setup::new().await;
    let token = format!("Bearer {}", token(&setup, "read").sign());
    let server = async |request: actix_web::HttpRequest, content: web::Bytes| {
        let with = if request.headers().contains_key("authorization") { "with" } else { "without" };
        format!("{with} token: {}", String::from_utf8(content.to_vec()).unwrap())
    };
    let guarded = App::new().wrap(secure(&setup)).default_service(web::to(server));
    let app = init_service(guarded).await;
    for ((method, fields, content), status, expected) in table() {
        let request = TestRequest::with_uri("/mcp").method(method.parse().unwrap()).set_payload(content);
        let request = request.insert_header(("content-type", "application/json"));
        let request = request.insert_header(("authorization", token.as_str()));
        let request = fields.iter().fold(request, |request, field| request.append_header(*field));
        let answer = crate::actix::read(call_service(&app, request.to_request()).await).await;
        assert_eq!((answer.status.as_u16(), &*code(&answer)), (status, expected), "{method} {fields:?} {content}");
        if status == 200 {
            assert_eq!(answer.body, format!("without token: {content}"));
        }
    }
}

#[tokio::test]
async fn actix_reads_up_to_the_limit_and_hands_all_of_it_on() {
    let setup = Setup::new().await;
    let mut rules = portcullis::McpRules::default();
    rules.tools = vec![portcullis::ToolRule::new("delete_*", ["write"])];
    rules.max_body_bytes = 64;
    let strict = Secure::mcp(resource(&setup).mcp(rules)).unwrap();
    let echo = async |content: Result<web::Bytes, actix_web::Error>| {
        content.map_or("cut off".to_owned(), |content| String::from_utf8(content.to_vec()).unwrap())
    };
    let message = call("delete_all");
    assert!(message.len() > 64);
    for (secure, content, status, expected) in [
        (strict.clone(), Some(message.clone()), 413, None),
        (strict.clone(), None, 400, None),
        (strict.clone().report_only(), Some(message.clone()), 200, Some(message.as_str())),
        (strict.clone().report_only(), None, 200, Some("cut off")),
    ] {
        let app = init_service(App::new().wrap(secure).default_service(web::to(echo))).await;
        let (begin, end) = message.split_at(70);
        let parts = match content {
            Some(_) => vec![Ok(begin.to_owned().into()), Ok(end.to_owned().into())],
            None => vec![Ok("{}".into()), Err(PayloadError::Incomplete(None))],
        };
        let payload: Payload = Payload::Stream { payload: Box::pin(Parts(parts.into())) };
        let request = TestRequest::post()
            .insert_header(("content-type", "application/json"))
            .insert_header(("authorization", format!("Bearer {}", token(&setup, "read").sign())))
            .to_request();
        let (request, _) = request.replace_payload(payload);
        let answer = crate::actix::read(call_service(&app, request).await).await;
        assert_eq!(answer.status.as_u16(), status, "{}", answer.body);
        assert!(expected.is_none_or(|expected| answer.body == expected), "{}", answer.body);
    }
}

/// The parts of a payload.
struct Parts(VecDeque<Result<Bytes, PayloadError>>);

impl futures_core::Stream for Parts {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.pop_front())
    }
}

#[tokio::test]
async fn a_tower_service_with_other_bodies_is_judged_by_fields() {
    let setup = Setup::new().await;
    let inner = service_fn(async |request: Request<String>| -> Sure<Response<String>> {
        Ok(Response::new(request.into_body()))
    });
    let service = secure(&setup).layer(inner);
    let field = format!("Bearer {}", token(&setup, "read").sign());
    let table: &[(&[(&str, &str)], u16)] = &[
        (&[NOW, CALL, ("mcp-name", "list")], 200),
        (&[NOW, CALL, ("mcp-name", "delete_all")], 403),
        (&[NOW, CALL], 400),
        (&[("mcp-protocol-version", "2025-11-25"), CALL, ("mcp-name", "list")], 400),
        (&[], 400),
    ];
    for (fields, status) in table {
        let request = Request::post("/mcp").header(AUTHORIZATION, &field);
        let request = fields.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let response = service.clone().oneshot(request.body("content".to_owned()).unwrap()).await.unwrap();
        assert_eq!(response.status().as_u16(), *status, "{fields:?}");
    }
}

#[tokio::test]
async fn a_message_that_cannot_be_judged_gets_a_json_rpc_error() {
    let setup = Setup::new().await;
    let app = app(secure(&setup).problem_json());
    let bearer = token(&setup, "read").sign();
    let table = [
        (
            post(Some(&bearer), &[NOW, CALL, ("mcp-name", "other")], call("list")),
            400,
            -32020,
            Some("a-7"),
            "mcp_fields_disagree",
        ),
        (post(Some(&bearer), &[CALL, CALL], call("list")), 400, -32020, None, "mcp_fields_malformed"),
        (post(Some(&bearer), &[], "{"), 400, -32700, None, "mcp_body"),
        (post(Some(&bearer), &[], "{}{}"), 400, -32700, None, "mcp_body"),
        (post(Some(&bearer), &[], "[]"), 400, -32600, None, "mcp_body"),
        (post(Some(&bearer), &[("content-encoding", "gzip")], call("list")), 415, -32600, None, "mcp_content_type"),
        (post(Some(&bearer), &[], " ".repeat((1 << 20) + 1)), 413, -32600, None, "mcp_body_too_large"),
        (post(Some(&bearer), &[("origin", "null")], call("list")), 403, -32600, None, "mcp_origin"),
    ];
    for (request, status, number, id, code) in table {
        let answer = answer(&app, request).await;
        let error: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(answer.status.as_u16(), status, "{error}");
        assert_eq!((&error["jsonrpc"], &error["error"]["code"]), (&"2.0".into(), &number.into()), "{error}");
        assert_eq!(error.get("id").and_then(|id| id.as_str()), id, "{error}");
        assert_eq!(error["error"]["data"]["code"], code);
        assert!(refusal::CODES.contains(&code));
    }
}

#[tokio::test]
async fn a_client_without_a_token_learns_first_how_to_get_one() {
    let setup = Setup::new().await;
    let app = app(secure(&setup));
    for (fields, content) in [
        (vec![NOW, CALL, ("mcp-name", "other")], call("list")),
        (vec![], "{".to_owned()),
        (vec![("content-encoding", "gzip")], call("list")),
        (vec![], " ".repeat((1 << 20) + 1)),
    ] {
        let answer = answer(&app, post(None, &fields, content)).await;
        assert_eq!(answer.status.as_u16(), 401, "{fields:?}");
        assert!(answer.challenge().is_some_and(|challenge| challenge.contains("resource_metadata=")), "{fields:?}");
    }
    let foreign = answer(&app, post(None, &[("origin", "null")], call("list"))).await;
    assert_eq!(foreign.status.as_u16(), 403, "a page that may not send requests learns nothing");
}
