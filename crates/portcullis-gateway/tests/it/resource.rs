//! `portcullis resource`: each mistake is made at a server on this machine, and has to be found by its code, alone.

mod scene;

use std::collections::BTreeSet;

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Method, Response, Uri},
};
use portcullis::ResourceFinding;
use portcullis_testkit::{AuthorizationServer, CertificateAuthority};
use serde_json::{Value, json};

use crate::{
    support::{Gateway, client},
    terminal::{Desk, Ran, without_colours},
};
use scene::{Page, RESOURCE, SERVER, Scene, remove};

/// A change, and the codes that it has to be found by.
type Mistake = (&'static [&'static str], fn(&mut Scene));

const OF_THE_RESOURCE: &[Mistake] = &[
    (&["not_protected"], |scene| scene.page("/mcp", Page::json(&json!({})))),
    (&["wrong_status"], |scene| scene.page("/mcp", Page::status(403))),
    (&["wrong_status"], |scene| scene.page("/mcp", Page::status(404))),
    (&["redirects_elsewhere"], |scene| scene.page("/mcp", Page::redirect(&format!("{}/login", scene.elsewhere)))),
    (&["redirects_elsewhere"], |scene| scene.page("/mcp", Page::redirect("/mcp"))),
    (&["redirects"], |scene| {
        let refusal = scene.pages["/mcp"].clone();
        scene.page("/mcp/", refusal);
        scene.page("/mcp", Page { status: 307, ..Page::redirect("/mcp/") });
    }),
    (&["no_challenge"], |scene| scene.page("/mcp", Page::status(401))),
    (&["malformed_challenge"], |scene| scene.challenge("Bearer resource_metadata={base}/.well-known/x")),
    (&["no_bearer_challenge"], |scene| scene.challenge("Basic realm=\"a\", Negotiate")),
    (&["no_resource_metadata"], |scene| scene.challenge("Bearer realm=\"a\", scope=\"files:read\"")),
    (&["malformed_metadata_url"], |scene| {
        scene.challenge("Bearer resource_metadata=\"/.well-known/oauth-protected-resource/mcp\"");
    }),
    (&["insecure_metadata_url"], |scene| scene.challenge("Bearer resource_metadata=\"http://mcp.internal/metadata\"")),
    (&["metadata_elsewhere"], |scene| {
        scene.challenge("Bearer resource_metadata=\"{elsewhere}/.well-known/oauth-protected-resource/mcp\"");
    }),
];

const OF_THE_METADATA: &[Mistake] = &[
    (&["no_metadata"], |scene| scene.page(RESOURCE, Page::status(404))),
    (&["metadata_need_token"], |scene| scene.page(RESOURCE, Page::unauthorized("Bearer"))),
    (&["metadata_redirect"], |scene| {
        scene.page(RESOURCE, Page::redirect(&format!("{}{RESOURCE}", scene.elsewhere)));
    }),
    (&["metadata_unreachable"], |scene| {
        scene.metadata_page(|page| Page { body: " ".repeat(2 * 1024 * 1024), ..page });
    }),
    (&["metadata_status"], |scene| scene.page(RESOURCE, Page::status(500))),
    (&["metadata_html"], |scene| scene.page(RESOURCE, Page::html())),
    (&["metadata_not_json"], |scene| scene.metadata_page(|page| Page { body: "resource: mcp".to_owned(), ..page })),
    (&["metadata_not_json"], |scene| scene.metadata_page(|page| Page { body: "{\"a\":1,\"a\":2}".to_owned(), ..page })),
    (&["wrong_content_type"], |scene| scene.metadata_page(|page| page.with("content-type", "text/plain"))),
    (&["no_cors"], |scene| scene.page(&format!("Origin {RESOURCE}"), Page::status(403))),
    (&["no_cors"], |scene| scene.metadata_page(|page| page.without("access-control-allow-origin"))),
    (&["not_well_known"], |scene| {
        scene.challenge("Bearer resource_metadata=\"{base}/metadata\"");
        scene.page("/metadata", Page::json(&scene.metadata.clone()));
        scene.page(RESOURCE, Page::status(404));
    }),
    // Something else answers every path with JSON.
    (&["not_well_known"], |scene| {
        scene.challenge("Bearer resource_metadata=\"{base}/metadata\"");
        scene.page("/metadata", Page::json(&scene.metadata.clone()));
        scene.page(RESOURCE, Page::json(&json!({ "hello": "you" })));
    }),
    (&["no_resource_metadata", "not_well_known"], |scene| {
        scene.challenge("Bearer");
        scene.page("/.well-known/oauth-protected-resource", Page::json(&scene.metadata.clone()));
        scene.page(RESOURCE, Page::html());
    }),
    (&["malformed_member"], |scene| scene.metadata["scopes_supported"] = json!("files:read")),
    (&["malformed_member"], |scene| scene.metadata["resource_documentation"] = json!(["https://a.example"])),
    (&["no_identifier"], |scene| remove(&mut scene.metadata, "resource")),
    (&["malformed_identifier"], |scene| scene.metadata["resource"] = json!("mcp")),
    (&["malformed_identifier"], |scene| scene.metadata["resource"] = json!("http://mcp.internal/mcp")),
    (&["malformed_identifier"], |scene| scene.metadata["resource"] = json!(format!("{}#a", scene.url))),
    (&["other_identifier"], |scene| scene.metadata["resource"] = json!(format!("{}/mcp", scene.elsewhere))),
    (&["other_identifier"], |scene| scene.metadata["resource"] = json!(format!("{}/mc", scene.base))),
    (&["slash_identifier"], |scene| scene.metadata["resource"] = json!(format!("{}/", scene.url))),
    (&["parent_identifier"], |scene| scene.metadata["resource"] = json!(scene.base)),
    (&["root_slash"], |scene| {
        let at_root = "/.well-known/oauth-protected-resource";
        scene.url = scene.base.clone();
        scene.metadata["resource"] = json!(format!("{}/", scene.base));
        scene.page(at_root, Page::json(&scene.metadata.clone()));
        let challenge = format!("Bearer resource_metadata=\"{}{at_root}\"", scene.base);
        scene.page("/", Page::unauthorized(&challenge));
    }),
    (&["no_authorization_servers"], |scene| remove(&mut scene.metadata, "authorization_servers")),
    (&["no_authorization_servers"], |scene| scene.metadata["authorization_servers"] = json!([])),
    (&["malformed_authorization_server"], |scene| {
        scene.metadata["authorization_servers"] = json!(["http://as.internal"]);
    }),
    (&["malformed_authorization_server"], |scene| scene.metadata["authorization_servers"] = json!(["keycloak"])),
    (&["no_header_method"], |scene| scene.metadata["bearer_methods_supported"] = json!(["query"])),
    (&["scope_not_published"], |scene| scene.metadata["scopes_supported"] = json!(["files:write"])),
    (&["offline_access"], |scene| {
        scene.metadata["scopes_supported"] = json!(["files:read", "offline_access"]);
    }),
];

const OF_THE_SERVER: &[Mistake] = &[
    (&["no_server_metadata"], |scene| scene.page(SERVER, Page::status(404))),
    (&["server_unreachable"], |scene| scene.metadata["authorization_servers"] = json!(["http://127.0.0.1:1"])),
    (&["server_metadata_not_json"], |scene| scene.page(SERVER, Page::html())),
    (&["other_issuer"], |scene| scene.server["issuer"] = json!("https://as.internal")),
    (&["other_issuer"], |scene| remove(&mut scene.server, "issuer")),
    (&["slash_issuer"], |scene| scene.server["issuer"] = json!(format!("{}/as/", scene.base))),
    (&["no_authorization_code"], |scene| scene.server["grant_types_supported"] = json!(["client_credentials"])),
    (&["no_authorization_code"], |scene| scene.server["response_types_supported"] = json!(["token"])),
    (&["no_authorization_endpoint"], |scene| remove(&mut scene.server, "authorization_endpoint")),
    (&["no_token_endpoint"], |scene| remove(&mut scene.server, "token_endpoint")),
    (&["insecure_endpoint"], |scene| scene.server["token_endpoint"] = json!("http://as.internal/token")),
    (&["no_pkce"], |scene| remove(&mut scene.server, "code_challenge_methods_supported")),
    (&["no_s256"], |scene| scene.server["code_challenge_methods_supported"] = json!(["plain"])),
    (&["no_registration"], |scene| remove(&mut scene.server, "registration_endpoint")),
    (&["scope_not_offered"], |scene| scene.server["scopes_supported"] = json!(["openid", "files:read"])),
    (&["resource_not_listed"], |scene| scene.server["protected_resources"] = json!(["https://other.example"])),
    (&["no_keys"], |scene| remove(&mut scene.server, "jwks_uri")),
    (&["keys_unreachable"], |scene| scene.page("/as/jwks", Page::status(404))),
    (&["keys_unreachable"], |scene| scene.page("/as/jwks", Page::html())),
    (&["no_usable_keys"], |scene| scene.page("/as/jwks", Page::json(&json!({ "keys": [{ "kty": "quantum" }] })))),
    (&["no_issuer_identification"], |scene| {
        let (one, other) = (format!("{}/as", scene.base), format!("{}/as2", scene.base));
        scene.metadata["authorization_servers"] = json!([one, other]);
        let mut server = scene.server.clone();
        server["issuer"] = json!(other);
        server["authorization_response_iss_parameter_supported"] = json!(true);
        scene.page("/.well-known/openid-configuration/as2", Page::json(&server));
    }),
];

async fn inspect(scene: &Scene, further: &[&str]) -> Ran {
    Desk::new(&[]).run(&[&["resource", &scene.url], further].concat(), "").await
}

fn report(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("no JSON: {ran:?}"))
}

/// Returns the codes of a report, in the order of the checks.
fn codes(report: &Value) -> Vec<String> {
    let checks = report["checks"].as_array().unwrap().iter();
    checks.filter_map(|check| check["code"].as_str().map(str::to_owned)).collect()
}

#[tokio::test]
async fn each_mistake_is_found_by_its_code_and_no_other() {
    let mut made = BTreeSet::new();
    for (expected, change) in [OF_THE_RESOURCE, OF_THE_METADATA, OF_THE_SERVER].concat() {
        let scene = Scene::start(change).await;
        let ran = inspect(&scene, &["--json"]).await;
        let report = report(&ran);
        assert_eq!(codes(&report), expected, "{ran:?}");
        let is_error = |code: &&str| !finding(code).is_warning();
        let has_errors = expected.iter().any(is_error);
        assert_eq!(ran.status, Some(i32::from(has_errors)), "{expected:?}: {ran:?}");
        assert_eq!(report["verdict"], if has_errors { "failed" } else { "passed" });
        made.extend(expected.iter().copied());
    }
    let all: BTreeSet<_> = ResourceFinding::ALL.iter().map(|finding| finding.code()).collect();
    assert_eq!(made, all, "a finding without a mistake that makes it");
}

#[test]
fn the_page_lists_each_code_as_error_or_warning() {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/troubleshooting.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, section) = page.split_once("\n## A client cannot log in\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let (errors, warnings) = section.split_once("\nWarnings are").unwrap();
    for finding in ResourceFinding::ALL {
        let listed = if finding.is_warning() { warnings } else { errors };
        assert!(listed.contains(&format!("`{finding}`")), "{finding}");
    }
}

fn finding(code: &str) -> ResourceFinding {
    *ResourceFinding::ALL.iter().find(|finding| finding.code() == code).unwrap()
}

#[tokio::test]
async fn a_good_resource_has_no_finding() {
    let variants: [fn(&mut Scene); 6] = [
        |_| {},
        |scene| {
            let metadata = format!("resource_metadata=\"{{base}}{RESOURCE}\"");
            scene.challenge(&format!("Basic realm=\"a\", DPoP algs=\"ES256\", Bearer {metadata}"));
        },
        |scene| {
            let server = scene.server.clone();
            scene.page(SERVER, Page::status(404));
            scene.page("/as/.well-known/openid-configuration", Page::json(&server));
        },
        |scene| {
            remove(&mut scene.server, "registration_endpoint");
            scene.server["client_id_metadata_document_supported"] = json!(true);
        },
        |scene| scene.server["protected_resources"] = json!([scene.url]),
        |scene| scene.metadata_page(|page| page.with("content-type", "application/json; charset=utf-8")),
    ];
    for change in variants {
        let scene = Scene::start(change).await;
        let ran = inspect(&scene, &["--json", "--strict"]).await;
        assert_eq!((codes(&report(&ran)), ran.status), (vec![], Some(0)), "{ran:?}");
        let ran = inspect(&scene, &[]).await;
        assert!(ran.out.starts_with("good: clients can find their way"), "{ran:?}");
        assert_eq!((ran.status, ran.err.as_str()), (Some(0), ""));
    }
}

#[tokio::test]
async fn a_resource_behind_the_gateway_keeps_no_client_out() {
    let server = AuthorizationServer::start().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    let tables = format!(
        "[[issuers]]\nissuer = \"{}\"\n\n[[resources]]\nresource = \"{url}\"\n\n[resources.mcp]\n\
         tools = [{{ name = \"delete_*\", scope = [\"files:write\"] }}]\n\n\
         [[routes]]\npath = \"/mcp/*\"\nscope = [\"files:read\"]\n",
        server.issuer(),
    );
    let gateway = Gateway::start(&tables).await;
    let proxy = Router::new().fallback({
        let origin = gateway.url("");
        move |method: Method, uri: Uri, fields: HeaderMap| proxied(origin.clone(), method, uri, fields)
    });
    tokio::spawn(async move { axum::serve(listener, proxy).await });
    for further in [&[][..], &["--method", "POST"]] {
        let ran = Desk::new(&[]).run(&[&["resource", &url, "--json"], further].concat(), "").await;
        // The test kit's authorization server is for programs alone.
        assert_eq!((codes(&report(&ran)), ran.status), (vec!["no_authorization_code".to_owned()], Some(0)), "{ran:?}");
    }
}

/// Does as a proxy does: routes the well-known path to the gateway, and asks it about anything else.
async fn proxied(gateway: String, method: Method, uri: Uri, fields: HeaderMap) -> Response<Body> {
    let question = match uri.path() {
        path if path.starts_with("/.well-known/oauth-protected-resource") => client().get(format!("{gateway}{path}")),
        path => client()
            .get(format!("{gateway}/auth"))
            .header("X-Original-Method", method.as_str())
            .header("X-Original-URI", path),
    };
    let question = ["host", "mcp-method", "mcp-protocol-version"].into_iter().fold(question, |question, name| {
        match fields.get(name) {
            Some(value) => question.header(name, value),
            None => question,
        }
    });
    let answer = question.send().await.unwrap();
    let mut response = Response::builder().status(answer.status());
    *response.headers_mut().unwrap() = answer.headers().clone();
    response.body(Body::from(answer.bytes().await.unwrap())).unwrap()
}

#[tokio::test]
async fn a_report_names_code_expectation_and_remedy_under_its_subject() {
    let scene = Scene::start(|scene| {
        scene.metadata["resource"] = json!(format!("{}/", scene.url));
        remove(&mut scene.server, "code_challenge_methods_supported");
        remove(&mut scene.server, "registration_endpoint");
    })
    .await;
    let ran = inspect(&scene, &[]).await;
    assert!(ran.out.starts_with("some clients cannot get a token: 2 errors, 1 warning\n"), "{}", ran.out);
    let issuer = format!("\n{}/as\n", scene.base);
    let (of_resource, of_server) = ran.out.split_once(&issuer).unwrap();
    for words in
        ["✗ resource", "slash_identifier", &format!("got       {}/", scene.url), "see       RFC 9728 section 3.3"]
    {
        assert!(of_resource.contains(words), "{words} is not in:\n{of_resource}");
    }
    for words in ["✗ PKCE", "no_pkce", "remedy    Add", "! registration", "no_registration", "✓ issuer"] {
        assert!(of_server.contains(words), "{words} is not in:\n{of_server}");
    }
    let on_terminal = Desk::new(&[]).on_terminal(&["resource", &scene.url], "", &[]).await;
    assert!(on_terminal.out.contains("\x1b["), "{on_terminal:?}");
    // A slow answer has a spinner before it, in a line that is taken away.
    let report = on_terminal.out.rsplit("\x1b[2K").next().unwrap();
    assert_eq!(without_colours(report).replace('\r', ""), ran.out);
}

#[tokio::test]
async fn warnings_fail_only_if_asked_to() {
    let scene = Scene::start(|scene| remove(&mut scene.server, "registration_endpoint")).await;
    let ran = inspect(&scene, &[]).await;
    assert_eq!(ran.status, Some(0));
    assert!(ran.out.starts_with("good, with remarks: no errors, 1 warning\n"), "{}", ran.out);
    assert_eq!(inspect(&scene, &["--strict"]).await.status, Some(1));
}

#[tokio::test]
async fn what_cannot_be_asked_is_told() {
    let table = [
        (vec!["http://127.0.0.1:1/mcp"], "no answer from"),
        (vec!["http://mcp.example.com/mcp"], "https"),
        (vec!["https://user:hunter2@mcp.example.com/mcp"], "mcp.example.com"),
        (vec!["mcp"], "URL"),
        (vec!["ftp://localhost/"], "URL"),
        (vec![], "URL"),
        (vec!["http://127.0.0.1:1/mcp", "--method", "A B"], "method"),
    ];
    for (arguments, words) in table {
        let ran = Desk::new(&[]).run(&[vec!["resource"], arguments.clone()].concat(), "").await;
        let told = format!("{}{}", ran.out, ran.err);
        assert_eq!(ran.status, Some(2), "{arguments:?}: {ran:?}");
        assert!(told.contains(words) && !told.contains("hunter2"), "{arguments:?}: {told}");
    }
    let ran = Desk::new(&[]).run(&["resource", "http://127.0.0.1:1/mcp", "--json"], "").await;
    assert_eq!(report(&ran)["verdict"], "unreachable");
}

#[tokio::test]
async fn a_private_authority_is_trusted_if_it_is_named() {
    let authority = CertificateAuthority::new();
    let server = AuthorizationServer::builder().tls(authority.clone()).start().await.unwrap();
    let desk = Desk::new(&[("ca.pem", &authority.pem()), ("empty.pem", "")]);
    let table: [(&[&str], i32, &str); 4] = [
        (&[], 2, "certificate"),
        (&["--ca-file", "ca.pem"], 1, "wrong_status"),
        (&["--ca-file", "empty.pem"], 2, "certificate"),
        (&["--ca-file", "nowhere.pem"], 2, "nowhere.pem"),
    ];
    for (further, status, words) in table {
        let ran = desk.run(&[&["resource", &server.url("/nothing")], further].concat(), "").await;
        assert!(
            ran.status == Some(status) && format!("{}{}", ran.out, ran.err).contains(words),
            "{further:?}: {ran:?}"
        );
    }
}

#[tokio::test]
async fn no_text_of_a_server_steers_the_terminal() {
    const STEERS: &str = "\u{1b}[2J\u{9b}31m\u{202e}\u{e0041}";
    let scene = Scene::start(|scene| {
        scene.metadata["resource"] = json!(format!("https://mcp.example.com/{STEERS}"));
        scene.metadata["scopes_supported"] = json!([STEERS, "x".repeat(100_000)]);
        scene.metadata["authorization_servers"] = json!([format!("{}/as", scene.base), format!("{STEERS}")]);
        scene.server["issuer"] = json!(STEERS);
        scene.server["token_endpoint"] = json!(STEERS);
    })
    .await;
    for further in [&[][..], &["--json"]] {
        let ran = inspect(&scene, further).await;
        let steers =
            |character: char| (character.is_control() && character != '\n') || "\u{202e}\u{e0041}".contains(character);
        assert_eq!(ran.status, Some(1), "{ran:?}");
        assert!(!ran.out.contains(steers) && ran.out.len() < 20_000, "{:?}", ran.out);
    }
}

#[tokio::test]
async fn a_resource_without_get_is_asked_by_post() {
    for status in [400, 404, 405, 406] {
        let scene = Scene::start(|scene| {
            let refusal = scene.pages["/mcp"].clone();
            scene.page("/mcp", Page::status(status));
            scene.page("POST /mcp", refusal);
        })
        .await;
        assert_eq!(codes(&report(&inspect(&scene, &["--json"]).await)), Vec::<String>::new(), "{status}");
        let by_get = inspect(&scene, &["--json", "--method", "GET"]).await;
        assert_eq!(codes(&report(&by_get)), ["wrong_status"], "{status}");
    }
}
