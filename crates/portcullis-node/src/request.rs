//! A request as JavaScript gives it, before the judge. There is nothing of Node in here: `tests/steps.rs` judges by it, too.

use http::{HeaderName, header::AUTHORIZATION};
use portcullis::{HeaderFields, Judging, Presented, Secure};

/// A request's `Authorization` field, whether there are several, and whether an unknown token may be verified here and now.
pub(crate) struct Request<'a> {
    pub(crate) authorization: Option<&'a [u8]>,
    pub(crate) several: bool,
    pub(crate) verify: bool,
}

impl Request<'_> {
    /// Judges the request, as far as that is possible without waiting, and without the verification that is not asked for.
    pub(crate) fn judge(&self, secure: &Secure) -> Judging {
        secure.judge(&Presented::new(self).verify_later(!self.verify))
    }
}

/// Of several fields, only their number counts.
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
