//! The certificates of the listeners, read again when their files change.

use aws_lc_rs::digest::{self, SHA256};
use miette::{IntoDiagnostic, Report};

use crate::{
    config, files,
    listener::{Renewal, TlsHandle},
};

/// A certificate in use, and its files.
pub(super) struct Certificate {
    handle: TlsHandle,
    files: config::Tls,
    /// The fingerprint of the files; the key itself is not kept here.
    fingerprint: Option<Fingerprint>,
}

#[derive(Clone, PartialEq)]
pub(super) struct Fingerprint(Vec<u8>);

impl Certificate {
    pub(super) fn new(handle: TlsHandle, files: &config::Tls) -> Self {
        Self { handle, files: files.clone(), fingerprint: Fingerprint::of(files) }
    }

    /// Returns the replacement, if the files have changed.
    ///
    /// # Errors
    ///
    /// If the files cannot be used.
    pub(super) fn renewal(&self) -> Result<Option<(Renewal, Option<Fingerprint>)>, Report> {
        let fingerprint = Fingerprint::of(&self.files);
        if fingerprint == self.fingerprint {
            return Ok(None);
        }
        let renewal = self.handle.prepare(&self.files).into_diagnostic()?;
        Ok(Some((renewal, fingerprint)))
    }

    /// Puts the replacement in use.
    pub(super) fn renew(&mut self, (renewal, fingerprint): (Renewal, Option<Fingerprint>)) {
        renewal.commit();
        self.fingerprint = fingerprint;
    }
}

impl Fingerprint {
    /// Returns the fingerprint; none if a file cannot be read.
    fn of(files: &config::Tls) -> Option<Self> {
        let mut context = digest::Context::new(&SHA256);
        for file in [Some(&files.certificate), Some(&files.key), files.client_ca.as_ref()].into_iter().flatten() {
            context.update(&files::read(file).ok()?);
        }
        Some(Self(context.finish().as_ref().to_vec()))
    }
}
