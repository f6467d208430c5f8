//! `[[resources]]`, and the mistakes in it.

use super::*;

const RESOURCE: &str = "[[resources]]\nresource = \"https://mcp.example.com/mcp\"\n";

#[test]
fn a_resource_has_its_host_and_the_paths_below_its_own() {
    for (identifier, host, paths) in [
        ("https://mcp.example.com/mcp", "mcp.example.com", "/mcp/*"),
        ("https://mcp.example.com/mcp/", "mcp.example.com", "/mcp/*"),
        ("https://mcp.example.com:8443/a/b", "mcp.example.com", "/a/b/*"),
        ("https://mcp.example.com", "mcp.example.com", "/*"),
        ("http://127.0.0.1:3000/mcp", "127.0.0.1", "/mcp/*"),
        ("http://[::1]:3000/mcp", "[::1]", "/mcp/*"),
        ("http://localhost/mcp", "localhost", "/mcp/*"),
    ] {
        let config = good(&format!("{ISSUER}[[resources]]\nresource = \"{identifier}\"\n"));
        let resource = &config.resources[0];
        assert_eq!((resource.host.as_str(), resource.paths.as_str()), (host, paths), "{identifier}");
        assert_eq!(resource.rules.resource, identifier);
        assert_eq!(resource.audience, [identifier]);
        assert!(resource.issuers.is_empty());
    }
}

#[test]
fn a_resource_may_say_more() {
    let config = good(&format!(
        "{ISSUER}[[issuers]]\nissuer = \"https://b.example.com\"\n{RESOURCE}name = \"Tools\"\n\
         documentation = \"https://mcp.example.com/help\"\npolicy_uri = \"https://mcp.example.com/policy\"\n\
         tos_uri = \"https://mcp.example.com/terms\"\nscopes_supported = [\"read\", \"write\"]\n\
         authorization_servers = [\"https://login.example.com\"]\naudience = \"api://tools\"\n\
         issuers = [\"https://b.example.com\"]\n"
    ));
    let resource = &config.resources[0];
    assert_eq!(resource.rules.name.as_deref(), Some("Tools"));
    assert_eq!(resource.rules.scopes_supported, ["read", "write"]);
    assert_eq!(resource.rules.authorization_servers, ["https://login.example.com"]);
    assert_eq!(resource.audience, ["api://tools"]);
    assert_eq!(resource.issuers, ["https://b.example.com"]);
}

#[test]
fn a_mistake_in_a_resource_is_shown_on_its_line() {
    let of = |identifier: &str| format!("[[resources]]\nresource = \"{identifier}\"\n");
    let table: &[(String, usize, &str)] = &[
        ("[[resources]]\nname = \"Tools\"".into(), 3, "`resource` in this table"),
        (of(""), 4, "empty"),
        (of("mcp.example.com/mcp"), 4, "expected a"),
        (of("/mcp"), 4, "expected a"),
        (of("https://mcp.example.com/mcp#top"), 4, "fragment"),
        (of("https://mcp.example.com/mcp?x=1"), 4, "query"),
        (of("http://mcp.example.com/mcp"), 4, "https"),
        (of("https://me@mcp.example.com/mcp"), 4, "user"),
        (of("https://mcp.example.com/a/../mcp"), 4, "normal form"),
        (of("https://MCP.example.com/mcp"), 4, "lower case"),
        (of("https://mcp.example.com/a%2fmcp"), 4, "need no encoding"),
        (of("https://mcp.example.com/m%63p"), 4, "need no encoding"),
        (of("https://mcp.example.com/mcp;v=1"), 4, "without parameters"),
        (of("https://mcp.example.com//mcp"), 4, "single slashes"),
        (of(" https://mcp.example.com/mcp"), 4, "spaces"),
        (format!("{RESOURCE}nam = \"Tools\""), 5, "did you mean `name`?"),
        (format!("{RESOURCE}name = 5"), 5, "in quotes"),
        (format!("{RESOURCE}scopes_supported = [\"read write\"]"), 5, "quotes of its own"),
        (format!("{RESOURCE}scopes_supported = \"read\""), 5, "an array of scope values"),
        (format!("{RESOURCE}audience = []"), 5, "leave `audience` out"),
        (format!("{RESOURCE}audience = 5"), 5, "a text or an array"),
        (format!("{RESOURCE}issuers = []"), 5, "leave `issuers` out"),
        (format!("{RESOURCE}issuers = [\"https://as.example.com/\"]"), 5, "one of [[issuers]]"),
        (format!("{RESOURCE}mcp = \"yes\""), 5, "true, or rules of an MCP server"),
        (format!("{RESOURCE}mcp = {{ tool = [] }}"), 5, "did you mean `tools`?"),
        (format!("{RESOURCE}[mcp]\ntools = []"), 5, "`mcp` is a key of `[[resources]]`"),
        (format!("{RESOURCE}mcq = true"), 5, "did you mean `mcp`?"),
        (format!("{RESOURCE}xyz = true"), 5, "known here: "),
        (format!("{RESOURCE}[resources.mcp]\nmax_body_bytes = \"1 mb\""), 6, "\"64KiB\""),
        (
            format!("{RESOURCE}[resources.mcp]\nallowed_origins = [\"https://a.example/x\"]"),
            6,
            "without a slash at the end",
        ),
        (
            format!("{RESOURCE}[resources.mcp]\ntools = [{{ name = \"delete_*\", scope = [] }}]"),
            6,
            "at least one scope",
        ),
        (format!("{RESOURCE}[[resources.mcp.tools]]\nname = \"a\"\nscope = \"b\""), 7, "in brackets"),
        (format!("{RESOURCE}{RESOURCE}"), 6, "each resource once"),
        // A request cannot be told to be under one of these or the other.
        (format!("{RESOURCE}{}", of("https://mcp.example.com/mcp/")), 6, "a slash at the end"),
        (format!("{RESOURCE}{}", of("https://mcp.example.com:8443/mcp")), 6, "the port"),
        (format!("{RESOURCE}{}", of("https://mcp.example.com/MCP")), 6, "differ in more than letter case"),
        (format!("{RESOURCE}{}", of("https://mcp.example.com/Mcp/admin")), 6, "differ in more than letter case"),
        (format!("{}{RESOURCE}", of("https://mcp.example.com/Mcp/admin")), 6, "differ in more than letter case"),
    ];
    for (lines, line, words) in table {
        let found = mistakes(&format!("{ISSUER}{lines}"));
        assert!(matches!(&found[..], [(at, told)] if at == line && told.contains(words)), "{lines}: {found:?}");
    }
    let found = mistakes(&format!("resources = []\n{ISSUER}"));
    assert!(matches!(&found[..], [(1, told)] if told.contains("leave `resources` out")), "{found:?}");
}

#[test]
fn a_resource_is_an_mcp_server_by_a_word_or_by_rules() {
    for (lines, bytes, tools) in [
        ("", 0, 0),
        ("mcp = false", 0, 0),
        ("mcp = true", 1 << 20, 0),
        ("[resources.mcp]\nmax_body_bytes = \"64KiB\"", 64 << 10, 0),
        ("mcp = { tools = [{ name = \"delete_*\", scope = [\"files:write\"] }] }", 1 << 20, 1),
    ] {
        let resource = &good(&format!("{ISSUER}{RESOURCE}{lines}\n")).resources[0];
        assert_eq!(resource.content_bytes(), bytes, "{lines}");
        assert_eq!(resource.rules.mcp.as_ref().map_or(0, |mcp| mcp.tools.len()), tools, "{lines}");
    }
}

#[test]
fn resources_within_others_and_at_other_hosts_are_good() {
    let config = good(&format!(
        "{ISSUER}{RESOURCE}[[resources]]\nresource = \"https://mcp.example.com/mcp/admin\"\n\
         [[resources]]\nresource = \"https://mcp.example.com\"\n[[resources]]\nresource = \"https://b.example.com/mcp\"\n\
         [[resources]]\nresource = \"https://c.example.com/MCP\"\n"
    ));
    assert_eq!(config.resources.len(), 5);
    assert!(config.has_only_resources());
}

#[test]
fn tokens_pass_at_resources_alone_where_each_route_is_within_one() {
    let route = |path: &str, more: &str| format!("[[routes]]\npath = \"{path}\"\n{more}");
    for (routes, only) in [
        (route("/mcp", ""), true),
        (route("/mcp/admin", "") + &route("/mcp/*", ""), true),
        (route("/mcp", "") + &route("/health", "public = true\n"), true),
        (route("/health", "optional = true\n"), false),
        (route("/mcp", "") + &route("/orders", ""), false),
        (route("/*", ""), false),
    ] {
        assert_eq!(good(&format!("{ISSUER}{RESOURCE}{routes}")).has_only_resources(), only, "{routes}");
    }
    assert!(!good(&format!("{ISSUER}{}", route("/mcp", ""))).has_only_resources());
}
