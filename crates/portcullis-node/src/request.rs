//! A request from JavaScript. It needs nothing of Node, so that `tests/steps.rs` can use it.

use http::{HeaderName, header::AUTHORIZATION};
use portcullis::{HeaderFields, Judging, Presented, Secure};

/// The `Authorization` field of a request; flags for several fields, and for verifying an unknown token on this thread now.
pub(crate) struct Request<'a> {
    pub(crate) authorization: Option<&'a [u8]>,
    pub(crate) several: bool,
    pub(crate) verify: bool,
}

impl<'a> Request<'a> {
    /// Judges the request without waiting, and verifies an unknown token only if `verify` is set.
    pub(crate) fn judge(&self, secure: &Secure) -> Judging {
        secure.judge(&Presented::new(self).verify_later(!self.verify))
    }

    /// The `Authorization` fields: several are shown as two, since only their number counts.
    pub(crate) fn credentials(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let first = (self.authorization.is_some() || self.several).then(|| self.authorization.unwrap_or_default());
        let second = self.several.then_some(&b""[..]);
        first.into_iter().chain(second)
    }
}

impl HeaderFields for Request<'_> {
    fn each<'a>(&'a self, name: &HeaderName, visit: &mut dyn FnMut(&'a [u8])) {
        if *name == AUTHORIZATION {
            self.credentials().for_each(visit);
        }
    }
}
