//! The meaning of an error's body: about the token, about our credentials, or none.

use crate::json::{self, Object};

/// The meaning of the body of an answer with an error status.
#[derive(Debug, PartialEq)]
pub(super) enum ErrorAnswer {
    /// The token is not active: by `active` (django-oauth-toolkit up to 2, with 401), or by the error `invalid_token`
    /// (Spring's old `check_token`, with 400).
    Inactive,
    /// The server does not know our credentials (`invalid_client`, RFC 6749 section 5.2).
    UnknownClient,
    /// No reliable meaning.
    Other,
}

impl ErrorAnswer {
    pub(super) fn read(body: &[u8]) -> Self {
        let Ok(answer) = json::object(body.to_vec()) else { return Self::Other };
        match (active(&answer), error(&answer)) {
            (Some(false), None) | (None | Some(false), Some("invalid_token")) => Self::Inactive,
            (None | Some(false), Some("invalid_client")) => Self::UnknownClient,
            _ => Self::Other,
        }
    }
}

fn active(answer: &Object) -> Option<bool> {
    answer.get("active")?.as_bool()
}

fn error(answer: &Object) -> Option<&str> {
    answer.get("error")?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_no_only_where_it_is_about_the_token() {
        for (body, expected) in [
            (r#"{"active":false}"#, ErrorAnswer::Inactive),
            (r#"{"error":"invalid_token","error_description":"Token was not recognised"}"#, ErrorAnswer::Inactive),
            (r#"{"active":false,"error":"invalid_client"}"#, ErrorAnswer::UnknownClient),
            (r#"{"error":"invalid_client"}"#, ErrorAnswer::UnknownClient),
            (r#"{"error":"invalid_request"}"#, ErrorAnswer::Other),
            (r#"{"active":false,"error":"invalid_request"}"#, ErrorAnswer::Other),
            (r#"{"active":true}"#, ErrorAnswer::Other),
            (r#"{"active":"false"}"#, ErrorAnswer::Other),
            (r#"{"active":true,"error":"invalid_token"}"#, ErrorAnswer::Other),
            (r#"{"active":true,"active":false}"#, ErrorAnswer::Other),
            ("<html>", ErrorAnswer::Other),
            ("", ErrorAnswer::Other),
        ] {
            assert_eq!(ErrorAnswer::read(body.as_bytes()), expected, "{body}");
        }
    }
}
