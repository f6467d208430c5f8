//! MCP servers: the scope of a tool, by header fields and by the content, and the token that ends at the gateway.

use envoy_types::pb::envoy::service::auth::v3::attribute_context::HttpRequest;
use portcullis_testkit::AuthorizationServer;
use serde_json::{Value, json};
use tonic::Code;

use crate::{
    ext_authz::{self, Told},
    forward_auth::send_to,
    support::{Answer, Gateway, introspecting},
};

/// Header fields of a client.
type Fields<'a> = &'a [(&'a str, &'a str)];

const HOST: &str = "mcp.example.com";

const SERVER: &str = r#"
[[resources]]
resource = "https://mcp.example.com/mcp"

[resources.mcp]
allowed_origins = ["https://chat.example.com"]
tools = [{ name = "delete_*", scope = ["files:write"] }]
methods = [{ method = "resources/*", scope = ["files:list"] }]

[[routes]]
path = "/mcp/*"
scope = ["files:read"]

[[routes]]
path = "/other/*"
"#;

async fn setup(server: &str) -> (AuthorizationServer, Gateway) {
    let authorization = AuthorizationServer::start().await;
    let gateway = Gateway::start(&format!("{}{server}", introspecting(&authorization, "phantom", ""))).await;
    gateway.ready().await;
    (authorization, gateway)
}

fn bearer(server: &AuthorizationServer, scope: &str) -> String {
    format!("Bearer {}", server.token().audience("https://mcp.example.com/mcp").scope(scope).sign())
}

/// Sends a question as nginx does, with these fields of the client.
async fn ask(gateway: &Gateway, method: &str, fields: &[(&str, &str)]) -> Answer {
    let described = format!("X-Original-Method: {method}\r\nX-Original-URI: /mcp\r\n");
    let fields: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    send_to(HOST, gateway, "GET", "/auth", &format!("{described}{fields}")).await
}

/// Sends a check with these fields and this content.
async fn check(gateway: &Gateway, method: &str, fields: &[(&str, &str)], content: &[u8]) -> Told {
    let headers = fields.iter().map(|(name, value)| (name.to_ascii_lowercase(), (*value).to_owned())).collect();
    let (method, path, host) = (method.to_owned(), "/mcp".to_owned(), HOST.to_owned());
    let http = HttpRequest { method, path, host, headers, raw_body: content.to_vec(), ..HttpRequest::default() };
    ext_authz::ask(&mut ext_authz::connect(gateway).await, ext_authz::of(http)).await
}

fn verdict(told: Told) -> (u16, String) {
    match told {
        Told::Pass { .. } => (200, "pass".to_owned()),
        Told::Refused { status, code } => (u16::try_from(status).unwrap(), code),
    }
}

const CURRENT: (&str, &str) = ("MCP-Protocol-Version", "2026-07-28");
const CALL: (&str, &str) = ("Mcp-Method", "tools/call");
const LIST_FILES: (&str, &str) = ("Mcp-Name", "list_files");
const DELETE_FILE: (&str, &str) = ("Mcp-Name", "delete_file");

#[tokio::test]
async fn an_mcp_request_is_judged_by_its_fields() {
    let (server, gateway) = setup(SERVER).await;
    let (reader, writer) = (bearer(&server, "files:read"), bearer(&server, "files:read files:write"));
    let rows: [(&str, &str, Fields<'_>, (u16, &str)); 21] = [
        (&reader, "POST", &[CURRENT, CALL, LIST_FILES], (200, "pass")),
        (&reader, "POST", &[CURRENT, ("Mcp-Method", "tools/list")], (200, "pass")),
        (&reader, "POST", &[CURRENT, CALL, DELETE_FILE], (403, "insufficient_scope")),
        (&writer, "POST", &[CURRENT, CALL, DELETE_FILE], (200, "pass")),
        (&writer, "POST", &[CURRENT, ("Mcp-Method", "resources/list")], (403, "insufficient_scope")),
        // `delete_file`, and `delete_*` as the name of a tool.
        (&reader, "POST", &[CURRENT, CALL, ("Mcp-Name", "=?base64?ZGVsZXRlX2ZpbGU=?=")], (403, "insufficient_scope")),
        (&reader, "POST", &[CURRENT, CALL, ("Mcp-Name", "delete_*")], (403, "insufficient_scope")),
        (&reader, "POST", &[CURRENT, CALL, ("Mcp-Name", "=?base64?ZGVsZXRlX2ZpbGU?=")], (400, "mcp_fields_malformed")),
        (&reader, "POST", &[CURRENT, CALL, LIST_FILES, DELETE_FILE], (400, "mcp_fields_malformed")),
        (&reader, "POST", &[CURRENT, CALL, ("Mcp-Name", "list_files, delete_file")], (400, "mcp_fields_malformed")),
        (&reader, "POST", &[], (400, "mcp_fields_missing")),
        (&reader, "POST", &[CURRENT], (400, "mcp_fields_missing")),
        (&reader, "POST", &[CURRENT, CALL], (400, "mcp_fields_missing")),
        (&reader, "POST", &[CALL, LIST_FILES], (400, "mcp_fields_missing")),
        (&reader, "POST", &[("MCP-Protocol-Version", "2025-11-25"), CALL, LIST_FILES], (400, "mcp_fields_missing")),
        // The stream and the end of a session in older revisions: content may come with them, and nobody sees it.
        (&reader, "GET", &[("MCP-Protocol-Version", "2025-11-25")], (400, "mcp_fields_missing")),
        (&reader, "DELETE", &[("MCP-Protocol-Version", "2025-11-25")], (400, "mcp_fields_missing")),
        (&reader, "GET", &[CURRENT, CALL, LIST_FILES], (400, "mcp_fields_missing")),
        (&writer, "POST", &[CURRENT, CALL, LIST_FILES, ("Origin", "https://chat.example.com")], (200, "pass")),
        (&writer, "POST", &[CURRENT, CALL, LIST_FILES, ("Origin", "https://evil.example")], (403, "mcp_origin")),
        (&writer, "GET", &[("Origin", "null")], (403, "mcp_origin")),
    ];
    for (token, method, fields, (status, code)) in rows {
        let fields = [&[("Authorization", token)], fields].concat();
        let answer = ask(&gateway, method, &fields).await;
        assert_eq!((answer.status, &*answer.code()), (status, code), "{method} {fields:?}");
        // Envoy without a content; several fields of a name it joins.
        if fields.iter().filter(|(name, _)| *name == "Mcp-Name").count() < 2 {
            assert_eq!(verdict(check(&gateway, method, &fields, b"").await), (status, code.to_owned()), "{fields:?}");
        }
    }
    let refused = ask(&gateway, "POST", &[("Authorization", &reader), CURRENT]).await;
    let error: Value = serde_json::from_str(&refused.body).unwrap();
    assert_eq!((&error["jsonrpc"], &error["error"]["code"]), (&json!("2.0"), &json!(-32020)), "{error}");
    // All that the operation needs, also before there is a token.
    for token in [None, Some(reader.as_str())] {
        let fields: Vec<_> =
            token.map(|token| ("Authorization", token)).into_iter().chain([CURRENT, CALL, DELETE_FILE]).collect();
        let refused = ask(&gateway, "POST", &fields).await;
        let challenge = refused.header("www-authenticate").unwrap();
        assert!(challenge.contains("scope=\"files:read files:write\""), "{challenge}");
    }
}

#[tokio::test]
async fn no_other_way_of_asking_leads_around_the_rules_for_tools() {
    let (server, gateway) = setup(SERVER).await;
    let reader = bearer(&server, "files:read");
    let authorization = ("Authorization", reader.as_str());
    let current = [authorization, CURRENT, CALL, LIST_FILES];
    // The method that the server behind may understand.
    for further in [
        ("X-HTTP-Method-Override", "POST"),
        ("X-HTTP-Method", "post"),
        ("X-Method-Override", "GET"),
        ("X.HTTP.Method.Override", "POST"),
    ] {
        let answer = ask(&gateway, "GET", &[authorization, further]).await;
        assert_eq!((answer.status, &*answer.code()), (400, "mcp_fields_missing"), "{further:?}");
        let told = verdict(check(&gateway, "GET", &[authorization, further], b"").await);
        assert_eq!(told, (400, "mcp_fields_missing".to_owned()), "{further:?}");
        // Behind a proxy that does not show the upgrade, the messages of a WebSocket would follow.
        assert_eq!(ask(&gateway, "GET", &[&current[..], &[further]].concat()).await.status, 400, "{further:?}");
        assert_eq!(ask(&gateway, "POST", &[&current[..], &[further]].concat()).await.status, 200, "{further:?}");
    }
    for (target, status) in [("/mcp?_method=POST", 400), ("/mcp?%5fmethod=POST", 400), ("/mcp?method=POST", 400)] {
        let fields = format!("Authorization: {reader}\r\nX-Original-Method: GET\r\nX-Original-URI: {target}\r\n");
        let answer = send_to(HOST, &gateway, "GET", "/auth", &fields).await;
        assert_eq!(answer.status, status, "{target}");
    }
    // Messages behind an upgrade.
    for fields in [&[authorization][..], &current] {
        let fields = [fields, &[("Upgrade", "websocket")]].concat();
        let answer = ask(&gateway, "GET", &fields).await;
        assert_eq!((answer.status, &*answer.code()), (415, "mcp_content_type"), "{fields:?}");
    }
    // Fields that the server behind does not get.
    for named in ["MCP-Protocol-Version", "close, mcp-name", "Mcp_Method", "content-type"] {
        let fields = [&current[..], &[("Connection", named)]].concat();
        let answer = ask(&gateway, "POST", &fields).await;
        assert_eq!((answer.status, &*answer.code()), (403, "hop_by_hop_header"), "{named}");
        let told = verdict(check(&gateway, "POST", &fields, b"").await);
        assert_eq!(told, (403, "hop_by_hop_header".to_owned()), "{named}");
    }
}

#[tokio::test]
async fn no_field_in_another_spelling_stands_beside_those_that_are_judged() {
    let (server, gateway) = setup(SERVER).await;
    let reader = bearer(&server, "files:read");
    let judged = [("Authorization", reader.as_str()), CURRENT, CALL, LIST_FILES, ("Content-Type", "application/json")];
    for further in [
        ("Mcp_Name", "delete_file"),
        ("mcp.name", "delete_file"),
        ("MCP_METHOD", "resources/list"),
        ("MCP_Protocol_Version", "2025-06-18"),
        ("MCP-Protocol_Version", "2025-06-18"),
        ("Content_Type", "application/json; charset=utf-7"),
        ("Content_Encoding", "br"),
    ] {
        let fields = [&judged[..], &[further]].concat();
        let answer = ask(&gateway, "POST", &fields).await;
        assert_eq!((answer.status, &*answer.code()), (403, "forged_header"), "{further:?}");
        // Envoy removes it; a judge that sees no content refuses the plain ones, too.
        let content = message("tools/call", "list_files");
        let Told::Pass { removed, .. } = check(&gateway, "POST", &fields, content.as_bytes()).await else {
            panic!("refused: {further:?}")
        };
        assert!(removed.contains(&further.0.to_ascii_lowercase()), "{further:?} {removed:?}");
    }
    // No other field, and none where no resource is an MCP server.
    for further in [("Mcp_Session_Id", "1"), ("Mcp-Names", "x")] {
        assert_eq!(ask(&gateway, "POST", &[&judged[..], &[further]].concat()).await.status, 200, "{further:?}");
    }
    let (server, gateway) = setup("").await;
    let token = format!("Bearer {}", server.token().sign());
    assert_eq!(ask(&gateway, "GET", &[("Authorization", &token), ("Mcp_Name", "x")]).await.status, 200);
}

fn message(method: &str, tool: &str) -> String {
    json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": { "name": tool } }).to_string()
}

#[tokio::test]
async fn an_mcp_request_is_judged_by_its_body() {
    let (server, gateway) = setup(SERVER).await;
    let (reader, writer) = (bearer(&server, "files:read"), bearer(&server, "files:read files:write"));
    let (list, delete) = (message("tools/call", "list_files"), message("tools/call", "delete_file"));
    let batch = format!("[{list},{delete}]");
    let twice = delete.replacen("{", "{\"method\":\"tools/list\",", 1);
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let large = list.replacen("{", &format!("{{\"x\":\"{}\",", "x".repeat(1 << 20)), 1);
    let json = ("Content-Type", "application/json");
    let rows: [(&str, Fields<'_>, &str, (u16, &str)); 17] = [
        (&reader, &[json], &list, (200, "pass")),
        (&reader, &[json], &delete, (403, "insufficient_scope")),
        (&writer, &[json], &delete, (200, "pass")),
        (&reader, &[json], &batch, (403, "insufficient_scope")),
        (&writer, &[json], &batch, (200, "pass")),
        (&reader, &[json, CURRENT, CALL, LIST_FILES], &list, (200, "pass")),
        (&reader, &[json, CURRENT, CALL, LIST_FILES], &delete, (400, "mcp_fields_disagree")),
        (&writer, &[json, CURRENT, CALL, LIST_FILES], &delete, (400, "mcp_fields_disagree")),
        (
            &reader,
            &[json, ("MCP-Protocol-Version", "2025-06-18"), CALL, LIST_FILES],
            &delete,
            (400, "mcp_fields_disagree"),
        ),
        (&reader, &[json], &twice, (400, "mcp_body")),
        (&reader, &[json], &deep, (400, "mcp_body")),
        (&reader, &[json], &delete[..delete.len() - 1], (400, "mcp_body")),
        (&reader, &[json], "delete_file", (400, "mcp_body")),
        (&reader, &[("Content-Type", "text/plain")], &list, (415, "mcp_content_type")),
        (&reader, &[], &list, (415, "mcp_content_type")),
        (&reader, &[json], &large, (413, "mcp_body_too_large")),
        // Envoy cut it off (`allow_partial_message`).
        (&reader, &[json, ("x-envoy-auth-partial-body", "true")], &list, (413, "mcp_body_too_large")),
    ];
    for (token, fields, content, (status, code)) in rows {
        let fields = [&[("Authorization", token)], fields].concat();
        let told = check(&gateway, "POST", &fields, content.as_bytes()).await;
        let shown: String = content.chars().take(80).collect();
        assert_eq!(verdict(told), (status, code.to_owned()), "{fields:?} {shown}");
    }
    // Content counts whatever the method is: in HTTP/2 no field announces it.
    for method in ["GET", "DELETE", "OPTIONS", "HEAD"] {
        let fields = [("Authorization", reader.as_str()), json];
        let told = verdict(check(&gateway, method, &fields, delete.as_bytes()).await);
        assert_eq!(told, (403, "insufficient_scope".to_owned()), "{method}");
        assert!(matches!(check(&gateway, method, &fields, list.as_bytes()).await, Told::Pass { .. }), "{method}");
    }
    let fields = [("Authorization", reader.as_str()), json, ("x-envoy-auth-partial-body", "false")];
    assert!(matches!(check(&gateway, "POST", &fields, list.as_bytes()).await, Told::Pass { .. }));
    // Envoy replaces bytes that are not UTF-8 in a text, so a text is no content.
    let headers = fields.iter().map(|(name, value)| (name.to_ascii_lowercase(), (*value).to_owned())).collect();
    let (method, path, host) = ("POST".to_owned(), "/mcp".to_owned(), HOST.to_owned());
    let http = HttpRequest { method, path, host, headers, body: list.clone(), ..HttpRequest::default() };
    let told = ext_authz::ask(&mut ext_authz::connect(&gateway).await, ext_authz::of(http)).await;
    assert_eq!(verdict(told), (400, "mcp_fields_missing".to_owned()));
}

#[tokio::test]
async fn the_token_of_an_mcp_server_ends_at_the_gateway() {
    for (forwards, server) in [
        (false, SERVER.to_owned()),
        (true, SERVER.replace("[resources.mcp]", "[resources.mcp]\nforward_authorization = true")),
    ] {
        let (authorization, gateway) = setup(&server).await;
        let token = authorization.token().audience("https://mcp.example.com/mcp").scope("files:read");
        for token in [token.clone().sign(), authorization.issue_opaque(token)] {
            let bearer = format!("Bearer {token}");
            let fields = [("Authorization", bearer.as_str()), CURRENT, CALL, LIST_FILES];
            for _ in 0..2 {
                let answer = ask(&gateway, "POST", &fields).await;
                assert_eq!(answer.status, 200, "{answer:?}");
                assert_eq!(answer.header("authorization").is_some(), forwards, "{answer:?}");
                let Told::Pass { set, removed } = check(&gateway, "POST", &fields, b"").await else {
                    panic!("refused")
                };
                let is_set = set.iter().any(|(name, _)| name == "authorization");
                assert_eq!(removed.contains(&"authorization".to_owned()), !forwards, "{set:?} {removed:?}");
                assert!(forwards || !is_set, "{set:?}");
            }
        }
        // Elsewhere the token goes on.
        let bearer = format!("Authorization: Bearer {}\r\n", authorization.token().sign());
        let described = format!("{bearer}X-Original-Method: GET\r\nX-Original-URI: /other/x\r\n");
        let answer = send_to(HOST, &gateway, "GET", "/auth", &described).await;
        assert!(answer.status == 200 && answer.header("authorization").is_some(), "{answer:?}");
    }
}

#[tokio::test]
async fn a_server_is_one_by_a_word() {
    let server = "[[resources]]\nresource = \"https://mcp.example.com/mcp\"\nmcp = true\n";
    let (authorization, gateway) = setup(server).await;
    let token = bearer(&authorization, "any");
    // No rule depends on the message.
    for fields in [&[][..], &[CURRENT, CALL, DELETE_FILE], &[("Origin", "https://mcp.example.com")]] {
        let fields = [&[("Authorization", token.as_str())], fields].concat();
        assert_eq!(ask(&gateway, "POST", &fields).await.status, 200, "{fields:?}");
        assert_eq!(
            verdict(check(&gateway, "POST", &fields, b"not JSON").await),
            (200, "pass".to_owned()),
            "{fields:?}"
        );
    }
    let fields = [("Authorization", token.as_str()), ("Origin", "https://evil.example")];
    assert_eq!(ask(&gateway, "POST", &fields).await.code(), "mcp_origin");
}

#[tokio::test]
async fn a_check_may_have_a_content_beside_its_fields() {
    let too_large = Some(Code::OutOfRange);
    let strangers = "trusted_proxies = [\"192.0.2.1\"]\n";
    for (before, server, length, expected) in [
        ("", SERVER, 900 << 10, None),
        ("", "", 200 << 10, too_large),
        (strangers, SERVER, 100, None),
        (strangers, SERVER, 200 << 10, too_large),
    ] {
        let authorization = AuthorizationServer::start().await;
        let tables = format!("{}{server}", introspecting(&authorization, "phantom", ""));
        let gateway = Gateway::start_with(before, &tables).await;
        gateway.ready().await;
        let headers = [("authorization".to_owned(), bearer(&authorization, "files:read"))].into();
        let (method, path, host) = ("POST".to_owned(), "/mcp".to_owned(), HOST.to_owned());
        let http = HttpRequest { method, path, host, headers, raw_body: vec![b' '; length], ..HttpRequest::default() };
        let checked = ext_authz::connect(&gateway).await.check(ext_authz::of(http)).await;
        assert_eq!(checked.err().map(|status| status.code()), expected, "{length}");
    }
}
