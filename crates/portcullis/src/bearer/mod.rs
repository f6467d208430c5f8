//! From a request's header fields to one [`BearerToken`] (RFC 6750 section 2, RFC 9449 section 7.1, RFC 9110 section 11).

mod cookie;
mod fields;
mod source;

#[doc(hidden)]
pub use cookie::CookiePart;
pub use fields::HeaderFields;
pub use source::TokenSource;
pub(crate) use source::find;

use base64_simd::STANDARD_NO_PAD;

use crate::refusal::{Refusal, RequestFault, TokenFault};

/// The default limit of a token's length, in bytes.
pub(crate) const DEFAULT_MAX_TOKEN_BYTES: usize = 16 * 1024;

/// The access token that a request presents: at least one byte, within the size limit.
///
/// Nothing else is checked yet, so that a cached token is found without parsing it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct BearerToken<'a>(&'a [u8]);

impl<'a> BearerToken<'a> {
    /// Takes a bare token, as carried by a cookie or a custom header field.
    pub(crate) fn bare(bytes: &'a [u8], max_bytes: usize) -> Result<Self, Refusal> {
        if bytes.is_empty() {
            return Err(Refusal::Request(RequestFault::EmptyToken));
        }
        if bytes.len() > max_bytes {
            return Err(Refusal::Token(TokenFault::TooLarge { limit: max_bytes, actual: bytes.len() }));
        }
        Ok(Self(bytes))
    }

    pub(crate) fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// `token68 = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="` (RFC 9110 section 11.2).
    pub(crate) fn is_token68(self) -> bool {
        let padding = self.0.iter().rev().take_while(|byte| **byte == b'=').count();
        let text = self.0.get(..self.0.len() - padding).unwrap_or_default();
        !text.is_empty() && text.iter().all(|byte| is_token68_character(*byte))
    }
}

fn is_token68_character(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte)
}

/// An access token, and the way in which it was presented.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Credentials<'a> {
    pub(crate) token: BearerToken<'a>,
    pub(crate) scheme: Scheme,
}

/// The way in which a token is presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// `Authorization: Bearer`, or a place without a scheme.
    Bearer,
    /// `Authorization: DPoP` (RFC 9449 section 7.1).
    Dpop,
}

/// The limits of credentials.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CredentialRules {
    /// The length of the longest token, in bytes.
    pub(crate) max_bytes: usize,
    /// True if the scheme `DPoP` is accepted, too.
    pub(crate) dpop: bool,
}

/// Reads the value of an `Authorization` field: the scheme in any case, one or more spaces, the token.
pub(crate) fn parse(field: &[u8], rules: CredentialRules) -> Result<Credentials<'_>, Refusal> {
    let (scheme, rest) = if let Some(rest) = after_scheme(field, BEARER) {
        (Scheme::Bearer, rest)
    } else if let Some(rest) = after_scheme(field, DPOP).filter(|_| rules.dpop) {
        (Scheme::Dpop, rest)
    } else {
        return Err(Refusal::Request(RequestFault::OtherScheme));
    };
    let token_starts = rest.iter().position(|byte| *byte != b' ').unwrap_or(rest.len());
    let token = BearerToken::bare(rest.get(token_starts..).unwrap_or_default(), rules.max_bytes)?;
    Ok(Credentials { token, scheme })
}

/// The rest of an `Authorization` field of this scheme: nothing, or a space and more.
fn after_scheme<'a, const N: usize>(field: &'a [u8], scheme: &[u8; N]) -> Option<&'a [u8]> {
    let (first, rest) = field.split_first_chunk::<N>()?;
    let is_whole = rest.first().is_none_or(|byte| *byte == b' ');
    (is_whole && first.eq_ignore_ascii_case(scheme)).then_some(rest)
}

/// Tells whether the value of an `Authorization` field is of a scheme that has nothing to do with access tokens, such as `Basic`.
///
/// Servers split the value at any white space, look for `Bearer` anywhere in it, or take a JWT without a scheme or behind one of their
/// own: a text in which one of them may find a token is of no other scheme, and neither is one that is not in the form of RFC 9110
/// section 11.4.
pub(crate) fn is_of_another_scheme(field: &[u8]) -> bool {
    let scheme = field.split(|byte| *byte == b' ').next().unwrap_or_default();
    let is_scheme = !scheme.is_empty() && scheme.iter().all(|byte| is_tchar(*byte));
    let is_of_tokens = scheme.eq_ignore_ascii_case(DPOP);
    // Within a word, by chance in base64, if nothing follows.
    let names_bearer = |at: usize| {
        let is_within = at.checked_sub(1).and_then(|before| field.get(before)).is_some_and(u8::is_ascii_alphanumeric);
        !is_within || field.get(at + BEARER.len()).is_some_and(|byte| !byte.is_ascii_graphic())
    };
    let mut words = field.windows(BEARER.len()).enumerate().filter(|(_, word)| word.eq_ignore_ascii_case(BEARER));
    field.is_empty() || (is_scheme && !is_of_tokens && !words.any(|(at, _)| names_bearer(at)) && !holds_jwt(field))
}

/// Tells whether some reader finds a JWT in a text: a part that is a JSON object in base64, before two dots or more.
fn holds_jwt(text: &[u8]) -> bool {
    let words = text.split(|byte| !byte.is_ascii_graphic() || b"\"',:;".contains(byte));
    words.into_iter().any(|word| {
        let dots = word.iter().filter(|byte| **byte == b'.').count();
        word.split(|byte| *byte == b'.').take(dots.saturating_sub(1)).any(is_object)
    })
}

/// Tells whether the last text before `=` is base64 of an object, also with characters that lenient readers leave out.
fn is_object(part: &[u8]) -> bool {
    let padding = part.iter().rev().take_while(|byte| **byte == b'=').count();
    let part = part.get(..part.len() - padding).unwrap_or_default();
    let value = part.rsplit(|byte| *byte == b'=').next().unwrap_or_default();
    let standard = value.iter().filter_map(|byte| match byte {
        b'-' => Some(b'+'),
        b'_' => Some(b'/'),
        b'+' | b'/' => Some(*byte),
        _ => byte.is_ascii_alphanumeric().then_some(*byte),
    });
    let mut encoded: Vec<u8> = standard.collect();
    encoded.truncate(encoded.len() / 4 * 4);
    let decoded = STANDARD_NO_PAD.decode_to_vec(&encoded).unwrap_or_default();
    let member = decoded.trim_ascii_start().strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
    member.is_some_and(|member| matches!(member.first(), None | Some(b'"' | b'}')))
}

const BEARER: &[u8; 6] = b"Bearer";
const DPOP: &[u8; 4] = b"DPoP";

/// RFC 9110 section 5.6.2.
fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_field_in_which_no_server_finds_a_token_is_of_another_scheme() {
        let others: [&[u8]; 14] = [
            b"",
            b"Basic YTpi",
            b"basic YTpi==",
            b"Negotiate YIIabearer+/==",
            b"Digest username=\"a\", realm=\"b\"",
            b"AWS4-HMAC-SHA256 Credential=a/b, Signature=c",
            b"Token abc",
            b"Basic",
            b"Negotiate YIIabearer",
            b"NTLM TlRMTVNTUAABAAAA",
            b"Basic eyJhbGciOiJub25lIn0=",
            b"Digest username=\"eyJhbGc\", realm=\"www.ewok.example.com\", nonce=\"eyJhbGciOiJub25lIn0\", uri=\"/a.b.c\"",
            b"OAuth realm=\"https://api.example.com/\", oauth_version=\"1.0\", oauth_signature=\"a%3D\"",
            b"Token 1.2.3",
        ];
        let tokens: [&[u8]; 37] = [
            b"Bearer abc",
            b"bearer",
            b"Bearer\tabc",
            b"Bearer,abc",
            b"Bearer:abc",
            b"Bearer=abc",
            b"Bearerabc",
            b"\"Bearer\" abc",
            b"Bearer\xa0abc",
            b"Bearer\x0babc",
            b" Bearer abc",
            b"Basic YTpi, Bearer abc",
            b"Basic YTpi,bearer abc",
            b"Token Bearer abc",
            b"x=Bearer abc",
            b"DPoP abc",
            b"dpop abc",
            b"Basic\tYTpi",
            b"eyJ.eyJ.c2ln\tx",
            b"\xffBasic abc",
            b"xBearer abc",
            b"MyBearer\tabc",
            b"MyBearer\xa0abc",
            b"eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.",
            b"eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln",
            b"eyJhbGciOiJub25lIn0.a.b.c.d",
            b"JWT eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln",
            b"Token token=\"eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln\"",
            b"Token token=eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln",
            b"Token eyJhbGciOiJub25lIn0=.eyJzdWIiOiJhIn0=.",
            b"Basic YTpi, eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln",
            // `{ "alg"…`, a line before it, an empty header, and characters that PHP and Node leave out.
            b"JWT eyAiYWxnIjoibm9uZSJ9.eyJzdWIiOiJhIn0.",
            b"JWT Cnsi.eyJzdWIiOiJhIn0.",
            b"JWT e30x.eyJzdWIiOiJhIn0.",
            b"JWT ewog.eyJzdWIiOiJhIn0.",
            b"JWT e*yJ~hbGciOiJub25lIn0.eyJzdWIiOiJhIn0.",
            b"JWT 1.eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln",
        ];
        for (fields, expected) in [(&others[..], true), (&tokens[..], false)] {
            for field in fields {
                assert_eq!(is_of_another_scheme(field), expected, "{:?}", String::from_utf8_lossy(field));
            }
        }
    }

    #[test]
    fn the_authorization_field_is_read_as_rfc_9110_says() {
        let no_token = |fault| Err(Refusal::Request(fault));
        let bad = || Err(Refusal::Token(TokenFault::Characters));
        let table: &[(&[u8], Result<&str, Refusal>)] = &[
            (b"Bearer abc", Ok("abc")),
            (b"bearer abc", Ok("abc")),
            (b"BEARER   a.b-c_d~e+f/g==", Ok("a.b-c_d~e+f/g==")),
            (b"", no_token(RequestFault::OtherScheme)),
            (b"Basic abc", no_token(RequestFault::OtherScheme)),
            (b"Bearerabc", no_token(RequestFault::OtherScheme)),
            (b"Bearer\tabc", no_token(RequestFault::OtherScheme)),
            (b" Bearer abc", no_token(RequestFault::OtherScheme)),
            (b"DPoP abc", no_token(RequestFault::OtherScheme)),
            (b"DPoPabc", no_token(RequestFault::OtherScheme)),
            (b"Bearer", no_token(RequestFault::EmptyToken)),
            (b"Bearer    ", no_token(RequestFault::EmptyToken)),
            (b"Bearer abc def", bad()),
            (b"Bearer abc,Bearer def", bad()),
            (b"Bearer abc\t", bad()),
            (b"Bearer \tabc", bad()),
            (b"Bearer a=b", bad()),
            (b"Bearer ==", bad()),
            (b"Bearer \"abc\"", bad()),
            (b"Bearer ab\xffc", bad()),
            (b"Bearer ab\xc3\xa9", bad()),
            (b"Bearer 123456789012345678901", Err(Refusal::Token(TokenFault::TooLarge { limit: 20, actual: 21 }))),
            // The size is checked first, so that a huge field costs nothing.
            (
                b"Bearer \"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"",
                Err(Refusal::Token(TokenFault::TooLarge { limit: 20, actual: 21 })),
            ),
        ];
        for (field, expected) in table {
            let judged = |Credentials { token, .. }: Credentials<'static>| match token.is_token68() {
                true => Ok(token.as_bytes()),
                false => Err(Refusal::Token(TokenFault::Characters)),
            };
            let actual = parse(field, CredentialRules { max_bytes: 20, dpop: false }).and_then(judged);
            assert_eq!(actual, expected.clone().map(str::as_bytes), "{:?}", String::from_utf8_lossy(field));
        }
    }

    #[test]
    fn the_scheme_dpop_is_read_where_it_is_accepted() {
        let rules = CredentialRules { max_bytes: 20, dpop: true };
        type Read<'a> = Result<(&'a [u8], Scheme), &'a str>;
        let table: &[(&[u8], Read<'_>)] = &[
            (b"DPoP abc", Ok((b"abc", Scheme::Dpop))),
            (b"dpop  abc", Ok((b"abc", Scheme::Dpop))),
            (b"Bearer abc", Ok((b"abc", Scheme::Bearer))),
            (b"DPoP", Err("empty_token")),
            (b"DPoPabc", Err("other_scheme")),
            (b"DPo abc", Err("other_scheme")),
        ];
        for (field, expected) in table {
            let actual = parse(field, rules).map(|read| (read.token.as_bytes(), read.scheme));
            assert_eq!(actual.map_err(|refusal| refusal.code()), *expected, "{:?}", String::from_utf8_lossy(field));
        }
    }
}
