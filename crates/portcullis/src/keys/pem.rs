//! Public keys from an operator: PEM (RFC 7468 sections 5 and 13), its base64 alone, DER.

use rustls_pki_types::{
    CertificateDer, PrivateKeyDer,
    pem::{PemObject, SectionKind},
};

use super::{KeyProblem, Notation, VerificationKey, without_byte_order_mark};
use crate::{
    algorithm::{Algorithm, KeyType},
    base64url,
    crypto::KeyMaterial,
};

/// Other labels, each with the known one that replaces it; the DER under `PUBLIC KEY` itself shows its form.
const LABELS: [(&str, &str); 3] = [
    ("RSA PUBLIC KEY-----", "PUBLIC KEY-----"),
    ("EC PUBLIC KEY-----", "PUBLIC KEY-----"),
    ("X509 CERTIFICATE-----", "CERTIFICATE-----"),
];

/// Reads the key of every section with a public key or a certificate; at least one key, and no private key.
///
/// Only the key of a certificate counts: the operator vouches for it, so that neither its times nor its issuer matter.
pub(crate) fn keys_from_pem(pem: &[u8]) -> Result<Vec<VerificationKey>, KeyProblem> {
    match Notation::of(pem) {
        Notation::PrivateKey => Err(KeyProblem::PrivateKey),
        Notation::Certificate | Notation::PublicKey => keys_from_sections(pem),
        Notation::Text => key_from_base64(pem).map(|key| vec![key]),
        Notation::Empty | Notation::Binary | Notation::Object => Err(KeyProblem::NotPem),
        Notation::Der => key_from_der(pem).map(|key| vec![key]),
        came => Err(KeyProblem::Notation(came)),
    }
}

fn keys_from_sections(pem: &[u8]) -> Result<Vec<VerificationKey>, KeyProblem> {
    let text = std::str::from_utf8(without_byte_order_mark(pem)).map_err(|_| KeyProblem::NotPem)?;
    let text = LABELS.iter().fold(in_lines(text), |text, (label, known)| text.replace(label, known));
    let sections: Result<Vec<_>, _> = <(SectionKind, Vec<u8>)>::pem_slice_iter(text.as_bytes()).collect();
    let sections = sections.map_err(|_| KeyProblem::NotPem)?;
    let keys: Vec<_> = sections.iter().filter_map(|(kind, der)| key_of(*kind, der)).collect::<Result<_, _>>()?;
    if keys.is_empty() { Err(KeyProblem::NotPem) } else { Ok(keys) }
}

/// Puts each section into lines of its own again. In a variable or a YAML file, lines may have been joined, indented, or ended
/// with a literal `\n`.
fn in_lines(text: &str) -> String {
    const DASHES: &str = "-----";
    let text = text.replace("\\r", "").replace("\\n", "\n");
    // A section that is cut off must not be skipped.
    if !text.matches(DASHES).count().is_multiple_of(4) {
        return text;
    }
    let mut parts = text.split(DASHES);
    let mut lines = String::new();
    // Text for people may precede each section.
    while let (Some(_words), Some(begin), Some(body), Some(end)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    {
        let body: String = body.split_whitespace().collect();
        lines += &format!("{DASHES}{begin}{DASHES}\n{body}\n{DASHES}{end}{DASHES}\n");
    }
    lines
}

fn key_of(kind: SectionKind, der: &[u8]) -> Option<Result<VerificationKey, KeyProblem>> {
    match kind {
        SectionKind::PublicKey => Some(key_from_public_der(der)),
        SectionKind::Certificate => Some(key_from_certificate(der)),
        _ => None,
    }
}

/// The base64 of a key without its frame, as Keycloak's console shows it.
fn key_from_base64(text: &[u8]) -> Result<VerificationKey, KeyProblem> {
    let text = std::str::from_utf8(without_byte_order_mark(text)).map_err(|_| KeyProblem::NotPem)?;
    key_from_der(&base64url::decode_any(text).ok_or(KeyProblem::NotPem)?)
}

fn key_from_der(der: &[u8]) -> Result<VerificationKey, KeyProblem> {
    let key = key_from_certificate(der).or_else(|_| key_from_public_der(der));
    key.map_err(|problem| if PrivateKeyDer::try_from(der).is_ok() { KeyProblem::PrivateKey } else { problem })
}

fn key_from_certificate(der: &[u8]) -> Result<VerificationKey, KeyProblem> {
    let certificate = CertificateDer::from(der);
    let anchor = webpki::anchor_from_trusted_cert(&certificate).map_err(|_| KeyProblem::NotPem)?;
    key_from_spki(&webpki::spki_for_anchor(&anchor))
}

/// `SubjectPublicKeyInfo` (RFC 5280 section 4.1), or `RSAPublicKey` (RFC 8017 appendix A.1.1).
fn key_from_public_der(der: &[u8]) -> Result<VerificationKey, KeyProblem> {
    key_from_spki(der).or_else(|problem| {
        let material = KeyMaterial::rsa_public_key(der, &Algorithm::of(KeyType::Rsa)).map_err(|_| problem)?;
        Ok(VerificationKey::new(None, material))
    })
}

fn key_from_spki(spki: &[u8]) -> Result<VerificationKey, KeyProblem> {
    let mut materials = KeyType::public().map(|key_type| KeyMaterial::spki(spki, key_type, &Algorithm::of(key_type)));
    let material = materials.find_map(Result::ok).ok_or(KeyProblem::UnsupportedPem)?;
    Ok(VerificationKey::new(None, material))
}
