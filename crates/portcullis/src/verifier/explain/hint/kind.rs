//! Another kind of token than an access token.

use crate::{json::Object, verifier::explain::walk::Walk};

/// Claims that ID tokens have and access tokens have not (OpenID Connect Core sections 2 and 3.3.2.11).
const OF_ID_TOKENS: [&str; 4] = ["nonce", "at_hash", "c_hash", "s_hash"];

/// An ID or refresh token, if it looks like one.
pub(super) fn other_kind(walk: &Walk<'_>) -> Option<String> {
    let claims = walk.claims.as_ref()?;
    // How Keycloak and Amazon Cognito tell their tokens apart.
    let named = ["typ", "token_use", "token_type"].into_iter().find_map(|name| claims.get(name)?.as_str());
    match named.unwrap_or_default().to_ascii_lowercase().as_str() {
        "refresh" | "refresh_token" | "offline" => return Some(refresh_token()),
        "id" | "id_token" => return Some(id_token("it says so itself")),
        _ => {}
    }
    if let Some(told) = OF_ID_TOKENS.iter().find(|name| claims.contains_key(name)) {
        return Some(id_token(&format!("it has `{told}`")));
    }
    is_for_its_own_client(claims).then(|| id_token("its `aud` is the client that asked for it"))
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

pub(super) fn of_type(walk: &Walk<'_>) -> String {
    let typ = walk.header.as_ref().and_then(|header| header.get("typ")?.as_str()).unwrap_or_default();
    let hint = match typ.to_ascii_lowercase().trim_start_matches("application/") {
        "dpop+jwt" => "this is a DPoP proof, which goes into the DPoP field: the access token is another",
        "logout+jwt" => "this is a logout token, which is for the client's back-channel endpoint",
        "token-introspection+jwt" => {
            "this is the answer to an introspection: it is for the one who asked, and no access token"
        }
        "id" | "id_token" | "id+jwt" | "id_token+jwt" => "this is an ID token: the client has to send its access token",
        "refresh" | "rt+jwt" | "refresh+jwt" => return refresh_token(),
        "at+jwt" => {
            "the types that are accepted here leave `at+jwt` out: accept it, for access tokens of RFC 9068 have it"
        }
        "" | "jwt" => {
            return other_kind(walk).unwrap_or_else(|| {
                "the type `at+jwt` is asked for (RFC 9068), so that no other kind of token passes: \
                 have the issuer say so, or do not ask for it"
                    .to_owned()
            });
        }
        _ => "this is a token for another purpose than access",
    };
    hint.to_owned()
}

pub(super) fn algorithm(walk: &Walk<'_>, name: &str) -> String {
    let hint = match name {
        none if none.eq_ignore_ascii_case("none") => {
            "nobody signed this token: it was put together by an attacker, or by a test tool"
        }
        "HS256" | "HS384" | "HS512" => {
            return other_kind(walk).unwrap_or_else(|| {
                "this is signed with a shared secret: by an attacker who took the public key for one, \
                 or by an issuer that was not switched to asymmetric keys"
                    .to_owned()
            });
        }
        _ if crate::Algorithm::from_name(name).is_some() => {
            "have the issuer sign with one of the expected algorithms, or allow this one, too"
        }
        _ => "no such algorithm signs tokens: the issuer is set up wrongly, or the token was put together by hand",
    };
    hint.to_owned()
}
