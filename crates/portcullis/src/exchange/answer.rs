//! The answer of a token endpoint (RFC 8693 section 2.2).

use std::time::Duration;

use http::StatusCode;
use serde_json::json;

use super::target::TargetTokenType;
use crate::{
    json::{self, Object},
    questions::{Answer, Endpoint, Failure},
};

const JSON: &str = "application/json";

/// The errors that are about the token or the target (RFC 6749 section 5.2, RFC 8693 section 2.2.2, OpenID Connect Core section 3.1.2.6).
const REFUSALS: [&str; 8] = [
    "invalid_grant",
    "invalid_request",
    "invalid_target",
    "invalid_scope",
    "access_denied",
    "consent_required",
    "interaction_required",
    "login_required",
];

/// The errors that are about this client: no token would pass, or none of this token's organization.
const OF_CLIENT: [&str; 2] = ["unauthorized_client", "unsupported_grant_type"];

/// An answer that is not judged yet.
pub(super) enum Said {
    /// The server issued a token: the text of the answer.
    Issued(String),
    /// It refuses this token or target: the error code.
    Refused(&'static str),
}

/// The token of an answer, not verified yet.
pub(super) struct Issued {
    pub(super) access_token: String,
    pub(super) expires_in: Option<Duration>,
}

/// Reads what the server says.
pub(super) fn read(endpoint: &Endpoint, answer: &Answer) -> Result<Said, Failure> {
    if answer.status == StatusCode::OK {
        return endpoint.text(answer, JSON).map(Said::Issued);
    }
    let status = Failure::Status(answer.status);
    let error = if answer.status.is_client_error() && answer.is_of(JSON) { error(&answer.body) } else { None };
    let Some(error) = error else { return Err(status) };
    let known = |codes: &[&'static str]| codes.iter().copied().find(|code| *code == error);
    if error == "invalid_client" {
        return Err(Failure::CredentialsOrTarget { known_of_late: endpoint.knew_us() });
    }
    if let Some(code) = known(&OF_CLIENT) {
        return Err(Failure::Grant { error: code, known_of_late: endpoint.knew_us() });
    }
    known(&REFUSALS).map(Said::Refused).ok_or(status)
}

fn error(body: &[u8]) -> Option<String> {
    let answer = json::object(body.to_vec()).ok()?;
    answer.get("error")?.as_str().map(str::to_owned)
}

impl Issued {
    /// Checks the members of an answer; the token itself is not judged.
    ///
    /// # Errors
    ///
    /// The reason why the answer is not credible, without any of its text.
    pub(super) fn of(text: &str, asked: TargetTokenType) -> Result<Self, String> {
        let answer = json::object(text.as_bytes().to_vec()).map_err(|fault| format!("the answer {fault}"))?;
        let member = |name: &str| {
            let value = answer.get(name).and_then(|value| value.as_str()).filter(|text| !text.is_empty());
            value.ok_or_else(|| format!("expected the member `{name}` with a text in the answer, got none"))
        };
        let access_token = member("access_token")?.to_owned();
        if !asked.accepts(member("issued_token_type")?) {
            return Err(format!("expected a token of the type {} (`issued_token_type`), got another", asked.uri()));
        }
        if !member("token_type")?.eq_ignore_ascii_case("Bearer") {
            return Err("expected `token_type` Bearer, got another: only a bearer token can be handed on".into());
        }
        Ok(Self { access_token, expires_in: expires_in(&answer)? })
    }

    /// The members that are needed, as the text of an answer: a refresh token is forgotten.
    pub(super) fn text(&self, asked: TargetTokenType) -> String {
        let mut answer = json!({
            "access_token": self.access_token,
            "issued_token_type": asked.uri(),
            "token_type": "Bearer",
        });
        if let (Some(expires_in), Some(members)) = (self.expires_in, answer.as_object_mut()) {
            members.insert("expires_in".into(), expires_in.as_secs().into());
        }
        answer.to_string()
    }
}

/// The lifetime in seconds; some servers write it as a text.
fn expires_in(answer: &Object) -> Result<Option<Duration>, String> {
    let Some(value) = answer.get("expires_in").filter(|value| !value.is_null()) else { return Ok(None) };
    let seconds = value.as_u64().or_else(|| value.as_str()?.parse().ok());
    let seconds = seconds.ok_or("expected `expires_in` in whole seconds, got something else")?;
    Ok(Some(Duration::from_secs(seconds)))
}
