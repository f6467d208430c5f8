//! The places of a request that may carry its token, and the rule that only one of them does.

use http::{
    HeaderName,
    header::{AUTHORIZATION, COOKIE},
};
use percent_encoding::percent_decode;

use super::{
    BearerToken, CredentialRules, Credentials, HeaderFields, Scheme,
    fields::{Only, only},
};
use crate::refusal::{Refusal, RequestFault};

/// A place of a request that may carry the access token.
///
/// # Example
///
/// ```
/// use portcullis::TokenSource;
///
/// let sources = [TokenSource::authorization(), TokenSource::cookie("access_token")];
/// # let _ = sources;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenSource(Place);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Authorization,
    Header(HeaderName),
    Cookie(String),
}

impl TokenSource {
    /// The `Authorization` field with the `Bearer` scheme (RFC 6750 section 2.1): the default.
    #[must_use]
    pub fn authorization() -> Self {
        Self(Place::Authorization)
    }

    /// A header field of this name, whose whole value is the token.
    ///
    /// Only for a field that clients cannot set, or that means the same from a client as from a proxy.
    #[must_use]
    pub fn header(name: HeaderName) -> Self {
        Self(Place::Header(name))
    }

    /// A cookie of this name, whose whole value is the token.
    ///
    /// Browsers add cookies to requests that other sites cause: such an endpoint needs its own
    /// defence against cross-site request forgery.
    #[must_use]
    pub fn cookie(name: impl Into<String>) -> Self {
        Self(Place::Cookie(name.into()))
    }

    /// Returns the value of a cookie, if a server may find it under this name.
    ///
    /// Some servers leave out white space around a name, also beyond ASCII. PHP writes `_` for a space, `.` and `[`, and decoded names
    /// (before 8.0).
    #[doc(hidden)]
    #[must_use]
    pub fn cookie_value<'a>(name: &str, pair: &'a [u8]) -> Option<&'a [u8]> {
        let (own, value) = pair.split_at_checked(pair.iter().position(|byte| *byte == b'=')?)?;
        let start = own.iter().position(u8::is_ascii_graphic)?;
        let end = own.iter().rposition(u8::is_ascii_graphic)?;
        let decoded = percent_decode(own.get(start..=end)?).skip_while(|byte| matches!(byte, b' ' | b'+'));
        decoded.map(as_in_php).eq(name.bytes().map(as_in_php)).then_some(value.get(1..)?)
    }
}

/// Finds the one token that a request carries in these places.
///
/// Two tokens, and two `Authorization` fields of any scheme, are refused (RFC 6750 section 2).
pub(crate) fn find<'a>(
    fields: &'a dyn HeaderFields,
    sources: &[TokenSource],
    rules: CredentialRules,
) -> Result<Credentials<'a>, Refusal> {
    // Nearly always there is one place, and nothing to compare.
    if let [only] = sources {
        return only.read(fields, rules);
    }
    let mut found = Err(Refusal::Request(RequestFault::NoCredentials));
    for source in sources {
        match source.read(fields, rules) {
            Err(Refusal::Request(RequestFault::NoCredentials)) => {}
            another if !carries_a_token(&found) => found = another,
            another if !carries_a_token(&another) => {}
            _ => return Err(Refusal::Request(RequestFault::SeveralTokens)),
        }
    }
    found
}

/// Tells whether a token was found, good or malformed.
fn carries_a_token(outcome: &Result<Credentials<'_>, Refusal>) -> bool {
    !matches!(
        outcome,
        Err(Refusal::Request(RequestFault::NoCredentials | RequestFault::OtherScheme | RequestFault::EmptyToken))
    )
}

impl TokenSource {
    fn read<'a>(&self, fields: &'a dyn HeaderFields, rules: CredentialRules) -> Result<Credentials<'a>, Refusal> {
        let bare = |value| {
            let token = BearerToken::bare(value, rules.max_bytes)?;
            Ok(Credentials { token, scheme: Scheme::Bearer })
        };
        match &self.0 {
            Place::Authorization => super::parse(only(fields, &AUTHORIZATION)?, rules),
            Place::Header(name) => bare(only(fields, name)?),
            Place::Cookie(name) => bare(only_cookie(fields, name)?),
        }
    }
}

/// `cookie-string = cookie-pair *( ";" SP cookie-pair )` (RFC 6265 section 4.2.1), over all `Cookie` fields.
///
/// Some proxies join several fields with a comma, and some servers take one for a divider, or find a cookie under another spelling of its
/// name: such a token counts, too.
fn only_cookie<'a>(fields: &'a dyn HeaderFields, name: &str) -> Result<&'a [u8], Refusal> {
    let mut only = Only::default();
    fields.each(&COOKIE, &mut |field| {
        let pairs = field.split(|byte| matches!(byte, b';' | b','));
        let values = pairs.filter_map(|pair| TokenSource::cookie_value(name, pair.trim_ascii()));
        values.for_each(|value| only.take(value));
    });
    only.value()
}

/// Returns the byte that PHP writes for one of a name.
fn as_in_php(byte: u8) -> u8 {
    if matches!(byte, b' ' | b'+' | b'.' | b'[') { b'_' } else { byte }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    /// The names and values of a request's fields.
    type Fields = [(&'static str, &'static str)];

    fn outcome(fields: &Fields) -> Result<String, &'static str> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, value.parse().unwrap());
        }
        let sources = [
            TokenSource::authorization(),
            TokenSource::cookie("at"),
            TokenSource::cookie("a_t"),
            TokenSource::header(HeaderName::from_static("x-token")),
        ];
        let found = find(&headers, &sources, CredentialRules { max_bytes: 100, dpop: true });
        found
            .map(|found| String::from_utf8_lossy(found.token.as_bytes()).into_owned())
            .map_err(|refusal| refusal.code())
    }

    #[test]
    fn one_token_is_found_wherever_it_stands_and_two_are_refused() {
        let (auth, cookie, own) = ("authorization", "cookie", "x-token");
        let table: &[(&Fields, Result<&str, &str>)] = &[
            (&[], Err("no_credentials")),
            (&[(auth, "Bearer a")], Ok("a")),
            (&[(cookie, "x=1; at=b; y=2")], Ok("b")),
            (&[(cookie, "x=1"), (cookie, "at=b")], Ok("b")),
            (&[(cookie, "x=1,at=b")], Ok("b")),
            (&[(cookie, "at =b")], Ok("b")),
            (&[(cookie, "at=b, y=2; z=1,2")], Ok("b")),
            (&[(cookie, "a_t=b")], Ok("b")),
            (&[(cookie, "x=1; a.t=b")], Ok("b")),
            (&[(auth, "Bearer a"), (cookie, "a.t=b")], Err("several_tokens")),
            (&[(auth, "Bearer a"), (cookie, "a t=b")], Err("several_tokens")),
            (&[(auth, "Bearer a"), (cookie, "x=1,a[t=b")], Err("several_tokens")),
            (&[(auth, "Bearer a"), (cookie, "a+t=b")], Err("several_tokens")),
            (&[(auth, "Bearer a"), (cookie, "a%5Ft=b")], Err("several_tokens")),
            (&[(auth, "Bearer a"), (cookie, "%20a%2et=b")], Err("several_tokens")),
            (&[(auth, "Bearer a"), (cookie, "\u{a0}at=b")], Err("several_tokens")),
            (&[(auth, "Bearer a"), (cookie, "at\u{3000}=b")], Err("several_tokens")),
            (&[(auth, "Bearer a"), (cookie, "a-t=b; At=b; a__t=b; at_=b; a_t; =b; ü=b; %=b")], Ok("a")),
            (&[(cookie, "at=b,at=c")], Err("several_tokens")),
            (&[(auth, "Bearer a"), (cookie, "x=1,at=b")], Err("several_tokens")),
            (&[(own, "c")], Ok("c")),
            (&[(own, "Bearer c")], Ok("Bearer c")),
            (&[(cookie, "not_at=b")], Err("no_credentials")),
            (&[(cookie, "at=")], Err("empty_token")),
            (&[(auth, "Basic a"), (cookie, "at=b")], Ok("b")),
            (&[(cookie, "at=b"), (auth, "Bearer ")], Ok("b")),
            (&[(auth, "Basic a")], Err("other_scheme")),
            (&[(auth, "DPoP a")], Ok("a")),
            (&[(auth, "DPoP a"), (auth, "Bearer a")], Err("several_tokens")),
            (&[(auth, "DPoP a"), (cookie, "at=a")], Err("several_tokens")),
            (&[(auth, "Bearer a"), (auth, "Bearer a")], Err("several_tokens")),
            (&[(auth, "Basic a"), (auth, "Bearer a")], Err("several_tokens")),
            (&[(auth, "Bearer a"), (cookie, "at=a")], Err("several_tokens")),
            (&[(auth, "Bearer a"), (own, "a")], Err("several_tokens")),
            (&[(cookie, "at=a; at=a")], Err("several_tokens")),
            (&[(cookie, "at=a"), (cookie, "at=b")], Err("several_tokens")),
            // A malformed token counts as a token: it must not hide behind a good one.
            (&[(auth, "Bearer a b"), (cookie, "at=b")], Err("several_tokens")),
            (&[(auth, "Bearer a"), (cookie, "at=a b")], Err("several_tokens")),
        ];
        for (fields, expected) in table {
            assert_eq!(outcome(fields), expected.map(str::to_owned), "{fields:?}");
        }
    }
}
