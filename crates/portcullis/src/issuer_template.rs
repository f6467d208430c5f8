//! Issuers that differ by their tenant: a URL with one placeholder, as in `https://login.example.com/{tenant}/v2.0`.
//!
//! Scheme, host and port are always those of the template: a token can name a tenant, and never a server.

/// The greatest length of a tenant, in bytes.
const LONGEST_TENANT: usize = 128;

/// The issuers of all tenants: the texts before and after the tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IssuerTemplate<'a> {
    before: &'a str,
    after: &'a str,
}

impl<'a> IssuerTemplate<'a> {
    /// The template in a text that [`check`](Self::check) accepts; none if the text has no placeholder.
    pub(crate) fn of(text: &'a str) -> Option<Self> {
        let (before, rest) = text.split_once('{')?;
        let (_name, after) = rest.split_once('}')?;
        Some(Self { before, after })
    }

    /// Tells whether a text is meant as a template: no URL has a brace in it (RFC 3986 section 2).
    pub(crate) fn is_meant(text: &str) -> bool {
        text.contains(['{', '}'])
    }

    /// Checks that the placeholder is a whole segment of the path, and the only one.
    pub(crate) fn check(text: &str) -> Result<(), &'static str> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err("no URL: write it as `https://login.example.com/{tenant}`");
        };
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        if [scheme, host].into_iter().any(Self::is_meant) {
            return Err(
                "one in scheme, host or port: a token may name a tenant, and never a server, so list such issuers \
                        one by one",
            );
        }
        if scheme.is_empty() || host.is_empty() || path.contains(['?', '#']) {
            return Err("no issuer: it has a scheme, a host and a path, and neither query nor fragment");
        }
        let mut with_braces = path.split('/').filter(|segment| Self::is_meant(segment));
        match (with_braces.next(), with_braces.next()) {
            (Some(segment), None) if is_placeholder(segment) => Ok(()),
            (Some(_), None) => {
                Err("one that is only a part of a segment: let the placeholder stand alone between two slashes")
            }
            _ => Err("several: write one placeholder, for the tenant"),
        }
    }

    /// The tenant whose issuer this is, to the letter.
    pub(crate) fn tenant<'t>(&self, issuer: &'t str) -> Option<&'t str> {
        issuer.strip_prefix(self.before)?.strip_suffix(self.after).filter(|tenant| is_tenant(tenant))
    }

    /// The issuer of a tenant.
    pub(crate) fn issuer(&self, tenant: &str) -> String {
        [self.before, tenant, self.after].concat()
    }

    /// The issuer of the tenant that another issuer seems to name: the same segment of its path. For hints only.
    pub(crate) fn likely(&self, other: &str) -> Option<String> {
        let tenant = other.split('/').nth(self.before.matches('/').count())?;
        is_tenant(tenant).then(|| self.issuer(tenant))
    }

    /// Tells whether an issuer can be one of both templates.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.issuer("{}"), other.issuer("{}"));
        let (mut ours, mut theirs) = (ours.split('/'), theirs.split('/'));
        let fits = |one: &str, other: &str| one == other || (one == "{}" && is_tenant(other));
        ours.by_ref().zip(theirs.by_ref()).all(|(one, other)| fits(one, other) || fits(other, one))
            && self.segments() == other.segments()
    }

    fn segments(&self) -> usize {
        self.before.matches('/').count() + self.after.matches('/').count()
    }
}

/// Tells whether a text can be a tenant: 1 to 128 unreserved characters (RFC 3986 section 2.3), and no dot segment.
///
/// Such a text is one segment of a path by every reading of a URL.
pub(crate) fn is_tenant(text: &str) -> bool {
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    (1..=LONGEST_TENANT).contains(&text.len()) && text.bytes().all(is_unreserved) && !matches!(text, "." | "..")
}

/// `{name}`, where the name may be any word.
fn is_placeholder(segment: &str) -> bool {
    let name = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    name.is_some_and(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRA: &str = "https://login.microsoftonline.com/{tenantid}/v2.0";

    #[test]
    fn the_placeholder_is_one_segment_of_the_path() {
        for good in
            [ENTRA, "https://sts.windows.net/{tenantid}/", "https://as.example/realms/{realm}", "http://[::1]:80/{t}"]
        {
            assert_eq!(IssuerTemplate::check(good), Ok(()), "{good}");
        }
        let table = [
            ("https://{tenant}.example/", "host"),
            ("https://as.example:{port}/", "port"),
            ("{scheme}://as.example/a", "scheme"),
            ("https://{tenant}", "host"),
            ("https://as.example/a-{tenant}", "part of a segment"),
            ("https://as.example/{}", "part of a segment"),
            ("https://as.example/{te nant}", "part of a segment"),
            ("https://as.example/{{tenant}}", "part of a segment"),
            ("https://as.example/{tenant", "part of a segment"),
            ("https://as.example/tenant}", "part of a segment"),
            ("https://as.example/{a}/{b}", "several"),
            ("https://as.example/{a}{b}", "part of a segment"),
            ("https://as.example/{tenant}?a=b", "query"),
            ("https://as.example/{tenant}#a", "fragment"),
            ("https:///{tenant}", "host"),
            ("://as.example/{tenant}", "scheme"),
            ("{tenant}", "URL"),
        ];
        for (text, problem) in table {
            let told = IssuerTemplate::check(text).unwrap_err();
            assert!(told.contains(problem), "{text}: {told}");
        }
    }

    #[test]
    fn a_tenant_is_one_segment_by_every_reading() {
        let template = IssuerTemplate::of(ENTRA).unwrap();
        let named = |tenant: &str| format!("https://login.microsoftonline.com/{tenant}/v2.0");
        let longest = "a".repeat(128);
        for good in ["9188040d-6c67-4b5a-b112-36a304b66dad", "a", "...", "~A_b-c.d", &longest] {
            assert_eq!(template.tenant(&named(good)), Some(good));
            assert_eq!(template.issuer(good), named(good));
        }
        let (too_long, huge) = ("a".repeat(129), "a".repeat(10_000));
        for bad in [
            "",
            ".",
            "..",
            "a/b",
            "a%2fb",
            "%2e%2e",
            "a?b",
            "a#b",
            "a@b",
            "a:b",
            "a\\b",
            "a b",
            "a\n",
            "ä",
            "{tenantid}",
            "..%2f",
            "a;b",
            "\u{202e}a",
            "\0",
            &too_long,
            &huge,
        ] {
            assert_eq!(template.tenant(&named(bad)), None, "{bad:?}");
        }
        for other in [
            "https://login.microsoftonline.com.evil.example/a/v2.0",
            "https://evil.example/a/v2.0",
            "http://login.microsoftonline.com/a/v2.0",
            "https://login.microsoftonline.com/a/v2.0/",
            "https://login.microsoftonline.com/a/v1.0",
            "https://login.microsoftonline.com//v2.0",
            "https://login.microsoftonline.com/v2.0",
            "HTTPS://login.microsoftonline.com/a/v2.0",
            "",
        ] {
            assert_eq!(template.tenant(other), None, "{other}");
        }
    }

    #[test]
    fn templates_overlap_if_they_share_an_issuer() {
        let table = [
            ("https://a.example/{a}/x", "https://a.example/{b}/x", true),
            ("https://a.example/{a}/x", "https://a.example/b/{c}", true),
            ("https://a.example/{a}/x", "https://a.example/{a}/y", false),
            ("https://a.example/{a}", "https://a.example/{a}/", false),
            ("https://a.example/{a}/x", "https://b.example/{a}/x", false),
        ];
        for (one, other, expected) in table {
            let (one, other) = (IssuerTemplate::of(one).unwrap(), IssuerTemplate::of(other).unwrap());
            assert_eq!((one.overlaps(&other), other.overlaps(&one)), (expected, expected), "{one:?} {other:?}");
        }
    }
}
