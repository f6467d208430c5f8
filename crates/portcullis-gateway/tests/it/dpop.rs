//! DPoP (RFC 9449) at both doors: the answer to each kind of request, the client's URL, and nonces.

use envoy_types::pb::envoy::{
    config::core::v3::{HeaderMap, HeaderValue, HeaderValueOption},
    service::auth::v3::{
        CheckResponse, attribute_context::HttpRequest, authorization_client::AuthorizationClient,
        check_response::HttpResponse,
    },
};
use portcullis_testkit::{Algorithm, AuthorizationServer, DpopCase, DpopClient};
use tonic::transport::Channel;

use crate::{
    ext_authz::{connect, of},
    forward_auth::send_to,
    support::{Gateway, code_of, issuer},
};

/// The host, path and URL of the requests.
const HOST: &str = "api.example.com";
const TARGET: &str = "/orders/order?x=1";
const URL: &str = "https://api.example.com/orders/order?x=1";

/// The header fields of a client.
type Fields = Vec<(&'static str, String)>;

/// The answer of a door, as its client gets it.
#[derive(Debug, Clone, PartialEq)]
struct Told {
    status: u16,
    code: String,
    challenge: String,
    nonce: Option<String>,
}

struct Doors {
    server: AuthorizationServer,
    gateway: Gateway,
    envoy: AuthorizationClient<Channel>,
}

impl Doors {
    /// Opens both doors of a gateway with these tables.
    async fn with(tables: &str) -> Self {
        Self::with_keys("", tables).await
    }

    /// The same with further keys above the tables.
    async fn with_keys(keys: &str, tables: &str) -> Self {
        let server = AuthorizationServer::start().await;
        let limits = "[limits]\nheader_bytes = \"256KiB\"\n";
        let gateway = Gateway::start_with(keys, &format!("{}{tables}{limits}", issuer(&server, ""))).await;
        gateway.ready().await;
        let envoy = connect(&gateway).await;
        Self { server, gateway, envoy }
    }

    /// Returns a bound token.
    fn token(&self, client: &DpopClient) -> String {
        self.server.token().bound_to_key(client.thumbprint()).sign()
    }

    /// Sends a question as Traefik and Caddy do.
    async fn forward_auth(&self, method: &str, fields: &[(&'static str, String)], described: &str) -> Told {
        let client: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let described = format!("X-Forwarded-Method: {method}\r\nX-Forwarded-Uri: {TARGET}\r\n{described}{client}");
        let answer = send_to(HOST, &self.gateway, "GET", "/auth", &described).await;
        let field = |name| answer.header(name).map(str::to_owned);
        Told {
            status: answer.status,
            code: answer.code(),
            challenge: field("www-authenticate").unwrap_or_default(),
            nonce: field("dpop-nonce"),
        }
    }

    /// Sends a check as Envoy does, with raw header fields.
    async fn ext_authz(&self, method: &str, fields: &[(&'static str, String)], scheme: &str, host: &str) -> Told {
        let field = |(name, value): &(&str, String)| HeaderValue {
            key: (*name).to_owned(),
            raw_value: value.clone().into_bytes(),
            ..HeaderValue::default()
        };
        let header_map = Some(HeaderMap { headers: fields.iter().map(field).collect() });
        let (method, path) = (method.to_owned(), TARGET.to_owned());
        let (scheme, host) = (scheme.to_owned(), host.to_owned());
        let http = HttpRequest { method, path, scheme, host, header_map, ..HttpRequest::default() };
        told(self.envoy.clone().check(of(http)).await.unwrap().into_inner())
    }

    /// Sends a request to both doors, each with fields of its own, and returns the common answer.
    async fn ask(&self, method: &str, fields: [Fields; 2]) -> Told {
        let [first, second] = fields;
        let told = self.forward_auth(method, &first, "").await;
        let other = self.ext_authz(method, &second, "https", HOST).await;
        let without_nonce = |told: &Told| Told { nonce: None, ..told.clone() };
        assert_eq!(without_nonce(&told), without_nonce(&other));
        assert_eq!(told.nonce.is_some(), other.nonce.is_some());
        told
    }
}

fn told(response: CheckResponse) -> Told {
    let value = |options: &[HeaderValueOption], name: &str| {
        let headers = options.iter().filter_map(|option| option.header.as_ref());
        let values: Vec<_> = headers.filter(|header| header.key == name).map(|header| header.value.clone()).collect();
        assert!(values.len() <= 1, "{values:?}");
        values.into_iter().next()
    };
    match response.http_response.unwrap() {
        HttpResponse::OkResponse(ok) => Told {
            status: 200,
            code: "pass".to_owned(),
            challenge: String::new(),
            nonce: value(&ok.response_headers_to_add, "dpop-nonce"),
        },
        HttpResponse::DeniedResponse(denied) => Told {
            status: u16::try_from(denied.status.unwrap().code).unwrap(),
            code: code_of(&denied.body),
            challenge: value(&denied.headers, "www-authenticate").unwrap_or_default(),
            nonce: value(&denied.headers, "dpop-nonce"),
        },
        other => panic!("{other:?}"),
    }
}

/// The code of the refusal of a case; `pass` if there is none.
fn code(case: DpopCase) -> &'static str {
    use DpopCase as C;
    match case {
        _ if case.must_pass() => "pass",
        C::MissingProof => "missing_dpop_proof",
        C::TwoProofs => "several_dpop_proofs",
        C::BoundTokenAsBearer | C::BoundTokenAsBearerWithProof => "sender_constrained_token",
        C::UnboundToken | C::UnboundTokenAsBearerWithProof => "unbound_token",
        C::TwoSchemes => "several_tokens",
        C::Replay | C::ReusedJti | C::ReusedJtiInAnotherSpelling => "dpop_replayed",
        C::Oversized | C::JtiHuge => "dpop_proof_too_large",
        C::TypMissing | C::TypJwt | C::TypAccessToken => "dpop_type",
        C::AlgNone | C::AlgMissing | C::SymmetricKey | C::AlgorithmConfusion => "dpop_algorithm",
        C::AlgMismatch
        | C::JwkMissing
        | C::JwkNotAnObject
        | C::JwkPrivate
        | C::JwkOffCurve
        | C::JwkRsa1024
        | C::JwkByReference => "dpop_key",
        C::JwkOfAThief => "dpop_wrong_key",
        C::SignedByAnotherKey | C::FlippedSignatureBit | C::EmptySignature | C::DerSignature => "dpop_signature",
        C::HtmOther | C::HtmInAnotherCase => "dpop_method",
        C::HtuRelative
        | C::HtuEmpty
        | C::HtuOtherHost
        | C::HtuHostPrefix
        | C::HtuOtherScheme
        | C::HtuOtherPort
        | C::HtuOtherPath
        | C::HtuTrailingSlash
        | C::HtuEncodedSlash
        | C::HtuUserIsHost
        | C::HtuUserinfo
        | C::HtuBackslashes
        | C::HtuSpaces
        | C::HtuTab
        | C::HtuOneSlash => "dpop_url",
        C::IatOld | C::IatNegative => "dpop_too_old",
        C::IatAhead | C::IatMilliseconds => "dpop_ahead",
        C::AthOfAnotherToken | C::AthPadded | C::AthHex | C::AthOfDecodedToken => "dpop_wrong_token",
        C::NonceMissing => "dpop_nonce_missing",
        C::NonceEmpty | C::NonceForged | C::NonceTampered | C::NonceTruncated => "dpop_nonce_stale",
        _ => "malformed_dpop_proof",
    }
}

#[tokio::test]
async fn each_case_has_its_status_challenge_and_code_at_both_doors() {
    for nonces in [false, true] {
        let tables = format!(
            "[[routes]]\npath = \"/orders/*\"\nrealm = \"orders\"\n[dpop]\nuse = \"allowed\"\nnonces = {nonces}\n"
        );
        let doors = Doors::with(&tables).await;
        let mut client = DpopClient::new(Algorithm::ES256);
        let cases: Vec<_> = match nonces {
            false => DpopCase::ALL.to_vec(),
            true => {
                let fields = || client.fields("GET", URL, &doors.token(&client));
                let first = [fields(), fields()];
                let nonce = doors.ask("GET", first).await.nonce.unwrap();
                client = client.with_nonce(nonce);
                // The nonce tells the time.
                let of_time = |case: &&DpopCase| {
                    matches!(
                        case,
                        DpopCase::IatOld | DpopCase::IatNegative | DpopCase::IatAhead | DpopCase::IatMilliseconds
                    )
                };
                DpopCase::ALL.iter().chain(DpopCase::NONCES).filter(|case| !of_time(case)).copied().collect()
            }
        };
        for case in cases {
            let attempts = [(); 2].map(|()| client.attempt(case, "GET", URL, &doors.server.token()));
            for (earlier, other) in attempts[0].earlier().zip(attempts[1].earlier()) {
                let fields = [earlier, other].map(<[_]>::to_vec);
                assert_eq!(doors.ask("GET", fields).await.status, 200, "before {case}");
            }
            let told = doors.ask("GET", attempts.map(|attempt| attempt.fields().to_vec())).await;
            let code = code(case);
            let (status, challenge) = match code {
                "pass" => (200, ""),
                "several_tokens" => (400, "Bearer realm=\"orders\", error=\"invalid_request\""),
                "sender_constrained_token" | "unbound_token" => {
                    (401, "Bearer realm=\"orders\", error=\"invalid_token\"")
                }
                "dpop_nonce_missing" | "dpop_nonce_stale" => (401, "DPoP realm=\"orders\", error=\"use_dpop_nonce\""),
                _ => (401, "DPoP realm=\"orders\", error=\"invalid_dpop_proof\""),
            };
            let about = format!("{case} ({}), nonces {nonces}: {told:?}", case.description());
            assert_eq!((told.status, told.code.as_str()), (status, code), "{about}");
            assert!(told.challenge.starts_with(challenge), "{about}");
            let has_algorithms =
                told.challenge.contains("DPoP realm=\"orders\", ") && told.challenge.contains("algs=\"");
            assert_eq!(has_algorithms, status != 200, "{about}");
            let wants_nonce = status == 200 || challenge.contains("use_dpop_nonce");
            assert!(told.nonce.is_some() == nonces || !wants_nonce, "{about}");
        }
    }
}

#[tokio::test]
async fn several_proofs_that_envoy_joins_are_no_proof() {
    let doors = Doors::with("[dpop]\nuse = \"required\"\n").await;
    let client = DpopClient::new(Algorithm::ES256);
    let token = doors.token(&client);
    let [one, other] = [(); 2].map(|()| client.proof("GET", URL).token(&token).sign());
    let fields = [("authorization", format!("DPoP {token}")), ("dpop", format!("{one},{other}"))];
    let told = doors.ext_authz("GET", &fields, "https", HOST).await;
    assert_eq!((told.status, told.code.as_str()), (401, "malformed_dpop_proof"));
}

#[tokio::test]
async fn the_client_s_url_is_the_one_that_the_proxy_describes() {
    let doors = Doors::with("[dpop]\nuse = \"required\"\n").await;
    let client = DpopClient::new(Algorithm::ES256);
    let token = doors.token(&client);
    for (scheme, host, url, code) in [
        // The scheme that the proxy tells; else https, and http on this machine.
        ("", HOST, "https://api.example.com/orders/order", "pass"),
        ("", HOST, "http://api.example.com/orders/order", "dpop_url"),
        ("http", HOST, "http://api.example.com/orders/order", "pass"),
        ("http", HOST, "https://api.example.com/orders/order", "dpop_url"),
        ("HTTPS", HOST, "https://api.example.com/orders/order", "pass"),
        ("", "127.0.0.1:8080", "http://127.0.0.1:8080/orders/order", "pass"),
        ("", "localhost:8080", "http://localhost:8080/orders/order", "pass"),
        ("https", "localhost:8080", "https://localhost:8080/orders/order", "pass"),
        ("", "127.0.0.1:8080", "https://127.0.0.1:8080/orders/order", "dpop_url"),
        // Host and port.
        ("", "API.example.com:443", "https://api.example.com/orders/order", "pass"),
        ("", "api.example.com:8443", "https://api.example.com:8443/orders/order", "pass"),
        ("", "api.example.com:8443", "https://api.example.com/orders/order", "dpop_url"),
        ("", "other.example.com", "https://api.example.com/orders/order", "dpop_url"),
        ("", "[2001:db8::1]", "https://[2001:DB8:0::1]/orders/order", "pass"),
        // Nothing is repaired.
        ("ftp", HOST, "https://api.example.com/orders/order", "dpop_url_unknown"),
        ("https, http", HOST, "https://api.example.com/orders/order", "dpop_url_unknown"),
        ("https://", HOST, "https://api.example.com/orders/order", "dpop_url_unknown"),
        ("", "me@api.example.com", "https://api.example.com/orders/order", "dpop_url_unknown"),
        ("", "api.example.com, api.example.com", "https://api.example.com/orders/order", "dpop_url_unknown"),
        ("", "api.example.com/orders", "https://api.example.com/orders/order", "dpop_url_unknown"),
        ("", "api.example.com:x", "https://api.example.com/orders/order", "dpop_url_unknown"),
    ] {
        let about = format!("{scheme}://{host} {url}");
        let fields = client.fields("GET", url, &token);
        let told = doors.ext_authz("GET", &fields, scheme, host).await;
        assert_eq!(told.code, code, "Envoy: {about}");

        let proto = if scheme.is_empty() { String::new() } else { format!("X-Forwarded-Proto: {scheme}\r\n") };
        let fields = client.fields("GET", url, &token);
        let told = doors.forward_auth("GET", &fields, &format!("{proto}X-Forwarded-Host: {host}\r\n")).await;
        assert_eq!(told.code, code, "Traefik, Caddy: {about}");

        let lines: String =
            client.fields("GET", url, &token).iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let nginx = format!("{proto}X-Original-Method: GET\r\nX-Original-URI: {TARGET}\r\n{lines}");
        let answer = send_to(host, &doors.gateway, "GET", "/auth", &nginx).await;
        // hyper refuses some hosts itself.
        assert!(
            answer.code() == code || (answer.status == 400 && code == "dpop_url_unknown"),
            "nginx: {about}: {answer:?}"
        );
    }
}

#[tokio::test]
async fn a_scheme_or_host_that_is_told_twice_is_none() {
    let doors = Doors::with("[dpop]\nuse = \"required\"\n").await;
    let client = DpopClient::new(Algorithm::ES256);
    let token = doors.token(&client);
    for (described, code) in [
        ("X-Forwarded-Proto: https\r\nX-Forwarded-Host: api.example.com\r\n", "pass"),
        ("X-Forwarded-Proto: https\r\nX-Forwarded-Proto: https\r\n", "dpop_url_unknown"),
        ("X-Forwarded-Proto:\r\n", "dpop_url_unknown"),
        ("X-Forwarded-Host: api.example.com\r\nX-Forwarded-Host: api.example.com\r\n", "dpop_url_unknown"),
        ("X-Forwarded-Host:\r\n", "dpop_url_unknown"),
    ] {
        let told = doors.forward_auth("GET", &client.fields("GET", URL, &token), described).await;
        assert_eq!(told.code, code, "{described}");
    }
    // By URL, as ingress-nginx describes it: the scheme is in it.
    for (url, code) in [(URL, "pass"), ("http://api.example.com/orders/order", "dpop_url")] {
        let lines: String =
            client.fields("GET", URL, &token).iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let described =
            format!("X-Original-Method: GET\r\nX-Original-URL: {url}\r\nX-Forwarded-Proto: https\r\n{lines}");
        assert_eq!(send_to("portcullis", &doors.gateway, "GET", "/auth", &described).await.code(), code, "{url}");
    }
}

#[tokio::test]
async fn forwarded_tells_scheme_and_host_where_proxies_write_it() {
    let (proto, host) = ("X-Forwarded-Proto: https\r\n", "X-Forwarded-Host: api.example.com\r\n");
    let unread = Doors::with("[dpop]\nuse = \"required\"\n").await;
    let read = Doors::with_keys("forwarded = true", "[dpop]\nuse = \"required\"\n").await;
    let client = DpopClient::new(Algorithm::ES256);
    for (doors, described, code) in [
        (&read, "Forwarded: for=192.0.2.1;host=api.example.com;proto=https\r\n".to_owned(), "pass"),
        (&read, "Forwarded: proto=https;host=\"api.example.com\"\r\n".to_owned(), "pass"),
        (&read, format!("{proto}{host}"), "pass"),
        (&read, format!("{proto}{host}Forwarded: proto=https;host=API.example.com\r\n"), "pass"),
        (&read, format!("{host}Forwarded: proto=https\r\n"), "pass"),
        (&read, format!("{proto}{host}Forwarded: host=evil.example\r\n"), "dpop_url_unknown"),
        (&read, format!("{proto}{host}Forwarded: proto=http\r\n"), "dpop_url_unknown"),
        (&read, format!("{proto}Forwarded: host=evil.example\r\n"), "dpop_url"),
        (&read, "Forwarded: proto=https;host=a, host=api.example.com\r\n".to_owned(), "dpop_url_unknown"),
        (&read, format!("{proto}{host}Forwarded: host=\r\n"), "dpop_url_unknown"),
        (&read, format!("{proto}{host}Forwarded: for=a\r\nForwarded: for=b\r\n"), "dpop_url_unknown"),
        (&unread, format!("{proto}{host}Forwarded: host=evil.example;proto=http\r\n"), "pass"),
        (&unread, format!("{proto}{host}Forwarded: \"\r\n"), "pass"),
    ] {
        let token = doors.token(&client);
        let told = doors.forward_auth("GET", &client.fields("GET", URL, &token), &described).await;
        assert_eq!(told.code, code, "{described}");
    }
}

#[tokio::test]
async fn a_public_url_stands_for_what_the_proxy_describes() {
    let tables = "[dpop]\nuse = \"required\"\npublic_url = \"https://api.example.com/v1\"\n";
    let doors = Doors::with(tables).await;
    let client = DpopClient::new(Algorithm::ES256);
    let token = doors.token(&client);
    for (url, code) in [
        ("https://api.example.com/v1/orders/order", "pass"),
        ("https://api.example.com/orders/order", "dpop_url"),
        ("http://api.example.com/v1/orders/order", "dpop_url"),
        ("https://other.example.com/v1/orders/order", "dpop_url"),
    ] {
        for host in [HOST, "other.example.com", "a b", ""] {
            let told = doors.ext_authz("GET", &client.fields("GET", url, &token), "http", host).await;
            assert_eq!(told.code, code, "{url} at {host}");
        }
        let described = "X-Forwarded-Proto: http\r\nX-Forwarded-Host: other.example.com\r\n";
        let told = doors.forward_auth("GET", &client.fields("GET", url, &token), described).await;
        assert_eq!(told.code, code, "{url}");
    }
}

#[tokio::test]
async fn a_resource_has_its_own_origin_and_tells_of_dpop_in_its_metadata() {
    let tables = "[dpop]\nuse = \"required\"\npublic_url = \"https://public.example.com\"\nalgorithms = [\"ES256\"]\n\
                  [[resources]]\nresource = \"https://api.example.com/orders\"\naudience = \"https://api.example.com\"\n";
    let doors = Doors::with(tables).await;
    let client = DpopClient::new(Algorithm::ES256);
    let token = doors.token(&client);
    for (url, code) in [
        (URL, "pass"),
        ("https://public.example.com/orders/order", "dpop_url"),
        ("http://api.example.com/orders/order", "dpop_url"),
    ] {
        let told = doors.ext_authz("GET", &client.fields("GET", url, &token), "http", HOST).await;
        assert_eq!(told.code, code, "{url}");
    }
    let path = "/.well-known/oauth-protected-resource/orders";
    let metadata = send_to(HOST, &doors.gateway, "GET", path, "").await;
    let metadata: serde_json::Value = serde_json::from_str(&metadata.body).unwrap();
    assert_eq!(metadata["dpop_bound_access_tokens_required"], true);
    assert_eq!(metadata["dpop_signing_alg_values_supported"], serde_json::json!(["ES256"]));
}

#[tokio::test]
async fn a_method_that_overrides_the_request_s_is_not_the_proof_s() {
    let doors = Doors::with("[[routes]]\npath = \"/orders/*\"\n[dpop]\nuse = \"required\"\n").await;
    let client = DpopClient::new(Algorithm::ES256);
    let token = doors.token(&client);
    for (htm, code) in [("POST", "pass"), ("DELETE", "dpop_method")] {
        let mut fields = [(); 2].map(|()| client.fields(htm, URL, &token));
        fields.iter_mut().for_each(|fields| fields.push(("x-http-method-override", "DELETE".to_owned())));
        assert_eq!(doors.ask("POST", fields).await.code, code, "{htm}");
    }
}

#[tokio::test]
async fn each_proof_passes_once_even_at_different_doors_and_after_a_reload() {
    let tables = |further: &str| format!("[[routes]]\npath = \"/orders/*\"\n[dpop]\nuse = \"required\"\n{further}");
    let doors = Doors::with(&tables("")).await;
    let client = DpopClient::new(Algorithm::ES256);
    let fields = client.fields("GET", URL, &doors.token(&client));
    assert_eq!(doors.forward_auth("GET", &fields, "").await.code, "pass");
    assert_eq!(doors.ext_authz("GET", &fields, "https", HOST).await.code, "dpop_replayed");

    // Other rules, and the same memory.
    let limits = "[limits]\nheader_bytes = \"256KiB\"\n";
    doors.gateway.rewrite("", &format!("{}{}{limits}", issuer(&doors.server, ""), tables("max_age = \"4m\"\n")));
    doors.gateway.signal("HUP");
    doors
        .gateway
        .logged(|line| {
            line["fields"]["message"] == "the new configuration is in force"
                || line["message"] == "the new configuration is in force"
        })
        .await;
    assert_eq!(doors.forward_auth("GET", &fields, "").await.code, "dpop_replayed");
    assert_eq!(doors.forward_auth("GET", &client.fields("GET", URL, &doors.token(&client)), "").await.code, "pass");
}

/// The time of a proof is that of its nonce where nonces are asked for, and its `iat` otherwise.
#[tokio::test]
async fn a_used_proof_is_a_replay_also_after_nonces_are_switched_on_or_off() {
    let secret = "a secret of the nonces, of 32 bytes or more";
    let tables = |nonces| {
        let nonces = format!("nonces = {nonces}\n");
        let secret = if nonces.contains("true") { "nonce_secret_file = \"nonce-secret\"\n" } else { "" };
        format!("[dpop]\nuse = \"required\"\n{nonces}{secret}[limits]\nheader_bytes = \"256KiB\"\n")
    };
    let server = AuthorizationServer::start().await;
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::write(folder.path().join("nonce-secret"), secret).unwrap();
    let whole = |nonces| format!("{}{}", issuer(&server, ""), tables(nonces));
    std::fs::write(folder.path().join("portcullis.toml"), crate::support::text("", &whole(true))).unwrap();
    let gateway = Gateway::start_in(folder).await;
    gateway.ready().await;
    let envoy = connect(&gateway).await;
    let doors = Doors { server: server.clone(), gateway, envoy };
    let client = DpopClient::new(Algorithm::ES256);
    let token = doors.token(&client);
    let first = doors.forward_auth("GET", &client.fields("GET", URL, &token), "").await;
    assert_eq!(first.code, "dpop_nonce_missing");
    let nonce = first.nonce.unwrap();
    let proof = || client.proof("GET", URL).token(&token).nonce(&nonce).sign();
    let fields = |proof: String| vec![("Authorization", format!("DPoP {token}")), ("DPoP", proof)];
    let mut used = Vec::new();
    for (number, nonces) in [true, false, true].into_iter().enumerate() {
        if number > 0 {
            doors.gateway.rewrite("", &whole(nonces));
            doors.gateway.signal("HUP");
            let reloads = || doors.gateway.log().matches("the new configuration is in force").count();
            crate::support::within(|| (reloads() == number).then_some(())).await.unwrap();
        }
        for proof in &used {
            let told = doors.forward_auth("GET", &fields(String::clone(proof)), "").await;
            assert_eq!(told.code, "dpop_replayed", "nonces = {nonces}");
        }
        let new = proof();
        assert_eq!(doors.forward_auth("GET", &fields(new.clone()), "").await.code, "pass", "nonces = {nonces}");
        used.push(new);
    }
}

#[tokio::test]
async fn of_a_hundred_at_once_one_passes() {
    let doors = std::sync::Arc::new(Doors::with("[dpop]\nuse = \"required\"\n").await);
    let client = DpopClient::new(Algorithm::ES256);
    let fields = client.fields("GET", URL, &doors.token(&client));
    let mut asking = tokio::task::JoinSet::new();
    for number in 0..100 {
        let (doors, fields) = (std::sync::Arc::clone(&doors), fields.clone());
        asking.spawn(async move {
            if number % 2 == 0 {
                return doors.forward_auth("GET", &fields, "").await.code;
            }
            doors.ext_authz("GET", &fields, "https", HOST).await.code
        });
    }
    let codes = asking.join_all().await;
    assert_eq!(codes.iter().filter(|code| *code == "pass").count(), 1, "{codes:?}");
    assert_eq!(codes.iter().filter(|code| *code == "dpop_replayed").count(), 99, "{codes:?}");
}

#[tokio::test]
async fn a_connection_field_may_not_name_the_proof() {
    let doors = Doors::with("[dpop]\nuse = \"required\"\n").await;
    let client = DpopClient::new(Algorithm::ES256);
    let mut fields = client.fields("GET", URL, &doors.token(&client));
    fields.push(("connection", "DPoP".to_owned()));
    assert_eq!(doors.forward_auth("GET", &fields, "").await.code, "hop_by_hop_header");
}

/// As `docs/sender-constrained.md` says.
#[tokio::test]
async fn the_counters_tell_the_requests_with_a_proof_from_those_with_a_bearer_token() {
    let doors = Doors::with("[dpop]\nuse = \"allowed\"\n").await;
    let client = DpopClient::new(Algorithm::ES256);
    for _ in 0..2 {
        let fields = client.fields("GET", URL, &doors.token(&client));
        assert_eq!(doors.forward_auth("GET", &fields, "").await.code, "pass");
        assert_eq!(doors.forward_auth("GET", &fields, "").await.code, "dpop_replayed");
    }
    for _ in 0..3 {
        let fields = [("authorization", format!("Bearer {}", doors.server.token().sign()))];
        assert_eq!(doors.forward_auth("GET", &fields, "").await.code, "pass");
    }
    let proofs = doors.gateway.metric("portcullis_dpop_proofs_total{outcome=\"first\"}").await;
    let passed = doors.gateway.metric("portcullis_verified_total").await;
    assert_eq!((passed, proofs), (5.0, 2.0));
}
