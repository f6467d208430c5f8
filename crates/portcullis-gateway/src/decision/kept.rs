//! The parts of a request that are kept during the wait for its verdict.

use http::{HeaderName, header::AUTHORIZATION};
use portcullis::{Content, HeaderFields};

use super::{CertificateIn, Original};
use crate::routes::Overrides;

/// The parts of a request that its decision is told with, kept during the wait for the verdict.
pub(super) struct Kept {
    method: String,
    target: String,
    host: Option<String>,
    authorization: Vec<Box<[u8]>>,
    traceparent: Option<String>,
}

impl Kept {
    pub(super) fn of(original: &Original<'_>) -> Self {
        let mut authorization = Vec::new();
        original.fields.each(&AUTHORIZATION, &mut |value| authorization.push(value.into()));
        Self {
            method: original.method.to_owned(),
            target: original.target.to_owned(),
            host: original.host.map(str::to_owned),
            authorization,
            traceparent: original.traceparent.map(str::to_owned),
        }
    }

    /// Returns the request, whose route is known already.
    pub(super) fn original(&self) -> Original<'_> {
        Original {
            method: &self.method,
            target: &self.target,
            host: self.host.as_deref(),
            scheme: None,
            overriding: Overrides::NOTHING,
            route: None,
            fields: self,
            content: Content::Unseen,
            // It has been judged.
            certificate: CertificateIn::Nothing,
            before: None,
            traceparent: self.traceparent.as_deref(),
        }
    }
}

impl HeaderFields for Kept {
    fn each<'a>(&'a self, name: &HeaderName, visit: &mut dyn FnMut(&'a [u8])) {
        if *name == AUTHORIZATION {
            self.authorization.iter().for_each(|value| visit(value));
        }
    }
}
