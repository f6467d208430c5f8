use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use percent_encoding::percent_decode_str;

use super::Server;
use super::error::OAuthError;
use super::parameters::Parameters;
use crate::encoding::from_base64;
use crate::server::state::Client;

/// Authenticates the client by `client_secret_basic` or `client_secret_post`
/// (RFC 6749 section 2.3.1), and returns its id.
pub(super) fn authenticate(
    server: &Server,
    headers: &HeaderMap,
    parameters: &Parameters,
) -> Result<String, OAuthError> {
    let claimed = match (headers.get(AUTHORIZATION), post(parameters)?) {
        (Some(_), Some(_)) => {
            return Err(OAuthError::InvalidRequest("expected one way of client authentication, got two"));
        }
        (Some(field), None) => field.to_str().ok().and_then(basic),
        (None, posted) => posted,
    };
    let clients = &server.settings.clients;
    claimed.filter(|claimed| clients.contains(claimed)).map(|client| client.id).ok_or(OAuthError::InvalidClient)
}

fn post(parameters: &Parameters) -> Result<Option<Client>, OAuthError> {
    let id = parameters.one("client_id")?;
    let secret = parameters.one("client_secret")?;
    Ok(id.zip(secret).map(|(id, secret)| Client { id: id.to_owned(), secret: secret.to_owned() }))
}

fn basic(field: &str) -> Option<Client> {
    let (scheme, credentials) = field.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(from_base64(credentials.trim())?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some(Client { id: form_decode(id)?, secret: form_decode(secret)? })
}

fn form_decode(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::base64;

    #[test]
    fn basic_credentials_are_form_encoded() {
        let field = format!("basic {}", base64("my%3Aclient:a+secret%21"));
        let client = Client { id: "my:client".into(), secret: "a secret!".into() };
        assert_eq!(basic(&field), Some(client));
    }

    #[test]
    fn other_fields_are_no_credentials() {
        let no_colon = format!("Basic {}", base64("client"));
        for field in ["Basic", "Bearer abc", "Basic %%%", no_colon.as_str()] {
            assert_eq!(basic(field), None, "{field}");
        }
    }
}
