//! The identifier of a resource, and the place of its document (RFC 9728 sections 1.2 and 3.1).

use url::{Position, Url};

use super::ResourceDocument;
use crate::{loopback::is_this_machine, shown_url::marked};

/// A valid identifier: an https URL in its normal form, without query and fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identifier {
    text: String,
    metadata_url: String,
    /// The length of the scheme and authority in `metadata_url`.
    origin: usize,
}

impl Identifier {
    /// Reads an identifier.
    ///
    /// # Errors
    ///
    /// The expected form, the text and the remedy.
    pub(super) fn new(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|_| {
            format!(
                "expected an absolute URL, as `https://api.example.com/orders`, got {:?}: write its scheme and host",
                marked(text)
            )
        })?;
        if let Some((expected, remedy)) = problem(&url, text) {
            return Err(format!("expected {expected}, got {:?}: {remedy}", marked(text)));
        }
        let origin = &url[..Position::BeforePath];
        // A slash alone is the end of the authority, and not a path.
        let path = if url.path() == "/" { "" } else { url.path() };
        let metadata_url = format!("{origin}{}{path}", ResourceDocument::WELL_KNOWN);
        Ok(Self { text: text.to_owned(), metadata_url, origin: origin.len() })
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn metadata_url(&self) -> &str {
        &self.metadata_url
    }

    pub(super) fn metadata_path(&self) -> &str {
        self.metadata_url.get(self.origin..).unwrap_or_default()
    }
}

/// The expected form and the remedy, if the URL is no identifier.
fn problem(url: &Url, text: &str) -> Option<(&'static str, &'static str)> {
    let is_secure = url.scheme() == "https" || (url.scheme() == "http" && is_this_machine(url));
    let has_user = !url.username().is_empty() || url.password().is_some() || text.contains('@');
    // `url` writes the path of an identifier without one as `/`.
    let is_normal = url.as_str() == text || url.as_str().strip_suffix('/') == Some(text);
    let path = url.path();
    let table = [
        (!is_secure, "an https URL", "tokens sent in the clear can be stolen (http is fine on this machine alone)"),
        (
            url.fragment().is_some(),
            "a URL without a fragment (RFC 9728 section 1.2)",
            "take the `#` and all behind it off",
        ),
        (
            url.query().is_some(),
            "a URL without a query",
            "servers and proxies choose a resource by host and path, so take the `?` and all behind it off",
        ),
        (has_user, "a URL without a user", "take all up to the `@` off"),
        (
            !path.bytes().all(is_plain),
            "a path of letters, digits, `/` and `-._~+=,`",
            "other characters, and percent-encoded ones, are read in several ways by routers and proxies",
        ),
        (path.contains("//"), "a path without empty segments", "some proxies merge slashes, so write each once"),
        (
            !is_normal,
            "a URL in its normal form: the host in lower case, no default port, no `.` or `..` segments",
            "clients and servers compare it to the letter",
        ),
    ];
    table.into_iter().find(|(is_wrong, ..)| *is_wrong).map(|(_, expected, remedy)| (expected, remedy))
}

/// Tells whether every router and proxy takes the character of a path for itself.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/-._~+=,".contains(&byte)
}
