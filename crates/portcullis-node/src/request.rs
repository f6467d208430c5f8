//! A request from JavaScript. It needs nothing of Node, so that `tests/steps.rs` can use it.

use http::{HeaderName, header::AUTHORIZATION};
use portcullis::{HeaderFields, Judging, Presented, Secure};

/// The `Authorization` field of a request; flags for several fields, and for verifying an unknown token on this thread now.
pub(crate) struct Request<'a> {
    pub(crate) authorization: Option<&'a [u8]>,
    pub(crate) several: bool,
    pub(crate) verify: bool,
}

impl Request<'_> {
    /// Judges the request without waiting, and verifies an unknown token only if `verify` is set.
    pub(crate) fn judge(&self, secure: &Secure) -> Judging {
        secure.judge(&Presented::new(self).verify_later(!self.verify))
    }
}

/// Several fields are shown as two; only their number counts.
impl HeaderFields for Request<'_> {
    fn each<'a>(&'a self, name: &HeaderName, visit: &mut dyn FnMut(&'a [u8])) {
        if *name != AUTHORIZATION {
            return;
        }
        if self.authorization.is_some() || self.several {
            visit(self.authorization.unwrap_or_default());
        }
        if self.several {
            visit(b"");
        }
    }
}
