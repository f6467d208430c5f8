//! Hints for tokens of another kind than access tokens.

use super::remedy;
use crate::{algorithm::Algorithm, explain::walk::Walk, json::Object, refusal::TokenFault};

/// Claims that are in ID tokens and not in access tokens (OpenID Connect Core sections 2 and 3.3.2.11).
const OF_ID_TOKENS: [&str; 4] = ["nonce", "at_hash", "c_hash", "s_hash"];

/// Claims with the kind of token, at Keycloak and Amazon Cognito.
const OF_KINDS: [&str; 3] = ["typ", "token_use", "token_type"];

/// Claims that are in access tokens and not in ID tokens; the last two are Entra ID's.
const OF_ACCESS_TOKENS: [&str; 4] = ["scope", "scp", "azpacr", "appidacr"];

const LOGOUT_TOKEN: &str = "this is a logout token, which is for the client's back-channel endpoint";

pub(super) fn of(walk: &Walk<'_>, fault: &TokenFault) -> Option<String> {
    match fault {
        TokenFault::Algorithm { actual } => Some(algorithm(walk, actual.reveal())),
        TokenFault::Type { .. } => Some(of_type(walk)),
        _ => None,
    }
}

/// An ID or refresh token, if it looks like one.
pub(super) fn other_kind(walk: &Walk<'_>) -> Option<String> {
    let claims = walk.claims.as_ref()?;
    let named = OF_KINDS.into_iter().find_map(|name| claims.get(name)?.as_str());
    match named.unwrap_or_default().to_ascii_lowercase().as_str() {
        "refresh" | "refresh_token" | "offline" => return Some(refresh_token()),
        "logout" => return Some(LOGOUT_TOKEN.to_owned()),
        "id" | "id_token" => return Some(id_token("by its own claim")),
        _ => {}
    }
    if is_for_access(claims) {
        return None;
    }
    let told = OF_ID_TOKENS.iter().find(|name| claims.contains_key(name));
    if let Some(told) = told.filter(|_| header_type(walk) != "at+jwt") {
        return Some(id_token(&format!("it has `{told}`")));
    }
    is_for_its_own_client(claims).then(|| id_token("its `aud` is the client that asked for it"))
}

/// Tells whether a claim marks an access token, even if others look like an ID token's: Keycloak up to 24 writes `nonce`
/// into both.
fn is_for_access(claims: &Object) -> bool {
    let is = |name: &str, value: &str| {
        claims.get(name).and_then(|claim| claim.as_str()).is_some_and(|text| text.eq_ignore_ascii_case(value))
    };
    let named = [("typ", "Bearer"), ("typ", "DPoP"), ("token_use", "access"), ("token_type", "Bearer")];
    named.into_iter().any(|(name, value)| is(name, value))
        || OF_ACCESS_TOKENS.into_iter().any(|name| claims.contains_key(name))
}

/// The header's `typ`, in lower case and without `application/`.
fn header_type(walk: &Walk<'_>) -> String {
    let typ = walk.header.as_ref().and_then(|header| header.get("typ")?.as_str()).unwrap_or_default();
    typ.to_ascii_lowercase().trim_start_matches("application/").to_owned()
}

fn id_token(why: &str) -> String {
    format!("this looks like an ID token ({why}): the client has to send its access token")
}

fn refresh_token() -> String {
    "this is a refresh token: the client has to send its access token, and this to the token endpoint alone".to_owned()
}

fn is_for_its_own_client(claims: &Object) -> bool {
    let text = |name: &str| claims.get(name)?.as_str();
    text("azp").is_some() && text("azp") == text("aud")
}

fn of_type(walk: &Walk<'_>) -> String {
    let hint = match header_type(walk).as_str() {
        "dpop+jwt" => "this is a DPoP proof, which goes into the DPoP field: the access token is another",
        "logout+jwt" => LOGOUT_TOKEN,
        "token-introspection+jwt" => {
            "this is the answer to an introspection, for the server that asked: it is no access token"
        }
        "id" | "id_token" | "id+jwt" | "id_token+jwt" => "this is an ID token: the client has to send its access token",
        "refresh" | "rt+jwt" | "refresh+jwt" => return refresh_token(),
        "at+jwt" => "`at+jwt` is not among the accepted types: accept it, since access tokens of RFC 9068 have it",
        "" | "jwt" => {
            return other_kind(walk).unwrap_or_else(|| {
                let how = remedy::access_token_type(walk).unwrap_or("have the issuer write it");
                format!(
                    "the type `at+jwt` is asked for (RFC 9068), so that no other kind of token passes: {how}, or do not ask \
                     for it"
                )
            });
        }
        _ => "this is a token for another purpose than access",
    };
    hint.to_owned()
}

fn algorithm(walk: &Walk<'_>, name: &str) -> String {
    let known = name.parse::<Algorithm>();
    let hint = match name {
        none if none.eq_ignore_ascii_case("none") => {
            "this token is not signed: it was put together by a test tool, or by an attacker"
        }
        _ if known.as_ref().is_ok_and(|known| Algorithm::SYMMETRIC.contains(known)) => {
            return other_kind(walk).unwrap_or_else(|| {
                "this is signed with a shared secret: by an issuer that was not switched to asymmetric keys, \
                 or by an attacker who took the public key for one"
                    .to_owned()
            });
        }
        _ if known.is_ok() => "have the issuer sign with one of the expected algorithms, or allow this one, too",
        _ => "no such algorithm signs tokens: the issuer is set up wrongly, or the token was put together by hand",
    };
    hint.to_owned()
}
