//! Identifiers, descriptions and documents.

use serde_json::{Value, json};

use super::*;

const AS: &str = "https://as.example.com";

fn resource(identifier: &str) -> Resource {
    let rules = ResourceRules { resource: identifier.to_owned(), ..ResourceRules::default() };
    Resource::new(rules, vec![AS.to_owned()]).unwrap()
}

fn metadata(resource: &Resource) -> Value {
    serde_json::from_slice(resource.document(true, None).body()).unwrap()
}

#[test]
fn the_document_stands_at_the_well_known_path_before_that_of_the_identifier() {
    let table = [
        ("https://api.example.com", "https://api.example.com", ""),
        ("https://api.example.com/", "https://api.example.com", ""),
        ("https://api.example.com/mcp", "https://api.example.com", "/mcp"),
        // A slash at the end makes it another resource, with another document.
        ("https://api.example.com/mcp/", "https://api.example.com", "/mcp/"),
        ("https://api.example.com:8443/a/b-c_d.e~f", "https://api.example.com:8443", "/a/b-c_d.e~f"),
        ("http://127.0.0.1:3000/mcp", "http://127.0.0.1:3000", "/mcp"),
        ("http://localhost:3000", "http://localhost:3000", ""),
        ("http://[::1]:3000/mcp", "http://[::1]:3000", "/mcp"),
    ];
    for (identifier, origin, path) in table {
        let resource = resource(identifier);
        assert_eq!(resource.identifier(), identifier);
        assert_eq!(resource.metadata_url(), format!("{origin}/.well-known/oauth-protected-resource{path}"));
        let document = resource.document(true, None);
        assert_eq!(document.path(), format!("/.well-known/oauth-protected-resource{path}"));
        assert_eq!(document.url(), resource.metadata_url());
        assert!(resource.has_document_at(document.path()));
        assert_eq!(metadata(&resource)["resource"], json!(identifier), "to the letter");
    }
}

#[test]
fn an_identifier_that_is_read_in_two_ways_is_refused_with_the_reason() {
    let table = [
        ("", "an absolute URL"),
        ("api.example.com", "an absolute URL"),
        ("/mcp", "an absolute URL"),
        ("urn:example:api", "an https URL"),
        ("http://api.example.com", "an https URL"),
        ("http://localhost.example.com", "an https URL"),
        ("http://10.0.0.1/mcp", "an https URL"),
        ("ftp://api.example.com", "an https URL"),
        ("https://api.example.com/mcp#a", "without a fragment"),
        ("https://api.example.com/mcp#", "without a fragment"),
        ("https://api.example.com/mcp?a=b", "without a query"),
        ("https://api.example.com/mcp?", "without a query"),
        ("https://api.example.com/mcp?token=secret", "without a query"),
        ("https://api.example.com/mcp#secret", "without a fragment"),
        ("alice:secret@api.example.com", "an https URL"),
        ("https://alice@api.example.com", "without a user"),
        ("https://alice:secret@api.example.com", "without a user"),
        ("https://@api.example.com", "without a user"),
        ("https://api.example.com/a%2Fb", "a path of letters"),
        ("https://api.example.com/a%5Cb", "a path of letters"),
        ("https://api.example.com/%6dcp", "a path of letters"),
        ("https://api.example.com/a b", "a path of letters"),
        ("https://api.example.com/{id}", "a path of letters"),
        ("https://api.example.com/:id", "a path of letters"),
        ("https://api.example.com/*", "a path of letters"),
        ("https://api.example.com/é", "a path of letters"),
        ("https://api.example.com/a;b", "a path of letters"),
        ("https://api.example.com//mcp", "without empty segments"),
        ("https://api.example.com/a//b", "without empty segments"),
        ("https://api.example.com/mcp//", "without empty segments"),
        ("https://api.example.com/../mcp", "its normal form"),
        ("https://api.example.com/a/../mcp", "its normal form"),
        ("https://api.example.com/a/%2e%2e/mcp", "its normal form"),
        ("https://api.example.com/./mcp", "its normal form"),
        ("https://api.example.com\\mcp", "its normal form"),
        ("https://API.example.com/mcp", "its normal form"),
        ("HTTPS://api.example.com/mcp", "its normal form"),
        ("https://api.example.com:443/mcp", "its normal form"),
        ("https:api.example.com/mcp", "its normal form"),
        (" https://api.example.com/mcp", "its normal form"),
        ("https://api.example.com/mcp\n", "its normal form"),
        ("https://api.exa\tmple.com/mcp", "its normal form"),
        ("https://exämple.com/mcp", "its normal form"),
        ("http://2130706433/mcp", "its normal form"),
    ];
    for (identifier, reason) in table {
        let rules = ResourceRules { resource: identifier.to_owned(), ..ResourceRules::default() };
        let error = rules.check().unwrap_err().to_string();
        assert!(error.starts_with("`resource`: expected ") && error.contains(reason), "{identifier:?}: {error}");
        assert!(!error.contains("secret"), "{identifier:?}: {error}");
    }
}

#[test]
fn the_document_has_the_members_that_were_described_and_no_others() {
    let bare = resource("https://api.example.com");
    let expected = json!({
        "resource": "https://api.example.com", "authorization_servers": [AS], "bearer_methods_supported": ["header"],
    });
    assert_eq!(metadata(&bare), expected);
    let none: Value = serde_json::from_slice(bare.document(false, None).body()).unwrap();
    assert_eq!(none["bearer_methods_supported"], json!([]), "tokens in a cookie are sent by no method of RFC 6750");

    let rules = serde_json::from_value(json!({
        "resource": "https://api.example.com",
        "name": "The \"API\" of é",
        "documentation": "https://example.com/docs",
        "policy_uri": "https://example.com/policy",
        "tos_uri": "http://example.com/tos",
        "scopes_supported": ["a", "b", "a"],
        "authorization_servers": ["https://front.example.com", "https://front.example.com", "https://other.example.com"],
        "jwks_uri": "https://api.example.com/jwks",
    }));
    let full = Resource::new(rules.unwrap(), vec![AS.to_owned()]).unwrap();
    let expected = json!({
        "resource": "https://api.example.com",
        "authorization_servers": ["https://front.example.com", "https://other.example.com"],
        "jwks_uri": "https://api.example.com/jwks",
        "scopes_supported": ["a", "b"],
        "bearer_methods_supported": ["header"],
        "resource_name": "The \"API\" of é",
        "resource_documentation": "https://example.com/docs",
        "resource_policy_uri": "https://example.com/policy",
        "resource_tos_uri": "http://example.com/tos",
    });
    assert_eq!(metadata(&full), expected);
}

#[test]
fn a_description_with_a_mistake_is_refused_with_its_member() {
    let table = [
        (json!({ "documentation": "docs" }), "`documentation`: expected the URL of a web page"),
        (json!({ "policy_uri": "javascript:alert(1)" }), "`policy_uri`: expected the URL of a web page"),
        (json!({ "tos_uri": "" }), "`tos_uri`: expected the URL of a web page"),
        (json!({ "scopes_supported": ["a", "b c"] }), "`scopes_supported[1]`: expected one scope value"),
        (
            json!({ "authorization_servers": ["http://as.example.com"] }),
            "`authorization_servers[0]`: expected an https URL",
        ),
        (json!({ "authorization_servers": ["https://as.example.com?a"] }), "without query and fragment"),
        (json!({ "jwks_uri": "http://api.example.com/jwks" }), "`jwks_uri`: expected an https URL"),
    ];
    for (members, expected) in table {
        let mut rules = json!({ "resource": "https://api.example.com" });
        rules.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let rules: ResourceRules = serde_json::from_value(rules).unwrap();
        let error = Resource::new(rules, vec![AS.to_owned()]).unwrap_err().to_string();
        assert!(error.contains(expected), "{members}: {error}");
    }
    let unknown = serde_json::from_value::<ResourceRules>(json!({ "resource_name": "x" }));
    assert!(unknown.unwrap_err().to_string().contains("unknown field"));
}

#[test]
fn clients_have_to_be_sent_somewhere() {
    let rules = || ResourceRules { resource: "https://api.example.com".to_owned(), ..ResourceRules::default() };
    for (issuers, expected) in [
        (vec![], "expected an authorization server that clients can be sent to, got none"),
        (vec!["accounts.example.com".to_owned()], "expected issuers that are URLs"),
        (vec![AS.to_owned(), "urn:as".to_owned()], "expected issuers that are URLs"),
    ] {
        let error = Resource::new(rules(), issuers).unwrap_err().to_string();
        assert!(error.starts_with("`authorization_servers`: ") && error.contains(expected), "{error}");
    }
    let named = ResourceRules { authorization_servers: vec![AS.to_owned()], ..rules() };
    assert_eq!(metadata(&Resource::new(named, Vec::new()).unwrap())["authorization_servers"], json!([AS]));
    let several = ["https://b.example.com", AS, "https://b.example.com"].map(str::to_owned).to_vec();
    let several = Resource::new(rules(), several).unwrap();
    assert_eq!(
        metadata(&several)["authorization_servers"],
        json!(["https://b.example.com", AS]),
        "in order, each once"
    );
}

#[test]
fn only_scope_of_rules_that_live_is_published() {
    let resource = resource("https://api.example.com");
    let scopes = |resource: &Resource| metadata(resource)["scopes_supported"].clone();
    let of = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
    assert_eq!(scopes(&resource), Value::Null);
    let first = resource.register(of(&["a", "b"]));
    let second = resource.register(of(&["b", "c"]));
    assert_eq!(scopes(&resource), json!(["a", "b", "c"]));
    let clone = first.clone();
    drop(first);
    assert_eq!(scopes(&resource), json!(["a", "b", "c"]), "a clone lives");
    drop(clone);
    assert_eq!(scopes(&resource), json!(["b", "c"]));
    resource.publish(&["d", "b"]);
    resource.publish(&["d"]);
    drop(second);
    assert_eq!(scopes(&resource), json!(["d", "b"]));
}

#[test]
fn the_document_answers_each_method() {
    let document = resource("https://api.example.com/mcp").document(true, None);
    let field = |method: &str, name: &str| {
        let response = document.response(method);
        response.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
    };
    for method in ["GET", "HEAD"] {
        let response = document.response(method);
        assert_eq!((response.status().as_u16(), response.body()), (200, document.body()), "{method}");
        assert_eq!(field(method, "content-type").as_deref(), Some("application/json"));
        assert_eq!(field(method, "cache-control").as_deref(), Some("public, max-age=300"));
    }
    let preflight = document.response("OPTIONS");
    assert_eq!((preflight.status().as_u16(), preflight.body().len()), (204, 0));
    assert_eq!(field("OPTIONS", "access-control-allow-headers").as_deref(), Some("*"));
    assert_eq!(field("OPTIONS", "access-control-allow-methods").as_deref(), Some("GET, HEAD, OPTIONS"));
    for method in ["POST", "PUT", "DELETE", "PATCH", "TRACE", "get", ""] {
        let response = document.response(method);
        assert_eq!((response.status().as_u16(), response.body().len()), (405, 0), "{method}");
        assert_eq!(field(method, "allow").as_deref(), Some("GET, HEAD, OPTIONS"));
    }
    for method in ["GET", "HEAD", "OPTIONS", "POST"] {
        assert_eq!(field(method, "access-control-allow-origin").as_deref(), Some("*"), "{method}");
        assert_eq!(field(method, "www-authenticate"), None, "{method}");
    }
}
