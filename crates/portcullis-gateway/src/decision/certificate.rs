//! The client's certificate, from the place that the proxy puts it in.
//!
//! | question | place |
//! |---|---|
//! | at a listener with `client_certificate` | that field alone: without it the client has no certificate |
//! | by gRPC otherwise | `source.certificate`, which Envoy takes from the client's connection |
//! | that is the request of the client itself, over TLS with `client_ca` | the connection |
//! | any other | none: a certificate of the connection is the proxy's |
//!
//! No other field has any effect. Only trusted peers ask, and each has to set the field in place of the client's own; so several
//! fields are refused, and a malformed one.

use portcullis::{ClientCertificate, HeaderFields, MalformedClientCertificate};

use super::Fault;
use crate::config::{CertificateField, CertificateFormat};

/// The place of the client's certificate.
#[derive(Debug, Clone, Copy)]
#[allow(private_interfaces, reason = "only the doors of this crate have fields")]
pub enum CertificateIn<'a> {
    /// No place: the proxy hands no certificate on.
    Nothing,
    /// A header field of the proxy.
    Field(&'a CertificateField),
    /// `source.certificate` of a check; empty without a certificate.
    Check(&'a str),
    /// The connection of the client itself.
    Connection(ClientCertificate),
}

impl CertificateIn<'_> {
    /// Returns the certificate, if the client has one.
    pub(super) fn read(self, fields: &dyn HeaderFields) -> Result<Option<ClientCertificate>, Fault> {
        match self {
            Self::Nothing | Self::Check("") => Ok(None),
            Self::Connection(certificate) => Ok(Some(certificate)),
            Self::Check(pem) => {
                let read = ClientCertificate::from_escaped_pem(pem.as_bytes());
                read.map(Some).map_err(|fault| Fault::MalformedClientCertificate { field: None, fault })
            }
            Self::Field(field) => of_field(field, fields),
        }
    }
}

/// Proxies with templates set an empty field where there is no certificate.
fn of_field(field: &CertificateField, fields: &dyn HeaderFields) -> Result<Option<ClientCertificate>, Fault> {
    let (mut read, mut count) = (Ok(None), 0_usize);
    fields.each(&field.name, &mut |value| {
        count += 1;
        read = if value.is_empty() { Ok(None) } else { field.format.read(value).map(Some) };
    });
    match count {
        0 | 1 => read.map_err(|fault| Fault::MalformedClientCertificate { field: Some(field.name.clone()), fault }),
        _ => Err(Fault::SeveralClientCertificates(field.name.clone())),
    }
}

impl CertificateFormat {
    fn read(self, field: &[u8]) -> Result<ClientCertificate, MalformedClientCertificate> {
        match self {
            Self::Rfc9440 => ClientCertificate::from_rfc9440(field),
            Self::EscapedPem => ClientCertificate::from_escaped_pem(field),
            Self::Base64Der => ClientCertificate::from_base64_der(field),
            Self::Xfcc => ClientCertificate::from_xfcc(field),
        }
    }
}
