//! The document, the challenge and the check cannot disagree: for any policy, a client that believes the challenge and the
//! document gets a token that passes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{Response, header::WWW_AUTHENTICATE};
use portcullis::{
    InvalidTokenStatus, Judging, JwksService, Presented, ProtectedResource, Refusal, Rules, Secure, Verifier,
};
use portcullis_testkit::{Algorithm, SigningKey, TokenBuilder};
use proptest::{collection::vec, option, prelude::*, sample::subsequence};
use serde_json::{Value, json};

const ISSUER: &str = "https://as.example.com";

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate(Algorithm::EdDSA, "k"));

/// A resource, and the rules of its endpoints.
#[derive(Debug)]
struct Generated {
    identifier: String,
    scopes_supported: Vec<String>,
    endpoints: Vec<Rules>,
}

fn values(of: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    subsequence(of, 0..=of.len()).prop_map(|values| values.into_iter().map(str::to_owned).collect())
}

fn scope() -> impl Strategy<Value = Vec<String>> {
    values(&["read", "write", "orders:read", "https://example.com/a", "!#$%&'()*", "admin"])
}

fn rules() -> impl Strategy<Value = Rules> {
    let groups = vec(scope().prop_filter("a group has a value", |group| !group.is_empty()), 0..3);
    let step_up = (values(&["urn:example:mfa", "phr", "1"]), option::of(1_u64..1_000));
    let implied = any::<bool>();
    (scope(), groups, step_up, implied, option::of("[ -~é]{0,8}"), any::<bool>()).prop_map(
        |(scope, any_scope, (acr, max_age), implied, realm, is_unauthorized)| {
            let mut rules = Rules::default();
            (rules.scope, rules.any_scope, rules.acr, rules.realm) = (scope, any_scope, acr, realm);
            rules.max_age = max_age.map(Duration::from_secs);
            if implied {
                rules.implied_scopes =
                    BTreeMap::from([("admin".to_owned(), vec!["read".to_owned(), "write".to_owned()])]);
            }
            if is_unauthorized {
                rules.invalid_token_status = InvalidTokenStatus::Unauthorized;
            }
            rules
        },
    )
}

fn resources() -> impl Strategy<Value = Generated> {
    let origins =
        prop::sample::select(vec!["https://api.example.com", "https://api.example.com:8443", "http://127.0.0.1:3000"]);
    let identifier =
        (origins, "(/[a-z0-9._~+=,-]{0,3}[a-z0-9]){0,3}/?").prop_map(|(origin, path)| format!("{origin}{path}"));
    (identifier, scope(), vec(rules(), 1..4)).prop_map(|(identifier, scopes_supported, endpoints)| Generated {
        identifier,
        scopes_supported,
        endpoints,
    })
}

/// The answer to a request with this token; none if it passes.
fn answer(secure: &Secure, token: Option<&str>) -> Option<(Refusal, Response<Bytes>)> {
    let field = token.map(|token| format!("Bearer {token}"));
    let fields: Vec<(&str, &[u8])> = field.iter().map(|field| ("authorization", field.as_bytes())).collect();
    let Judging::Done(verdict) = secure.judge(&Presented::new(&fields)) else { panic!("the keys are local") };
    let refusal = verdict.outcome.err()?;
    let response = secure.answer(&refusal);
    Some((refusal, response))
}

/// The parameters of a challenge, read as RFC 9110 section 11.2 has them.
fn parameters(response: &Response<Bytes>) -> BTreeMap<String, String> {
    let mut fields = response.headers().get_all(WWW_AUTHENTICATE).iter();
    let field = String::from_utf8(fields.next().expect("a challenge").as_bytes().to_vec()).unwrap();
    assert!(fields.next().is_none(), "one scheme, one field");
    let mut rest = field.strip_prefix("Bearer").expect("the scheme").trim_start();
    let mut parameters = BTreeMap::new();
    while !rest.is_empty() {
        let (name, quoted) = rest.split_once("=\"").expect("name and quoted string");
        let (mut value, mut characters) = (String::new(), quoted.char_indices());
        let end = loop {
            match characters.next().expect("the end of the quoted string") {
                (end, '"') => break end,
                (_, '\\') => value.push(characters.next().expect("an escaped character").1),
                (_, character) => value.push(character),
            }
        };
        assert!(parameters.insert(name.to_owned(), value).is_none(), "{name} once: {field}");
        rest = &quoted[end + 1..];
        rest = rest.strip_prefix(", ").unwrap_or(rest);
    }
    parameters
}

fn words(text: Option<&String>) -> Vec<String> {
    text.map(|text| text.split(' ').map(str::to_owned).collect()).unwrap_or_default()
}

/// A token as a client gets it that believes document and challenge.
fn token(resource: &Value, scope: &[String], challenge: &BTreeMap<String, String>) -> TokenBuilder {
    let now = SystemTime::now();
    let token = TokenBuilder::new(&KEY, ISSUER, now).audience(resource.clone()).scope(scope.join(" "));
    let token = match challenge.get("acr_values") {
        Some(values) => token.claim("acr", values.split(' ').next().unwrap_or_default()),
        None => token,
    };
    match challenge.get("max_age") {
        Some(_) => token.claim("auth_time", now.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()),
        None => token,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 64 } else { 512 }))]

    #[test]
    fn a_client_that_believes_them_passes_at_every_endpoint(generated in resources()) {
        let Generated { identifier, scopes_supported, endpoints } = generated;
        let keys = JwksService::from_json(&json!({ "keys": [KEY.public_jwk()] }).to_string()).unwrap();
        let issuer = Verifier::builder(keys).issuer(ISSUER);
        let resource = ProtectedResource::new(&identifier).issuer(issuer).scopes_supported(&scopes_supported);
        let base = Secure::protecting(resource).unwrap();
        let secured: Vec<Secure> = endpoints.iter().map(|rules| base.clone().rules(rules.clone()).unwrap()).collect();
        let mut named: BTreeSet<String> = scopes_supported.into_iter().collect();
        for (secure, rules) in secured.iter().zip(&endpoints) {
            let (_, first) = answer(secure, None).expect("no token, no access");
            prop_assert_eq!(first.status(), 401);
            let first = parameters(&first);
            let scope = words(first.get("scope"));
            named.extend(scope.iter().cloned());

            // The URL of the challenge leads to the document, which names the audience.
            let url = &first["resource_metadata"];
            let path = &url[url.find("/.well-known/").expect("a well-known URL")..];
            let document = secure.metadata_response("GET", path).expect("the document");
            let document: Value = serde_json::from_slice(document.body()).unwrap();
            prop_assert_eq!(&document["resource"], &json!(identifier));
            prop_assert_eq!(&document["authorization_servers"], &json!([ISSUER]));
            let supported: BTreeSet<String> = serde_json::from_value(document.get("scopes_supported").cloned().unwrap_or(json!([]))).unwrap();
            prop_assert!(scope.iter().all(|value| supported.contains(value)));

            // With the scope of the challenge, the audience of the document, and the authentication of a second challenge.
            let bare = token(&document["resource"], &scope, &BTreeMap::new()).sign();
            let challenge = answer(secure, Some(&bare)).map(|(refusal, response)| (refusal, parameters(&response)));
            let step_up = match challenge {
                Some((refusal, challenge)) => {
                    prop_assert_eq!(refusal.code(), "insufficient_user_authentication");
                    prop_assert_eq!(words(challenge.get("acr_values")), rules.acr.clone());
                    prop_assert_eq!(words(challenge.get("scope")), scope.clone());
                    prop_assert_eq!(&challenge["resource_metadata"], url);
                    challenge
                }
                None => {
                    prop_assert!(rules.acr.is_empty() && rules.max_age.is_none());
                    BTreeMap::new()
                }
            };
            let good = token(&document["resource"], &scope, &step_up);
            prop_assert!(answer(secure, Some(&good.clone().sign())).is_none());

            // With one value less: it passes, or is told the same scope again, and nothing of its own.
            for index in 0..scope.len() {
                let mut less = scope.clone();
                less[index] = "of-the-token".to_owned();
                let Some((refusal, response)) = answer(secure, Some(&good.clone().scope(less.join(" ")).sign())) else { continue };
                prop_assert_eq!(refusal.code(), "insufficient_scope");
                prop_assert_eq!(response.status(), 403);
                let told = parameters(&response);
                prop_assert_eq!(words(told.get("scope")), scope.clone());
                prop_assert_eq!(&told["resource_metadata"], url);
            }

            // For any other audience, the twin with a slash at the end included.
            let twin = identifier.strip_suffix('/').map_or_else(|| format!("{identifier}/"), str::to_owned);
            for audience in [twin, identifier.to_uppercase(), format!("{identifier}x"), ISSUER.to_owned()] {
                let (refusal, response) = answer(secure, Some(&good.clone().audience(audience).sign())).expect("another audience");
                prop_assert_eq!(refusal.code(), "wrong_audience");
                prop_assert_eq!(&parameters(&response)["resource_metadata"], url);
            }
        }
        // The document lists nothing that no endpoint asks for.
        let document: Value = serde_json::from_slice(base.resource_document().unwrap().body()).unwrap();
        let listed: BTreeSet<String> = serde_json::from_value(document.get("scopes_supported").cloned().unwrap_or(json!([]))).unwrap();
        prop_assert_eq!(listed, named);
    }
}
