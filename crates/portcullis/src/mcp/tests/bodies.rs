//! Content that is seen.

use super::*;

#[test]
fn each_message_needs_the_scope_of_its_operation() {
    let table = [
        (r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#, ""),
        (r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, ""),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#, ""),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list"}}"#, ""),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"delete_all"}}"#, "write"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"delete_audit"}}"#, "write audit"),
        // The pattern has the star, not the name.
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"delete_*"}}"#, "write"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"*"}}"#, ""),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"DELETE_ALL"}}"#, ""),
        // Escapes are read.
        (r#"{"jsonrpc":"2.0","id":1,"meth\u006fd":"tools\/call","params":{"n\u0061me":"delet\u0065_all"}}"#, "write"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"resources/list"}"#, "read"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"file:///a"}}"#, "read"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"file:///keys/a"}}"#, "read keys"),
        // A name has a meaning for its method only.
        (r#"{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"delete_all"}}"#, ""),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"name":"delete_all"}}"#, ""),
        // No rule goes by the name that is missing: the server answers.
        (r#"{"jsonrpc":"2.0","id":1,"method":"prompts/get"}"#, ""),
        (r#"{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{}}"#, "read"),
        // A response of the client's, before 2026-07-28.
        (r#"{"jsonrpc":"2.0","id":1,"result":{"roots":[]}}"#, ""),
        (r#"{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"no"}}"#, ""),
    ];
    for (content, expected) in table {
        assert_eq!(posted(content), expected, "{content}");
    }
}

#[test]
fn a_batch_needs_the_scope_of_all_its_members() {
    let delete = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"delete_all"}}"#;
    let list = r#"{"jsonrpc":"2.0","id":2,"method":"resources/list"}"#;
    let answer = r#"{"jsonrpc":"2.0","id":3,"result":{}}"#;
    assert_eq!(posted(&format!("[{list},{answer},{delete},{delete}]")), "read write");
    assert_eq!(posted(&format!("[{answer}]")), "");
    assert_eq!(posted("[]"), "mcp_body");
    assert_eq!(posted(&format!("[{list},[{delete}]]")), "mcp_body");
    assert_eq!(posted(&format!("[{list},1]")), "mcp_body");
    assert_eq!(posted(&format!("[{}]", [list; 100].join(","))), "read");
    assert_eq!(posted(&format!("[{}]", [list; 101].join(","))), "mcp_body");
}

#[test]
fn a_message_that_two_readers_may_understand_differently_is_refused() {
    let call = |params: &str| format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#);
    let table = [
        // Members twice, at any depth.
        r#"{"method":"tools/list","method":"tools/call","params":{"name":"delete_all"}}"#.to_owned(),
        r#"{"method":"tools/list","m\u0065thod":"tools/call","params":{"name":"delete_all"}}"#.to_owned(),
        r#"{"method":"tools/call","params":{"name":"a"},"params":{"name":"delete_all"}}"#.to_owned(),
        call(r#"{"name":"a","name":"delete_all"}"#),
        call(r#"{"name":"a","arguments":{"b":1,"b":2}}"#),
        // Members that readers without regard to case take for another.
        r#"{"method":"tools/list","Method":"tools/call","params":{"name":"delete_all"}}"#.to_owned(),
        r#"{"METHOD":"tools/call","params":{"name":"delete_all"}}"#.to_owned(),
        r#"{"method":"tools/call","params":{"name":"a"},"paramſ":{"name":"delete_all"}}"#.to_owned(),
        r#"{"method":"tools/call","params":{"name":"a"},"Params":{"name":"delete_all"}}"#.to_owned(),
        call(r#"{"name":"a","Name":"delete_all"}"#),
        // Members that JavaScript gives an object that is copied from this one.
        r#"{"id":1,"__proto__":{"method":"tools/call","params":{"name":"delete_all"}}}"#.to_owned(),
        r#"{"method":"tools/call","params":{"name":"a","__proto__":{"name":"delete_all"}}}"#.to_owned(),
        // Other forms.
        r#"{"method":["tools/call"],"params":{"name":"delete_all"}}"#.to_owned(),
        r#"{"method":null,"params":{"name":"delete_all"}}"#.to_owned(),
        r#"{"method":"","params":{"name":"delete_all"}}"#.to_owned(),
        r#"{"method":"tools/call\u0000","params":{"name":"delete_all"}}"#.to_owned(),
        r#"{"method":"tools/call"}"#.to_owned(),
        call("[\"delete_all\"]"),
        call("{}"),
        r#"{"method":"resources/read"}"#.to_owned(),
        r#"{"method":"prompts/get","params":["a"]}"#.to_owned(),
        r#"{"method":"prompts/get","params":{"name":null}}"#.to_owned(),
        call(r#"{"name":["delete_all"]}"#),
        call(r#"{"name":7}"#),
        call(r#"{"name":""}"#),
        call(r#"{"name":"delete_all\u0000"}"#),
        call(r#"{"name":"delete\u009f"}"#),
        call(r#"{"name":"\ud800"}"#),
        // Not strict JSON.
        String::new(),
        " ".to_owned(),
        "\u{feff}{}".to_owned(),
        r#"{"method":"tools/list""#.to_owned(),
        r#"{"method":"tools/list"} {"method":"tools/call"}"#.to_owned(),
        r#"{"method":"tools/list",}"#.to_owned(),
        r#"{"method":'tools/list'}"#.to_owned(),
        r#"{method:"tools/list"}"#.to_owned(),
        r#"{"method":"tools/list"/*,"method":"tools/call"*/}"#.to_owned(),
        r#"{"method":"tools/list","id":1e999}"#.to_owned(),
        r#"{"method":"tools/list","id":NaN}"#.to_owned(),
        "\"tools/list\"".to_owned(),
        "null".to_owned(),
        call(&format!(r#"{{"name":"a","arguments":{}1{}}}"#, "[".repeat(63), "]".repeat(63))),
        "[".repeat(100_000),
    ];
    for content in table {
        assert_eq!(posted(&content), "mcp_body", "{content:.200}");
    }
}

#[test]
fn arguments_may_have_any_members_and_some_depth() {
    let deep = format!("{}1{}", "[".repeat(62), "]".repeat(62));
    let arguments = [r#"{"Name":"a","NAME":"b","method":"c","params":{}}"#, deep.as_str()];
    for arguments in arguments {
        let message = format!(r#"{{"method":"tools/call","params":{{"name":"delete_a","arguments":{arguments}}}}}"#);
        assert_eq!(posted(&message), "write", "{arguments}");
    }
}

#[test]
fn content_is_judged_only_as_the_text_that_the_server_reads() {
    let content = Content::Whole(br#"{"method":"tools/call","params":{"name":"delete_all"}}"#);
    let table: &[(&[(&str, &str)], &str)] = &[
        (&[("content-type", "application/json")], "write"),
        (&[("content-type", "Application/JSON ; Charset=UTF-8")], "write"),
        (&[("content-type", "application/json;charset=\"utf-8\"")], "write"),
        (&[("content-type", "application/json"), ("content-encoding", "identity")], "write"),
        (&[], "mcp_content_type"),
        (&[("content-type", "")], "mcp_content_type"),
        (&[("content-type", "text/plain")], "mcp_content_type"),
        (&[("content-type", "application/x-www-form-urlencoded")], "mcp_content_type"),
        (&[("content-type", "application/jsonp")], "mcp_content_type"),
        (&[("content-type", "text/plain, application/json")], "mcp_content_type"),
        // Express decodes UTF-7, in which `+AF8-` is `_`.
        (&[("content-type", "application/json; charset=utf-7")], "mcp_content_type"),
        (&[("content-type", "application/json; charset=utf-16")], "mcp_content_type"),
        (&[("content-type", "application/json; charset=utf-8; charset=utf-7")], "mcp_content_type"),
        (&[("content-type", "application/json;")], "mcp_content_type"),
        (&[("content-type", "application/json"), ("content-type", "application/json")], "mcp_content_type"),
        (&[("content-type", "application/json"), ("content-encoding", "gzip")], "mcp_content_type"),
        (&[("content-type", "application/json"), ("content-encoding", "identity, deflate")], "mcp_content_type"),
        (
            &[("content-type", "application/json"), ("content-encoding", "identity"), ("content-encoding", "br")],
            "mcp_content_type",
        ),
    ];
    for (pairs, expected) in table {
        assert_eq!(judged(&mcp(), "POST", &fields(pairs), content), *expected, "{pairs:?}");
    }
}

#[test]
fn content_that_is_too_large_or_cut_off_is_refused() {
    let rules = json!({ "tools": [{ "name": "*", "scope": ["a"] }], "max_body_bytes": "30B" });
    let (mcp, json) = (of(&rules), fields(&[("content-type", "application/json")]));
    let (fits, exceeds) = (r#"{"method":      "tools/list" }"#, r#"{"method":      "tools/list"  }"#);
    assert_eq!((fits.len(), exceeds.len()), (30, 31));
    assert_eq!(judged(&mcp, "POST", &json, Content::Whole(fits.as_bytes())), "");
    assert_eq!(judged(&mcp, "POST", &json, Content::Whole(exceeds.as_bytes())), "mcp_body_too_large");
    assert_eq!(judged(&mcp, "POST", &json, Content::TooLarge), "mcp_body_too_large");
    assert_eq!(judged(&mcp, "POST", &json, Content::CutOff), "mcp_body");
}

#[test]
fn only_methods_without_a_message_pass_without_one() {
    let (mcp, none) = (mcp(), fields(&[]));
    for method in ["GET", "HEAD", "OPTIONS", "DELETE"] {
        assert_eq!(judged(&mcp, method, &none, Content::Whole(b"")), "", "{method}");
        assert_eq!(judged(&mcp, method, &none, Content::Unseen), "mcp_fields_missing", "{method}");
        assert_eq!(judged(&mcp, method, &none, Content::CutOff), "mcp_body", "{method}");
    }
    for method in ["POST", "PUT", "PATCH", "QUERY", "post", "get", "delete", ""] {
        assert_eq!(judged(&mcp, method, &none, Content::Unseen), "mcp_fields_missing", "{method}");
        assert_eq!(judged(&mcp, method, &none, Content::Whole(b"")), "mcp_content_type", "{method}");
    }
    assert_eq!(mcp.content_limit(&none), Some(1 << 20));
}

/// HTTP/2 has content without a field that announces it, and a proxy that asks by a request of its own takes such a field off.
#[test]
fn content_counts_whatever_the_method_and_where_it_is_not_seen_no_field_stands_for_it() {
    let mcp = mcp();
    let now =
        [("mcp-protocol-version", "2026-07-28"), ("mcp-method", "tools/list"), ("content-type", "application/json")];
    let told = fields(&now);
    let (list, call) = (br#"{"method":"tools/list"}"#, br#"{"method":"tools/call","params":{"name":"delete_file"}}"#);
    for method in ["GET", "HEAD", "OPTIONS", "DELETE"] {
        assert_eq!(judged(&mcp, method, &told, Content::Unseen), "mcp_fields_missing", "{method}");
        assert_eq!(judged(&mcp, method, &told, Content::Whole(list)), "", "{method}");
        assert_eq!(judged(&mcp, method, &told, Content::Whole(call)), "mcp_fields_disagree", "{method}");
        let json = fields(&[("content-type", "application/json")]);
        assert_eq!(
            judged(&mcp, method, &json, Content::Whole(call)),
            judged(&mcp, "POST", &json, Content::Whole(call))
        );
        assert_ne!(judged(&mcp, method, &json, Content::Whole(call)), "", "{method}");
    }
    assert_eq!(judged(&mcp, "CONNECT", &told, Content::Unseen), "mcp_content_type", "WebSocket over HTTP/2");
}

#[test]
fn a_method_that_carries_no_message_does_so_by_no_other_field() {
    let (mcp, list) = (mcp(), br#"{"method":"tools/list"}"#);
    let now =
        [("mcp-protocol-version", "2026-07-28"), ("mcp-method", "tools/list"), ("content-type", "application/json")];
    let table = [
        ("x-http-method-override", "POST", "mcp_fields_missing", "mcp_content_type", ""),
        ("X-HTTP-Method", "post", "mcp_fields_missing", "mcp_content_type", ""),
        ("x-method-override", "", "mcp_fields_missing", "mcp_content_type", ""),
        ("content-length", "7", "mcp_fields_missing", "mcp_content_type", ""),
        ("Content-Length", "00", "mcp_fields_missing", "mcp_content_type", ""),
        ("transfer-encoding", "chunked", "mcp_fields_missing", "mcp_content_type", ""),
        // Nobody judges the messages behind an upgrade, whatever the fields say.
        ("upgrade", "websocket", "mcp_content_type", "mcp_content_type", "mcp_content_type"),
        ("Upgrade", "h2c , WebSocket", "mcp_content_type", "mcp_content_type", "mcp_content_type"),
        ("Upgrade", "h2c \"websocket/13\"", "mcp_content_type", "mcp_content_type", "mcp_content_type"),
    ];
    for (name, value, unseen, empty, told) in table {
        for method in ["GET", "HEAD", "OPTIONS", "DELETE"] {
            let alone = fields(&[(name, value)]);
            assert_eq!(judged(&mcp, method, &alone, Content::Unseen), unseen, "{method} {name}");
            assert_eq!(judged(&mcp, method, &alone, Content::Whole(b"")), empty, "{method} {name}");
            let with_fields = fields(&[&now[..], &[(name, value)]].concat());
            assert_eq!(judged(&mcp, method, &with_fields, Content::Unseen), unseen, "{method} {name}");
            assert_eq!(judged(&mcp, method, &with_fields, Content::Whole(list)), told, "{method} {name}");
        }
    }
    for harmless in [("upgrade", "h2c"), ("upgrade", "websockets"), ("x-http-methods", "POST"), ("content-length", "0")]
    {
        assert_eq!(judged(&mcp, "GET", &fields(&[harmless]), Content::Whole(b"")), "", "{harmless:?}");
    }
    assert_eq!(judged(&of(&json!({})), "GET", &fields(&[("upgrade", "websocket")]), Content::Unseen), "", "no rule");
}

#[test]
fn nothing_is_read_without_a_rule() {
    let mcp = of(&json!({}));
    assert_eq!(judged(&mcp, "POST", &fields(&[("mcp-method", "a, b")]), Content::Unseen), "");
    assert_eq!(judged(&mcp, "POST", &fields(&[]), Content::Whole(b"no JSON")), "");
    assert_eq!(mcp.content_limit(&fields(&[])), None);
}
