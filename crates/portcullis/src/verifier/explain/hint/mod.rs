//! The likely cause of a failure, in a sentence, and what to do about it.
//!
//! A hint goes by what the token says of itself, which may be a lie: it is for people, and nothing is decided by it.

mod access;
mod form;
mod key;
mod kind;
mod origin;
mod provider;
mod remedy;
mod times;

use super::{Check, CheckKind, walk::Walk, words};
use crate::refusal::{Refusal, RequestFault, TokenFault, UnavailableFault};

/// The likely cause, if there is one that can be told.
pub(super) fn of(walk: &Walk<'_>, kind: CheckKind, refusal: &Refusal) -> Option<String> {
    let hint = match refusal {
        Refusal::Request(fault) => of_request(*fault).to_owned(),
        Refusal::Token(fault) => of_token(walk, kind, fault)?,
        Refusal::Access(fault) => access::of(walk, fault)?,
        Refusal::Unavailable(UnavailableFault::Keys { .. }) => key::cannot_be_had(walk)?,
        Refusal::Unavailable(UnavailableFault::KeyFetches { .. }) => key::cannot_be_told(walk)?,
        Refusal::Unavailable(UnavailableFault::Introspection { .. }) => {
            "the introspection endpoint cannot be asked, or gives no answer that can be believed: the log says which"
                .to_owned()
        }
        Refusal::Configuration(_) => return None,
    };
    Some(words::clean(&hint, Check::LONGEST))
}

fn of_request(fault: RequestFault) -> &'static str {
    match fault {
        RequestFault::NoCredentials => "the client sent no Authorization field, or a proxy in between dropped it",
        RequestFault::OtherScheme => "the field has to read `Authorization: Bearer TOKEN`",
        RequestFault::EmptyToken => "a variable that the client takes the token from is probably empty",
        RequestFault::SeveralTokens => "a proxy in between may have added a token of its own to the client's",
    }
}

fn of_token(walk: &Walk<'_>, kind: CheckKind, fault: &TokenFault) -> Option<String> {
    if matches!(fault, TokenFault::UnknownKey { .. } | TokenFault::Signature)
        && let Some(hint) = remedy::not_for_us(walk)
    {
        return Some(hint.to_owned());
    }
    let hint = match fault {
        TokenFault::TooLarge { .. } => {
            "the issuer puts much into its tokens, groups perhaps: have it leave out what is not needed"
        }
        TokenFault::Characters => form::characters(walk.token),
        TokenFault::Encrypted => match remedy::encrypted(walk) {
            Some(hint) => return Some(hint),
            None => {
                "an encrypted token (JWE): a refresh token of some servers is one, and should not be sent here; \
             if it is the access token, have the issuer sign it only"
            }
        },
        TokenFault::Segments { actual } => remedy::opaque(walk).unwrap_or_else(|| form::segments(walk.token, *actual)),
        TokenFault::Base64(part) => form::base64(walk.token, *part),
        TokenFault::Json(_, fault) => return Some(form::json(fault)),
        TokenFault::Header { member, .. } => return Some(form::header(member)),
        TokenFault::Critical => {
            "the issuer uses an extension of JWS that access tokens do not need: have it switched off"
        }
        TokenFault::Algorithm { actual } => return Some(kind::algorithm(walk, actual.reveal())),
        TokenFault::Type { .. } => return Some(kind::of_type(walk)),
        TokenFault::UnknownKey { kid } => return key::unknown(walk, kid.as_ref().map(|kid| kid.reveal())),
        TokenFault::KeyMismatch { algorithm } => {
            return Some(format!(
                "the issuer publishes this key for another algorithm than {algorithm}: its key set and its signer do not \
                 agree, or the token is forged"
            ));
        }
        TokenFault::TrustDomain => {
            "tokens are taken from workloads of the configured trust domain only: `sub` has to be `spiffe://DOMAIN/…`, to the \
             letter"
        }
        TokenFault::UnusableKey { problem } => return Some(key::unusable(problem)),
        TokenFault::TooManyKeys { limit, actual } => return Some(key::too_many(*limit, *actual)),
        TokenFault::Signature => return Some(key::signature(walk)),
        TokenFault::Inactive => remedy::opaque(walk)
            .unwrap_or("it was revoked, has expired, or was never issued by the server that is asked"),
        TokenFault::Expired { ago } => return Some(times::expired(walk, *ago)),
        TokenFault::NotYetValid { ahead } => return Some(times::ahead(walk, "nbf", *ahead)),
        TokenFault::IssuedInFuture { ahead } => return Some(times::ahead(walk, "iat", *ahead)),
        TokenFault::MissingClaim { name } => return Some(origin::missing(walk, kind, name)),
        TokenFault::MalformedClaim { name, expected } => return Some(form::claim(walk, name, expected)),
        TokenFault::Issuer { actual } => return Some(origin::issuer(walk, actual.reveal())),
        TokenFault::Audience { .. } => return Some(origin::audience(walk)),
        TokenFault::SenderConstrained => {
            "the token is bound to its client's key (DPoP, RFC 9449, or a certificate, RFC 8705), so that a stolen one is of no \
             use, and no proof of the key can be checked here: have the client, or the issuer for this API, use bearer tokens"
        }
        TokenFault::UnsupportedConfirmation => {
            "the issuer binds the token to a key in a way that no HTTP request proves: have it issue bearer tokens for this API"
        }
    };
    Some(hint.to_owned())
}
