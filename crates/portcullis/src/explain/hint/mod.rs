//! The likely cause of a failure, in a sentence, and what to do about it.
//!
//! A hint depends on claims that may be forged: it is for people, and nothing is decided by it. Faults without a hint are
//! fine.

mod access;
mod form;
mod issuer;
mod key;
mod kind;
mod origin;
mod proof;
mod provider;
mod remedy;
mod step_up;
mod times;

use super::{Check, CheckKind, walk::Walk, words};
use crate::{
    introspection::Introspector,
    questions::EndpointStatus,
    refusal::{ConfigurationFault, Refusal, RequestFault, TokenFault, UnavailableFault},
};

/// The likely cause, if one can be guessed.
pub(super) fn of(walk: &Walk<'_>, kind: CheckKind, refusal: &Refusal) -> Option<String> {
    let hint = match refusal {
        Refusal::Request(fault) => of_request(fault)?.to_owned(),
        Refusal::Token(fault) => of_token(walk, kind, fault)?,
        Refusal::Access(fault) => access::of(walk, fault)?,
        Refusal::Unavailable(UnavailableFault::Keys { .. }) => key::cannot_be_had(walk)?,
        Refusal::Unavailable(UnavailableFault::KeyFetches { .. }) => key::cannot_be_told(walk)?,
        Refusal::Unavailable(UnavailableFault::TenantFetches { .. }) => {
            "many tokens of unknown tenants were sent, so no keys of new tenants are fetched for some seconds: list the tenants that \
             are known (`tenants`), or have all share one key set (`jwks_uri`)"
                .to_owned()
        }
        Refusal::Unavailable(UnavailableFault::Introspection { .. }) => introspection_failed(walk),
        // An explanation exchanges no token.
        Refusal::Unavailable(
            UnavailableFault::ReplayStore { .. }
            | UnavailableFault::Exchange { .. }
            | UnavailableFault::ExchangeAnswer { .. },
        ) => return None,
        Refusal::Proof(fault) => proof::of(fault)?.to_owned(),
        Refusal::Configuration(ConfigurationFault::MistakenRule { problem, .. }) => {
            format!("no token can meet the rules of this endpoint: {problem}")
        }
        // An explanation is of a token, without a request's message.
        Refusal::Configuration(_) | Refusal::Operation { .. } => return None,
    };
    Some(words::clean(&hint, Check::LONGEST))
}

fn of_request(fault: &RequestFault) -> Option<&'static str> {
    match fault {
        RequestFault::NoCredentials => Some("the client sent no Authorization field, or a proxy in between dropped it"),
        RequestFault::OtherScheme => Some("the field has to read `Authorization: Bearer TOKEN`"),
        RequestFault::EmptyToken => Some("a variable that the client takes the token from is probably empty"),
        RequestFault::SeveralTokens => Some("a proxy in between may have added a token of its own to the client's"),
        _ => None,
    }
}

fn introspection_failed(walk: &Walk<'_>) -> String {
    let branches = walk.verifier.branches();
    let status = branches.iter().find_map(|branch| branch.introspector.as_ref()).map(Introspector::status);
    let EndpointStatus { endpoint, last_error, .. } = status.unwrap_or_default();
    let error = last_error.map_or(String::new(), |error| format!(": {error}"));
    format!(
        "the introspection endpoint {endpoint} has no answer, or none that is credible{error}. The token was not judged"
    )
}

fn of_token(walk: &Walk<'_>, kind: CheckKind, fault: &TokenFault) -> Option<String> {
    if matches!(fault, TokenFault::UnknownKey { .. } | TokenFault::Signature)
        && let Some(hint) = remedy::not_for_us(walk)
    {
        return Some(hint.to_owned());
    }
    form::of(walk, fault)
        .or_else(|| kind::of(walk, fault))
        .or_else(|| key::of(walk, fault))
        .or_else(|| times::of(walk, fault))
        .or_else(|| origin::of(walk, kind, fault))
}
