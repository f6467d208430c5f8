//! One introspection, and its reply.

use std::time::SystemTime;

use http::StatusCode;

use super::{IntrospectionForm, Introspector, error_answer::ErrorAnswer, lifetime::lifetime};
use crate::{
    questions::{Answer, Asking, Attempt, ClientAddress, Failure},
    refusal::Refusal,
};

/// An answer about a token that is not verified yet.
#[derive(Clone)]
pub(crate) struct Reply {
    /// The answer in the configured form; none if the status tells that the token is not active.
    pub(crate) text: Option<String>,
    /// The time of the answer.
    pub(crate) at: SystemTime,
    pub(crate) until: SystemTime,
}

impl IntrospectionForm {
    pub(super) fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Jwt => "application/token-introspection+jwt",
            Self::Phantom => "application/jwt",
        }
    }
}

impl Introspector {
    /// Asks the server about a token of this client (RFC 7662 section 2.1).
    pub(crate) async fn ask(&self, token: &str, client: Option<ClientAddress>) -> Result<(Reply, Attempt), Refusal> {
        let form = [("token", token), ("token_type_hint", "access_token")];
        let asking = Asking { accept: self.form().media_type(), form: &form };
        self.0.endpoint.ask(&asking, client, |answer| self.read(&answer)).await
    }

    fn read(&self, answer: &Answer) -> Result<Reply, Failure> {
        let at = answer.at;
        let until = at + lifetime(&answer.headers, self.0.settings.longest);
        let no = Reply { text: None, at, until };
        match answer.status {
            StatusCode::OK => {
                let text = self.0.endpoint.text(answer, self.form().media_type())?;
                Ok(Reply { text: Some(text), at, until })
            }
            StatusCode::NO_CONTENT if self.form() == IntrospectionForm::Phantom => {
                self.0.endpoint.knows_us(at);
                Ok(no)
            }
            status => {
                if self.is_no(answer)? {
                    Ok(no)
                } else {
                    Err(Failure::Status(status))
                }
            }
        }
    }

    /// Tells whether an answer with an error status means that the token is not active.
    ///
    /// A 401 without a reason means that, if the server knew our credentials a moment ago: some servers send it for unknown
    /// tokens.
    fn is_no(&self, answer: &Answer) -> Result<bool, Failure> {
        if !answer.status.is_client_error() {
            return Ok(false);
        }
        let json = answer.is_of(IntrospectionForm::Json.media_type());
        match ErrorAnswer::read(if json { &answer.body } else { b"" }) {
            ErrorAnswer::Inactive => Ok(true),
            ErrorAnswer::UnknownClient => Err(Failure::Credentials { known_of_late: self.0.endpoint.knew_us() }),
            ErrorAnswer::Other => Ok(answer.status == StatusCode::UNAUTHORIZED && self.0.endpoint.knew_us()),
        }
    }
}
