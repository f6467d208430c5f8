//! The registered claims of a token, found in one walk (RFC 7519 section 4.1).

use super::{numeric_date::NumericDate, window::TimeClaim};
use crate::{
    json::{Object, Value},
    refusal::TokenFault,
};

/// The claims that have checks.
pub(super) struct Registered<'a> {
    pub(super) all: &'a Object,
    pub(super) iss: Option<Value<'a>>,
    pub(super) sub: Option<Value<'a>>,
    pub(super) aud: Option<Value<'a>>,
    pub(super) cnf: Option<Value<'a>>,
    exp: Option<Value<'a>>,
    nbf: Option<Value<'a>>,
    iat: Option<Value<'a>>,
}

impl<'a> Registered<'a> {
    pub(super) fn of(all: &'a Object) -> Self {
        let mut found = Self { all, iss: None, sub: None, aud: None, cnf: None, exp: None, nbf: None, iat: None };
        for (name, value) in all.members_of_length() {
            match name {
                b"iss" => found.iss = Some(value),
                b"sub" => found.sub = Some(value),
                b"aud" => found.aud = Some(value),
                b"exp" => found.exp = Some(value),
                b"nbf" => found.nbf = Some(value),
                b"iat" => found.iat = Some(value),
                b"cnf" => found.cnf = Some(value),
                _ => {}
            }
        }
        found
    }

    pub(super) fn get(&self, claim: TimeClaim) -> Option<Value<'a>> {
        match claim {
            TimeClaim::Exp => self.exp,
            TimeClaim::Nbf => self.nbf,
            TimeClaim::Iat => self.iat,
        }
    }

    /// The time of a claim, if it is present.
    pub(super) fn time(&self, claim: TimeClaim) -> Result<Option<NumericDate>, TokenFault> {
        NumericDate::of(self.get(claim), claim.name())
    }
}
