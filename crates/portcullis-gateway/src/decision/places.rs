//! The places of a route's token besides `Authorization`: a cookie, and a header field of its own.
//!
//! The upstream gets the token in `Authorization`, as from any other client, and not in these places.

use http::{HeaderName, HeaderValue, header::COOKIE};
use portcullis::{CookiePart, HeaderFields, Secure, TokenSource};

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
    let cookie = cookie.iter().map(TokenSource::removed_cookie);
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
        let cookies = Cookies::of(name, original);
        // An empty one is no token, as for the verifier: the one in another place goes on.
        if let Some(token) = cookies.token.filter(|token| !token.is_empty()) {
            moved.authorization = bearer_of(token)?;
        }
        if cookies.are_found {
            let others = (!cookies.others.is_empty()).then(|| cookies.others.join(&b"; "[..]));
            moved.fields.push((COOKIE, others.map(|others| value(COOKIE, &others)).transpose()?));
        }
    }
    Ok(moved)
}

/// The cookies of a request.
#[derive(Default)]
struct Cookies<'a> {
    /// The value of the cookie that may carry the token.
    token: Option<&'a [u8]>,
    /// True if there is such a cookie, in any spelling.
    are_found: bool,
    /// The others, without those that some server finds under its name.
    others: Vec<&'a [u8]>,
}

impl<'a> Cookies<'a> {
    fn of(name: &str, original: &Original<'a>) -> Self {
        let mut cookies = Self::default();
        original.fields.each(&COOKIE, &mut |field| {
            TokenSource::each_cookie(name, field, &mut |part| match part {
                CookiePart::Own(value) => (cookies.token, cookies.are_found) = (Some(value), true),
                CookiePart::Respelt(_) => cookies.are_found = true,
                CookiePart::Other(other) => cookies.others.push(other),
            });
        });
        cookies
    }
}

fn bearer_of(token: &[u8]) -> Result<Option<HeaderValue>, Fault> {
    // Any other text is no token, and is refused as one.
    std::str::from_utf8(token).ok().map(bearer).transpose()
}

fn value(field: HeaderName, bytes: &[u8]) -> Result<HeaderValue, Fault> {
    HeaderValue::from_bytes(bytes).map_err(|_| Fault::UnmappableClaim { field, got: "unreadable cookies" })
}
