//! The header fields for an upstream: claims, under names that only the gateway may set.
//!
//! Over HTTP each configured field is set, to an empty value where the claim is missing, since a proxy replaces only
//! the fields that it copies; a question with another spelling of a name (`_` for `-`) is refused. Over gRPC Envoy is
//! told to remove each field without a value, and all other spellings. A judged `Authorization` is repeated over HTTP,
//! since Traefik and Caddy drop it otherwise; one that was not judged is never sent back.
//!
//! A field is set only to a value that arrives unchanged, and text never passes for an array or an object:
//!
//! | claim | field | with `json = true` |
//! |---|---|---|
//! | text that shows as it is, without white space at either end | the text, in UTF-8 | JSON |
//! | an array or an object | JSON | JSON |
//! | a number, `true`, `false` | as the token has it, to the letter | JSON |
//! | text that begins with `[` or `{`, as arrays and objects do | refused | JSON |
//! | other text: empty, with control or invisible characters | refused | JSON |
//! | null, no claim, no token; `scope` without a value | none | none |
//!
//! Some proxies and servers drop or trim control characters and white space at the ends (RFC 9110 section 5.5). Servers
//! that read fields as ISO 8859-1 garble characters beyond ASCII, differently for each text; JSON is written in ASCII.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use http::{HeaderName, HeaderValue, header};
use portcullis::{Access, Claims, Explanation, json};

use super::Fault;
use crate::characters::is_invisible;
use crate::config::{HeaderRule, HeaderSource, Notation};

/// The fields that decisions depend on, besides those about MCP. Without `Origin`, a preflight would pass for another request.
const JUDGED: [&str; 5] = ["authorization", "dpop", "cookie", "origin", "access-control-request-method"];

/// The fields by which requests to MCP servers are judged. Without those of MCP, a message of MCP 2026-07-28 would pass for one of an
/// older revision, whose servers run what the content says; and servers that make variables of names hold the content against
/// `Mcp_Name` in place of `Mcp-Name`.
pub(super) static JUDGED_FOR_MCP: [HeaderName; 5] = [
    HeaderName::from_static("mcp-protocol-version"),
    HeaderName::from_static("mcp-method"),
    HeaderName::from_static("mcp-name"),
    header::CONTENT_TYPE,
    header::CONTENT_ENCODING,
];

/// The fields of a configuration.
#[derive(Debug)]
pub(super) struct Headers {
    /// The `[[headers]]`, which only the gateway may set.
    rules: Vec<HeaderRule>,
    /// The fields with certificates, which only proxies may set, those with tokens, and those by which requests to MCP servers are judged:
    /// they count in one spelling alone.
    judged: Vec<HeaderName>,
}

/// The contents of a token that passes.
#[derive(Clone, Copy)]
pub(super) enum Contents<'a> {
    Of(&'a Access),
    /// Of a token that would pass, with its claims: no access was given.
    Explained(&'a Explanation, &'a Claims),
}

impl<'a> Contents<'a> {
    fn claims(self) -> &'a Claims {
        match self {
            Self::Of(access) => access.claims(),
            Self::Explained(_, claims) => claims,
        }
    }

    fn scopes(self) -> Vec<String> {
        match self {
            Self::Of(access) => access.scopes().map(str::to_owned).collect(),
            Self::Explained(explanation, _) => explanation.vouched_scopes().map(str::to_owned).collect(),
        }
    }
}

impl Headers {
    pub(super) fn new<'a>(rules: &[HeaderRule], judged: impl IntoIterator<Item = &'a HeaderName>) -> Self {
        Self { rules: rules.to_vec(), judged: judged.into_iter().cloned().collect() }
    }

    /// Returns each field that the gateway sets; without a value where the claim or the token is missing.
    pub(super) fn of(&self, token: Option<Contents<'_>>) -> Result<Vec<(HeaderName, Option<HeaderValue>)>, Fault> {
        self.rules.iter().map(|rule| Ok((rule.name.clone(), value(rule, token)?))).collect()
    }

    /// Returns true if only the gateway may set a field of this name, also with another character for `-`: servers that
    /// make variables of names (RFC 3875 section 4.1.18) turn `_`, `.`, `~` and the like into `_`. A field that is judged is the
    /// gateway's in any spelling but its own.
    pub(super) fn owns(&self, name: &str) -> bool {
        self.rules.iter().any(|rule| is_spelling(name, rule.name.as_str())) || self.forges(name)
    }

    /// Returns true if the name is another spelling of a field that the gateway sets or judges.
    pub(super) fn forges(&self, name: &str) -> bool {
        let ours = self.rules.iter().map(|rule| &rule.name).chain(&self.judged);
        ours.into_iter().any(|ours| !name.eq_ignore_ascii_case(ours.as_str()) && is_spelling(name, ours.as_str()))
    }

    /// Returns true if a `Connection` field names one of the gateway's fields, or one that a decision depends on: a proxy takes
    /// these for hop-by-hop fields (RFC 9110 section 7.6.1), and the upstream may not get them.
    pub(super) fn are_dropped_by(&self, connection: &[u8]) -> bool {
        let named =
            connection.split(|byte| *byte == b',').filter_map(|name| std::str::from_utf8(name.trim_ascii()).ok());
        let others = || self.judged.iter().chain(&JUDGED_FOR_MCP).map(HeaderName::as_str);
        let judged = || JUDGED.into_iter().chain(others());
        named.into_iter().any(|name| judged().any(|judged| is_spelling(name, judged)) || self.owns(name))
    }
}

/// Returns true if an `Upgrade` field names another HTTP, also a draft of one or SPDY, or TLS with HTTP inside: requests after it would
/// not be judged. The field is read leniently, as some servers do: any word counts, also in quotes.
pub fn leads_past_us(upgrade: &[u8]) -> bool {
    let begins =
        |word: &[u8], name: &[u8]| word.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    let mut words = upgrade.split(|byte| !byte.is_ascii_alphanumeric());
    words.any(|word| [&b"h2"[..], b"h3", b"http", b"spdy", b"tls"].iter().any(|name| begins(word, name)))
}

fn is_spelling(name: &str, ours: &str) -> bool {
    let is_mark = |byte: u8| !byte.is_ascii_alphanumeric();
    let same = |a: u8, b: u8| a.eq_ignore_ascii_case(&b) || (is_mark(a) && is_mark(b));
    name.len() == ours.len() && name.bytes().zip(ours.bytes()).all(|(a, b)| same(a, b))
}

fn value(rule: &HeaderRule, token: Option<Contents<'_>>) -> Result<Option<HeaderValue>, Fault> {
    let unmappable = |got| Fault::UnmappableClaim { field: rule.name.clone(), got };
    let Some(token) = token else {
        return Ok(match (&rule.anonymous, &rule.source) {
            (None, HeaderSource::Text(text)) => Some(text.clone()),
            (anonymous, _) => anonymous.clone(),
        });
    };
    let written = match &rule.source {
        HeaderSource::Claim { claim, notation } => match token.claims().find(claim) {
            Some(value) if !says_nothing(claim, value) => in_notation(value, notation),
            _ => Ok(None),
        },
        HeaderSource::Claims => all_claims(token.claims()).map(Some),
        HeaderSource::Scope { separator } => joined(token.scopes().into_iter().map(Ok), separator),
        HeaderSource::Text(text) => Ok(Some(text.clone())),
        HeaderSource::Nothing => Ok(None),
    };
    let written = written.map_err(unmappable)?;
    match &rule.anonymous {
        Some(anonymous) if written.as_ref() == Some(anonymous) => {
            Err(unmappable("the text that stands for a request without a token"))
        }
        _ => Ok(written),
    }
}

/// Returns true if a claim counts as missing; some issuers write an empty scope for no scope.
fn says_nothing(name: &str, claim: json::Value<'_>) -> bool {
    claim.is_null() || (matches!(name, "scope" | "scp") && claim == "")
}

fn in_notation(claim: json::Value<'_>, notation: &Notation) -> Result<Option<HeaderValue>, &'static str> {
    match notation {
        Notation::Plain => text(claim).map(Some),
        Notation::Json => json(claim).map(Some),
        Notation::List { separator } if claim.is_array() => joined(claim.elements().map(element), separator),
        Notation::List { separator } => joined(std::iter::once(element(claim)), separator),
    }
}

/// Returns an element of a list as text.
fn element(claim: json::Value<'_>) -> Result<String, &'static str> {
    if claim.is_array() || claim.is_object() {
        return Err("an array or an object among the values of a list");
    }
    text(claim).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// Joins values so that they are found again between the separators, each as a field alone would have it; none if there are none.
///
/// With `||`, the values `a|` and `b` would be read as `a` and `|b`.
fn joined(
    values: impl Iterator<Item = Result<String, &'static str>>,
    separator: &str,
) -> Result<Option<HeaderValue>, &'static str> {
    let values = values.collect::<Result<Vec<_>, _>>()?;
    if values.is_empty() {
        return Ok(None);
    }
    values.iter().try_for_each(|value| unchanged(value).map(drop))?;
    let joined = values.join(separator);
    if !joined.split(separator).eq(values.iter().map(String::as_str)) {
        return Err("a value with the separator in it");
    }
    HeaderValue::try_from(joined).map(Some).map_err(|_| "text with other characters")
}

/// Returns all claims as JSON in base64url, without padding.
fn all_claims(claims: &Claims) -> Result<HeaderValue, &'static str> {
    HeaderValue::try_from(BASE64_URL_SAFE_NO_PAD.encode(claims.root().to_string())).map_err(|_| "unwritable claims")
}

/// Returns a claim as a header field has it: text as it is, anything else as JSON; none if it would not arrive unchanged.
pub fn told_in_field(claim: json::Value<'_>) -> Option<String> {
    text(claim).ok().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// Returns text as it is, anything else as JSON; or the kind of text that would not arrive unchanged.
fn text(claim: json::Value<'_>) -> Result<HeaderValue, &'static str> {
    let Some(text) = claim.as_str() else { return json(claim) };
    HeaderValue::from_bytes(unchanged(text)?.as_bytes()).map_err(|_| "text with other characters")
}

/// Returns text that arrives unchanged, and looks like no array and no object.
fn unchanged(text: &str) -> Result<&str, &'static str> {
    match text {
        "" => Err("text without a character"),
        _ if text.starts_with(['[', '{']) => Err("text that begins like JSON"),
        _ if text.chars().any(char::is_control) => Err("text with control characters"),
        _ if text.chars().any(is_invisible) => Err("text with invisible characters"),
        _ if text.trim() != text => Err("text with white space at an end"),
        _ => Ok(text),
    }
}

/// Returns any claim as JSON in printable ASCII, with numbers as they are in the token.
fn json(claim: json::Value<'_>) -> Result<HeaderValue, &'static str> {
    let mut written = String::new();
    for character in claim.to_string().chars() {
        match character {
            ' '..='~' => written.push(character),
            // In a string; in UTF-16, as RFC 8259 section 7 requires.
            _ => written.extend(character.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}"))),
        }
    }
    HeaderValue::try_from(written).map_err(|_| "an unwritable value")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_as_it_was_written_or_refused() {
        for (values, separator, written) in [
            (&["a", "b"][..], "||", Some("a||b")),
            (&["a|", "b"], "||", None),
            (&["a", "|b"], "||", Some("a|||b")),
            (&["a-", "-b"], "--", None),
            (&["a,", "b"], ", ", Some("a,, b")),
            (&["a", "b,c"], ",", None),
            (&[], ",", None),
            (&["a\tb", "c"], " ", None),
            (&["a\u{200b}", "c"], " ", None),
            (&["[\"a\"]"], " ", None),
            (&["a", "{\"b\":true}"], ",", None),
            (&["\u{3000}a"], " ", None),
            (&["a\u{a0}", "b"], ",", None),
            (&[" a"], ",", None),
            (&["", "a"], ",", None),
            (&["a[]", "b{}"], " ", Some("a[] b{}")),
        ] {
            let got = joined(values.iter().map(|value| Ok((*value).to_owned())), separator);
            assert_eq!(got.ok().flatten(), written.map(HeaderValue::from_static), "{values:?} {separator}");
        }
    }

    #[test]
    fn a_request_without_a_token_has_the_anonymous_value_in_place_of_a_text() {
        let text = |text| HeaderValue::from_static(text);
        for (anonymous, expected) in [(None, "user"), (Some(text("guest")), "guest")] {
            let name = HeaderName::from_static("x-auth-kind");
            let rule = HeaderRule { name, source: HeaderSource::Text(text("user")), anonymous };
            assert_eq!(value(&rule, None).unwrap(), Some(text(expected)));
        }
    }

    #[test]
    fn a_connection_field_is_read_name_by_name() {
        let rule = HeaderRule {
            name: HeaderName::from_static("x-auth-subject"),
            source: HeaderSource::Claims,
            anonymous: None,
        };
        let headers = Headers::new(&[rule], [&HeaderName::from_static("x-client-cert")]);
        for (connection, dropped) in [
            ("close", false),
            ("keep-alive, Upgrade", false),
            ("", false),
            ("X-Auth-Subject", true),
            ("close,x-auth-subject", true),
            ("close,\tX_Auth_Subject ,", true),
            ("Authorization", true),
            ("TE, Trailer,AUTHORIZATION", true),
            ("close, DPoP", true),
            ("Cookie", true),
            ("close, Origin", true),
            ("Access-Control-Request-Method", true),
            ("Access-Control-Request-Headers", false),
            ("close, MCP-Protocol-Version", true),
            ("mcp-method", true),
            ("x, Mcp_Name", true),
            ("Content-Type", true),
            ("content-encoding,close", true),
            ("Mcp-Session-Id", false),
            ("X-Auth-Subjects", false),
            ("X-Client-Cert", true),
            ("close, x_client_cert", true),
            ("X-Client-Certs", false),
            ("Proxy-Authorization", false),
        ] {
            assert_eq!(headers.are_dropped_by(connection.as_bytes()), dropped, "{connection}");
        }
        assert!(headers.are_dropped_by(b"\xff, authorization"));
    }
}
