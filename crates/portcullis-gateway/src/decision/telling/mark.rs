//! The mark of a token: it finds a token again in logs.

use http::header::AUTHORIZATION;
use portcullis::TokenMark;
use serde::Serialize;

use crate::decision::Original;

/// The mark of a token, and the token's unverified issuer and key.
#[derive(Clone, Serialize)]
pub(super) struct Mark {
    pub(super) issuer: Option<String>,
    pub(super) kid: Option<String>,
    pub(super) token: Option<String>,
}

impl Mark {
    pub(super) fn of(original: &Original<'_>) -> Self {
        let mark = token_mark(original);
        Self {
            issuer: mark.and_then(|mark| mark.unverified_issuer()),
            kid: mark.and_then(|mark| mark.unverified_kid()),
            token: mark.map(|mark| mark.to_string()),
        }
    }
}

/// Returns the mark of a request's token.
pub(super) fn token_mark<'a>(original: &Original<'a>) -> Option<TokenMark<'a>> {
    token_of(original).map(TokenMark::of)
}

/// Returns the token, if there is exactly one field: everything after the scheme.
fn token_of<'a>(original: &Original<'a>) -> Option<&'a [u8]> {
    let mut fields = (None, 0);
    original.fields.each(&AUTHORIZATION, &mut |field| fields = (Some(field), fields.1 + 1));
    let (Some(field), 1) = fields else { return None };
    let space = field.iter().position(|byte| *byte == b' ')?;
    let token = field.get(space..)?.trim_ascii();
    (!token.is_empty()).then_some(token)
}
