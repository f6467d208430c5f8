//! The parts of a token, each read for itself: for a report, which goes on where verification stops.

use super::{Header, json_part, split};
use crate::{
    base64url,
    bearer::BearerToken,
    check::{Actual, CheckRow},
    json::Object,
    refusal::{JsonFault, Part, Refusal, TokenFault},
};

/// What each part of a token says, or why it cannot be read. Nothing has vouched for any of it, and no token is made of it.
pub(crate) struct Pieces {
    pub(crate) header: Result<Object, TokenFault>,
    /// What of the header counts; its fault is that of [`header`](Self::header) if that has one.
    pub(crate) members: Result<Header, TokenFault>,
    pub(crate) claims: Result<Object, TokenFault>,
    pub(crate) signature: Result<(), TokenFault>,
}

impl Pieces {
    /// The checks that these parts are read by, for an explanation; of one part, none past the first that fails.
    pub(crate) fn rows(&self) -> Vec<CheckRow> {
        let mut rows = json_rows(Part::Header, self.header.as_ref().err());
        rows.extend(self.header.iter().flat_map(Header::member_rows));
        rows.extend(json_rows(Part::Payload, self.claims.as_ref().err()));
        rows.push(encoding_row(Part::Signature, self.signature.as_ref().err()));
        rows
    }

    /// Reads the parts by the functions that verification reads them by.
    ///
    /// # Errors
    ///
    /// If there are not three.
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

/// Whether a part is base64url, and, only if it is, whether it is a JSON object.
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
