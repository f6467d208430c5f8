//! Hints for a token of an authentication that is too weak or too long ago (RFC 9470).

use super::provider::{self, Provider};
use crate::{
    explain::walk::Walk,
    json::{Object, Value},
};

/// The hint for an `acr` other than the endpoint's.
pub(super) fn acr(walk: &Walk<'_>, claims: &Object) -> String {
    let is_of_keycloak = is_of_keycloak(walk);
    let acr = claims.get("acr").map(Value::as_str);
    let hint = match acr {
        None if is_of_keycloak => {
            "Keycloak writes `acr` by the client scope `acr`: add that to the client as a default one (Clients > the client > \
             Client scopes)"
        }
        None => {
            "the token does not tell how the user authenticated: have the issuer write `acr` into access tokens (RFC 9470 section \
             6)"
        }
        Some(None) => "`acr` has to be one string (RFC 9470 section 6.1): have the issuer write it so",
        Some(Some(level)) if is_of_keycloak && level.parse::<u32>().is_ok() => {
            "Keycloak writes the number of a level that has no name: name the levels of the login flow in `ACR to LoA Mapping` \
             (Realm settings > General, or the client's Advanced tab)"
        }
        Some(Some(_)) => {
            "the user authenticated in another way: the client has to ask for a token again, with the challenge's `acr_values` \
             (RFC 9470 section 4)"
        }
    };
    hint.to_owned()
}

/// The hint for an `auth_time` that is too long ago or unknown.
pub(super) fn age(walk: &Walk<'_>, claims: &Object) -> String {
    let hint = match claims.get("auth_time") {
        None if is_of_keycloak(walk) => {
            "Keycloak writes `auth_time` by the client scope `basic`, if a user has logged in: add that to the client as a default \
             one (Clients > the client > Client scopes); a client that acts for itself has no such time"
        }
        None => {
            "the token does not tell when the user authenticated: have the issuer write `auth_time` into access tokens (RFC 9470 \
             section 6)"
        }
        Some(time) if time.as_f64().is_none() => {
            "`auth_time` has to be a number of seconds since 1970 (RFC 9470 section 6.1): have the issuer write it so"
        }
        Some(_) => {
            "the user has to authenticate again: the client has to ask for a token with the challenge's `max_age` (RFC 9470 \
             section 4); if the user just did, compare the clocks"
        }
    };
    hint.to_owned()
}

fn is_of_keycloak(walk: &Walk<'_>) -> bool {
    provider::of(walk) == Some(Provider::Keycloak)
}
