//! The builder methods of [`Secure`]: each fills a field of [`Rules`], or adds a part that is code and not data.
//!
//! They return no error: a mistaken rule is logged, and a token that meets all others is refused as `mistaken_rule`.

use std::{sync::Arc, time::Duration};

use serde_json::Value;

use super::{Secure, judge::Gate};
use crate::{
    bearer::TokenSource,
    challenge::{BodyHook, RefusalBody},
    claims::Claims,
    configuration_error::ConfigurationError,
    each_once::each_once,
    policy::{ClaimRule, InvalidTokenStatus, OwnRule, Rules},
    refusal::Refusal,
};

impl Secure {
    /// Takes all rules at once, in place of those set so far; rules of [your own](Self::rule) stay.
    ///
    /// # Errors
    ///
    /// The error of [`Rules::check`].
    ///
    /// # Example
    ///
    /// ```
    /// use portcullis::{JwksService, Rules, Secure};
    ///
    /// let rules: Rules = serde_json::from_str(r#"{ "realm": "orders", "scope": ["orders:read"] }"#)?;
    /// let secure = Secure::new(JwksService::new("https://as.example.com/jwks")?).rules(rules)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn rules(self, rules: Rules) -> Result<Self, ConfigurationError> {
        rules.check()?;
        Ok(self.with_rules(|current| *current = rules))
    }

    /// The realm that challenges name (RFC 9110 section 11.5).
    pub fn realm(self, realm: impl Into<String>) -> Self {
        self.with_rules(|rules| rules.realm = Some(realm.into()))
    }

    /// Asks for all of these scope values (RFC 6749 section 3.3), each in quotes of its own: `["orders:read", "orders:write"]`.
    ///
    /// A value that is empty or has a space in it is a mistake, which is logged: no token can grant it, and good ones get 500
    /// (`mistaken_rule`). [`rules`](Self::rules) returns an error instead.
    pub fn scope<T: Into<String>>(self, values: impl IntoIterator<Item = T>) -> Self {
        self.with_rules(|rules| rules.scope.extend(values.into_iter().map(Into::into)))
    }

    /// Asks for at least one of these scope values, each in quotes of its own. A mistake is logged, as for [`scope`](Self::scope).
    pub fn any_scope<T: Into<String>>(self, values: impl IntoIterator<Item = T>) -> Self {
        self.with_rules(|rules| rules.any_scope.push(values.into_iter().map(Into::into).collect()))
    }

    /// Declares that a scope value grants others as well, and all that those imply in turn.
    ///
    /// Challenges name the required values alone; [`Access::has_scope`](crate::Access::has_scope) counts implied values, too.
    ///
    /// # Example
    ///
    /// ```
    /// use portcullis::{JwksService, Secure};
    ///
    /// let secure = Secure::new(JwksService::new("https://as.example.com/jwks")?)
    ///     .implied_scopes("admin", ["orders:write"])
    ///     .implied_scopes("orders:write", ["orders:read"])
    ///     .scope(["orders:read"]); // a token with `admin` passes
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    pub fn implied_scopes<T: Into<String>>(
        self,
        value: impl Into<String>,
        implied: impl IntoIterator<Item = T>,
    ) -> Self {
        let implied = implied.into_iter().map(Into::into);
        self.with_rules(|rules| rules.implied_scopes.entry(value.into()).or_default().extend(implied))
    }

    /// Asks for a user authenticated in one of these ways (`acr`, RFC 9470): `acr` has to be one of them, to the letter. Repeated
    /// calls add values.
    ///
    /// A token with another `acr`, or without one, is refused with 401 and a challenge that names the values, so that the client
    /// can have the user step up.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    /// use portcullis::{JwksService, Secure};
    ///
    /// let secure = Secure::new(JwksService::new("https://as.example.com/jwks")?)
    ///     .acr(["urn:example:mfa"])
    ///     .max_age(Duration::from_secs(5 * 60));
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    pub fn acr<T: Into<String>>(self, values: impl IntoIterator<Item = T>) -> Self {
        self.with_rules(|rules| rules.acr.extend(values.into_iter().map(Into::into)))
    }

    /// Asks for a user who authenticated at most so long ago, by `auth_time`, give or take the issuer's leeway (RFC 9470).
    ///
    /// A token with an earlier `auth_time`, or without one, is refused with 401 and a challenge that names the time in whole
    /// seconds. The age is checked at each request, for cached tokens, too.
    pub fn max_age(self, age: Duration) -> Self {
        self.with_rules(|rules| rules.max_age = Some(age))
    }

    /// Asks for a claim with any value, by its name or, starting with `/`, its JSON Pointer (RFC 6901).
    ///
    /// A rule that no claim can meet, as one without a name or a value, is a mistake, which is logged: good tokens get 500
    /// (`mistaken_rule`).
    pub fn claim(self, name: impl Into<String>) -> Self {
        self.claim_rule(ClaimRule::present(name))
    }

    /// Asks for a claim with this value, or an array with this value in it.
    ///
    /// The value is any JSON value. Numbers compare as numbers; nothing is converted.
    pub fn claim_value(self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.claim_rule(ClaimRule::equals(name, value))
    }

    /// Asks for a claim with one of these values, or an array with one of them in it.
    pub fn claim_one_of<T: Into<Value>>(self, name: impl Into<String>, values: impl IntoIterator<Item = T>) -> Self {
        self.claim_rule(ClaimRule::one_of(name, values))
    }

    /// Asks for a claim that is a string matching this pattern, or an array with such a string in it.
    ///
    /// `*` stands for any run of characters, including none and `/`; the pattern matches the whole string.
    ///
    /// # Example
    ///
    /// ```
    /// use portcullis::{JwksService, Secure};
    ///
    /// let jwks = JwksService::new("https://token.actions.githubusercontent.com/.well-known/jwks")?;
    /// let secure = Secure::new(jwks).claim_matches("sub", "repo:my-org/*:ref:refs/heads/main");
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    pub fn claim_matches(self, name: impl Into<String>, pattern: impl Into<String>) -> Self {
        self.claim_rule(ClaimRule::matches(name, pattern))
    }

    /// Refuses tokens with this claim, even if its value is `null`.
    pub fn claim_absent(self, name: impl Into<String>) -> Self {
        self.claim_rule(ClaimRule::absent(name))
    }

    fn claim_rule(self, rule: ClaimRule) -> Self {
        self.with_rules(|rules| rules.claims.push(rule))
    }

    /// Adds a rule of your own. It sees verified claims only: of tokens that meet all other rules, and, for an
    /// [explanation](Self::explain), of tokens that are refused for any reason but their signature.
    ///
    /// The name is the [code](crate::refusal#the-codes) of the refusal, in logs, metrics and problem details.
    ///
    /// # Errors
    ///
    /// [`ConfigurationError::Rule`] if the name is not in `snake_case`, is longer than 64 characters, or is the code of another
    /// refusal.
    ///
    /// # Example
    ///
    /// ```
    /// use portcullis::{Claims, JwksService, Secure};
    ///
    /// let secure = Secure::new(JwksService::new("https://as.example.com/jwks")?)
    ///     .rule("not_of_age", |claims: &Claims| claims.get("age").and_then(|age| age.as_u64()).is_some_and(|age| age >= 18))?;
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    pub fn rule(
        self,
        name: &'static str,
        holds: impl Fn(&Claims) -> bool + Send + Sync + 'static,
    ) -> Result<Self, ConfigurationError> {
        let rule = OwnRule::new(name, holds)?;
        Ok(self.with(|gate| gate.policy.own.push(rule)))
    }

    /// The status for a bad token: 403 by default, or 401 as RFC 6750 section 3.1 has it. Where DPoP is required, it is always 401.
    ///
    /// # Example
    ///
    /// ```
    /// use portcullis::{InvalidTokenStatus, JwksService, Secure};
    ///
    /// let jwks = JwksService::new("https://as.example.com/jwks")?;
    /// let secure = Secure::new(jwks).invalid_token_status(InvalidTokenStatus::Unauthorized);
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    pub fn invalid_token_status(self, status: InvalidTokenStatus) -> Self {
        self.with_rules(|rules| rules.invalid_token_status = status)
    }

    /// Describes refusals in the response body, too, as problem details (RFC 9457) with their stable `code`.
    pub fn problem_json(self) -> Self {
        self.with_rules(|rules| rules.problem_json = true)
    }

    /// Gives refusals bodies of your own, in place of [`problem_json`](Self::problem_json)'s. Status and fields stay as they are.
    ///
    /// The extractors behind the layer answer with them, too. Clients read these bodies: a refusal's
    /// [`description`](Refusal::description) and [`code`](Refusal::code) are for clients, its `Display` text is for operators.
    ///
    /// The closure is called for `HEAD` requests, too, so that their responses have the fields of a response to `GET`; the
    /// HTTP server leaves the body out (RFC 9110 section 9.3.2), as hyper does.
    ///
    /// # Example
    ///
    /// ```
    /// use http::HeaderValue;
    /// use portcullis::{JwksService, Judging, Presented, RefusalBody, Secure};
    ///
    /// let secure = Secure::new(JwksService::new("https://as.example.com/jwks")?).refusal_body(|refusal| RefusalBody {
    ///     content_type: HeaderValue::from_static("application/json"),
    ///     bytes: serde_json::json!({ "error": refusal.code() }).to_string().into(),
    /// });
    /// let headers = http::HeaderMap::new();
    /// let Judging::Done(verdict) = secure.judge(&Presented::new(&headers)) else { panic!("no keys are needed") };
    /// let refusal = verdict.outcome.unwrap_err();
    /// assert_eq!(secure.answer(&refusal).body(), r#"{"error":"no_credentials"}"#);
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    pub fn refusal_body(self, body: impl Fn(&Refusal) -> RefusalBody + Send + Sync + 'static) -> Self {
        self.with(|gate| gate.challenge.own_body = Some(BodyHook::new(body)))
    }

    /// Lets requests without credentials pass, without claims. Requests with bad credentials are refused.
    pub fn optional(self) -> Self {
        self.with_rules(|rules| rules.optional = true)
    }

    /// Lets every request pass, and only reports the refusals: in the log, and in the counter
    /// `portcullis_would_refuse_total` by `code`. For the time before a roll-out; it protects nothing.
    ///
    /// A request that would be refused reaches the service without [`Access`](crate::Access), as one without credentials does behind
    /// [`optional`](Self::optional): have handlers take `Option<Claims>` meanwhile. A request that would pass has its claims.
    /// Keys are fetched and opaque tokens introspected as usual.
    ///
    /// # Example
    ///
    /// ```
    /// use portcullis::{JwksService, Judging, Presented, Secure};
    ///
    /// let secure = Secure::new(JwksService::new("https://as.example.com/jwks")?).report_only();
    /// let headers = http::HeaderMap::new();
    /// let Judging::Done(verdict) = secure.judge(&Presented::new(&headers)) else { panic!("no keys are needed") };
    /// assert_eq!(verdict.would_refuse().map(|refusal| refusal.code()), Some("no_credentials"));
    /// assert!(verdict.outcome.expect("it passes all the same").access().is_none());
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    pub fn report_only(self) -> Self {
        self.with_rules(|rules| rules.report_only = true)
    }

    /// Accepts only tokens that are bound to a key of their sender, by DPoP (RFC 9449) or by a client certificate (RFC 8705), as FAPI 2.0
    /// asks for: a bearer token is refused, with `sender_constraint_required`.
    ///
    /// ```
    /// use portcullis::{Dpop, JwksService, Secure};
    ///
    /// let jwks = JwksService::new("https://as.example.com/jwks")?;
    /// let secure = Secure::new(jwks).dpop(Dpop::allowed()).sender_constrained();
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    pub fn sender_constrained(self) -> Self {
        self.with_rules(|rules| rules.sender_constrained = true)
    }

    /// The length of the longest accepted token, in bytes: the verifier's
    /// ([`max_token_bytes`](crate::VerifierBuilder::max_token_bytes)) by default, 16 KiB.
    pub fn max_token_bytes(self, max: usize) -> Self {
        self.with_rules(|rules| rules.max_token_bytes = Some(max))
    }

    /// The places of the token; by default the `Authorization` field alone.
    ///
    /// A request with tokens in two places is refused. A place that is named twice counts once.
    pub fn token_from(self, sources: impl IntoIterator<Item = TokenSource>) -> Self {
        self.with(|gate| gate.sources = each_once(sources))
    }

    fn with_rules(self, change: impl FnOnce(&mut Rules)) -> Self {
        self.with(|gate| gate.change_rules(change))
    }

    fn with(mut self, change: impl FnOnce(&mut Gate)) -> Self {
        change(Arc::make_mut(&mut self.gate));
        self
    }
}
