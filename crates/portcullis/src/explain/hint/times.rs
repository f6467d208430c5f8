//! Hints for times, and for clocks that differ.

use std::time::Duration;

use crate::{explain::walk::Walk, refusal::TokenFault, units::span};

/// The longest time for which differing clocks are the likely cause.
const SKEW: Duration = Duration::from_secs(300);

/// The time from which a number is taken for milliseconds: in seconds it is the year 5138.
const IN_MILLISECONDS: f64 = 1e11;

pub(super) fn of(walk: &Walk<'_>, fault: &TokenFault) -> Option<String> {
    match fault {
        TokenFault::Expired { ago } => Some(expired(walk, *ago)),
        TokenFault::NotYetValid { ahead: time } => Some(ahead(walk, "nbf", *time)),
        TokenFault::IssuedInFuture { ahead: time } => Some(ahead(walk, "iat", *time)),
        TokenFault::Lifetime { .. } => {
            Some("have the issuer give out tokens for a shorter time, or raise `max_token_lifetime`".to_owned())
        }
        _ => None,
    }
}

fn expired(walk: &Walk<'_>, ago: Duration) -> String {
    let (iat, exp) = (seconds(walk, "iat"), seconds(walk, "exp"));
    if exp.is_some_and(|exp| exp <= 0.0) {
        return "`exp` is 0 or less: an issuer that means `no expiry` by that has to write a real one; if it does not, the token \
                was put together by hand"
            .to_owned();
    }
    if let (Some(iat), Some(exp)) = (iat, exp)
        && exp <= iat
    {
        return "it expires before it was issued: the issuer is set up wrongly".to_owned();
    }
    let lifetime = iat.zip(exp).and_then(|(iat, exp)| Duration::try_from_secs_f64(exp - iat).ok());
    let lived = lifetime.map_or(String::new(), |lifetime| format!("; its lifetime was {}", span(lifetime)));
    let ago_words = span(ago);
    if ago > SKEW {
        return format!("it expired {ago_words} ago{lived}: the client has to get a new one");
    }
    format!(
        "it expired {ago_words} ago{lived}: the client has to refresh it a little earlier; if it was just issued, \
         this machine's clock is ahead of the issuer's"
    )
}

/// A time that should have passed.
fn ahead(walk: &Walk<'_>, claim: &str, ahead: Duration) -> String {
    if seconds(walk, claim).is_some_and(|seconds| seconds >= IN_MILLISECONDS) {
        return "the number seems to be in milliseconds: tokens have seconds since 1970 (RFC 7519 section 2)"
            .to_owned();
    }
    if ahead <= SKEW {
        return format!(
            "this machine's clock seems to be {} behind the issuer's: set both by NTP, or allow a longer leeway",
            span(ahead)
        );
    }
    let otherwise = match claim {
        "nbf" => "the token is not to be used before then, or one of the clocks is wrong",
        _ => "the issuer's clock is wrong, or this machine's",
    };
    format!("that is {} from now: {otherwise}", span(ahead))
}

fn seconds(walk: &Walk<'_>, claim: &str) -> Option<f64> {
    walk.claims.as_ref()?.get(claim)?.as_f64().filter(|seconds| seconds.is_finite())
}
