//! Hints for tokens that were damaged on their way.

use super::remedy;
use crate::{
    explain::walk::Walk,
    refusal::{JsonFault, Part, TokenFault},
};

pub(super) fn of(walk: &Walk<'_>, fault: &TokenFault) -> Option<String> {
    let hint = match fault {
        TokenFault::TooLarge { .. } => {
            "the issuer puts many claims into its tokens, groups perhaps: have it leave out unneeded ones"
        }
        TokenFault::Characters => characters(walk.token),
        TokenFault::Encrypted => match remedy::encrypted(walk) {
            Some(hint) => return Some(hint),
            None => {
                "an encrypted token (JWE): a refresh token of some servers is one, and should not be sent here; \
             if it is the access token, have the issuer sign it only"
            }
        },
        TokenFault::Segments { actual } => remedy::opaque(walk).unwrap_or_else(|| segments(walk.token, *actual)),
        TokenFault::Base64(part) => base64(walk.token, *part),
        TokenFault::Json(_, fault) => return Some(json(fault)),
        TokenFault::Header { member, .. } => return Some(header(member)),
        TokenFault::Critical => {
            "the issuer uses an extension of JWS that access tokens do not need: have it switched off"
        }
        TokenFault::MalformedClaim { name, expected } => return Some(claim(walk, name, expected)),
        _ => return None,
    };
    Some(hint.to_owned())
}

fn characters(token: &[u8]) -> &'static str {
    let starts = |prefix: &[u8]| token.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    match token {
        [b'"' | b'\'' | b'`', ..] | [.., b'"' | b'\'' | b'`'] => "the token is in quotes, which are not part of it",
        _ if starts(b"Bearer ") => "`Bearer` is there twice, or was pasted with the token",
        _ if starts(b"Authorization:") => "the whole header field was pasted: the token is the part after `Bearer`",
        [b'<', ..] | [b'$', ..] | [b'{', b'{', ..] => "this is a placeholder, in place of the token",
        [b'{', ..] => "this is JSON, not a token: it may be the token endpoint's whole answer; send its `access_token`",
        _ if token.ends_with("…".as_bytes()) => "the token was copied from a place that shows only its beginning",
        _ if token.iter().any(u8::is_ascii_whitespace) => {
            "the token contains white space: it was broken into lines, or other text was pasted with it"
        }
        _ if token.contains(&b'%') => "the token was percent-encoded on its way",
        _ if token.contains(&b'=') => {
            "a token's base64url has no padding with `=`: it was encoded again on its way, or by a faulty issuer"
        }
        _ if token.contains(&b',') => "the token contains a comma: two tokens, or two fields, were joined",
        _ => "the token was changed on its way",
    }
}

fn segments(token: &[u8], parts: usize) -> &'static str {
    let is_jwt = token.starts_with(b"ey");
    match parts {
        _ if token.ends_with(b"...") => "the token was copied from a place that shows only its beginning",
        1 if is_jwt => "only the first part is here: the token was cut off",
        1 => {
            "this is an opaque token, no JWT: configure introspection, or have the issuer give out JWTs for this API; \
             it may be a refresh token, too, which must not be sent here"
        }
        2 if is_jwt => "the last part is missing: the signature was cut off, or the token was never signed",
        _ if is_jwt => "there are too many parts: something was appended to the token, or two were joined",
        _ => {
            "this is no JWT: a token in another form is opaque here, and needs introspection; \
             if it should be a JWT, something was put before it"
        }
    }
}

fn base64(token: &[u8], part: Part) -> &'static str {
    let mut parts = token.split(|byte| *byte == b'.');
    let text = match part {
        Part::Header => parts.next(),
        Part::Payload => parts.nth(1),
        Part::Signature => parts.nth(2),
    };
    match text.unwrap_or_default() {
        text if text.contains(&b'=') => {
            "a token's base64url has no padding with `=`: it was encoded again on its way, or by a faulty issuer"
        }
        text if text.contains(&b'+') || text.contains(&b'/') => {
            "it is in base64's standard alphabet: a token needs base64url, with `-` and `_`"
        }
        text if text.len() % 4 == 1 => {
            "no base64url text has this length: the token was cut off, or has an extra character"
        }
        _ if part == Part::Signature => "the last character cannot end a signature: the token was cut off, or changed",
        _ => "the token was changed on its way, or is no JWT: have the client send it as the issuer gave it",
    }
}

fn json(fault: &JsonFault) -> String {
    let hint = match fault {
        JsonFault::TooDeep => {
            "the issuer puts foreign data into its tokens, or the token was made to do harm: no claim needs such depth"
        }
        JsonFault::DuplicateMember { name, is_within } => {
            let member = if *is_within { format!("a member within {name}") } else { name.to_string() };
            return format!(
                "the issuer writes {member} twice, which two readers read differently: look for a mapper or an action there \
                 that writes it once more; if there is none, the token was put together by hand, or by an attacker"
            );
        }
        JsonFault::NotAnObject => "a token's header and payload are objects: this is another kind of signed data",
        JsonFault::Syntax => {
            "the issuer's template of claims gives no JSON, or the token was changed, or put together by hand"
        }
    };
    hint.to_owned()
}

fn header(member: &str) -> String {
    let hint = match member {
        "b64" => "the issuer uses an extension of JWS that access tokens do not need: have it switched off",
        "alg" => "a signed token names its algorithm: this one was put together by hand",
        _ => {
            return format!(
                "the issuer writes `{member}` in another form than RFC 7515 requires, a number in place of a string perhaps: \
                 correct it there; if its other tokens are right, this one was put together by hand"
            );
        }
    };
    hint.to_owned()
}

/// A registered claim of a wrong type.
fn claim(walk: &Walk<'_>, name: &str, expected: &str) -> String {
    let is_text =
        walk.claims.as_ref().and_then(|claims| claims.get(name)).is_some_and(|claim| claim.as_str().is_some());
    let quotes = if is_text { ", without quotes" } else { "" };
    format!(
        "the issuer writes `{name}` in another form than RFC 7519 requires, which is {expected}{quotes}: correct it there"
    )
}
