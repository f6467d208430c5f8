//! The parts of a token, each read separately: for a report, which continues where verification stops.

use super::{Header, json_part, split};
use crate::{
    base64url,
    bearer::BearerToken,
    check::{Actual, CheckRow},
    json::Object,
    refusal::{JsonFault, Part, Refusal, TokenFault},
};

/// The content of each part of a token, or its fault. It is unverified, and no token is made from it.
pub(crate) struct Pieces {
    pub(crate) header: Result<Object, TokenFault>,
    /// The header members that matter; the fault is that of [`header`](Self::header) if that has one.
    pub(crate) members: Result<Header, TokenFault>,
    pub(crate) claims: Result<Object, TokenFault>,
    pub(crate) signature: Result<(), TokenFault>,
}

impl Pieces {
    /// The checks of the parts with their results, for an explanation; for each part, up to the first failure.
    pub(crate) fn rows(&self) -> Vec<CheckRow> {
        let mut rows = json_rows(Part::Header, self.header.as_ref().err());
        rows.extend(self.header.iter().flat_map(Header::member_rows));
        rows.extend(json_rows(Part::Payload, self.claims.as_ref().err()));
        rows.push(encoding_row(Part::Signature, self.signature.as_ref().err()));
        rows
    }

    /// Reads the parts with the functions that verification uses.
    ///
    /// # Errors
    ///
    /// A fault if there are not three parts.
    pub(crate) fn of(token: BearerToken<'_>) -> Result<Self, TokenFault> {
        let parts = split(token.as_bytes())?;
        let header = json_part(Part::Header, parts.header);
        let members = match &header {
            Ok(object) => Header::from_object(parts.header, object),
            Err(fault) => Err(fault.clone()),
        };
        let signature = base64url::decode(parts.signature).map(drop).ok_or(TokenFault::Base64(Part::Signature));
        Ok(Self { header, members, claims: json_part(Part::Payload, parts.payload), signature })
    }
}

/// The check that a part is base64url, and, if it is, the check that it is a JSON object.
fn json_rows(part: Part, fault: Option<&TokenFault>) -> Vec<CheckRow> {
    let encoding = encoding_row(part, fault);
    if encoding.result.is_err() {
        return vec![encoding];
    }
    let actual = match fault {
        Some(TokenFault::Json(_, JsonFault::DuplicateMember { name, is_within: false })) => {
            Actual::Claimed(format!("{name} twice"))
        }
        Some(TokenFault::Json(_, JsonFault::DuplicateMember { name, is_within: true })) => {
            Actual::Claimed(format!("a member twice within {name}"))
        }
        _ => Actual::Nothing,
    };
    let expected = format!("a JSON object, no member twice, {} levels deep at most", JsonFault::MAX_DEPTH);
    let result = fault.map_or(Ok(()), |fault| Err(Refusal::Token(fault.clone())));
    vec![encoding, CheckRow { kind: part.json(), expected: Some(expected), actual, result }]
}

fn encoding_row(part: Part, fault: Option<&TokenFault>) -> CheckRow {
    let fault = fault.filter(|fault| matches!(fault, TokenFault::Base64(_)));
    CheckRow {
        kind: part.encoding(),
        expected: Some("strict base64url".to_owned()),
        actual: Actual::Nothing,
        result: fault.map_or(Ok(()), |fault| Err(Refusal::Token(fault.clone()))),
    }
}
