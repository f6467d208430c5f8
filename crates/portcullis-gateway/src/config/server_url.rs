//! URLs of an issuer's servers: https, or http to this machine.
//!
//! The library judges them as well; here each mistake has its line.

use portcullis::is_this_machine;
use url::Url;

use super::{
    file::{Read, Value},
    problem::Problem,
    starred::without_secrets,
};

/// Reads a URL that requests are sent to; with `allows_http`, plain http will do.
pub(super) fn server_url(value: &Value<'_>, allows_http: bool) -> Read<String> {
    let text = value.text()?;
    check_server_url(value, text, allows_http).map(|()| text.to_owned())
}

/// Checks a text as a URL that requests are sent to.
pub(super) fn check_server_url(value: &Value<'_>, text: &str, allows_http: bool) -> Result<(), Problem> {
    let shown = without_secrets(text);
    let Some((scheme, rest)) = shown.split_once("://") else {
        let scheme = if shown.starts_with("localhost") || shown.starts_with("127.") { "http" } else { "https" };
        let problem = value.problem(format!("expected a URL with its scheme, got `{shown}`"));
        return Err(problem.help(format!("write {scheme}://{shown}")));
    };
    match scheme {
        // Placeholders for tenants have errors of their own.
        "https" if text.contains('{') || Url::parse(text).is_ok() => Ok(()),
        "http" if allows_http || Url::parse(text).is_ok_and(|url| is_this_machine(&url)) => Ok(()),
        "http" => Err(value
            .problem(format!(
                "expected an https URL, got `{shown}`: keys, tokens and secrets that are sent in the clear can be read and \
                 replaced on their way"
            ))
            .help(format!("write https://{rest}; `dangerously_allow_http = true` in this issuer permits http"))),
        _ => Err(value.problem(format!("expected an https URL, got `{shown}`")).help("write host and path behind https://")),
    }
}
