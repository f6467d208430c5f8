//! The content of a request: read up to a limit, and handed on to the byte.

use super::*;
use portcullis::{McpRules, ToolRule};

fn small(setup: &Setup) -> Secure {
    let mut rules = McpRules::default();
    rules.tools = vec![ToolRule::new("delete_*", ["write"])];
    rules.max_body_bytes = 64;
    Secure::mcp(resource(setup).mcp(rules)).unwrap()
}

fn data(text: &'static str) -> Result<Frame<Bytes>, String> {
    Ok(Frame::data(Bytes::from_static(text.as_bytes())))
}

#[tokio::test]
async fn the_server_behind_gets_the_same_bytes() {
    let setup = Setup::new().await;
    let (app, token) = (app(secure(&setup)), token(&setup, "read").sign());
    let parts =
        ["\n {\"jsonrpc\":\"2.0\", ", "", "\"id\":1,\"method\":\"tools/li", "st\" , \"x\": \"\\u00e9\u{e9}\"}\r\n"];
    let passed = answer(&app, post(Some(&token), &[], Frames::of(&parts))).await;
    assert_eq!(passed.body, format!("without token: {}", parts.concat()));
}

#[tokio::test]
async fn a_message_in_pieces_is_judged_as_a_whole() {
    let setup = Setup::new().await;
    let (app, token) = (app(secure(&setup)), token(&setup, "read").sign());
    let whole = call("delete_all");
    let (begin, end) = whole.split_at(whole.find("lete").unwrap());
    assert_eq!(answer(&app, post(Some(&token), &[], Frames::of(&[begin, end]))).await.status, 403);
}

#[tokio::test]
async fn nothing_is_read_beyond_the_limit() {
    let setup = Setup::new().await;
    let (app, token) = (app(small(&setup)), token(&setup, "").sign());
    let endless = std::iter::repeat_with(|| data("                    ")).take(1000);
    let (frames, asked) = Frames::new(endless);
    let refused = answer(&app, post(Some(&token), &[], Body::new(frames))).await;
    assert_eq!((refused.status.as_u16(), asked.load(Ordering::Relaxed)), (413, 4), "{}", refused.body);
    assert_eq!(refused.challenge(), None);

    // A body that tells its length is not even begun.
    let known = format!("{}{}", " ".repeat(40), r#"{"method":"tools/list" }"#);
    assert_eq!(known.len(), 64);
    assert_eq!(answer(&app, post(Some(&token), &[], known.clone())).await.status, 200);
    assert_eq!(answer(&app, post(Some(&token), &[], known + " ")).await.status, 413);
}

#[tokio::test]
async fn content_that_is_cut_off_is_refused() {
    let setup = Setup::new().await;
    let (app, token) = (app(small(&setup)), token(&setup, "").sign());
    let (frames, _) = Frames::new([data(r#"{"method":"tools/list"}"#), Err("connection lost".to_owned())]);
    let refused = answer(&app, post(Some(&token), &[], Body::new(frames))).await;
    assert_eq!(refused.status, 400);
    assert!(refused.body.contains("mcp_body"), "{}", refused.body);
}

#[tokio::test]
async fn in_shadow_mode_the_server_behind_gets_all_of_it() {
    let setup = Setup::new().await;
    let app = app(small(&setup).report_only());
    let large = call("delete_all");
    assert!(large.len() > 64);
    let passed = answer(&app, post(None, &[], large.clone())).await;
    assert_eq!((passed.status.as_u16(), passed.body), (200, format!("without token: {large}")));
    let (begin, end) = large.split_at(70);
    let passed = answer(&app, post(None, &[], Frames::of(&[begin, end]))).await;
    assert_eq!(passed.body, format!("without token: {large}"));
    let (frames, _) = Frames::new([data("{}"), Err("connection lost".to_owned())]);
    let passed = answer(&app, post(None, &[], Body::new(frames))).await;
    assert_eq!(passed.body, "without token: cut off", "the server behind sees the error");
}

#[tokio::test]
async fn nothing_is_read_for_a_page_that_may_not_send_requests() {
    let setup = Setup::new().await;
    let app = app(small(&setup));
    let (frames, asked) = Frames::new([data("{}")]);
    let refused = answer(&app, post(None, &[("origin", "https://evil.example")], Body::new(frames))).await;
    assert_eq!((refused.status.as_u16(), asked.load(Ordering::Relaxed)), (403, 0));
}

#[tokio::test]
async fn nothing_is_read_without_a_rule_for_operations() {
    let setup = Setup::new().await;
    let resource = resource(&setup).mcp(McpRules::default());
    let secure = Secure::mcp(resource).unwrap();
    let (frames, asked) = Frames::new([data("no JSON")]);
    let refused = answer(&app(secure.clone()), post(None, &[], Body::new(frames))).await;
    assert_eq!((refused.status.as_u16(), asked.load(Ordering::Relaxed)), (401, 0));
    let token = token(&setup, "").sign();
    assert_eq!(answer(&app(secure), post(Some(&token), &[], "no JSON")).await.body, "without token: no JSON");
}

#[tokio::test]
async fn trailers_go_on() {
    let setup = Setup::new().await;
    let mut trailers = HeaderMap::new();
    trailers.insert("x-digest", "1".parse().unwrap());
    let (frames, _) = Frames::new([data(r#"{"method":"tools/list"}"#), Ok(Frame::trailers(trailers.clone()))]);
    let handler = async |request: Request<Body>| {
        use http_body_util::BodyExt;
        let trailers = request.into_body().collect().await.unwrap().trailers().cloned();
        format!("{:?}", trailers.unwrap_or_default())
    };
    let app = secure(&setup).protect(Router::new().route("/mcp", any(handler)));
    let token = token(&setup, "read").sign();
    let passed = answer(&app, post(Some(&token), &[], Body::new(frames))).await;
    assert_eq!(passed.body, format!("{trailers:?}"));
}

/// HTTP/2 has content without a field that announces it.
#[tokio::test]
async fn content_is_judged_whatever_the_method() {
    let setup = Setup::new().await;
    let (app, token) = (app(secure(&setup)), token(&setup, "read").sign());
    for method in ["GET", "DELETE", "OPTIONS", "PUT"] {
        let ask = |content: Body| {
            let mut request = post(Some(&token), &[], content);
            *request.method_mut() = method.parse().unwrap();
            request
        };
        let list = r#"{"method":"tools/list"}"#;
        assert_eq!(answer(&app, ask(Frames::of(&[list]))).await.body, format!("without token: {list}"), "{method}");
        assert_eq!(answer(&app, ask(Frames::of(&[&call("delete_all")]))).await.status, 403, "{method}");
        let empty = answer(&app, ask(Body::empty())).await;
        assert_eq!(empty.status, if method == "PUT" { 400 } else { 200 }, "{method}: {}", empty.body);
    }
}
