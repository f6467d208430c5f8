//! The line from a [`BearerToken`] to a [`VerifiedToken`], with one stop: [`Verifier::begin`].
//!
//! It goes as far as possible without waiting. If it has to wait, [`Waiting`] owns all that was found so far, and goes on
//! from there: nothing is looked up, parsed or decoded twice.

use std::{borrow::Cow, sync::Arc, time::SystemTime};

use super::{
    Verifier,
    branch::Branch,
    opaque::{self, Opaque},
};
use crate::{
    bearer::BearerToken,
    claims::VerifiedToken,
    introspection::ClientAddress,
    jwks::Lookup,
    keys::Candidates,
    names::steps,
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
    Key { token: UnverifiedToken<'static>, branch: Arc<Branch> },
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
        cache.get(token.as_bytes(), |branch, token| branch.upholds(token))
    }

    fn verify_jwt(&self, token: BearerToken<'_>) -> Verifying {
        let done = |token| Verifying::Done(Verified::new(token, Ground::Verified));
        let (unverified, branch) = match self.parse(token) {
            Ok(parsed) => parsed,
            Err(refusal) => return done(Err(refusal)),
        };
        let now = branch.clock.now();
        match branch.lookup(&unverified, now) {
            Lookup::Found(keys) => done(self.open(unverified, branch, &keys, now)),
            Lookup::Refused(refusal) => done(Err(refusal)),
            Lookup::MustWait => self.waits(Stop::Key { token: unverified.into_owned(), branch: Arc::clone(branch) }),
        }
    }

    /// The parsed token, and the issuer whose keys and rules judge it.
    fn parse<'a>(&self, token: BearerToken<'a>) -> Result<(UnverifiedToken<'a>, &Arc<Branch>), Refusal> {
        telemetry::step(steps::DECODE_TOKEN);
        let unverified = token::parse_knowing(token, |part| self.0.headers.find(part))?;
        let branch = self.0.issuers.choose(&unverified)?;
        branch.header.check(unverified.header())?;
        Ok((unverified, branch))
    }

    /// Verifies the signature and checks the claims, without waiting; an accepted token is cached.
    fn open(
        &self,
        unverified: UnverifiedToken<'_>,
        branch: &Arc<Branch>,
        keys: &Candidates,
        now: SystemTime,
    ) -> Result<VerifiedToken, Refusal> {
        let mut signed = keys.verify(unverified, branch.rules.max_key_attempts)?;
        self.0.headers.remember(&signed.header);
        let text: Cow<'_, [u8]> = std::mem::take(&mut signed.text);
        let verified = branch.rules.accept(signed, now)?;
        if let (Some(cache), Some(_)) = (&self.0.cache, branch.cache()) {
            cache.insert(&text, verified.clone(), Arc::clone(branch));
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
                Stop::Key { token, branch } => {
                    let verified = match branch.jwks.key(token.header()).await {
                        Ok(keys) => verifier.open(token, &branch, &keys, branch.clock.now()),
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
