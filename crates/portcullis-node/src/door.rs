//! What an endpoint asks of a request: [`Door`].

use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use napi::{
    Env, Result,
    bindgen_prelude::{Either, Object},
};
use napi_derive::napi;
use portcullis::{
    Access, Refusal, Secure,
    refusal::{AccessFault, KeysFault},
};

use crate::{
    options::{self, DoorOptions, invalid, seconds},
    refused::Refused,
    runtime,
    token_verifier::TokenVerifier,
};

/// Judges requests by their `Authorization` field.
#[napi]
pub struct Door {
    secure: Secure,
}

/// `true`: it may pass, by its token. `false`: it may pass without one.
type Verdict = Either<bool, Refused>;

#[napi]
impl Door {
    /// A door that asks for a token which this verifier accepts, and for what the options name.
    #[napi(constructor)]
    pub fn new(verifier: &TokenVerifier, options: String) -> Result<Self> {
        let options: DoorOptions = options::read(&options)?;
        let mut secure = Secure::new(verifier.verifier.clone()).scope(options.scope);
        if let Some(realm) = options.realm {
            secure = secure.realm(realm);
        }
        if let Some(values) = options.any_scope {
            secure = secure.any_scope(values);
        }
        for claim in options.claims {
            secure = match claim.value {
                Some(value) => secure.claim_value(claim.name, value),
                None => secure.claim(claim.name),
            };
        }
        match options.invalid_token_status {
            None => {}
            Some(status @ (401 | 403)) => secure = secure.invalid_token_status(status),
            Some(other) => {
                return Err(invalid(format!("expected `invalidTokenStatus` to be 401 or 403, {other} came")));
            }
        }
        if options.problem_json {
            secure = secure.problem_json();
        }
        if options.optional {
            secure = secure.optional();
        }
        Ok(Self { secure })
    }

    /// The verdict; nothing (`undefined`) if it needs a wait for keys: then `judge_later` reaches it.
    ///
    /// `several` says that the request has more than one `Authorization` field.
    #[napi]
    pub fn judge(&self, authorization: Option<String>, several: bool) -> Result<Option<Verdict>> {
        let _fetches_start_here = runtime::enter()?;
        let verdict = self.secure.judge_now(&fields(authorization.as_deref(), several));
        Ok(verdict.map(|verdict| told(&self.secure, verdict)))
    }

    /// The verdict, when the keys that it needs are there.
    #[napi]
    pub fn judge_later<'env>(
        &self,
        env: &'env Env,
        authorization: Option<String>,
        several: bool,
    ) -> Result<Object<'env>> {
        let secure = self.secure.clone();
        let verdict = secure.judge(fields(authorization.as_deref(), several));
        runtime::promise(env, async move { Ok(told(&secure, verdict.await)) })
    }

    /// The refusal of a token that lacks a claim, which a rule in JavaScript has found.
    #[napi]
    pub fn refuse_claim(&self, claim: String) -> Refused {
        Refused::new(&self.secure, &Refusal::Access(AccessFault::RequiredClaims { claim }))
    }

    /// The refusal of a request that was not judged, since a `getKey` in JavaScript has failed.
    #[napi]
    pub fn refuse_unjudged(&self, retry_after: f64) -> Result<Refused> {
        let retry_after = seconds("retryAfter", retry_after)?;
        Ok(Refused::new(&self.secure, &Refusal::Keys(KeysFault::Unavailable { retry_after })))
    }
}

fn told(secure: &Secure, verdict: std::result::Result<Option<Access>, Refusal>) -> Verdict {
    match verdict {
        Ok(access) => Either::A(access.is_some()),
        Err(refusal) => Either::B(Refused::new(secure, &refusal)),
    }
}

fn fields(authorization: Option<&str>, several: bool) -> HeaderMap {
    let mut fields = HeaderMap::with_capacity(1);
    if let Some(text) = authorization {
        fields.append(AUTHORIZATION, value(text));
    }
    if several {
        fields.append(AUTHORIZATION, HeaderValue::from_static(""));
    }
    fields
}

/// A text that cannot stand in a field at all becomes one that no token can be: the library then says what is wrong.
fn value(text: &str) -> HeaderValue {
    HeaderValue::from_bytes(text.as_bytes()).unwrap_or_else(|_| {
        let legal = |byte: u8| if byte.is_ascii_control() { 0x80 } else { byte };
        let bytes: Vec<_> = text.bytes().map(legal).collect();
        HeaderValue::from_bytes(&bytes).unwrap_or(const { HeaderValue::from_static("Bearer \u{22}") })
    })
}
