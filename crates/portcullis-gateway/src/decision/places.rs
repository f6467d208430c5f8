//! The places of a route's token besides `Authorization`: a cookie, and a header field of its own.
//!
//! The upstream gets the token in `Authorization`, as from any other client, and not in these places.

use http::{HeaderName, HeaderValue, header::COOKIE};
use portcullis::{HeaderFields, Secure, TokenSource};

use super::{Fault, Original, gateway::bearer};
use crate::config::TokenPlaces;

/// The consequences of these places for the upstream.
#[derive(Default)]
pub(super) struct Moved {
    /// The fields without the token, in place of the client's.
    pub(super) fields: Vec<(HeaderName, Option<HeaderValue>)>,
    /// The field with the token, as the client sent it.
    pub(super) kept: Option<(HeaderName, Option<HeaderValue>)>,
    /// The `Authorization` field with the token from one of these places.
    pub(super) authorization: Option<HeaderValue>,
}

/// Returns a layer that looks for tokens in these places, too.
pub(super) fn looking(secure: Secure, TokenPlaces { cookie, field }: &TokenPlaces) -> Secure {
    if cookie.is_none() && field.is_none() {
        return secure;
    }
    let cookie = cookie.iter().map(TokenSource::cookie);
    let field = field.iter().map(|name| TokenSource::header(name.clone()));
    secure.token_from([TokenSource::authorization()].into_iter().chain(cookie).chain(field))
}

/// Returns true if a request has the header field that may carry its token.
pub(super) fn has_field(TokenPlaces { field, .. }: &TokenPlaces, fields: &dyn HeaderFields) -> bool {
    field.as_ref().is_some_and(|name| fields.first_two(name) != [None, None])
}

/// Takes the token out of these places of a request.
///
/// # Errors
///
/// The fault of a token or of a cookie that no header field can have.
pub(super) fn moved(TokenPlaces { cookie, field }: &TokenPlaces, original: &Original<'_>) -> Result<Moved, Fault> {
    let mut moved = Moved::default();
    if let Some(name) = field {
        if let [Some(token), None] = original.fields.first_two(name)
            && !token.is_empty()
        {
            moved.authorization = bearer_of(token)?;
            moved.kept = Some((name.clone(), HeaderValue::from_bytes(token).ok()));
        }
        moved.fields.push((name.clone(), None));
    }
    if let Some(name) = cookie {
        let (token, rest) = without(name, original);
        if let Some(token) = token {
            // An empty one is no token, as for the verifier: the one in another place goes on.
            if !token.is_empty() {
                moved.authorization = bearer_of(&token)?;
            }
            moved.fields.push((COOKIE, rest.map(|rest| value(COOKIE, &rest)).transpose()?));
        }
    }
    Ok(moved)
}

/// Returns the value of a cookie, and the other cookies.
fn without(name: &str, original: &Original<'_>) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
    let (mut token, mut rest) = (None, Vec::new());
    original.fields.each(&COOKIE, &mut |field| {
        let pairs = cookie_pairs(name, field).map(<[u8]>::trim_ascii).filter(|pair| !pair.is_empty());
        for pair in pairs {
            match TokenSource::cookie_value(name, pair) {
                Some(value) => token = Some(value.to_vec()),
                None => rest.push(pair),
            }
        }
    });
    let rest = (!rest.is_empty()).then(|| rest.join(&b"; "[..]));
    (token, rest)
}

/// Returns the pairs of a `Cookie` field. Envoy joins several fields with a comma, and some servers take one for a divider: a pair is
/// divided there if it is more than the cookie of this name.
fn cookie_pairs<'a>(name: &str, field: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    field.split(|byte| *byte == b';').flat_map(move |pair| {
        let names_it =
            pair.split(|byte| *byte == b',').any(|part| TokenSource::cookie_value(name, part.trim_ascii()).is_some());
        let divider = if names_it { b',' } else { b';' };
        pair.split(move |byte| *byte == divider)
    })
}

fn bearer_of(token: &[u8]) -> Result<Option<HeaderValue>, Fault> {
    // Any other text is no token, and is refused as one.
    std::str::from_utf8(token).ok().map(bearer).transpose()
}

fn value(field: HeaderName, bytes: &[u8]) -> Result<HeaderValue, Fault> {
    HeaderValue::from_bytes(bytes).map_err(|_| Fault::UnmappableClaim { field, got: "unreadable cookies" })
}
