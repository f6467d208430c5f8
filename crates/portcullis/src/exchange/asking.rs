//! One target, and the way from a client's token to one for it.

use std::{
    fmt,
    sync::{Arc, Weak},
    time::SystemTime,
};

use tracing::Instrument;

use super::{
    ExchangedToken, Exchanger, Target,
    answer::{self, Said},
    judge::Doubt,
    target::ACCESS_TOKEN,
};
use crate::{
    claims::VerifiedToken,
    configuration_error::ConfigurationError,
    crypto::{Digest, sha256},
    questions::{
        Answer, Asking, ClientAddress, Endpoint, NoResult, Parts, Purpose, Question, RefusedTokens, SingleFlight, lock,
    },
    refusal::{AccessFault, ConfigurationFault, Refusal},
    shared_store::CLOCKS_APART,
    telemetry,
    verifier::Verifier,
};

/// The grant of a token exchange (RFC 8693 section 2.1).
const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// The number of refused tokens that are remembered, of about 200 bytes each.
const MOST_REFUSED: usize = 4096;

/// The exchange of tokens for those of one target.
pub(crate) struct Exchange {
    pub(super) exchanger: Exchanger,
    pub(super) target: Target,
    /// The judge of exchanged tokens.
    pub(super) verifier: Verifier,
    /// True if the verifier introspects opaque tokens.
    pub(super) introspects: bool,
    /// The allowed difference between the clocks.
    pub(super) leeway: std::time::Duration,
    question: Question,
    refused: RefusedTokens,
    flights: SingleFlight<Result<ExchangedToken, Refusal>>,
}

/// A token that has to be exchanged.
pub(crate) struct Unexchanged {
    subject: VerifiedToken,
    text: Arc<str>,
    name: Digest,
}

/// The state of an exchange, as far as possible without waiting.
pub(crate) enum Begun {
    Done(Result<ExchangedToken, Refusal>),
    Asks(Unexchanged),
}

impl Exchange {
    /// The exchange for a target: layers with one target share it, since its verifier upholds no token of another verifier's.
    ///
    /// # Errors
    ///
    /// The error of [`Target::check`], or of the rules for exchanged tokens.
    pub(crate) fn of(exchanger: &Exchanger, target: Target) -> Result<Arc<Self>, ConfigurationError> {
        target.check()?;
        let mut known = lock(&exchanger.0.exchanges);
        known.retain(|exchange| exchange.strong_count() > 0);
        let question = question(&exchanger.0.endpoint, &target);
        if let Some(same) = known.iter().filter_map(Weak::upgrade).find(|own| own.question == question) {
            return Ok(same);
        }
        let exchange = Arc::new(Self::new(exchanger, target, question)?);
        known.push(Arc::downgrade(&exchange));
        Ok(exchange)
    }

    fn new(exchanger: &Exchanger, target: Target, question: Question) -> Result<Self, ConfigurationError> {
        let rules = exchanger.0.issuer.for_audiences(target.audiences());
        let (introspects, leeway) = (rules.introspects(), rules.allowed_leeway());
        let rules = rules.without_token_cache();
        let rules = if exchanger.0.settings.dangerously_accept_unverified { rules.with_any_keys() } else { rules };
        let verifier = rules.build()?;
        Ok(Self {
            exchanger: exchanger.clone(),
            target,
            verifier,
            introspects,
            leeway,
            question,
            refused: RefusedTokens::new(MOST_REFUSED),
            flights: SingleFlight::new(),
        })
    }

    /// Tells whether this token may be sent to the server.
    pub(crate) fn takes(&self, subject: &VerifiedToken) -> bool {
        self.exchanger.takes(subject)
    }

    /// The refusal of a token whose text is not at hand.
    pub(crate) fn unavailable(&self) -> Refusal {
        Purpose::Exchange.unavailable(std::time::Duration::from_secs(1))
    }

    /// The endpoint for people, and the target.
    pub(crate) fn told(&self) -> (String, &Target) {
        (self.exchanger.0.endpoint.shown(), &self.target)
    }

    /// The exchanged token, if the server need not be asked.
    pub(crate) fn begin(&self, subject: &VerifiedToken, text: &Arc<str>) -> Begun {
        let name = sha256(&[self.question.bytes(), text.as_bytes()].concat());
        if let Some(known) = self.kept(&name) {
            return Begun::Done(Ok(known));
        }
        match self.refused.get(&name, self.now(), self.exchanger.0.settings.refused_for) {
            Some(refusal) => Begun::Done(Err(refusal)),
            None => Begun::Asks(Unexchanged { subject: subject.clone(), text: Arc::clone(text), name }),
        }
    }

    /// The exchanged token, shared by all requests with the same token at the same time.
    ///
    /// The question takes a turn of the client with the first request.
    pub(crate) async fn finish(
        self: Arc<Self>,
        asked: Unexchanged,
        client: Option<ClientAddress>,
    ) -> Result<ExchangedToken, Refusal> {
        let (name, exchange) = (asked.name, Arc::clone(&self));
        let span = telemetry::exchanging(&self.exchanger.0.endpoint.shown());
        let work = async move { exchange.exchange(asked, client).await }.instrument(span);
        self.flights.run(name, || work).await.unwrap_or_else(|why| Err(no_result(&why)))
    }

    async fn exchange(&self, asked: Unexchanged, client: Option<ClientAddress>) -> Result<ExchangedToken, Refusal> {
        let Unexchanged { subject, text, name } = asked;
        // Another question may have been answered since.
        if let Some(known) = self.kept(&name) {
            return Ok(known);
        }
        if let Some(token) = self.shared(&name, &subject).await {
            return Ok(self.keep(name, token));
        }
        let endpoint = &self.exchanger.0.endpoint;
        let scope = self.target.scope.join(" ");
        let form = self.form(&text, &scope);
        let asking = Asking { accept: "application/json", form: &form };
        let read = |answer: Answer| answer::read(endpoint, &answer).map(|said| (said, answer.at));
        let ((said, at), attempt) = endpoint.ask(&asking, client, read).await?;
        let answer = match said {
            Said::Issued(answer) => answer,
            Said::Refused(error) => {
                attempt.succeed("refused");
                let refusal = Refusal::Access(AccessFault::ExchangeRefused { error });
                self.refused.remember(name, refusal.clone(), self.now());
                return Err(refusal);
            }
        };
        match self.judge(&answer, at, &subject).await {
            Ok((issued, token)) => {
                attempt.succeed("issued");
                endpoint.share(&self.question, &name, &issued.text(self.target.token_type), token.until());
                Ok(self.keep(name, token))
            }
            Err(Doubt::NotJudged(refusal)) => {
                // The server did issue a token; its keys are away.
                attempt.succeed("issued");
                Err(refusal)
            }
            Err(Doubt::NotBelieved(why)) => Err(attempt.disbelieve(&why)),
        }
    }

    /// The parameters of the question (RFC 8693 section 2.1).
    fn form<'a>(&'a self, token: &'a str, scope: &'a str) -> Vec<(&'a str, &'a str)> {
        let mut form = vec![
            ("grant_type", GRANT),
            ("subject_token", token),
            ("subject_token_type", ACCESS_TOKEN),
            ("requested_token_type", self.target.token_type.uri()),
        ];
        form.extend(self.target.audience.iter().map(|name| ("audience", name.as_str())));
        form.extend(self.target.resource.iter().map(|uri| ("resource", uri.as_str())));
        form.extend((!scope.is_empty()).then_some(("scope", scope)));
        form
    }

    /// The token that another process got, if it would be accepted here; if not, the server is asked.
    async fn shared(&self, name: &Digest, subject: &VerifiedToken) -> Option<ExchangedToken> {
        let told = self.exchanger.0.endpoint.shared(&self.question, name).await?;
        let now = self.now();
        if now >= told.until || told.at > now + CLOCKS_APART {
            return None;
        }
        self.judge(&told.text, told.at, subject).await.ok().map(|(_, token)| token).filter(|token| now < token.until())
    }

    /// The token that is kept, if it would be accepted again.
    fn kept(&self, name: &Digest) -> Option<ExchangedToken> {
        let token = self.exchanger.0.kept.get(name)?;
        let is_upheld = token.verified().is_none_or(|verified| self.verifier.upholds(verified));
        (is_upheld && self.now() < token.until()).then_some(token)
    }

    fn keep(&self, name: Digest, token: ExchangedToken) -> ExchangedToken {
        if self.now() < token.until() {
            self.exchanger.0.kept.insert(name, token.clone());
        }
        token
    }

    fn now(&self) -> SystemTime {
        self.exchanger.0.endpoint.now()
    }
}

/// The question for a target, without the client's token.
fn question(endpoint: &Endpoint, target: &Target) -> Question {
    Parts::default()
        .text(&endpoint.identity())
        .text(endpoint.client().id())
        .text(endpoint.client().method())
        .text(endpoint.assertion_audience().unwrap_or_default())
        .text(target.token_type.uri())
        .set(target.audience.iter().map(String::as_str).collect())
        .set(target.resource.iter().map(String::as_str).collect())
        .set(target.scope.iter().map(String::as_str).collect())
        .question()
}

fn no_result(why: &NoResult) -> Refusal {
    match why {
        NoResult::NoRuntime => Refusal::Configuration(ConfigurationFault::NoRuntime),
        NoResult::Interrupted => Purpose::Exchange.unavailable(std::time::Duration::from_secs(1)),
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { exchanger, target, .. } = self;
        f.debug_struct("Exchange").field("exchanger", exchanger).field("target", target).finish_non_exhaustive()
    }
}
