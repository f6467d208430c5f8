//! The line from a [`BearerToken`] to a [`VerifiedToken`], with one stop: [`Verifier::begin`].
//!
//! It goes as far as possible without waiting. If it has to wait, [`Waiting`] owns all that was found so far, and goes on
//! from there: nothing is looked up, parsed or decoded twice.

use std::{borrow::Cow, sync::Arc, time::SystemTime};

use super::{
    Verifier,
    branch::Branch,
    judge::Judge,
    opaque::{self, Opaque},
};
use crate::{
    bearer::BearerToken,
    claims::VerifiedToken,
    jwks::Lookup,
    keys::Candidates,
    names::steps,
    questions::ClientAddress,
    refusal::Refusal,
    telemetry,
    token::{self, UnverifiedToken},
};

/// The ground of a verdict on a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ground {
    /// The token was verified before, and its keys and times still hold.
    Cached,
    /// The token was verified for this request: its form, its signature and its claims.
    Verified,
    /// The authorization server was asked about it (RFC 7662), for this request or for another with the same token.
    Introspected,
}

/// A verdict on a token.
pub(crate) struct Verified {
    pub(crate) token: Result<VerifiedToken, Refusal>,
    pub(crate) ground: Ground,
}

/// The state of a token that was judged as far as possible without waiting.
pub(crate) enum Verifying {
    Done(Verified),
    Waits(Waiting),
}

/// A token that has to wait, with all that was found so far.
pub(crate) struct Waiting {
    verifier: Verifier,
    /// The client that sent the token.
    client: Option<ClientAddress>,
    /// Boxed, so that a token that need not wait is not moved in the space for all of it.
    stop: Box<Stop>,
}

/// The place at which a token waits.
enum Stop {
    /// Before parsing, which is left to [`Waiting::finish`].
    Unparsed { token: Box<[u8]> },
    /// Before the look for its key, which has to be fetched.
    Key { token: UnverifiedToken<'static>, judge: Judge },
    /// Before the answer to an introspection.
    Answer { opaque: Arc<Opaque>, question: opaque::Unanswered },
}

impl Verified {
    fn new(token: Result<VerifiedToken, Refusal>, ground: Ground) -> Self {
        Self { token, ground }
    }
}

impl Verifier {
    /// Judges a token as far as possible without waiting.
    ///
    /// With `verify_later`, an unknown token waits before it is parsed and verified, which takes time.
    pub(crate) fn begin(&self, token: BearerToken<'_>, verify_later: bool) -> Verifying {
        if let Some(opaque) = self.opaque(token) {
            return match opaque.begin(token) {
                Ok(verified) => Verifying::Done(verified),
                Err(question) => self.waits(Stop::Answer { opaque: Arc::clone(opaque), question }),
            };
        }
        if let Some(known) = self.known(token) {
            return Verifying::Done(Verified::new(Ok(known), Ground::Cached));
        }
        if verify_later {
            return self.waits(Stop::Unparsed { token: token.as_bytes().into() });
        }
        self.verify_jwt(token)
    }

    /// Judges a token, and waits if necessary.
    pub(crate) async fn judge(&self, token: BearerToken<'_>) -> Verified {
        match self.begin(token, false) {
            Verifying::Done(verified) => verified,
            Verifying::Waits(waiting) => waiting.finish().await,
        }
    }

    fn waits(&self, stop: Stop) -> Verifying {
        Verifying::Waits(Waiting { verifier: self.clone(), client: None, stop: Box::new(stop) })
    }

    /// The cached JWT, if it would be accepted again.
    fn known(&self, token: BearerToken<'_>) -> Option<VerifiedToken> {
        let cache = self.0.cache.as_ref()?;
        telemetry::step(steps::LOOK_UP_TOKEN);
        cache.get(token.as_bytes(), |judge, token| judge.upholds(token))
    }

    fn verify_jwt(&self, token: BearerToken<'_>) -> Verifying {
        let done = |token| Verifying::Done(Verified::new(token, Ground::Verified));
        let (unverified, judge) = match self.parse(token) {
            Ok(parsed) => parsed,
            Err(refusal) => return done(Err(refusal)),
        };
        let now = judge.branch.clock.now();
        match judge.lookup(&unverified, now) {
            Lookup::Found(keys) => done(self.open(unverified, judge, &keys, now)),
            Lookup::Refused(refusal) => done(Err(refusal)),
            Lookup::MustWait => self.waits(Stop::Key { token: unverified.into_owned(), judge }),
        }
    }

    /// The parsed token, and the keys and rules that judge it.
    fn parse<'a>(&self, token: BearerToken<'a>) -> Result<(UnverifiedToken<'a>, Judge), Refusal> {
        telemetry::step(steps::DECODE_TOKEN);
        let unverified = token::parse_knowing(token, |part| self.0.headers.find(part))?;
        let branch: &Arc<Branch> = self.0.issuers.choose(&unverified)?;
        branch.header.check(unverified.header())?;
        let judge = Judge::of(branch, &unverified)?;
        Ok((unverified, judge))
    }

    /// Verifies the signature and checks the claims, without waiting; an accepted token is cached.
    fn open(
        &self,
        unverified: UnverifiedToken<'_>,
        judge: Judge,
        keys: &Candidates,
        now: SystemTime,
    ) -> Result<VerifiedToken, Refusal> {
        let mut signed = keys.verify(unverified, judge.branch.rules.max_key_attempts)?;
        self.0.headers.remember(&signed.header);
        let text: Cow<'_, [u8]> = std::mem::take(&mut signed.text);
        let verified = judge.branch.rules.accept(signed, now)?;
        let may_be_cached = judge.keep_tenant() && judge.branch.cache().is_some();
        if let Some(cache) = self.0.cache.as_ref().filter(|_| may_be_cached) {
            cache.insert(&text, verified.clone(), judge);
        }
        if let Cow::Owned(text) = text {
            // The borrowed request has ended, and inner layers need the token's bytes to recognise it.
            verified.keep_shown_as(|| text.into());
        }
        Ok(verified)
    }
}

impl Waiting {
    /// The same for a token of this client.
    pub(crate) fn by_client(self, client: Option<ClientAddress>) -> Self {
        Self { client, ..self }
    }

    /// Waits, and goes on from the stop.
    pub(crate) async fn finish(self) -> Verified {
        let Self { verifier, client, mut stop } = self;
        loop {
            stop = match *stop {
                Stop::Unparsed { token } => {
                    match BearerToken::bare(&token, usize::MAX).map(|token| verifier.verify_jwt(token)) {
                        Ok(Verifying::Done(verified)) => return verified,
                        Ok(Verifying::Waits(waiting)) => waiting.stop,
                        Err(refusal) => return Verified::new(Err(refusal), Ground::Verified),
                    }
                }
                Stop::Key { token, judge } => {
                    let verified = match judge.jwks().key(token.header()).await {
                        Ok(keys) => {
                            let now = judge.branch.clock.now();
                            verifier.open(token, judge, &keys, now)
                        }
                        Err(refusal) => Err(refusal),
                    };
                    return Verified::new(verified, Ground::Verified);
                }
                Stop::Answer { opaque, question } => {
                    return Verified::new(opaque.answer(question, client).await, Ground::Introspected);
                }
            };
        }
    }
}
