//! The parts of a token, each read for itself: for a report, which goes on where verification stops.

use super::{Header, json_part, split};
use crate::{
    base64url,
    bearer::BearerToken,
    json::Object,
    refusal::{Part, TokenFault},
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
