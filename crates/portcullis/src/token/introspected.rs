//! The answer of an authorization server about an opaque token (RFC 7662 section 2.2).

use std::time::SystemTime;

use serde_json::Number;

use crate::{
    json::{self, Object, Value},
    keys::KeySetId,
    refusal::{JsonFault, Refusal, TokenFault, Unverified},
};

/// The type of a token that is bound to its sender's key (RFC 9449 section 5).
const DPOP: &str = "DPoP";

/// A token that its authorization server declared active, with the claims of the answer, which are not judged yet.
pub(crate) struct IntrospectedToken {
    pub(crate) claims: Object,
    /// The keys that verified the answer, if it was signed.
    pub(crate) keys: Option<KeySetId>,
    /// The time for which the answer counts.
    pub(crate) time: AnswerTime,
}

/// The time for which an answer counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AnswerTime {
    /// Its end for any request.
    pub(crate) until: SystemTime,
    /// Its end for a further layer of the same request, which is asked about once.
    pub(crate) same_request: SystemTime,
}

/// An answer without the boolean `active`.
#[derive(Debug, PartialEq)]
pub(crate) struct NotAnAnswer;

impl IntrospectedToken {
    /// Reads an answer of the authorization server that is authentic by its connection or its signature.
    ///
    /// `keys` verified it, if it is signed, and it counts for that time. None if the token is not active.
    pub(crate) fn from_answer(
        claims: Object,
        keys: Option<KeySetId>,
        time: AnswerTime,
    ) -> Result<Option<Self>, NotAnAnswer> {
        match claims.get("active").and_then(|active| active.as_bool()) {
            Some(true) => Ok(Some(Self { claims, keys, time })),
            Some(false) => Ok(None),
            None => Err(NotAnAnswer),
        }
    }

    /// Checks that the token is an access token, and names its key if it is bound to one.
    ///
    /// Servers answer about refresh tokens, too, and mark other kinds with `token_type` or `token_use`. A token of the type
    /// `DPoP` (RFC 9449 section 5) is bound to a key: without `cnf`, no proof can be held against it. `unproven_senders` lets it
    /// pass.
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
        if !unproven_senders && token_type.eq_ignore_ascii_case(DPOP) && !self.claims.contains_key("cnf") {
            return Err(Refusal::Token(TokenFault::SenderConstrained));
        }
        Ok(())
    }
}

/// Adds the binding of a JWT (`cnf`) to an answer about it without one: a server that declares the very text active vouches for that, too.
///
/// # Errors
///
/// The fault of an answer that is nested too deep with it.
pub(crate) fn bound_as(answer: Object, jwt: Option<&Object>) -> Result<Object, JsonFault> {
    let Some(cnf) = jwt.and_then(|jwt| jwt.get("cnf")).filter(|_| !answer.contains_key("cnf")) else {
        return Ok(answer);
    };
    of_members(answer.iter().chain([("cnf", cnf)]).map(|(name, value)| (name, value.to_string())))
}

/// Makes an object of names and the JSON texts of their values, so that numbers stay as they were written.
fn of_members<'a>(members: impl Iterator<Item = (&'a str, String)>) -> Result<Object, JsonFault> {
    let members: Vec<_> = members.map(|(name, value)| format!("{}:{value}", serde_json::Value::from(name))).collect();
    json::object(format!("{{{}}}", members.join(",")).into_bytes())
}

/// Members that are read as times.
const TIMES: [&str; 3] = ["exp", "nbf", "iat"];

/// Members of RFC 7662 section 2.2 that count as absent if they are null. Members that bind or restrict a token, such as
/// `cnf`, are not among them: their meaning is never guessed.
const MAY_BE_NULL: [&str; 11] =
    ["scope", "client_id", "username", "token_type", "exp", "iat", "nbf", "sub", "aud", "iss", "jti"];

/// Corrects an answer that deviates from RFC 7662 and leaves no doubt: removes members that are null, and reads times in
/// quotes as numbers. Returns the oddity, too.
pub(crate) fn plain(answer: Object) -> (Object, Option<&'static str>) {
    let oddity = answer.iter().find_map(|(name, value)| match value {
        _ if is_absent(name, value) => Some("members that are null are taken for absent ones"),
        _ => seconds(name, value).map(|_| "times in quotes are taken for numbers"),
    });
    if oddity.is_none() {
        return (answer, None);
    }
    let members = answer.iter().filter(|(name, value)| !is_absent(name, *value));
    let as_read =
        |(name, value)| (name, seconds(name, value).map_or_else(|| value.to_string(), |seconds| seconds.to_string()));
    match of_members(members.map(as_read)) {
        Ok(plain) => (plain, oddity),
        Err(_) => (answer, None),
    }
}

fn is_absent(name: &str, value: Value<'_>) -> bool {
    value.is_null() && MAY_BE_NULL.contains(&name)
}

/// A time in quotes, as a number of seconds.
fn seconds(name: &str, value: Value<'_>) -> Option<Number> {
    let digits = value.as_str().filter(|_| TIMES.contains(&name))?;
    let all = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    Some(digits.parse::<u64>().ok().filter(|_| all)?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_writes_oddly_is_read_where_it_leaves_no_doubt() {
        for (answer, expected) in [
            (r#"{"active":true,"exp":"1700000000"}"#, r#"{"active":true,"exp":1700000000}"#),
            (r#"{"active":true,"exp":null,"aud":null,"sub":"a"}"#, r#"{"active":true,"sub":"a"}"#),
            (r#"{"active":true,"iat":"1","nbf":"2","jti":"3"}"#, r#"{"active":true,"iat":1,"jti":"3","nbf":2}"#),
        ] {
            let (plain, oddity) = plain(json::object(answer.as_bytes().to_vec()).unwrap());
            assert!(oddity.is_some(), "{answer}");
            assert_eq!(plain.root().to_json(), serde_json::from_str::<serde_json::Value>(expected).unwrap());
        }
        for left in [
            r#"{"active":true,"exp":1.5,"sub":"1700000000"}"#,
            r#"{"active":true,"cnf":null,"role":null}"#,
            r#"{"active":"true","exp":"tomorrow"}"#,
            r#"{"active":true,"exp":""}"#,
            r#"{"active":true,"exp":"-1"}"#,
            r#"{"active":true,"exp":"+1"}"#,
            r#"{"active":true,"exp":"99999999999999999999999"}"#,
        ] {
            let (plain, oddity) = plain(json::object(left.as_bytes().to_vec()).unwrap());
            assert_eq!((plain.text(), oddity), (left, None));
        }
    }

    fn read(answer: &str) -> Result<Option<IntrospectedToken>, NotAnAnswer> {
        let answer = json::object(answer.as_bytes().to_vec()).unwrap();
        let time = AnswerTime { until: SystemTime::UNIX_EPOCH, same_request: SystemTime::UNIX_EPOCH };
        IntrospectedToken::from_answer(answer, None, time)
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
