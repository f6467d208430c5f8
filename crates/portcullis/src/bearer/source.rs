//! The places of a request that may carry its token, and the rule that only one of them does.

use http::{
    HeaderName,
    header::{AUTHORIZATION, COOKIE},
};

use super::{
    BearerToken, CookiePart, CredentialRules, Credentials, HeaderFields, Scheme, cookie,
    fields::{Only, only},
};
use crate::refusal::{Refusal, RequestFault, TokenFault};

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
    Cookie {
        name: String,
        /// True if the service behind gets the cookie in no spelling.
        is_removed: bool,
    },
}

/// Cookies that some server finds under the name of the one with the token.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Respelt {
    None,
    /// The service behind does not get them.
    Removed,
    HandedOn,
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

    /// A cookie of this name, to the letter, whose whole value is the token.
    ///
    /// Browsers add cookies to requests that other sites cause: such an endpoint needs its own
    /// defence against cross-site request forgery.
    ///
    /// Another spelling, which some servers read as the name (`access.token` for `access_token`), is never the token: a site of the same
    /// domain can set it, even if the name begins with `__Host-`. Alone, it is refused as a bad token; beside a token, as a second one,
    /// since the service behind gets the `Cookie` field as it is.
    #[must_use]
    pub fn cookie(name: impl Into<String>) -> Self {
        Self(Place::Cookie { name: name.into(), is_removed: false })
    }

    /// A cookie that the door removes, in all spellings, from the request that it hands on: beside a token, other spellings do not matter.
    #[doc(hidden)]
    #[must_use]
    pub fn removed_cookie(name: impl Into<String>) -> Self {
        Self(Place::Cookie { name: name.into(), is_removed: true })
    }

    /// Visits the parts of a `Cookie` field, as they concern the cookie of this name.
    #[doc(hidden)]
    pub fn each_cookie<'a>(name: &str, field: &'a [u8], visit: &mut dyn FnMut(CookiePart<'a>)) {
        cookie::each_part(name, field, visit);
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
    let mut respelt = Respelt::None;
    // Nearly always there is one place, and nothing to compare.
    if let [only @ TokenSource(Place::Authorization | Place::Header(_))] = sources {
        return only.read(fields, rules, &mut respelt);
    }
    let mut found = Err(Refusal::Request(RequestFault::NoCredentials));
    for source in sources {
        match source.read(fields, rules, &mut respelt) {
            Err(Refusal::Request(RequestFault::NoCredentials)) => {}
            another if !carries_a_token(&found) => found = another,
            another if !carries_a_token(&another) => {}
            _ => return Err(Refusal::Request(RequestFault::SeveralTokens)),
        }
    }
    match respelt {
        Respelt::None => found,
        Respelt::Removed if carries_a_token(&found) => found,
        Respelt::HandedOn if carries_a_token(&found) => Err(Refusal::Request(RequestFault::SeveralTokens)),
        // No token, and no request without one: a server behind may find it.
        _ => Err(Refusal::Token(TokenFault::Characters)),
    }
}

/// Tells whether a token was found, good or malformed.
fn carries_a_token(outcome: &Result<Credentials<'_>, Refusal>) -> bool {
    !matches!(
        outcome,
        Err(Refusal::Request(RequestFault::NoCredentials | RequestFault::OtherScheme | RequestFault::EmptyToken))
    )
}

impl TokenSource {
    fn read<'a>(
        &self,
        fields: &'a dyn HeaderFields,
        rules: CredentialRules,
        respelt: &mut Respelt,
    ) -> Result<Credentials<'a>, Refusal> {
        let bare = |value| {
            let token = BearerToken::bare(value, rules.max_bytes)?;
            Ok(Credentials { token, scheme: Scheme::Bearer })
        };
        match &self.0 {
            Place::Authorization => super::parse(only(fields, &AUTHORIZATION)?, rules),
            Place::Header(name) => bare(only(fields, name)?),
            Place::Cookie { name, is_removed } => {
                let (own, is_respelt) = only_cookie(fields, name);
                if is_respelt {
                    *respelt = (*respelt).max(if *is_removed { Respelt::Removed } else { Respelt::HandedOn });
                }
                bare(own?)
            }
        }
    }
}

/// The value of the only cookie of this name, over all `Cookie` fields; and true if another spelling of it has a value.
fn only_cookie<'a>(fields: &'a dyn HeaderFields, name: &str) -> (Result<&'a [u8], Refusal>, bool) {
    let (mut only, mut is_respelt) = (Only::default(), false);
    fields.each(&COOKIE, &mut |field| {
        cookie::each_part(name, field, &mut |part| match part {
            CookiePart::Own(value) => only.take(value),
            CookiePart::Respelt(value) => is_respelt |= !value.is_empty(),
            CookiePart::Other(_) => {}
        });
    });
    (only.value(), is_respelt)
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    /// The names and values of a request's fields.
    type Fields = [(&'static str, &'static str)];

    fn outcome(fields: &Fields, cookie: fn(&str) -> TokenSource) -> Result<String, &'static str> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, value.parse().unwrap());
        }
        let sources = [
            TokenSource::authorization(),
            cookie("at"),
            cookie("a_t"),
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
            (&[(cookie, "at=b, y=2; z=1,2")], Ok("b")),
            (&[(cookie, "a_t=b")], Ok("b")),
            // Another site may have set these, and a server behind may find a token in them.
            (&[(cookie, "x=1,at=b")], Err("malformed_token")),
            (&[(cookie, "at =b")], Err("malformed_token")),
            (&[(cookie, "x=1; a.t=b")], Err("malformed_token")),
            (&[(cookie, "x=1 at=b")], Err("malformed_token")),
            (&[(cookie, "x=1 at=b"), (auth, "Basic a")], Err("malformed_token")),
            (&[(cookie, "at=; a.t=b")], Err("malformed_token")),
            (&[(cookie, "a.t=")], Err("no_credentials")),
            (&[(cookie, "a_t=b; a.t=")], Ok("b")),
            (&[(cookie, "a_t=b; a.t=c")], Err("several_tokens")),
            (&[(auth, "Bearer a"), (cookie, "x=1 at=b")], Err("several_tokens")),
            (&[(own, "a"), (cookie, "x=1\tat = b")], Err("several_tokens")),
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
            assert_eq!(outcome(fields, |name| TokenSource::cookie(name)), expected.map(str::to_owned), "{fields:?}");
        }
    }

    #[test]
    fn a_planted_cookie_is_no_token_and_does_not_shut_out_the_one_beside_it() {
        let (auth, cookie, own) = ("authorization", "cookie", "x-token");
        let table: &[(&Fields, Result<&str, &str>)] = &[
            (&[(cookie, "a_t=b; a.t=c")], Ok("b")),
            (&[(cookie, "a.t=c; a_t=b; x=1,at=d; y=1 at=e")], Ok("b")),
            (&[(auth, "Bearer a"), (cookie, "x=1 at=b")], Ok("a")),
            (&[(own, "a"), (cookie, "a.t=b")], Ok("a")),
            (&[(cookie, "a.t=c")], Err("malformed_token")),
            (&[(cookie, "a.t=c"), (auth, "Basic a")], Err("malformed_token")),
            (&[(cookie, "a.t=c"), (auth, "Bearer ")], Err("malformed_token")),
            (&[(cookie, "a.t=")], Err("no_credentials")),
            (&[(cookie, "a_t=b; a_t=b")], Err("several_tokens")),
            (&[(auth, "Bearer a"), (cookie, "a_t=b; a.t=c")], Err("several_tokens")),
        ];
        for (fields, expected) in table {
            let outcome = outcome(fields, |name| TokenSource::removed_cookie(name));
            assert_eq!(outcome, expected.map(str::to_owned), "{fields:?}");
        }
    }
}
