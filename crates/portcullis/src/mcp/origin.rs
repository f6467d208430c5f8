//! The check of the `Origin` field, against DNS rebinding ("Streamable HTTP", "Security & Endpoint").

use http::header::ORIGIN;

use crate::{bearer::HeaderFields, refusal::RequestFault};

/// The origins whose pages may send requests.
#[derive(Debug, Clone, Default)]
pub(super) struct Origins(Vec<String>);

impl Origins {
    /// Takes origins that [`normalized`] accepts; others, which the check of the rules refuses, match nothing.
    pub(super) fn new<'a>(origins: impl Iterator<Item = &'a str>) -> Self {
        Self(origins.filter_map(normalized).collect())
    }

    /// Lets a request pass that has no `Origin` field, as other programs than browsers send them, or one with an origin on the list.
    pub(super) fn check(&self, fields: &dyn HeaderFields) -> Result<(), RequestFault> {
        match fields.first_two(&ORIGIN) {
            [None, _] => Ok(()),
            [Some(origin), None] if self.has(origin) => Ok(()),
            _ => Err(RequestFault::McpOrigin),
        }
    }

    fn has(&self, value: &[u8]) -> bool {
        // A page's origin is mostly written in its normal form.
        let has = |origin: &str| self.0.iter().any(|known| known == origin);
        std::str::from_utf8(value).is_ok_and(|text| has(text) || normalized(text).is_some_and(|origin| has(&origin)))
    }
}

/// Returns the origin of a URL: the URL without its path.
pub(super) fn of_url(url: &str) -> &str {
    let authority = url.find("://").map_or(0, |end| end + 3);
    let end = url.get(authority..).and_then(|rest| rest.find('/')).map_or(url.len(), |end| authority + end);
    url.get(..end).unwrap_or_default()
}

/// Returns `scheme://host[:port]` in lower case and without the scheme's own port; none for any other text, such as `null`.
pub(super) fn normalized(origin: &str) -> Option<String> {
    let is_authority = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:[]".contains(&byte);
    let origin = origin.to_ascii_lowercase();
    let (scheme, authority) = origin.split_once("://")?;
    let has_form = !scheme.is_empty()
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        && !authority.is_empty()
        && authority.bytes().all(is_authority);
    let default_port = match scheme {
        "https" => ":443",
        "http" => ":80",
        _ => "",
    };
    let authority = authority.strip_suffix(default_port).unwrap_or(authority);
    has_form.then(|| format!("{scheme}://{authority}"))
}
