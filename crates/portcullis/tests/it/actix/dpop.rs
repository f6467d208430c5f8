//! DPoP at the actix door: the verdicts of the axum door, nonces, scopes and proxies.

use std::net::IpAddr;

use actix_web::{App, web};
use axum::{Router, body::Body, routing::get};
use http::Request;
use portcullis::{Dpop, Nonces, Secure};
use portcullis_testkit::{Algorithm, DpopCase, DpopClient};

use super::{answer, read, request};
use crate::support::{Answer, Setup, answer as by_axum};

const URL: &str = "https://api.example.com/notes/new";

fn secure(setup: &Setup, dpop: Dpop) -> Secure {
    Secure::new(setup.jwks.clone()).dpop(dpop).problem_json()
}

/// The answer to a request for [`URL`] with these fields.
async fn sent(secure: &Secure, fields: &[(&'static str, String)]) -> Answer {
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let app = App::new().route("/notes/new", web::get().to(|| async { "made" })).wrap(secure.clone());
    answer!(app, "/notes/new", &[&[("host", "api.example.com")], fields.as_slice()].concat())
}

#[tokio::test]
async fn each_case_of_the_test_kit_gets_the_answer_of_the_axum_door() {
    let setup = Setup::new().await;
    let client = DpopClient::new(Algorithm::ES256).with_clock(setup.clock.clone());
    for dpop in [|| Dpop::allowed(), || Dpop::required()] {
        // Each door has its own memory: the same proof is sent to both.
        let (actix, axum) = (secure(&setup, dpop()), secure(&setup, dpop()));
        let router = Router::new().route("/notes/new", get(|| async { "made" })).layer(axum);
        let to_axum = async |fields: &[(&'static str, String)]| {
            let request = Request::get("/notes/new").header("host", "api.example.com");
            let request = fields.iter().fold(request, |request, (name, value)| request.header(*name, value));
            by_axum(&router, request.body(Body::empty()).unwrap()).await
        };
        for case in DpopCase::ALL {
            let attempt = client.attempt(*case, "GET", URL, &setup.server.token());
            for fields in attempt.earlier().chain([attempt.fields()]) {
                let (one, other) = (sent(&actix, fields).await, to_axum(fields).await);
                assert_eq!((one.status, &one.body), (other.status, &other.body), "{case}");
                let challenges = |answer: &Answer| -> Vec<_> {
                    answer.headers.get_all("www-authenticate").iter().cloned().collect()
                };
                assert_eq!(challenges(&one), challenges(&other), "{case}");
            }
        }
    }
}

#[tokio::test]
async fn a_nonce_is_given_with_a_refusal_and_with_a_pass() {
    let setup = Setup::new().await;
    let client = DpopClient::new(Algorithm::ES256).with_clock(setup.clock.clone());
    let token = setup.server.token().bound_to_key(client.thumbprint()).sign();
    let secure = secure(&setup, Dpop::required().nonces(Nonces::random().unwrap()));
    let refused = sent(&secure, &client.fields("GET", URL, &token)).await;
    assert!(refused.status == 401 && refused.body.contains("dpop_nonce_missing"), "{}", refused.body);
    let nonce = refused.headers["dpop-nonce"].to_str().unwrap();
    let proof = client.proof("GET", URL).token(&token).nonce(nonce).sign();
    let passed = sent(&secure, &[("authorization", format!("DPoP {token}")), ("dpop", proof)]).await;
    assert_eq!(passed.status, 200, "{}", passed.body);
    assert!(passed.headers.contains_key("dpop-nonce"));
}

#[tokio::test]
async fn a_proof_is_for_the_whole_path_and_for_the_host_that_a_trusted_proxy_tells() {
    let setup = Setup::new().await;
    let client = DpopClient::new(Algorithm::ES256).with_clock(setup.clock.clone());
    let token = setup.server.token().bound_to_key(client.thumbprint()).sign();
    let secure = secure(&setup, Dpop::required().forwarded_from(|peer: IpAddr| peer.is_loopback()));
    for (peer, url, status) in [
        ("127.0.0.1:5000", "https://public.example/v1/notes/new", 200),
        ("127.0.0.1:5000", "https://api.example.com/v1/notes/new", 401),
        ("127.0.0.1:5000", "https://public.example/notes/new", 401),
        ("192.0.2.1:5000", "https://public.example/v1/notes/new", 401),
        ("192.0.2.1:5000", "https://api.example.com/v1/notes/new", 200),
    ] {
        let scope = web::scope("/v1").wrap(secure.clone()).route("/notes/new", web::get().to(|| async { "made" }));
        let app = actix_web::test::init_service(App::new().service(scope)).await;
        let fields = client.fields("GET", url, &token);
        let mut sent = vec![("host", "api.example.com"), ("x-forwarded-host", "public.example")];
        sent.extend(fields.iter().map(|(name, value)| (*name, value.as_str())));
        let request = request("/v1/notes/new", &sent).peer_addr(peer.parse().unwrap()).to_request();
        let got = read(actix_web::test::call_service(&app, request).await).await;
        assert_eq!(got.status, status, "{peer} {url}: {}", got.body);
    }
}

#[tokio::test]
async fn of_two_nonces_the_client_gets_that_of_the_layer_that_refused_or_of_the_inner_one() {
    let setup = Setup::new().await;
    let client = DpopClient::new(Algorithm::ES256).with_clock(setup.clock.clone());
    let token = setup.server.token().bound_to_key(client.thumbprint()).sign();
    let asking = || Dpop::allowed().nonces(Nonces::random().unwrap());
    let with = |nonce: &str| {
        let proof = client.proof("GET", URL).token(&token).nonce(nonce).sign();
        vec![("authorization", format!("DPoP {token}")), ("dpop", proof)]
    };
    let nonce_of = |answer: &Answer| {
        let all: Vec<_> = answer.headers.get_all("dpop-nonce").iter().collect();
        let [nonce] = all[..] else { panic!("expected one nonce, got {}", all.len()) };
        nonce.to_str().unwrap().to_owned()
    };
    let (one, other) = (asking(), asking());
    let own = async |dpop: &Dpop| nonce_of(&sent(&secure(&setup, dpop.clone()), &[]).await);
    let (of_one, of_other) = (own(&one).await, own(&other).await);
    let plain = Dpop::allowed();
    // The layers; the nonce of the proof; the answer: its status, and its nonce.
    for (outer, inner, shown, status, given) in [
        (&one, &other, &of_one, 401, &of_other),
        (&one, &other, &of_other, 401, &of_one),
        (&one, &one, &of_one, 200, &of_one),
        (&one, &plain, &of_one, 200, &of_one),
        (&plain, &other, &of_other, 200, &of_other),
        (&plain, &other, &of_one, 401, &of_other),
    ] {
        let [outer, inner] = [outer, inner].map(|dpop| secure(&setup, dpop.clone()));
        let fields = with(shown);
        let mut fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        fields.push(("host", "api.example.com"));
        let route = web::get().to(|| async { "made" });
        let actix = answer!(
            App::new().route("/notes/new", route).wrap(inner.clone()).wrap(outer.clone()),
            "/notes/new",
            &fields
        );
        assert_eq!((actix.status.as_u16(), &nonce_of(&actix)), (status, given), "{}", actix.body);
        // The same at axum, with another proof.
        let app = Router::new().route("/notes/new", get(|| async { "made" }).layer(inner)).layer(outer);
        let request = Request::get("/notes/new").header("host", "api.example.com");
        let request = with(shown).into_iter().fold(request, |request, (name, value)| request.header(name, value));
        let axum = by_axum(&app, request.body(Body::empty()).unwrap()).await;
        assert_eq!((axum.status.as_u16(), &nonce_of(&axum)), (status, given), "{}", axum.body);
    }
}

#[tokio::test]
async fn a_layer_in_shadow_mode_takes_no_proof_from_the_layer_within() {
    let setup = Setup::new().await;
    let client = DpopClient::new(Algorithm::ES256).with_clock(setup.clock.clone());
    let token = setup.server.token().bound_to_key(client.thumbprint()).sign();
    let today = secure(&setup, Dpop::required());
    let soon = today.clone().scope(["write"]).report_only();
    let fields = client.fields("GET", URL, &token);
    let mut fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    fields.push(("host", "api.example.com"));
    for status in [200, 401] {
        let route = web::get().to(|| async { "made" });
        let app = App::new().route("/notes/new", route).wrap(today.clone()).wrap(soon.clone());
        assert_eq!(answer!(app, "/notes/new", &fields).status, status);
    }
}
