//! Proofs and certificates where layers, routers and versions of HTTP meet, at the axum door.

use axum::{
    Extension, Router,
    body::Body,
    routing::{get, post},
};
use http::{Request, Version, header::AUTHORIZATION};
use portcullis::{Dpop, McpRules, ProtectedResource, Secure, TokenSource, ToolRule, Verifier};
use portcullis_testkit::{Algorithm, DpopClient};

use crate::{
    client_certificate::{OTHER, OWN, bound},
    support::{Answer, Setup, answer},
};

const URL: &str = "https://api.example.com/notes";

fn client(setup: &Setup) -> DpopClient {
    DpopClient::new(Algorithm::ES256).with_clock(setup.clock.clone())
}

fn asked(uri: &str, fields: &[(&'static str, String)]) -> Request<Body> {
    let request = fields.iter().fold(Request::get(uri), |request, (name, value)| request.header(*name, value));
    request.body(Body::empty()).unwrap()
}

/// A request over HTTP/1.1, by the path alone.
fn notes(fields: &[(&'static str, String)]) -> Request<Body> {
    let host = [("host", "api.example.com".to_owned())];
    asked("/notes", &[&host, fields].concat())
}

fn told(answer: &Answer) -> &str {
    if answer.status == 200 {
        "pass"
    } else {
        answer.body.split("\"code\":\"").nth(1).unwrap_or_default().split('"').next().unwrap()
    }
}

#[tokio::test]
async fn a_layer_in_shadow_mode_takes_no_proof_from_the_layer_within() {
    let setup = Setup::new().await;
    let client = client(&setup);
    let token = setup.server.token().scope("read").bound_to_key(client.thumbprint()).sign();
    let today = Secure::new(setup.jwks.clone()).dpop(Dpop::required()).problem_json();
    for soon in [
        today.clone().report_only(),
        today.clone().scope(["write"]).report_only(),
        today.clone().acr(["urn:example:mfa"]).report_only(),
        // Without a look at the token, or at the proof.
        today.clone().token_from([TokenSource::cookie("at")]).report_only(),
        today.clone().max_token_bytes(1).report_only(),
        Secure::new(setup.jwks.clone()).report_only(),
    ] {
        let app = Router::new().route("/notes", get(|| async { "made" })).layer(today.clone()).layer(soon);
        for app in [app.clone(), app.layer(today.clone())] {
            let fields = client.fields("GET", URL, &token);
            assert_eq!(told(&answer(&app, notes(&fields)).await), "pass");
            assert_eq!(told(&answer(&app, notes(&fields)).await), "dpop_replayed");
        }
    }
}

#[tokio::test]
async fn the_authority_of_the_target_comes_before_host() {
    let setup = Setup::new().await;
    let client = client(&setup);
    let token = setup.server.token().bound_to_key(client.thumbprint()).sign();
    let secure = Secure::new(setup.jwks.clone()).dpop(Dpop::required()).problem_json();
    let app = Router::new().nest("/v1", Router::new().route("/notes", get(|| async { "made" })).layer(secure));
    let (own, evil) = ("https://api.example.com/v1/notes", "https://evil.example/v1/notes");
    for (version, target, hosts, url, expected) in [
        (Version::HTTP_2, own, &[][..], own, "pass"),
        (Version::HTTP_2, own, &["evil.example"], own, "pass"),
        (Version::HTTP_2, own, &["evil.example"], evil, "dpop_url"),
        (Version::HTTP_2, own, &["evil.example", "evil.example"], evil, "dpop_url"),
        (Version::HTTP_2, "http://api.example.com/v1/notes", &[], own, "pass"),
        (Version::HTTP_2, "https://API.example.com:443/v1/notes?x=1", &[], own, "pass"),
        (Version::HTTP_2, "https://evil.example@api.example.com/v1/notes", &[], own, "dpop_url_unknown"),
        (Version::HTTP_2, "/v1/notes", &["api.example.com"], own, "pass"),
        (Version::HTTP_2, "/v1/notes", &[], own, "dpop_url_unknown"),
        (Version::HTTP_11, own, &["evil.example"], own, "pass"),
        (Version::HTTP_11, own, &["evil.example"], evil, "dpop_url"),
        (Version::HTTP_11, "/v1/notes", &["api.example.com", "evil.example"], own, "dpop_url_unknown"),
        (Version::HTTP_11, "/v1/notes", &["api.example.com, evil.example"], own, "dpop_url_unknown"),
        (Version::HTTP_11, "/v1/notes", &[""], own, "dpop_url_unknown"),
    ] {
        let hosts = hosts.iter().map(|host| ("host", (*host).to_owned()));
        let fields: Vec<_> = hosts.chain(client.fields("GET", url, &token)).collect();
        let mut request = asked(target, &fields);
        *request.version_mut() = version;
        assert_eq!(told(&answer(&app, request).await), expected, "{version:?} {target} {url} {fields:?}");
    }
}

#[tokio::test]
async fn a_bound_token_in_a_cookie_is_no_token_with_a_proof() {
    let setup = Setup::new().await;
    let client = client(&setup);
    let bound = setup.server.token().bound_to_key(client.thumbprint()).sign();
    let plain = setup.server.token().sign();
    let sources = [TokenSource::authorization(), TokenSource::cookie("at")];
    let proof = |token: &str| ("dpop", client.proof("GET", URL).token(token).sign());
    let cookie = |token: &str| ("cookie", format!("at={token}"));
    let scheme = |scheme: &str, token: &str| ("authorization", format!("{scheme} {token}"));
    for (dpop, fields, expected) in [
        (Dpop::allowed(), vec![cookie(&bound), proof(&bound)], "sender_constrained_token"),
        (Dpop::allowed(), vec![cookie(&bound)], "sender_constrained_token"),
        (Dpop::allowed(), vec![cookie(&plain), proof(&plain)], "unbound_token"),
        (Dpop::allowed(), vec![cookie(&plain)], "pass"),
        (Dpop::required(), vec![cookie(&plain)], "dpop_required"),
        (Dpop::allowed(), vec![scheme("DPoP", &bound), proof(&bound), cookie(&bound)], "several_tokens"),
        (Dpop::allowed(), vec![scheme("DPoP", &bound), proof(&bound), cookie("")], "pass"),
        (Dpop::allowed(), vec![scheme("DPoP", ""), proof(&bound), cookie(&bound)], "sender_constrained_token"),
        (Dpop::allowed(), vec![scheme("Basic", "YTpi"), proof(&bound), cookie(&bound)], "sender_constrained_token"),
        (Dpop::allowed(), vec![scheme("DPoP", &bound), scheme("DPoP", &bound), proof(&bound)], "several_tokens"),
    ] {
        let secure = Secure::new(setup.jwks.clone()).token_from(sources.clone()).dpop(dpop).problem_json();
        let app = Router::new().route("/notes", get(|| async { "made" })).layer(secure);
        let answer = answer(&app, notes(&fields)).await;
        assert_eq!(
            told(&answer),
            expected,
            "{} {:?}",
            answer.status,
            fields.iter().map(|field| field.0).collect::<Vec<_>>()
        );
    }
}

#[tokio::test]
async fn a_certificate_is_enough_where_tokens_have_to_be_bound() {
    let setup = Setup::new().await;
    let (of_certificate, plain) = (bound(&setup).sign(), setup.server.token().sign());
    let dpop = client(&setup);
    let of_key = setup.server.token().bound_to_key(dpop.thumbprint()).sign();
    let secure = Secure::new(setup.jwks.clone()).sender_constrained().problem_json();
    let by_either = secure.clone().dpop(Dpop::allowed());
    let bearer = |token: &str| vec![("authorization", format!("Bearer {token}"))];
    for (secure, certificate, fields, expected) in [
        (&secure, Some(OWN), bearer(&of_certificate), "pass"),
        (&secure, Some(OTHER), bearer(&of_certificate), "wrong_certificate"),
        (&secure, None, bearer(&of_certificate), "sender_constrained_token"),
        (&secure, Some(OWN), bearer(&plain), "sender_constraint_required"),
        (&secure, None, bearer(&of_key), "sender_constrained_token"),
        (&by_either, Some(OWN), bearer(&of_certificate), "pass"),
        (&by_either, None, dpop.fields("GET", URL, &of_key), "pass"),
        (&by_either, Some(OTHER), dpop.fields("GET", URL, &of_key), "pass"),
        (&by_either, Some(OWN), bearer(&of_key), "sender_constrained_token"),
        // A proof is none for a token that is bound to a certificate.
        (&by_either, Some(OWN), dpop.fields("GET", URL, &of_certificate), "unbound_token"),
        (&by_either, None, dpop.fields("GET", URL, &of_certificate), "sender_constrained_token"),
    ] {
        let app = Router::new().route("/notes", get(|| async { "made" })).layer(secure.clone());
        let app = match certificate {
            Some(certificate) => app.layer(Extension(certificate)),
            None => app,
        };
        // Twice: the second time the token is known.
        for _ in 0..2 {
            let fields: Vec<_> = match fields.iter().any(|(name, _)| *name == "dpop") {
                true => dpop.fields("GET", URL, fields[0].1.split(' ').nth(1).unwrap()),
                false => fields.clone(),
            };
            assert_eq!(told(&answer(&app, notes(&fields)).await), expected);
        }
    }
}

#[tokio::test]
async fn an_mcp_server_in_a_nested_router_is_judged_by_the_whole_path() {
    let setup = Setup::new().await;
    let client = client(&setup);
    let url = "https://api.example.com/tools/mcp";
    let mut rules = McpRules::default();
    rules.tools = vec![ToolRule::new("delete_*", ["write"])];
    let issuer = Verifier::builder(setup.jwks.clone()).issuer(setup.server.issuer());
    let secure = Secure::protecting(ProtectedResource::new(url).mcp(rules).issuer(issuer)).unwrap();
    let secure = secure.dpop(Dpop::required());
    let server = |headers: http::HeaderMap, content: String| async move {
        assert!(!headers.contains_key(AUTHORIZATION), "the token ends at the layer");
        content
    };
    let inner = Router::new().route("/mcp", post(server)).layer(secure.clone());
    let app = secure.metadata_router().nest("/tools", inner);
    let token = setup.server.token().audience(url).scope("read").bound_to_key(client.thumbprint()).sign();
    let call = |name: &str| format!(r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{{"name":"{name}"}}}}"#);
    let post = |path: &str, fields: &[(&'static str, String)], content: String| {
        let request = Request::post(path).header("host", "api.example.com").header("content-type", "application/json");
        let request = fields.iter().fold(request, |request, (name, value)| request.header(*name, value));
        request.body(Body::from(content)).unwrap()
    };

    let document = answer(&app, asked("/.well-known/oauth-protected-resource/tools/mcp", &[])).await;
    assert_eq!(document.status, 200);
    assert!(document.body.contains("\"dpop_bound_access_tokens_required\":true"), "{}", document.body);

    let fields = client.fields("POST", url, &token);
    assert_eq!(answer(&app, post("/tools/mcp", &fields, call("list"))).await.body, call("list"));
    assert_eq!(answer(&app, post("/tools/mcp", &fields, call("list"))).await.status, 401, "a replay");
    let inside = client.fields("POST", "https://api.example.com/mcp", &token);
    assert_eq!(answer(&app, post("/tools/mcp", &inside, call("list"))).await.status, 401, "the path after nesting");
    let fields = client.fields("POST", url, &token);
    assert_eq!(answer(&app, post("/tools/mcp", &fields, call("delete_all"))).await.status, 403);
    let bearer = [("authorization", format!("Bearer {token}"))];
    assert_eq!(answer(&app, post("/tools/mcp", &bearer, call("list"))).await.status, 401);
}
