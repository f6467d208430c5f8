//! Mistakes with DPoP proofs and client certificates: of clients, and of the proxies in between.

use portcullis_testkit::{Algorithm, ClientIdentity, DpopCase, DpopClient};
use serde_json::json;

use super::{Fields, Issuer, Mistake, OWN};

const URL: &str = "https://api.example.com/any/x";
const ALLOWED: &str = "dpop = { use = \"allowed\" }";
const NONCES: &str = "dpop = { use = \"allowed\", nonces = true }";
/// A port at which no store listens.
const STORE_AWAY: &str = "store = { url = \"redis://127.0.0.1:1\", secret_file = \"secret\" }\n\
                          dpop = { use = \"allowed\", when_store_is_away = \"refuse\" }";

pub(super) fn mistakes(issuer: &Issuer) -> Vec<Mistake> {
    let all = [of_proofs(issuer), of_tokens(issuer), of_proxies(issuer), of_certificates(issuer)];
    all.into_iter().flatten().collect()
}

/// A question about `GET https://api.example.com/any/x`, as Traefik and Caddy describe it, with fields of the client.
fn asked(client: Fields) -> Fields {
    let proxy = [
        ("X-Forwarded-Method", "GET"),
        ("X-Forwarded-Uri", "/any/x"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "api.example.com"),
    ];
    proxy.map(|(name, value)| (name, value.to_owned())).into_iter().chain(client).collect()
}

fn mistake(entry: &'static str, keys: &'static str, client: Fields) -> Mistake {
    Mistake { keys, ..Mistake::new(entry, super::Made::Question(asked(client))) }
}

fn of_proofs(issuer: &Issuer) -> Vec<Mistake> {
    let client = DpopClient::new(Algorithm::ES256);
    let is = |entry, keys, case| {
        let attempt = client.attempt(case, "GET", URL, &issuer.token(OWN));
        let before = attempt.earlier().map(|fields| asked(fields.to_vec())).collect();
        Mistake { before, ..mistake(entry, keys, attempt.fields().to_vec()) }
    };
    vec![
        is("DPoP and client certificates: There is no proof", ALLOWED, DpopCase::MissingProof),
        is("DPoP and client certificates: Two proofs are sent", ALLOWED, DpopCase::TwoProofs),
        is("DPoP and client certificates: The proof is too large", ALLOWED, DpopCase::JtiHuge),
        is("DPoP and client certificates: A member of the proof is missing", ALLOWED, DpopCase::AthMissing),
        is("DPoP and client certificates: The proof is another kind of JWT", ALLOWED, DpopCase::TypJwt),
        is("DPoP and client certificates: The proof is signed with a secret", ALLOWED, DpopCase::SymmetricKey),
        is("DPoP and client certificates: The proof has the private key", ALLOWED, DpopCase::JwkPrivate),
        is("DPoP and client certificates: The proof is for another method", ALLOWED, DpopCase::HtmInAnotherCase),
        is("DPoP and client certificates: The proof is for another URL", ALLOWED, DpopCase::HtuOtherPath),
        is("DPoP and client certificates: The proof is kept too long", ALLOWED, DpopCase::IatOld),
        is("DPoP and client certificates: The client's clock is ahead", ALLOWED, DpopCase::IatMilliseconds),
        is("DPoP and client certificates: The first request has no nonce", NONCES, DpopCase::Plain),
        is("DPoP and client certificates: The nonce is of another server", NONCES, DpopCase::NonceForged),
        is(
            "DPoP and client certificates: The token was refreshed, and the proof is for the one before",
            ALLOWED,
            DpopCase::AthOfAnotherToken,
        ),
        is("DPoP and client certificates: The client has a new key", ALLOWED, DpopCase::JwkOfAThief),
        is("DPoP and client certificates: The signature of the proof is wrong", ALLOWED, DpopCase::DerSignature),
        is("DPoP and client certificates: The client sends a proof again", ALLOWED, DpopCase::Replay),
        is("DPoP and client certificates: The shared store of used proofs is away", STORE_AWAY, DpopCase::Plain),
        is(
            "DPoP and client certificates: The token is not bound, and the client sends a proof",
            ALLOWED,
            DpopCase::UnboundToken,
        ),
    ]
}

fn of_tokens(issuer: &Issuer) -> Vec<Mistake> {
    let bearer = |token: String| vec![("Authorization", format!("Bearer {token}"))];
    let bound_otherwise = issuer.token(OWN).claim("cnf", json!({ "kid": "k1" })).sign();
    let required = "dpop = { use = \"required\" }";
    vec![
        mistake("DPoP and client certificates: The route asks for DPoP", required, bearer(issuer.token(OWN).sign())),
        mistake(
            "DPoP and client certificates: The route asks for bound tokens",
            "sender_constrained = true",
            bearer(issuer.token(OWN).sign()),
        ),
        mistake("DPoP and client certificates: The token is bound in another way", ALLOWED, bearer(bound_otherwise)),
    ]
}

fn of_proxies(issuer: &Issuer) -> Vec<Mistake> {
    let client = DpopClient::new(Algorithm::ES256);
    let token = issuer.token(OWN).bound_to_key(client.thumbprint()).sign();
    let mut fields = client.fields("GET", URL, &token);
    fields.push(("X-Forwarded-Host", "api.example.com".to_owned()));
    vec![mistake("DPoP and client certificates: The proxy tells the host twice", ALLOWED, fields)]
}

fn of_certificates(issuer: &Issuer) -> Vec<Mistake> {
    let (own, renewed) = (ClientIdentity::self_signed("own"), ClientIdentity::self_signed("renewed"));
    let bearer = format!("Bearer {}", issuer.token(OWN).bound_to_certificate(own.thumbprint()).sign());
    let is = |entry, certificates: &[String]| {
        let certificates = certificates.iter().map(|certificate| ("X-Client-Cert", certificate.clone()));
        mistake(entry, "", [("Authorization", bearer.clone())].into_iter().chain(certificates).collect())
    };
    vec![
        is("DPoP and client certificates: The client has another certificate", &[renewed.escaped_pem()]),
        is(
            "DPoP and client certificates: The proxy adds its field to the client's",
            &[renewed.escaped_pem(), own.escaped_pem()],
        ),
        is("DPoP and client certificates: The certificate has another notation", &[own.base64_der()]),
    ]
}
