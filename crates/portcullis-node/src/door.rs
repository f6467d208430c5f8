//! The rules of an endpoint: [`Door`].

use napi::{
    Env, Result,
    bindgen_prelude::{Object, ObjectFinalize, Unknown},
};
use napi_derive::napi;
use portcullis::{
    Presented, Refusal, Secure,
    refusal::{AccessFault, TokenFault, UnavailableFault, Unverified},
};

use crate::{
    clock::{self, Clock},
    dpop::Dpop,
    exchange,
    exchanger::Exchanger,
    field::Field,
    judge,
    message::{Fields, Message},
    options::{self, seconds, unusable},
    refused::Refused,
    runtime,
    token_verifier::TokenVerifier,
    verdict::Passed,
};

/// The estimated size of a door with its rules, which V8 does not see otherwise: it would collect doors too late.
const BYTES: i64 = 4 * 1024;

/// Judges requests by their `Authorization` field.
#[napi(custom_finalize)]
pub struct Door {
    secure: Secure,
    /// The clock of a test.
    clock: Option<Clock>,
    /// True if an exchange is declared.
    exchanges: bool,
}

#[napi]
impl Door {
    /// Makes a door for tokens that this verifier accepts; the options are `Rules`, whose `dpop` tells the use of proofs.
    #[napi(constructor)]
    pub fn new(env: Env, verifier: &TokenVerifier, options: String, dpop: Option<&Dpop>) -> Result<Self> {
        let secure = verifier.secure.clone();
        let secure = match dpop {
            Some(Dpop { dpop }) => secure.dpop(dpop.clone()),
            None => secure,
        };
        let secure = secure.rules(options::read(&options)?).map_err(unusable)?;
        env.adjust_external_memory(BYTES)?;
        Ok(Self { secure, clock: verifier.clock.clone(), exchanges: false })
    }

    /// The function `(authorization, several, verify)` that returns the verdict.
    ///
    /// `several` is true if the request has more than one field, `verify` if a new token may be verified on this thread now. It
    /// is a function because calling a method costs JavaScript twice as much.
    #[napi(getter)]
    pub fn judge<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
        judge::function(env, self.secure.clone())
    }

    /// Returns the time until which other requests with the same field pass as this one does, in milliseconds since 1970, unless
    /// another [`epoch`](crate::epoch) begins; 0 if each has to be judged.
    #[napi]
    pub fn holds_until(&self, authorization: Field) -> f64 {
        judge::holds_until(&self.secure, &authorization)
    }

    /// True if handlers get the `Authorization` field: always, except for MCP servers whose rules do not ask for it.
    #[napi(getter)]
    pub fn forwards_authorization(&self) -> bool {
        self.secure.forwards_authorization()
    }

    /// Returns the limit of a content that has to be read to judge a request to an MCP server; null if it makes no difference.
    #[napi]
    pub fn content_limit(&self, fields: Vec<String>) -> Option<u32> {
        let fields = Fields(fields);
        let limit = self.secure.content_limit(&Presented::new(&fields))?;
        Some(u32::try_from(limit).unwrap_or(u32::MAX))
    }

    /// Returns the verdict on a request with all its parts, or a promise of it; signatures are verified on this thread if `verify` is
    /// set. `before` is the verdict of a door in front.
    #[napi]
    pub fn judge_message<'env>(
        &self,
        env: &'env Env,
        message: Message,
        verify: bool,
        before: Option<&Passed>,
    ) -> Result<Unknown<'env>> {
        judge::message(env, &self.secure, &message, verify, before.map(Passed::admitted), self.exchanges)
    }

    /// Declares an exchange by its name (RFC 8693); the target is `Target`.
    #[napi]
    pub fn add_exchange(&mut self, name: String, exchanger: &Exchanger, target: String) -> Result<()> {
        let target = options::read(&target)?;
        self.secure = self.secure.clone().exchange(name, &exchanger.exchanger, target).map_err(unusable)?;
        self.exchanges = true;
        Ok(())
    }

    /// Returns a promise of the token in exchange for that of this field, or of the refusal; `before` is the verdict on the request, if
    /// it cannot be judged again.
    #[napi]
    pub fn exchange<'env>(
        &self,
        env: &'env Env,
        authorization: Field,
        name: String,
        client: Option<String>,
        before: Option<&Passed>,
    ) -> Result<Object<'env>> {
        exchange::of_request(env, &self.secure, &authorization, &name, client.as_deref(), before.map(Passed::admitted))
    }

    /// Returns a promise of the explanation of a verdict by the clock of the keys, as JSON.
    #[napi]
    pub fn explain<'env>(&self, env: &'env Env, message: Message) -> Result<Object<'env>> {
        let (secure, clock) = (self.secure.clone(), self.clock.clone());
        runtime::promise(env, async move {
            let explanation = message.explain(&secure, clock::now(clock.as_ref())).await;
            serde_json::to_string(&explanation).map_err(|error| napi::Error::from_reason(error.to_string()))
        })
    }

    /// The refusal of a token that a rule in JavaScript does not accept.
    #[napi]
    pub fn refuse_claim(&self, claim: String) -> Refused {
        Refused::new(&self.secure, &Refusal::Access(AccessFault::RequiredClaims { claim }))
    }

    /// The refusal of a token whose tenant a function in JavaScript does not accept.
    #[napi]
    pub fn refuse_tenant(&self) -> Refused {
        let actual = Unverified::from("a tenant that is not accepted");
        Refused::new(&self.secure, &Refusal::Token(TokenFault::Issuer { expected: [].into(), actual }))
    }

    /// The refusal of a token whose signature none of the tried keys verifies, when there are more keys.
    #[napi]
    pub fn refuse_too_many_keys(&self, limit: u32) -> Refused {
        let limit = limit as usize;
        Refused::new(&self.secure, &Refusal::Token(TokenFault::TooManyKeys { limit, actual: limit + 1 }))
    }

    /// The refusal of a request that was not judged, because a `getKey` in JavaScript failed.
    #[napi]
    pub fn refuse_unjudged(&self, retry_after: f64) -> Result<Refused> {
        let retry_after = seconds("retryAfter", retry_after)?;
        Ok(Refused::new(&self.secure, &Refusal::Unavailable(UnavailableFault::Keys { retry_after })))
    }
}

impl ObjectFinalize for Door {
    fn finalize(self, env: Env) -> Result<()> {
        env.adjust_external_memory(-BYTES).map(drop)
    }
}
