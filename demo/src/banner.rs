//! The page that says what to try: printed at the start, and served at `/`.

use std::fmt::Write;

use crate::samples::{CLIENT_ID, CLIENT_SECRET, ENDPOINTS, Endpoint, NO_TOKEN, Sample};

/// The last line of the page.
const END: &str = "Ctrl-C stops the demo.\n";

/// Where tokens come from.
pub(crate) enum Tokens {
    /// From the embedded authorization server at this URL.
    Embedded { url: String },
    /// From an authorization server of your own.
    Yours,
}

/// The page, for the resource server at `api`.
pub(crate) fn text(api: &str, tokens: &Tokens) -> String {
    let mut page = format!("Portcullis demo\n\nresource server       {api}\n");
    match tokens {
        Tokens::Embedded { url } => embedded(&mut page, api, url),
        Tokens::Yours => yours(&mut page, api),
    }
    page.push_str(END);
    page
}

fn embedded(page: &mut String, api: &str, authorization: &str) {
    push(page, &format!("authorization server  {authorization}  (client {CLIENT_ID}, secret {CLIENT_SECRET})\n"));
    for endpoint in ENDPOINTS {
        heading(page, endpoint);
        for sample in endpoint.samples {
            let bearer = sample.token.map(|asked| format!("$({})", token_command(authorization, asked)));
            push(page, &promise(sample));
            push(page, &curl(api, endpoint, bearer.as_deref()));
        }
    }
    push(page, "\nA new signing key; tokens by the old one stay good");
    push(page, &format!("  curl -X POST {authorization}/rotate\n"));
}

fn yours(page: &mut String, api: &str) {
    push(page, "authorization server  yours\n\nTOKEN is to hold an access token of your authorization server.");
    for endpoint in ENDPOINTS {
        heading(page, endpoint);
        push(page, &format!("  # a token with {}: 200; without: 403", endpoint.needs));
        push(page, &curl(api, endpoint, Some("$TOKEN")));
        push(page, &promise(&NO_TOKEN));
        push(page, &curl(api, endpoint, None));
    }
    page.push('\n');
}

fn heading(page: &mut String, endpoint: &Endpoint) {
    push(page, &format!("\nGET {} needs {}", endpoint.path, endpoint.needs));
}

/// `# what is sent: status error`, a comment to the shell.
fn promise(sample: &Sample) -> String {
    let mut line = format!("  # {}: {}", sample.what, sample.status);
    if let Some(error) = sample.error {
        let _ = write!(line, " {error}");
    }
    line
}

fn curl(api: &str, endpoint: &Endpoint, bearer: Option<&str>) -> String {
    let mut line = format!("  curl -i {api}{}", endpoint.path);
    if let Some(bearer) = bearer {
        let _ = write!(line, r#" -H "Authorization: Bearer {bearer}""#);
    }
    line
}

/// Gets a token and cuts it out of the JSON, with nothing but what every system has.
fn token_command(authorization: &str, asked: &[(&str, &str)]) -> String {
    let mut line = format!("curl -s {authorization}/token -d grant_type=client_credentials");
    let _ = write!(line, " -d client_id={CLIENT_ID} -d client_secret={CLIENT_SECRET}");
    for (name, value) in asked {
        let _ = match value.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            true => write!(line, " -d {name}={value}"),
            false => write!(line, " --data-urlencode '{name}={value}'"),
        };
    }
    line.push_str(r#" | sed 's/.*"access_token":"\([^"]*\)".*/\1/'"#);
    line
}

fn push(page: &mut String, line: &str) {
    page.push_str(line);
    page.push('\n');
}
