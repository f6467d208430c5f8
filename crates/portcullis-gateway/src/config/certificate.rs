//! The field in which a proxy hands the client's certificate on.

use http::HeaderName;

use super::{
    CertificateField, CertificateFormat,
    file::{Read, Table, Value},
};

/// The names of the notations.
const FORMATS: [(&str, CertificateFormat); 4] = [
    ("rfc9440", CertificateFormat::Rfc9440),
    ("escaped_pem", CertificateFormat::EscapedPem),
    ("base64_der", CertificateFormat::Base64Der),
    ("xfcc", CertificateFormat::Xfcc),
];

/// Reads `client_certificate` of a listener; `joins` if the proxies there may join several fields of a name by commas.
pub(super) fn client_certificate(listener: &Table<'_>, joins: bool) -> Option<CertificateField> {
    let table = listener.table("client_certificate")?;
    let name = table.require("field", "write `field = \"X-Client-Cert\"`, the field that the proxy sets", name);
    let help =
        "write `format = \"rfc9440\"`, \"escaped_pem\" (nginx), \"base64_der\" (Traefik, Caddy) or \"xfcc\" (Envoy)";
    let format = table.require("format", help, |value| format(value, joins));
    table.finish();
    Some(CertificateField { name: name?, format: format? })
}

fn name(value: &Value<'_>) -> Read<HeaderName> {
    let text = value.text()?;
    HeaderName::try_from(text).map_err(|_| {
        value.problem(format!("expected the name of a header field, got \"{text}\"")).help(
            "write the name of the field that the proxy sets to the client's certificate, as in \"X-Client-Cert\"",
        )
    })
}

fn format(value: &Value<'_>, joins: bool) -> Read<CertificateFormat> {
    let format = value.word(&FORMATS)?;
    if joins && format == CertificateFormat::Base64Der {
        let problem = value.problem("expected a notation without commas, got \"base64_der\"");
        return Err(problem.help(
            "Envoy joins several fields of one name by commas, so that a client's own field would pass for the first certificate of \
             a chain: leave `client_certificate` out, and have Envoy send `include_peer_certificate: true`",
        ));
    }
    Ok(format)
}
