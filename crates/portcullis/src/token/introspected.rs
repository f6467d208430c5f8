//! What an authorization server tells of a token that it alone can read (RFC 7662 section 2.2).

use crate::{
    json::Object,
    refusal::{Refusal, TokenFault, Unverified},
};

/// The type of a token that is bound to its sender's key (RFC 9449 section 5).
const DPOP: &str = "DPoP";

/// A token that its authorization server vouches for: active, and its claims are those of the answer.
///
/// They are not judged yet.
pub(crate) struct IntrospectedToken {
    pub(crate) claims: Object,
}

/// An answer without the boolean `active`.
#[derive(Debug, PartialEq)]
pub(crate) struct NotAnAnswer;

impl IntrospectedToken {
    /// Reads an answer that came from the authorization server, over a channel or under a signature that proves it.
    ///
    /// None if the token is not active.
    pub(crate) fn from_answer(claims: Object) -> Result<Option<Self>, NotAnAnswer> {
        match claims.get("active").and_then(|active| active.as_bool()) {
            Some(true) => Ok(Some(Self { claims })),
            Some(false) => Ok(None),
            None => Err(NotAnAnswer),
        }
    }

    /// Whether it is an access token that whoever bears it may use.
    ///
    /// Servers answer for refresh tokens, too, and call those of another use or kind by `token_type` or `token_use`. One of
    /// the type `DPoP` (RFC 9449 section 5) is bound to a key, whether `cnf` says so, too, or not; `unproven_senders` lets it pass.
    pub(crate) fn check_kind(&self, unproven_senders: bool) -> Result<(), Refusal> {
        let table: [(&str, &[&str]); 2] =
            [("token_type", &["bearer", "access_token", "at+jwt", DPOP]), ("token_use", &["access_token", "access"])];
        for (member, accepted) in table {
            let Some(kind) = self.claims.get(member) else { continue };
            let kind = kind.as_str().unwrap_or_default();
            if !accepted.iter().any(|accepted| accepted.eq_ignore_ascii_case(kind)) {
                return Err(Refusal::Token(TokenFault::Type { actual: Unverified::new(kind) }));
            }
        }
        let token_type = self.claims.get("token_type").and_then(|kind| kind.as_str()).unwrap_or_default();
        if !unproven_senders && token_type.eq_ignore_ascii_case(DPOP) {
            return Err(Refusal::Token(TokenFault::SenderConstrained));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn read(answer: &str) -> Result<Option<IntrospectedToken>, NotAnAnswer> {
        IntrospectedToken::from_answer(json::object(answer.as_bytes().to_vec()).unwrap())
    }

    #[test]
    fn only_an_active_token_is_vouched_for() {
        for (answer, expected) in [
            (r#"{"active":true}"#, Ok(true)),
            (r#"{"active":true,"sub":"a"}"#, Ok(true)),
            (r#"{"active":false}"#, Ok(false)),
            (r#"{"active":false,"sub":"a"}"#, Ok(false)),
            (r#"{"active":"true"}"#, Err(NotAnAnswer)),
            (r#"{"active":1}"#, Err(NotAnAnswer)),
            (r#"{"active":null}"#, Err(NotAnAnswer)),
            (r#"{"Active":true}"#, Err(NotAnAnswer)),
            (r#"{"error":"invalid_client"}"#, Err(NotAnAnswer)),
            ("{}", Err(NotAnAnswer)),
        ] {
            assert_eq!(read(answer).map(|token| token.is_some()), expected, "{answer}");
        }
    }

    #[test]
    fn tokens_of_another_kind_are_refused() {
        for (members, accepted) in [
            ("", true),
            (r#","token_type":"Bearer""#, true),
            (r#","token_type":"bearer","token_use":"access_token""#, true),
            (r#","token_type":"access_token""#, true),
            (r#","token_type":"DPoP""#, false),
            (r#","token_type":"refresh_token""#, false),
            (r#","token_type":7"#, false),
            (r#","token_type":"Bearer","token_use":"refresh_token""#, false),
        ] {
            let token = read(&format!(r#"{{"active":true{members}}}"#)).unwrap().unwrap();
            assert_eq!(token.check_kind(false).is_ok(), accepted, "{members}");
        }
    }
}
