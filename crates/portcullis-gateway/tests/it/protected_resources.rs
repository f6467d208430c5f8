//! Protected resources: their metadata, challenges and audiences, by host and path, at each door.

use std::time::Duration;

use envoy_types::pb::envoy::service::auth::v3::attribute_context::HttpRequest;
use portcullis_testkit::{AuthorizationServer, Endpoint};
use serde_json::{Value, json};

use crate::{
    ext_authz::{self, Told},
    forward_auth::send_to,
    support::{Answer, Gateway, ROUTES, introspecting, issuer},
};

/// The ways in which proxies tell the host of a request.
const WAYS: [&str; 6] = ["nginx", "ingress-nginx", "caddy", "traefik", "envoy", "itself"];

/// The path of the metadata (RFC 9728 section 3).
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

const TOOLS: &str = "https://tools.example.com/mcp";
const ADMIN: &str = "https://tools.example.com/mcp/admin";
const FILES: &str = "https://files.example.com:8443/mcp/";
const SHOP: &str = "https://shop.example.com";

const RESOURCES: &str = r#"
[[resources]]
resource = "https://tools.example.com/mcp"
name = "Tools"
documentation = "https://tools.example.com/help"

[[resources]]
resource = "https://tools.example.com/mcp/admin"

[[resources]]
resource = "https://files.example.com:8443/mcp/"
scopes_supported = ["files:all"]

[[resources]]
resource = "https://shop.example.com"
audience = "api://shop"

[[routes]]
path = "/health"
public = true

[[routes]]
path = "/mcp/admin/*"
scope = ["admin"]

[[routes]]
path = "/mcp/*"
scope = ["tools"]

[[routes]]
path = "/pay"
acr = ["gold", "silver"]
max_age = "5m"

[[routes]]
path = "/any/*"
"#;

async fn setup() -> (AuthorizationServer, Gateway) {
    let server = AuthorizationServer::start().await;
    let gateway = Gateway::start(&format!("{}{RESOURCES}", introspecting(&server, "phantom", ""))).await;
    gateway.ready().await;
    (server, gateway)
}

/// Sends a question about a request to this host.
async fn ask(gateway: &Gateway, way: &str, host: &str, method: &str, target: &str, token: Option<&str>) -> Answer {
    let token = token.map_or(String::new(), |token| format!("Authorization: Bearer {token}\r\n"));
    let described = match way {
        "nginx" => format!("X-Original-Method: {method}\r\nX-Original-URI: {target}\r\n"),
        "ingress-nginx" => format!("X-Original-Method: {method}\r\nX-Original-URL: https://{host}{target}\r\n"),
        "caddy" | "traefik" => format!(
            "X-Forwarded-Method: {method}\r\nX-Forwarded-Uri: {target}\r\nX-Forwarded-Host: {host}\r\n\
             X-Forwarded-Proto: https\r\n"
        ),
        _ => String::new(),
    };
    let fields = format!("{token}{described}");
    match way {
        "envoy" => send_to(host, gateway, method, &format!("/auth{target}"), &fields).await,
        "itself" => send_to(host, gateway, method, target, &fields).await,
        "nginx" | "caddy" => send_to(host, gateway, "GET", "/auth", &fields).await,
        _ => send_to("gateway.internal:9080", gateway, "GET", "/auth", &fields).await,
    }
}

/// Sends a check about a request to this host.
async fn check(gateway: &Gateway, host: &str, method: &str, path: &str, token: Option<&str>) -> Told {
    let headers = token.map(|token| ("authorization".to_owned(), format!("Bearer {token}"))).into_iter().collect();
    let (method, path, host) = (method.to_owned(), path.to_owned(), host.to_owned());
    let http = HttpRequest { method, path, host, headers, ..HttpRequest::default() };
    ext_authz::ask(&mut ext_authz::connect(gateway).await, ext_authz::of(http)).await
}

/// Returns the verdict of both doors, which must agree in whatever way the request is described.
async fn verdict(gateway: &Gateway, host: &str, method: &str, target: &str, token: Option<&str>) -> (u16, String) {
    let told = match check(gateway, host, method, target, token).await {
        Told::Pass { .. } => (200, "pass".to_owned()),
        Told::Refused { status, code } => (u16::try_from(status).unwrap(), code),
    };
    for way in WAYS {
        let answer = ask(gateway, way, host, method, target, token).await;
        assert_eq!((answer.status, answer.code()), told, "{way}: {method} {host}{target}");
    }
    told
}

fn document(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("{error}: {answer:?}"))
}

#[tokio::test]
async fn the_metadata_of_a_resource_are_at_its_host_and_path() {
    let (server, gateway) = setup().await;
    for (host, path, resource, scopes) in [
        ("tools.example.com", "/mcp", TOOLS, json!(["tools"])),
        ("TOOLS.example.com:443", "/mcp", TOOLS, json!(["tools"])),
        ("tools.example.com", "/mcp/admin", ADMIN, json!(["admin"])),
        ("files.example.com:8443", "/mcp/", FILES, json!(["admin", "files:all", "tools"])),
        ("shop.example.com", "", SHOP, json!(["admin", "tools"])),
    ] {
        let answer = send_to(host, &gateway, "GET", &format!("{WELL_KNOWN}{path}"), "").await;
        let document = document(&answer);
        assert_eq!(answer.status, 200, "{host}{path}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert!(answer.header("cache-control").unwrap().contains("max-age="), "{answer:?}");
        assert_eq!(document["resource"], resource);
        assert_eq!(document["authorization_servers"], json!([server.issuer()]));
        assert_eq!(document["bearer_methods_supported"], json!(["header"]));
        let mut found: Vec<_> = document["scopes_supported"].as_array().unwrap().clone();
        found.sort_by_key(ToString::to_string);
        assert_eq!(Value::Array(found), scopes, "{host}{path}");
    }
    let answer = send_to("tools.example.com", &gateway, "GET", &format!("{WELL_KNOWN}/mcp"), "").await;
    assert_eq!(document(&answer)["resource_name"], "Tools");
    assert_eq!(document(&answer)["resource_documentation"], "https://tools.example.com/help");
}

#[tokio::test]
async fn without_resources_a_request_for_metadata_is_not_found_and_never_judged() {
    let server = AuthorizationServer::start().await;
    let gateway = Gateway::start(&format!("{}{ROUTES}", issuer(&server, ""))).await;
    gateway.ready().await;
    let bearer = format!("Authorization: Bearer {}\r\n", server.token().scope("read").sign());
    for path in ["", "/mcp", "/", "x"] {
        for described in [
            "",
            "X-Original-Method: GET\r\nX-Original-URI: /orders/1\r\n",
            "X-Forwarded-Method: GET\r\nX-Forwarded-Uri: /orders/1\r\nX-Forwarded-Host: api.example.com\r\n",
        ] {
            let fields = format!("{bearer}{described}");
            let answer = send_to("api.example.com", &gateway, "GET", &format!("{WELL_KNOWN}{path}"), &fields).await;
            assert_eq!((answer.status, answer.header("x-auth-subject")), (404, None), "{path} {described}");
            assert!(answer.header("authorization").is_none());
        }
    }
    // The upstream may have metadata of its own, behind a route.
    let answer = ask(&gateway, "nginx", "api.example.com", "GET", &format!("{WELL_KNOWN}/mcp"), None).await;
    assert_eq!(answer.code(), "no_route");
}

#[tokio::test]
async fn a_request_for_other_metadata_is_not_found_and_never_judged() {
    let (server, gateway) = setup().await;
    let bearer = format!("Authorization: Bearer {}\r\n", server.issue_opaque(server.token()));
    let described = format!("{bearer}X-Original-Method: GET\r\nX-Original-URI: /any/x\r\n");
    for (host, path) in [
        ("elsewhere.example.com", "/mcp"),
        ("tools.example.com.", "/mcp"),
        ("tools.example.com@shop.example.com", "/mcp"),
        ("files.example.com", "/mcp"),
        ("shop.example.com", "/mcp"),
        ("tools.example.com", "/mcp/"),
        ("tools.example.com", "//mcp"),
        ("tools.example.com", "/MCP"),
        ("tools.example.com", "/mc%70"),
        ("tools.example.com", "%2Fmcp"),
        ("tools.example.com", "/mcp%2fadmin"),
        ("tools.example.com", "/x/../mcp"),
        ("tools.example.com", "/../mcp"),
        ("tools.example.com", "/mcp/..;/mcp"),
        ("tools.example.com", "/../../any/x"),
        ("tools.example.com", "x/any"),
    ] {
        for fields in ["", &bearer, &described] {
            let answer = send_to(host, &gateway, "GET", &format!("{WELL_KNOWN}{path}"), fields).await;
            assert_eq!(answer.status, 404, "{host} {path}: {answer:?}");
            assert!(answer.body.is_empty() && answer.header("authorization").is_none(), "{answer:?}");
            let told = format!("{answer:?}");
            assert!(!told.contains("elsewhere") && !told.contains("example.com"), "{told}");
        }
    }
    for fields in ["", &bearer, &described] {
        let answer = send_to("tools.example.com", &gateway, "GET", &format!("{WELL_KNOWN}/mcp?x=/any/x"), fields).await;
        assert_eq!((answer.status, &document(&answer)["resource"]), (200, &json!(TOOLS)));
        assert!(answer.header("authorization").is_none(), "{answer:?}");
    }
    assert_eq!(server.requests(Endpoint::Introspection), 0);
}

#[tokio::test]
async fn metadata_are_read_and_nothing_else() {
    let (_server, gateway) = setup().await;
    let path = format!("{WELL_KNOWN}/mcp");
    for (method, status) in
        [("GET", 200), ("HEAD", 200), ("OPTIONS", 204), ("POST", 405), ("PUT", 405), ("DELETE", 405), ("get", 405)]
    {
        let answer = send_to("tools.example.com", &gateway, method, &path, "Content-Length: 0\r\n").await;
        assert_eq!(answer.status, status, "{method}: {answer:?}");
        assert_eq!(answer.body.is_empty(), method != "GET", "{method}: {answer:?}");
        assert_eq!(answer.header("allow").is_some(), status != 200, "{method}: {answer:?}");
    }
}

#[tokio::test]
async fn a_refused_client_learns_where_the_metadata_are_and_which_scope_it_needs() {
    let (server, gateway) = setup().await;
    let weak = server.token().audience(TOOLS).scope("other").sign();
    let of_tools = format!("resource_metadata=\"https://tools.example.com{WELL_KNOWN}/mcp\"");
    for way in WAYS {
        let refused = async |target, token| ask(&gateway, way, "tools.example.com", "POST", target, token).await;
        let none = refused("/mcp", None).await;
        assert_eq!((none.status, none.code().as_str()), (401, "no_credentials"), "{way}");
        let challenge = none.header("www-authenticate").unwrap();
        for part in [of_tools.as_str(), "scope=\"tools\""] {
            assert!(challenge.contains(part), "{way}: {challenge}");
        }
        assert!(!challenge.contains("error"), "{challenge}");

        let answer = refused("/mcp", Some(&weak)).await;
        assert_eq!((answer.status, answer.code().as_str()), (403, "insufficient_scope"), "{way}");
        let challenge = answer.header("www-authenticate").unwrap();
        for part in ["error=\"insufficient_scope\"", "scope=\"tools\"", &of_tools] {
            assert!(challenge.contains(part), "{way}: {challenge}");
        }

        let bad = refused("/mcp", Some("no.such.token")).await;
        assert_eq!(bad.status, 401, "{way}");
        let challenge = bad.header("www-authenticate").unwrap();
        assert!(challenge.contains("error=\"invalid_token\"") && challenge.contains(&of_tools), "{challenge}");
    }
    // Each resource has its own metadata, and a request under none has no such parameter.
    for (host, target, metadata) in [
        ("tools.example.com", "/mcp/admin/x", Some("https://tools.example.com{}/mcp/admin")),
        ("files.example.com", "/mcp/x", Some("https://files.example.com:8443{}/mcp/")),
        ("shop.example.com", "/any/x", Some("https://shop.example.com{}")),
    ] {
        let answer = ask(&gateway, "caddy", host, "GET", target, None).await;
        let challenge = answer.header("www-authenticate").unwrap();
        let expected = metadata.map(|url| format!("resource_metadata=\"{}\"", url.replace("{}", WELL_KNOWN)));
        assert!(challenge.contains(&expected.unwrap()), "{host}{target}: {challenge}");
    }
}

#[tokio::test]
async fn a_token_for_one_resource_passes_at_no_other() {
    let (server, gateway) = setup().await;
    let places = [
        (TOOLS, "tools.example.com", "/mcp/x"),
        (ADMIN, "tools.example.com", "/mcp/admin/x"),
        (FILES, "files.example.com", "/mcp/x"),
        ("api://shop", "shop.example.com", "/any/x"),
    ];
    for (audience, ..) in places.into_iter().chain([("https://api.example.com", "", ""), (SHOP, "", "")]) {
        let token = server.token().audience(audience).scope("admin tools");
        let (jwt, opaque) = (token.clone().sign(), server.issue_opaque(token));
        for (own, host, target) in places {
            let expected = if own == audience { (200, "pass") } else { (401, "wrong_audience") };
            for token in [&jwt, &opaque] {
                let (status, code) = verdict(&gateway, host, "GET", target, Some(token)).await;
                assert_eq!((status, &*code), expected, "a token for {audience} at {host}{target}");
            }
        }
    }
}

#[tokio::test]
async fn no_host_leads_around_the_rules_of_a_resource() {
    let server = AuthorizationServer::start().await;
    let resources =
        RESOURCES.replace("[[resources]]\nresource = \"https://shop.example.com\"\naudience = \"api://shop\"\n", "");
    let gateway = Gateway::start(&format!("{}{resources}", introspecting(&server, "phantom", ""))).await;
    gateway.ready().await;
    // The audience of the issuer, which counts under no resource.
    let token = server.token().scope("admin tools").sign();
    for host in [
        "elsewhere.example.com",
        "tools.example.com.",
        "tools.example.com:443:443",
        "xtools.example.com",
        "tools.example.com, files.example.com",
        "127.0.0.1",
        "[::1]:443",
    ] {
        for (way, target) in [("nginx", "/mcp/x"), ("caddy", "/mcp"), ("traefik", "/mcp/admin/x"), ("nginx", "/mcp/")] {
            for token in [None, Some(token.as_str())] {
                let answer = ask(&gateway, way, host, "GET", target, token).await;
                assert_eq!((answer.status, &*answer.code()), (403, "wrong_host"), "{way} {host}{target}");
                assert!(!answer.body.contains("example.com"), "{answer:?}");
            }
        }
        // Paths of no resource are judged by their routes, whatever the host.
        for (target, expected) in [
            ("/any/x", "pass"),
            ("/health", "pass"),
            ("/elsewhere", "no_route"),
            ("/.well-known/oauth-protected-resource", "metadata_not_forwarded"),
        ] {
            let answer = ask(&gateway, "nginx", host, "GET", target, Some(&token)).await;
            assert_eq!(answer.code(), expected, "{host}{target}");
        }
    }
    // Without a host, or with two.
    for fields in [
        "X-Forwarded-Method: GET\r\nX-Forwarded-Uri: /mcp\r\n",
        "X-Forwarded-Method: GET\r\nX-Forwarded-Uri: /mcp\r\nX-Forwarded-Host: tools.example.com\r\nX-Forwarded-Host: x\r\n",
        // A client's own field is no description by nginx.
        "X-Original-Method: GET\r\nX-Original-URI: /mcp\r\nX-Forwarded-Host: tools.example.com\r\n",
    ] {
        assert_eq!(send_to("gateway", &gateway, "GET", "/auth", fields).await.code(), "wrong_host", "{fields}");
    }
    assert_eq!(
        check(&gateway, "", "GET", "/mcp", None).await,
        Told::Refused { status: 403, code: "wrong_host".to_owned() }
    );
}

#[tokio::test]
async fn no_spelling_of_a_path_leads_out_of_a_resource() {
    let (server, gateway) = setup().await;
    let token = server.token().audience(TOOLS).scope("admin tools").sign();
    for (target, code) in [
        ("/mcp", "pass"),
        ("/mcp/", "pass"),
        ("/mcp?x=/mcp/admin", "pass"),
        ("/mcp/admin", "wrong_audience"),
        ("/mcp/admin/", "wrong_audience"),
        ("/mcp/../any/x", "ambiguous_path"),
        ("/any/..%2fmcp", "ambiguous_path"),
        ("/any/../mcp", "ambiguous_path"),
        ("/mcp/%61dmin", "ambiguous_path"),
        ("/mcp/x/../admin", "ambiguous_path"),
        ("/mcp//admin", "ambiguous_path"),
        ("/%6dcp", "ambiguous_path"),
        ("/mcp%2fx", "ambiguous_path"),
        ("/mcp;x/admin", "ambiguous_path"),
        ("/MCP", "no_route"),
        ("/mcp/Admin", "ambiguous_path"),
        ("/mcp/%41dmin", "ambiguous_path"),
        ("/mcp/%2541dmin", "ambiguous_path"),
        ("/mcp/X/%4d?ADMIN", "pass"),
    ] {
        assert_eq!(verdict(&gateway, "tools.example.com", "GET", target, Some(&token)).await.1, code, "{target}");
    }
    let overridden = "X-Original-Method: GET\r\nX-Original-URI: /any/x\r\nX-Rewrite-URL: /mcp\r\n";
    assert_eq!(send_to("shop.example.com", &gateway, "GET", "/auth", overridden).await.code(), "ambiguous_path");
}

#[tokio::test]
async fn no_request_for_another_path_is_for_a_resource() {
    let server = AuthorizationServer::start().await;
    let resources = format!("[[resources]]\nresource = \"{TOOLS}\"\n[[routes]]\npath = \"/*\"\n");
    let gateway = Gateway::start(&format!("{}{resources}", introspecting(&server, "phantom", ""))).await;
    gateway.ready().await;
    // A token for the API beside the resource.
    let token = server.token().sign();
    for (target, further, code) in [
        ("/any", "", "pass"),
        ("/Any/M", "", "pass"),
        ("/mcp", "", "wrong_audience"),
        // Express takes these for the path of the resource.
        ("/MCP", "", "ambiguous_path"),
        ("/mCp/x", "", "ambiguous_path"),
        ("/%4dcp", "", "ambiguous_path"),
        ("/%254Dcp/x", "", "ambiguous_path"),
        // Letters that become those of ASCII where case does not count.
        ("/K%E2%84%AA", "", "pass"),
        ("/%EF%BC%AD%EF%BD%83p", "", "ambiguous_path"),
        ("/any", "X-Rewrite-URL: /mcp\r\n", "ambiguous_path"),
        ("/any", "X-Rewrite-URL: /other\r\n", "pass"),
        ("/mcp", "X-Rewrite-URL: /any\r\n", "ambiguous_path"),
    ] {
        let described =
            format!("X-Original-Method: GET\r\nX-Original-URI: {target}\r\nAuthorization: Bearer {token}\r\n");
        for host in ["tools.example.com", "elsewhere.example.com"] {
            let answer = send_to(host, &gateway, "GET", "/auth", &format!("{described}{further}")).await;
            let code = if host == "elsewhere.example.com" && code == "wrong_audience" { "wrong_host" } else { code };
            assert_eq!(answer.code(), code, "{host}{target} {further}");
        }
    }
}

#[tokio::test]
async fn an_open_route_leads_to_no_resource_by_another_spelling() {
    let server = AuthorizationServer::start().await;
    let resources = "[[resources]]\nresource = \"https://tools.example.com/tasks\"\n\
        [[routes]]\npath = \"/tasks/health\"\npublic = true\n\
        [[routes]]\npath = \"/tasks/*\"\n[[routes]]\npath = \"/*\"\npublic = true\n";
    let gateway = Gateway::start(&format!("{}{resources}", introspecting(&server, "phantom", ""))).await;
    gateway.ready().await;
    for (target, code) in [
        ("/any", "pass"),
        ("/Any/x", "pass"),
        ("/tasks/health", "pass"),
        ("/TASKS", "ambiguous_path"),
        ("/Tasks/x", "ambiguous_path"),
        ("/%54asks", "ambiguous_path"),
        ("/tas%E2%84%AAs", "ambiguous_path"),
        ("/ta%C5%BFks/x", "ambiguous_path"),
        ("/tasks/HEALTH", "no_credentials"),
        ("/task%C4%B1", "pass"),
    ] {
        for host in ["tools.example.com", "elsewhere.example.com"] {
            let code = if (host, code) == ("elsewhere.example.com", "no_credentials") { "wrong_host" } else { code };
            assert_eq!(verdict(&gateway, host, "GET", target, None).await.1, code, "{host}{target}");
        }
    }
}

/// Spellings of `/keys/files` that some server reads in spite of their letters, each by one trait.
const SPELLINGS: &[&str] = &[
    "/KEYS/files",
    "/keys/FILES/x",
    "/Keys/Files",
    "/%4Beys/files",
    "/%4b%45%59%53/files",
    "/keys/%46iles",
    "/keys/f%C4%B1les",
    "/keys/F%C4%B0LES",
    "/keys/file%C5%BF",
    "/%E2%84%AAeys/files",
    "/%E2%84%AAEYS/F%C4%B1LES",
    "/%EF%BC%ABEYS/files",
    "/keys/%EF%BC%A6%EF%BC%A9%EF%BC%ACES",
    "/keys/%EF%AC%81LES",
    "/x%3F/../KEYS/files",
    "/x%3F/..%2FKEYS/files",
    "/x%23/../keys/FILES",
    "/x/../KEYS/files",
    "/x/..%5cKEYS\\FILES",
    "//KEYS/files",
    "/.//Keys/files",
    "/KEYS;x/files",
    "/KEYS./files",
    "/KEYS%20/FILES",
    "/K+EYS/files",
    "/K%C3%89YS/files",
    "/KEYS/%C4%B1FILES",
    "/%C4%B1%E2%84%AAEYS/files",
    "/KEYS%3Cx%3E/files",
    "/KEYS/FILES%3Ax%3A$DATA",
    "/KEYS%3F/files",
];

/// Encodes the percent signs of a spelling once more.
fn encoded_again(spelling: &str) -> String {
    spelling.replace('%', "%25")
}

#[tokio::test]
async fn no_letter_case_leads_around_a_resource_by_any_encoding_query_or_field() {
    let server = AuthorizationServer::start().await;
    for open in ["public = true", "optional = true", "scope = [\"none\"]\nreport_only = true"] {
        let tables = format!(
            "[[resources]]\nresource = \"https://api.example.com/keys/files\"\n\
             [[routes]]\npath = \"/keys/files/*\"\nscope = [\"keys\"]\n[[routes]]\npath = \"/*\"\n{open}\n"
        );
        let gateway = Gateway::start(&format!("{}{tables}", introspecting(&server, "phantom", ""))).await;
        gateway.ready().await;
        let mut client = ext_authz::connect(&gateway).await;
        let passes = async |client: &mut _, target: &str, field: Option<(&str, &str)>| {
            let line = field.map_or(String::new(), |(name, value)| format!("{name}: {value}\r\n"));
            let fields = format!("X-Original-Method: GET\r\nX-Original-URI: {target}\r\n{line}");
            let at_forward_auth = send_to("api.example.com", &gateway, "GET", "/auth", &fields).await.status == 200;
            let headers =
                field.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).into_iter().collect();
            let http = HttpRequest {
                method: "GET".to_owned(),
                path: target.to_owned(),
                host: "api.example.com".to_owned(),
                headers,
                ..HttpRequest::default()
            };
            let told = ext_authz::ask(client, ext_authz::of(http)).await;
            [at_forward_auth, matches!(told, Told::Pass { .. })]
        };
        let spellings: Vec<String> =
            SPELLINGS.iter().flat_map(|spelling| [(*spelling).to_owned(), encoded_again(spelling)]).collect();
        for spelling in &spellings {
            for query in ["", "?x=1", "?%ff", "?x=%C3%A9", "?%", "?a?/b%2f.."] {
                let target = format!("{spelling}{query}");
                assert_eq!(passes(&mut client, &target, None).await, [false, false], "{open}: {target}");
            }
            let places = ["X-Rewrite-URL", "X-Original-URL", "X_Rewrite_Url", "X_Original_URL"];
            for field in places {
                let urls = [spelling.clone(), format!("{spelling}?%ff"), format!("http://api.example.com{spelling}")];
                for (target, url) in
                    ["/other", "/other?%ff"].iter().zip(urls.iter().cycle()).chain([(&"/B%C3%A9", &urls[2])])
                {
                    let told = passes(&mut client, target, Some((field, url))).await;
                    assert_eq!(told, [false, false], "{open}: {target} with {field}: {url}");
                }
            }
        }
        // The rest of the API is as open as its route.
        for target in [
            "/other",
            "/Other?%ff",
            "/b%C3%BCro%20plan",
            "/my%20file?q=%C3%A9",
            "/100%25?q=%C3%A9",
            "/KEYS",
            "/keysx/FILES",
        ] {
            assert_eq!(passes(&mut client, target, None).await, [true, true], "{open}: {target}");
            let told = passes(&mut client, target, Some(("X-Rewrite-URL", "/OTHER"))).await;
            assert_eq!(told, [true, true], "{open}: {target}");
        }
    }
}

#[tokio::test]
async fn beside_resources_other_paths_are_read_as_without_them() {
    let server = AuthorizationServer::start().await;
    let routes = "[[routes]]\npath = \"/orders/*\"\n";
    let token = server.token().sign();
    for resources in ["", "[[resources]]\nresource = \"https://tools.example.com/mcp\"\n"] {
        let gateway = Gateway::start(&format!("{}{resources}{routes}", introspecting(&server, "phantom", ""))).await;
        gateway.ready().await;
        for target in [
            "/orders/1",
            "/orders/B%C3%BCro%20plan",
            "/orders/b%C3%BCro%20plan?Q=%C3%A9",
            "/orders/my%20file?q=%C3%A9",
            "/orders/my%20file?%ff",
            "/orders/100%25?q=%C3%A9",
            "/orders/%E6%97%A5%E6%9C%AC?q=%e2%84%aa",
            "/orders/%E2%84%AA",
        ] {
            let (status, code) = verdict(&gateway, "api.example.com", "GET", target, Some(&token)).await;
            assert_eq!((status, &*code), (200, "pass"), "{resources}{target}");
        }
    }
}

#[tokio::test]
async fn a_login_that_is_too_weak_or_too_old_is_stepped_up() {
    let (server, gateway) = setup().await;
    let login = |acr: &str, seconds: u64| {
        let at = server.now() - Duration::from_secs(seconds);
        let at = at.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        server.token().audience("api://shop").claim("acr", acr).claim("auth_time", at)
    };
    let host = "shop.example.com";
    for (token, expected) in [
        (login("gold", 10), (200, "pass")),
        (login("silver", 10), (200, "pass")),
        (login("bronze", 10), (401, "insufficient_user_authentication")),
        (login("gold", 400), (401, "insufficient_user_authentication")),
        (login("gold", 10).without_claim("acr"), (401, "insufficient_user_authentication")),
        (login("gold", 10).without_claim("auth_time"), (401, "insufficient_user_authentication")),
        (login("gold", 10).claim("auth_time", "soon"), (401, "insufficient_user_authentication")),
    ] {
        let token = token.sign();
        let (status, code) = verdict(&gateway, host, "POST", "/pay", Some(&token)).await;
        assert_eq!((status, &*code), expected);
        if status == 401 {
            let answer = ask(&gateway, "nginx", host, "POST", "/pay", Some(&token)).await;
            let challenge = answer.header("www-authenticate").unwrap();
            for part in ["error=\"insufficient_user_authentication\"", "acr_values=\"gold silver\"", "max_age=\"300\""]
            {
                assert!(challenge.contains(part), "{challenge}");
            }
        }
    }
}

#[tokio::test]
async fn without_routes_only_the_resources_are_open() {
    let server = AuthorizationServer::start().await;
    let tables = format!("{}[[resources]]\nresource = \"{TOOLS}\"\n", introspecting(&server, "json", ""));
    let gateway = Gateway::start(&tables).await;
    gateway.ready().await;
    let (own, other) = (server.token().audience(TOOLS).sign(), server.token().sign());
    for (host, target, token, code) in [
        ("tools.example.com", "/mcp/x", &own, "pass"),
        ("tools.example.com", "/mcp/x", &other, "wrong_audience"),
        ("tools.example.com", "/any", &own, "no_route"),
        ("tools.example.com", "/any", &other, "no_route"),
        ("elsewhere.example.com", "/any", &other, "no_route"),
        ("elsewhere.example.com", "/mcp", &own, "wrong_host"),
    ] {
        assert_eq!(verdict(&gateway, host, "GET", target, Some(token)).await.1, code, "{host}{target}");
    }
    // The proxy asks about the metadata, in place of forwarding the request for them.
    let asked =
        ask(&gateway, "caddy", "tools.example.com", "GET", "/.well-known/oauth-protected-resource/mcp", None).await;
    assert_eq!((asked.status, &*asked.code()), (403, "metadata_not_forwarded"));
    assert_eq!(send_to("tools.example.com", &gateway, "GET", "/auth", "").await.code(), "no_original_request");
}
