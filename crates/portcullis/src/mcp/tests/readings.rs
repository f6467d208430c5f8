//! URIs of resources, which servers read in several ways.

use super::*;

#[test]
fn a_rule_for_a_resource_applies_to_each_reading_of_its_uri() {
    let read = |uri: &str| {
        let content = json!({ "method": "resources/read", "params": { "uri": uri } }).to_string();
        let by_fields = fields(&[
            ("mcp-protocol-version", "2026-07-28"),
            ("mcp-method", "resources/read"),
            ("mcp-name", uri.trim()),
        ]);
        if uri.trim() == uri && uri.is_ascii() && !uri.contains(',') {
            assert_eq!(judged(&mcp(), "POST", &by_fields, Content::Unseen), posted(&content), "{uri:.100}");
        }
        posted(&content)
    };
    for uri in [
        "file:///keys/a",
        "FILE:///keys/a",
        "file:///x/../keys/a",
        "file:///./keys/a",
        "file:/keys/a",
        "file:keys/a",
        "file://localhost/keys/a",
        "file:\\\\\\keys\\a",
        " file:///keys/a",
        "file:///%6beys/a",
        "file:///%256beys/a",
        "file:///x/%2e%2E/keys/a",
        "file:///x/%252e%252e/keys/a",
        "file:///x%2f..%2fkeys%2fa",
        "file:////keys/a",
        "file://127.0.0.1/keys/a",
        "FILE://evil/keys/a",
        "file://./keys/a",
        "file://u@/keys/a",
        "file://:0/keys/a",
        "file://a%2fb/x/..//keys/a",
        "file:///x/..//keys//a",
        "file:///x/..%2f%2fkeys/a",
        "file:///keys/?a",
        "file:///keys/#a",
        // The URL Standard keeps a drive where other readers remove it by `..`.
        "file:///C:/../keys/a",
        "file:///C|/../keys/a",
        "file:///C:\\..\\keys\\a",
        "file:///c:/../../keys/a",
        "file:///C:/x/../../keys/a",
        "file:///x/C:/../../keys/a",
        "file:///C:/%2e%2e/keys/a",
        "file:///C%3a%2f%2e.%2fkeys/a",
        "file:///x%3f%2f../keys/a",
        "file:///x%23/..%2fkeys/a",
        "file://x\\@y/keys/a",
        // Too many readings to tell.
        &format!("file:///%{}41", "25".repeat(80)),
        &format!("file:///{}", "a/".repeat(1_100)),
    ] {
        assert_eq!(read(uri), "read keys", "{uri:.100}");
    }
    for uri in [
        "file:///notes/a",
        "file:///keys",
        "file:///keysa",
        "file:///keys/../notes/a%20b",
        "FILE:///notes/%6beys/b",
        "file:///Keys/a",
        "https://example.com/?next=https%3A%2F%2Fexample.com%2Ffile%3A%2F%2F%2Fkeys%2Fa%3Fb%3Dc",
        "notes:today",
        "notes://ü/ä b",
        "%",
        "a",
    ] {
        let expected = if uri.starts_with("file:///keys/") { "read keys" } else { "read" };
        assert_eq!(read(uri), expected, "{uri}");
    }
    // Tools and prompts are looked up to the letter.
    assert_eq!(posted(r#"{"method":"tools/call","params":{"name":"delete%5fall"}}"#), "");
}

#[test]
fn a_rule_applies_whatever_reads_the_scheme_the_host_and_the_path() {
    let rule = |name| json!({ "method": "resources/read", "name": name, "scope": [name] });
    let names = ["file:///secret/plan.txt", "notes:keys/*", "db://prod/*", "db://prod:5432/*"];
    let mcp = of(&json!({ "methods": names.map(rule) }));
    let needed = |uri: &str| {
        let content = json!({ "method": "resources/read", "params": { "uri": uri } }).to_string();
        let content = Content::Whole(content.as_bytes());
        judged(&mcp, "POST", &fields(&[("content-type", "application/json")]), content)
    };
    let rows: &[(&str, &[&str])] = &[
        (
            "file:///secret/plan.txt",
            &[
                "file:///secret/plan.txt",
                "file:///secret/plan.txt/",
                "file:///secret/plan.txt///",
                "file:///secret/plan.txt/.",
                "file:///secret/plan.txt/x/..",
                "file:///secret/plan.txt%2f",
                "file:///secret/plan.txt%2F.",
                "file:///secret/plan.txt\\",
                "file:///secret/plan.txt/?x",
                "file:///secret/x/../plan.txt/",
                "file://host/secret/plan.txt/",
                "file:///C:/../secret/plan.txt/",
                " file:///C:/../secret/plan.txt/",
            ],
        ),
        (
            "notes:keys/*",
            &[
                "notes:keys/a",
                "NOTES:keys/a",
                "notes:%6beys/a",
                "notes:x/../keys/a",
                "notes:./keys/a",
                "notes:../keys/a",
                "notes:x%2f..%2fkeys/a",
                "notes:keys\\a",
                "notes:x\\..\\keys\\a",
                "notes:keys//a/../b",
                "notes:keys/../x",
                " notes:x/../keys/a",
            ],
        ),
        (
            "db://prod/*",
            &[
                "db://prod/x",
                "DB://prod/x",
                "db://PROD/x",
                "db://pro%64/x",
                "db://u@prod/x",
                " db://u@PROD:1/x",
                "db://u:p@x@PROD/x",
                "db://x\\@prod/x",
                "db://prod:0/x",
                "db://prod:/x",
                "db://u@prod:0/y/../x",
                "db://prod./x",
                "db://prod//x",
                "db://prod/../x",
                "db://prod%3a1/x",
            ],
        ),
        ("db://prod/* db://prod:5432/*", &["db://prod:5432/x", "db://u:p@PROD:5432/x"]),
        (
            "",
            &[
                "file:///secret/plan.txt.bak",
                "file:///secret/plan.txt/x",
                "file:///secret/",
                "file:///",
                "notes:keys",
                "notes:xkeys/a",
                "notes:/",
                "db://prod",
                "db://prod.example/x",
                "db://[::1]:5432/x",
                "db://xprod/x",
                "db:///x",
                "db://x/@prod/x",
                ":",
                "://",
                "..",
                "ü:/../",
            ],
        ),
    ];
    for (expected, uris) in rows {
        for uri in *uris {
            assert_eq!(needed(uri), *expected, "{uri}");
        }
    }
}

#[test]
fn readings_are_few_for_usual_uris_and_bounded_for_all() {
    let rules = json!({ "methods": [{ "method": "resources/*", "name": "none", "scope": ["none"] }] });
    let mcp = of(&rules);
    for (uri, expected) in [
        ("https://user@example.com:8443/a%20b/%C3%BC?q=%2Fa%2Fb%26c&d=e#f%20g", ""),
        ("https://example.com/search?redirect=https%3A%2F%2Fa.example%2Fb%3Fc%3Dd%26e%3Df", ""),
        ("postgres://db/schema/table/rows?where=a%3D%27b%27&limit=10", ""),
    ] {
        let content = json!({ "method": "resources/read", "params": { "uri": uri } }).to_string();
        let content = Content::Whole(content.as_bytes());
        assert_eq!(judged(&mcp, "POST", &fields(&[("content-type", "application/json")]), content), expected, "{uri}");
    }
}
