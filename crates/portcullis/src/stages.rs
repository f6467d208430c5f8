//! The stages of verifying a token, each on its own, for benchmarks.
//!
//! Compiled under `cfg(portcullis_stages)` only.

use std::{hint::black_box, sync::Arc, time::SystemTime};

use http::{HeaderMap, header};

use crate::{
    bearer::{self, BearerToken, CredentialRules, TokenSource},
    claims::{IssuerRules, VerifiedToken},
    keys::{ImportRules, KeySet, Origin},
    policy::{ClaimRule, Policy, Rules},
    proof::{DpopUse, Possession, PossessionRules, Sender},
    token,
    token_cache::{Limits, TokenCache},
};

/// A stage's name, and the stage.
pub type Stage = (&'static str, Box<dyn FnMut()>);

const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// The stages for this token, which one of these keys signed.
#[must_use]
pub fn of(jwks: &str, token: &str) -> Vec<Stage> {
    let subject = Subject::new(jwks, token);
    vec![
        ("header field to bearer token", subject.found()),
        ("parts, base64url, JSON", subject.parsed()),
        ("header rules", subject.header_judged()),
        ("key lookup", subject.key_found()),
        ("signature", subject.signature()),
        ("claim rules", subject.claims_judged()),
        ("claims into a type of three strings", subject.typed()),
        ("cache: insert in the place of the same token", subject.inserted()),
        ("cache: lookup and comparison", subject.looked_up()),
        ("policy: one scope, one claim", subject.policy()),
    ]
}

#[derive(Clone)]
struct Subject {
    token: Arc<str>,
    keys: Arc<KeySet>,
    verified: VerifiedToken,
}

impl Subject {
    fn new(jwks: &str, token: &str) -> Self {
        let keys = Arc::new(KeySet::import(&jwks.parse().expect("a JWK Set"), &ImportRules::of(Origin::Local)));
        let verified = rules().accept(signed(&keys, token), SystemTime::now()).expect("good claims");
        Self { token: token.into(), keys, verified }
    }

    fn found(&self) -> Box<dyn FnMut()> {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, format!("Bearer {}", self.token).parse().expect("a field"));
        let sources = [TokenSource::authorization()];
        let rules = CredentialRules { max_bytes: MAX_TOKEN_BYTES, dpop: false };
        Box::new(move || assert!(bearer::find(&headers, &sources, rules).is_ok()))
    }

    fn parsed(&self) -> Box<dyn FnMut()> {
        let token = Arc::clone(&self.token);
        Box::new(move || drop(black_box(token::parse(bearer(&token)).expect("a token"))))
    }

    fn header_judged(&self) -> Box<dyn FnMut()> {
        let rules = IssuerRules::default().header();
        let header = token::parse(bearer(&self.token)).expect("a token").shared_header();
        Box::new(move || rules.check(&header).expect("a good header"))
    }

    fn key_found(&self) -> Box<dyn FnMut()> {
        let keys = Arc::clone(&self.keys);
        let header = token::parse(bearer(&self.token)).expect("a token").shared_header();
        Box::new(move || drop(keys.candidates(&header).expect("a key")))
    }

    fn signature(&self) -> Box<dyn FnMut()> {
        let (token, keys) = (Arc::clone(&self.token), Arc::clone(&self.keys));
        let (input, signature) = {
            let token = token::parse(bearer(&token)).expect("a token");
            (token.signing_input().to_vec(), token.signature().to_vec())
        };
        let algorithm = self.verified.algorithm().expect("a signed token");
        Box::new(move || assert!(keys.verifies(algorithm, &input, &signature)))
    }

    fn claims_judged(&self) -> Box<dyn FnMut()> {
        let (rules, verified) = (rules(), self.verified.clone());
        Box::new(move || {
            rules.check_claims(verified.claims(), SystemTime::now().into()).expect("good claims");
        })
    }

    fn typed(&self) -> Box<dyn FnMut()> {
        #[derive(serde::Deserialize)]
        #[allow(dead_code, reason = "read is all they are")]
        struct Typed {
            iss: String,
            sub: String,
            client_id: String,
        }
        let claims = self.verified.claims().clone();
        Box::new(move || drop(claims.typed::<Typed>().expect("typed claims")))
    }

    fn inserted(&self) -> Box<dyn FnMut()> {
        let (cache, this) = (TokenCache::new(Limits::default()), self.clone());
        Box::new(move || cache.insert(this.token.as_bytes(), this.verified.clone(), ()))
    }

    fn looked_up(&self) -> Box<dyn FnMut()> {
        let (cache, this) = (TokenCache::new(Limits::default()), self.clone());
        cache.insert(this.token.as_bytes(), this.verified.clone(), ());
        Box::new(move || assert!(cache.get(this.token.as_bytes(), |(), _| true).is_some()))
    }

    fn policy(&self) -> Box<dyn FnMut()> {
        let verified = self.verified.clone();
        let scope: Vec<_> = verified.scopes().take(1).map(str::to_owned).collect();
        let rules = Rules { scope, claims: vec![ClaimRule::present("sub")], ..Rules::default() };
        let policy = Policy::new(&rules, Vec::new());
        let possession = PossessionRules { dpop: DpopUse::Off, sender_constrained: false };
        Box::new(move || {
            let proven =
                possession.check(verified.clone(), Sender::UNKNOWN, None).expect("a token that is bound to nothing");
            let Possession::Proven(proven) = proven else { panic!("no proof is needed") };
            drop(policy.check(proven, |_| None).expect("access"));
        })
    }
}

fn rules() -> Arc<IssuerRules> {
    Arc::default()
}

fn bearer(token: &str) -> BearerToken<'_> {
    BearerToken::bare(token.as_bytes(), MAX_TOKEN_BYTES).expect("a bearer token")
}

fn signed<'a>(keys: &Arc<KeySet>, token: &'a str) -> token::SignedToken<'a> {
    let token = token::parse(bearer(token)).expect("a token");
    keys.candidates(token.header()).expect("a key").verify(token, 1).expect("a good signature")
}
