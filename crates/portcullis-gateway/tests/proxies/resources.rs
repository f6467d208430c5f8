//! The MCP server of the examples behind each proxy: a client that knows its URL alone finds the metadata, and its token
//! ends at the gateway.

use serde_json::{Value, json};

use crate::{
    client::{Answer, ask, exchange},
    each_proxy::behind_each_proxy,
    scene::{Proxy, Scene},
};

behind_each_proxy!(
    a_client_finds_its_way_by_the_first_401,
    a_tool_needs_its_own_scope,
    what_the_gateway_cannot_tell_it_refuses,
    no_field_in_another_spelling_arrives_beside_those_that_are_judged,
    metadata_are_for_everybody_and_no_way_to_the_judge,
);

const READ: &str = "files:read";
const BOTH: &str = "files:read files:write";

impl Scene {
    /// Returns the host of the MCP server, as clients write it.
    fn mcp_host(&self) -> String {
        format!("127.0.0.1:{}", self.stage.ports.proxy)
    }

    /// Returns a token for the MCP server.
    fn mcp_token(&self, scope: &str) -> String {
        let audience = format!("http://{}/mcp", self.mcp_host());
        self.authorization.token().audience(audience).scope(scope).sign()
    }

    /// Calls a tool, with these fields besides those of the current revision.
    async fn call(&self, tool: &str, token: Option<&str>, further: &[(&str, &str)]) -> Answer {
        let fields = [("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", "tools/call"), ("Mcp-Name", tool)];
        self.post(&body(tool), token, &[&fields, further].concat()).await
    }

    /// Sends a message to the MCP server.
    async fn post(&self, body: &str, token: Option<&str>, fields: &[(&str, &str)]) -> Answer {
        let mut head = format!(
            "POST /mcp HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Accept: application/json, text/event-stream\r\nContent-Length: {}\r\n",
            self.mcp_host(),
            body.len(),
        );
        if let Some(token) = token {
            head += &format!("Authorization: Bearer {token}\r\n");
        }
        for (name, value) in fields {
            head += &format!("{name}: {value}\r\n");
        }
        let text = exchange(self.stage.ports.proxy, format!("{head}\r\n{body}").as_bytes()).await.unwrap();
        Answer::parse(&text).unwrap_or_else(|| panic!("{text}"))
    }

    /// Fetches a URL that names the proxy.
    async fn fetch(&self, url: &str) -> Answer {
        let path = url.strip_prefix(&format!("http://{}", self.mcp_host())).unwrap_or_else(|| panic!("{url}"));
        ask(self.stage.ports.proxy, &format!("GET {path}"), &[("Host", &self.mcp_host())]).await
    }
}

fn body(tool: &str) -> String {
    let parameters = json!({ "name": tool, "arguments": {} });
    json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": parameters }).to_string()
}

/// Returns a parameter of a challenge.
fn parameter(answer: &Answer, name: &str) -> String {
    let challenge = answer.challenge();
    let value = challenge.split(&format!("{name}=\"")).nth(1).and_then(|rest| rest.split('"').next());
    value.unwrap_or_else(|| panic!("no {name}: {challenge}")).to_owned()
}

async fn a_client_finds_its_way_by_the_first_401(proxy: Proxy) {
    let scene = Scene::with(proxy).await;
    let refused = scene.call("list_files", None, &[]).await;
    assert_eq!(refused.status, 401, "{refused:?}");
    let metadata = scene.fetch(&parameter(&refused, "resource_metadata")).await;
    assert_eq!(metadata.status, 200, "{metadata:?}");
    assert_eq!(metadata.all("content-type"), ["application/json"]);
    assert_eq!(metadata.all("access-control-allow-origin"), ["*"]);
    let metadata: Value = serde_json::from_str(&metadata.body).unwrap();
    let resource = format!("http://{}/mcp", scene.mcp_host());
    assert_eq!(metadata["resource"], resource, "the URL that the client used");
    assert_eq!(metadata["authorization_servers"], json!([scene.authorization.issuer()]));
    assert_eq!(metadata["resource_name"], "Example tools");
    let scope = parameter(&refused, "scope");
    for value in scope.split(' ') {
        assert!(metadata["scopes_supported"].as_array().unwrap().contains(&value.into()), "{metadata}");
    }

    let token = scene.authorization.token().audience(metadata["resource"].as_str().unwrap()).scope(scope);
    for token in [token.clone().sign(), scene.authorization.issue_opaque(token)] {
        for _ in 0..2 {
            let echo = scene.call("list_files", Some(&token), &[]).await.echo();
            assert_eq!(echo.all("x-auth-subject"), ["alice"]);
            assert!(echo.all("authorization").iter().all(|value| value.is_empty()), "{echo:?}");
            assert!(echo.fields().all(|(_, value)| !value.contains(&token)), "{echo:?}");
        }
    }
    // A token for the API is none for the MCP server, nor the other way round.
    let api = scene.read().scope(BOTH).sign();
    assert_eq!(scene.call("list_files", Some(&api), &[]).await.status, 401);
    assert_eq!(scene.ask("GET /orders/1", Some(&scene.mcp_token("read"))).await.status, 401);
}

async fn a_tool_needs_its_own_scope(proxy: Proxy) {
    let scene = Scene::with(proxy).await;
    let reader = scene.mcp_token(READ);
    assert_eq!(scene.call("list_files", Some(&reader), &[]).await.status, 200);
    for token in [None, Some(reader.as_str())] {
        let refused = scene.call("delete_file", token, &[]).await;
        assert_eq!(refused.status, if token.is_some() { 403 } else { 401 }, "{refused:?}");
        let mut named: Vec<_> = parameter(&refused, "scope").split(' ').map(str::to_owned).collect();
        named.sort_unstable();
        assert_eq!(named.join(" "), BOTH, "all that the operation needs");
        assert!(refused.challenge().contains("resource_metadata="), "{refused:?}");
    }
    let writer = scene.mcp_token(BOTH);
    assert_eq!(scene.call("delete_file", Some(&writer), &[]).await.status, 200);
    let elsewhere = scene.call("list_files", Some(&writer), &[("Origin", "https://evil.example")]).await;
    assert_eq!(elsewhere.status, 403, "{elsewhere:?}");
    let own = format!("http://{}", scene.mcp_host());
    assert_eq!(scene.call("list_files", Some(&writer), &[("Origin", &own)]).await.status, 200);
}

async fn what_the_gateway_cannot_tell_it_refuses(proxy: Proxy) {
    let scene = Scene::with(proxy).await;
    let reader = scene.mcp_token(READ);
    let sees_bodies = proxy == Proxy::EnvoyByGrpc;
    let current = ("MCP-Protocol-Version", "2026-07-28");
    let (method, name) = (("Mcp-Method", "tools/call"), ("Mcp-Name", "list_files"));
    // Requests of a client that may list files and wants to delete one.
    for fields in [
        &[][..],
        &[current],
        &[current, method],
        &[current, name],
        &[current, method, name],
        &[current, method, name, ("Mcp-Name", "delete_file")],
        &[current, method, ("Mcp-Name", "=?base64?ZGVsZXRlX2ZpbGU=?=")],
        &[method, name],
        &[("MCP-Protocol-Version", "2025-11-25"), method, name],
        &[("MCP-Protocol-Version", "2025-06-18")],
    ] {
        let answer = scene.post(&body("delete_file"), Some(&reader), fields).await;
        // By the fields, it lists files; the MCP server holds them against the body, as the revision says.
        let is_plain = !sees_bodies && fields == [current, method, name];
        assert_eq!(answer.status == 200, is_plain, "{fields:?}: {answer:?}");
    }
    if sees_bodies {
        assert_eq!(scene.post(&body("list_files"), Some(&reader), &[]).await.status, 200, "the body tells the tool");
        let batch = format!("[{},{}]", body("list_files"), body("delete_file"));
        assert_eq!(scene.post(&batch, Some(&reader), &[]).await.status, 403);
        let long = format!("{{\"padding\":\"{}\"}}", "x".repeat(2 << 20));
        assert_eq!(scene.post(&long, Some(&reader), &[]).await.status, 413);
    }
    // Another host does not lead around the rules of the MCP server.
    let line = ("Host", "elsewhere.example.com");
    let bearer = format!("Bearer {}", scene.read().scope(BOTH).sign());
    let answer = ask(scene.stage.ports.proxy, "POST /mcp", &[line, ("Authorization", &bearer)]).await;
    assert_eq!(answer.status, 403, "{answer:?}");
}

/// Servers that make variables of names read these as the fields that were judged.
async fn no_field_in_another_spelling_arrives_beside_those_that_are_judged(proxy: Proxy) {
    let scene = Scene::with(proxy).await;
    let token = scene.mcp_token(READ);
    for (name, value) in [
        ("Mcp_Name", "delete_file"),
        ("MCP.Name", "delete_file"),
        ("mcp_method", "resources/list"),
        ("MCP_Protocol_Version", "2025-06-18"),
        ("MCP-Protocol_Version", "2025-06-18"),
        ("Content_Type", "application/json; charset=utf-7"),
        ("Content_Encoding", "br"),
    ] {
        let answer = scene.call("list_files", Some(&token), &[(name, value)]).await;
        let arrives = answer.status == 200 && answer.echo().fields().any(|(other, _)| other.eq_ignore_ascii_case(name));
        assert!(!arrives && matches!(answer.status, 200 | 400 | 403), "{name}: {answer:?}");
    }
    let echo = scene.call("list_files", Some(&token), &[("Mcp-Param-Region_Id", "eu")]).await.echo();
    assert_eq!(echo.all("mcp-name"), ["list_files"]);
    assert_eq!(
        (echo.all("content-type"), echo.all("mcp-protocol-version")),
        (vec!["application/json"], vec!["2026-07-28"])
    );
}

async fn metadata_are_for_everybody_and_no_way_to_the_judge(proxy: Proxy) {
    let scene = Scene::with(proxy).await;
    let port = scene.stage.ports.proxy;
    let path = "/.well-known/oauth-protected-resource/mcp";
    let (host, opaque) = (scene.mcp_host(), format!("Bearer {}", scene.opaque()));
    for (method, status) in [("GET", 200), ("HEAD", 200), ("POST", 405)] {
        for token in [None, Some(("Authorization", opaque.as_str())), Some(("Authorization", "Bearer bad"))] {
            let fields: Vec<_> = token.into_iter().chain([("Host", host.as_str()), ("Content-Length", "0")]).collect();
            let answer = ask(port, &format!("{method} {path}"), &fields).await;
            assert_eq!(answer.status, status, "{method} {token:?}: {answer:?}");
        }
    }
    assert_eq!(ask(port, &format!("GET {path}"), &[]).await.status, 404, "no such resource at this host");
    // Spellings that some proxy takes for the path: the gateway's answer to a question must not reach a client.
    for target in [
        "/orders/..%2f.well-known%2foauth-protected-resource%2fmcp",
        "/auth/..%2f.well-known%2foauth-protected-resource%2fmcp",
        "/%2ewell-known/oauth-protected-resource/mcp",
        "/.well-known/oauth-protected-resource/../../orders/1",
        "/.well-known/oauth-protected-resource/mcp/../../../orders/1",
        "/.well-known//oauth-protected-resource/mcp",
        "//.well-known/oauth-protected-resource/mcp",
        "/.well-known/oauth-protected-resource/mcp/..%2f..%2f..%2forders%2f1",
        "/.well-known/oauth-protected-resource/mc%70",
    ] {
        for further in [&[][..], &[("X-Original-Method", "GET"), ("X-Original-URI", "/orders/1")]] {
            let fields = [&[("Authorization", opaque.as_str()), ("Host", host.as_str())], further].concat();
            let answer = ask(port, &format!("GET {target}"), &fields).await;
            let told = format!("{answer:?}");
            assert!(
                answer.all("authorization").is_empty() && answer.all("x-auth-subject").is_empty(),
                "{target}: {told}"
            );
            let reaches_the_api = answer.status == 200 && answer.body.contains("\"headers\"");
            assert!(
                reaches_the_api || answer.status != 200 || answer.body.contains("resource_name"),
                "{target}: {told}"
            );
        }
    }
}
