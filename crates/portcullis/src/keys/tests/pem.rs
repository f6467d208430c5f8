//! Public keys from an operator, as PEM and in other forms.

use super::*;

/// `openssl genrsa 1024 | openssl rsa -pubout`
const RSA_1024: &str = "\
-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC/66Jrl9GTOuwN4specae7oP+m
XgS/PafM7iLAFYciIqDZqLgeTqjtBfOPVvpwo8FX5IR+0umRnJhVtaimlbuxqbjM
Mb6zL/q6d94MVFlhba8DBSMtzVysi2Q6U0UfI986mqLoFyUbb5vb8VxQB4HDsFB5
sDvdcMjucDg5AtrYvwIDAQAB
-----END PUBLIC KEY-----
";

/// `openssl rsa -RSAPublicKey_out`
const RSA_PKCS1: &str = "\
-----BEGIN RSA PUBLIC KEY-----
MIIBCgKCAQEAwDncIy3fCGUAbYB1HfQUoxVBjcLDOOqt6OFlunYVFrbUPw6oOkRj
fnsZfYnWXSw2o/74oRrO8nb+0ktBSUmGZRIQGsD5VJ//cnYH3UmrBOnn4iycbRh1
QdY+Roz3guGcSVuI5coSZIf0kxItniTMJRpgD2kDf3JyDqCWKw6A9Pbz/ZahIjdZ
Oc9wQNomVW7K8I6iXOWyrtQ9+l6H1ypdR0S/npaQTpeboJWCQ3BOBRRh7MrJ+3C7
zpnj4cTQdRmMNMo+dKa19sSppopmMsa1BYd4dEfiucrNcmDplM0kpSY+ENNhcT2B
s2WROeZnZNEE221PjsdoYDI2+YDm34VgOQIDAQAB
-----END RSA PUBLIC KEY-----
";

/// `openssl req -x509`, long expired
const CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----
MIIDCzCCAfOgAwIBAgIUKUa+V0DFAv80QsCbE2frxIN3Xn0wDQYJKoZIhvcNAQEL
BQAwFTETMBEGA1UEAwwKYXMuZXhhbXBsZTAeFw0yNjExMjYyMzE1MTNaFw0yNjEx
MjcyMzE1MTNaMBUxEzARBgNVBAMMCmFzLmV4YW1wbGUwggEiMA0GCSqGSIb3DQEB
AQUAA4IBDwAwggEKAoIBAQDAOdwjLd8IZQBtgHUd9BSjFUGNwsM46q3o4WW6dhUW
ttQ/Dqg6RGN+exl9idZdLDaj/vihGs7ydv7SS0FJSYZlEhAawPlUn/9ydgfdSasE
6efiLJxtGHVB1j5GjPeC4ZxJW4jlyhJkh/STEi2eJMwlGmAPaQN/cnIOoJYrDoD0
9vP9lqEiN1k5z3BA2iZVbsrwjqJc5bKu1D36XofXKl1HRL+elpBOl5uglYJDcE4F
FGHsysn7cLvOmePhxNB1GYw0yj50prX2xKmmimYyxrUFh3h0R+K5ys1yYOmUzSSl
Jj4Q02FxPYGzZZE55mdk0QTbbU+Ox2hgMjb5gObfhWA5AgMBAAGjUzBRMB0GA1Ud
DgQWBBR1lw6VC2AAFe1TxzhzFxR8Pb/9gjAfBgNVHSMEGDAWgBR1lw6VC2AAFe1T
xzhzFxR8Pb/9gjAPBgNVHRMBAf8EBTADAQH/MA0GCSqGSIb3DQEBCwUAA4IBAQA+
kg5zvRkq9ebmc3vCR4N3At7Agwyw/GkdIHAea0lyQfkc/GlJwD+lmXFWobSXMRnQ
Cz9e3yIW/TkAhqFGw9mWlrVr54IBuEhWHVwyK9X+HMe/MOGsMyGU67XuBqj2Tpns
nCrtSalg+lhM2M0OQg5UZ5x8E4ffLkkBB1o9d/2rRbAqTE84HMnDojxRnR7N+nqX
RuJOfv6wje3abOkr/u9X385+w+DUNcLyso4L/mA1VK7pbl3ymSucT3r1UCp/zxmT
BBs2RMXcNA3n5CcT6GveiVfKjbj1zA0CMfHsSPyUEzJy0GzYCG3Uw7wOR1IEffBA
LE8IUQ/FPF3bXL74Oijl
-----END CERTIFICATE-----
";

/// `openssl x509 -req`, which makes version 1 without extensions
const CERTIFICATE_V1: &str = "\
-----BEGIN CERTIFICATE-----
MIICsTCCAZkCFD762Wvfk4j08VTXehizX5Lo6KijMA0GCSqGSIb3DQEBCwUAMBUx
EzARBgNVBAMMCmFzLmV4YW1wbGUwHhcNMjYxMTI2MjMxNTEzWhcNMjYxMTI3MjMx
NTEzWjAVMRMwEQYDVQQDDAphcy5leGFtcGxlMIIBIjANBgkqhkiG9w0BAQEFAAOC
AQ8AMIIBCgKCAQEAwDncIy3fCGUAbYB1HfQUoxVBjcLDOOqt6OFlunYVFrbUPw6o
OkRjfnsZfYnWXSw2o/74oRrO8nb+0ktBSUmGZRIQGsD5VJ//cnYH3UmrBOnn4iyc
bRh1QdY+Roz3guGcSVuI5coSZIf0kxItniTMJRpgD2kDf3JyDqCWKw6A9Pbz/Zah
IjdZOc9wQNomVW7K8I6iXOWyrtQ9+l6H1ypdR0S/npaQTpeboJWCQ3BOBRRh7MrJ
+3C7zpnj4cTQdRmMNMo+dKa19sSppopmMsa1BYd4dEfiucrNcmDplM0kpSY+ENNh
cT2Bs2WROeZnZNEE221PjsdoYDI2+YDm34VgOQIDAQABMA0GCSqGSIb3DQEBCwUA
A4IBAQCOm3cYNXuTX8iTl05iBgLZ7MWaV8G8amhWQdIArLq73WoTv5PErll85a1u
QSp9LqxB37+EZ3QrK/Z2mIj/GPWWsl+e5hny67g32QzIz32641zf8MSmW0Devk+6
/IIIK9wiJk43uS2Zmq1HdbMTR0s6tFKFS34lRzFZhwJawk9+1fwnVwkD61SE0R6V
iMT1IXVcJ2xVIWRJzU1JeNgyLtB/g51ZBE4tE2HjmR831ud9QB6Ci1TWXA/3v6Ol
GJXBhd4Lp6uEbDvfaAB0BW1q6HD9igz3eJawywGtz1j/OkDT9Pi8HzgnHhReklGG
+9ixktGHNfzyFCtiOmrnnziD0hrq
-----END CERTIFICATE-----
";

#[test]
fn a_pem_key_of_each_type_verifies_its_own_tokens_only() {
    let algorithms = [
        Signing::RS256,
        Signing::PS512,
        Signing::ES256,
        Signing::ES384,
        Signing::ES512,
        Signing::EdDSA,
        Signing::MlDsa44,
        Signing::MlDsa65,
        Signing::MlDsa87,
    ];
    let keys = algorithms.map(|algorithm| SigningKey::generate(algorithm, "k"));
    for (of, key) in algorithms.iter().zip(&keys) {
        let imported = keys_from_pem(key.public_pem().as_bytes()).unwrap();
        let set = Arc::new(KeySet::new(imported, Origin::Local));
        for (by, signer) in algorithms.iter().zip(&keys) {
            let text = portcullis_testkit::TokenBuilder::new(signer, "i", std::time::SystemTime::UNIX_EPOCH).sign();
            let token = token::parse(BearerToken::bare(text.as_bytes(), 10_000).unwrap()).unwrap();
            let verified = set.candidates(token.header()).is_ok_and(|keys| keys.verify(token, 8).is_ok());
            assert_eq!(verified, of == by, "a key for {of} and a token by {by}");
        }
    }
}

#[test]
fn no_pem_but_that_of_a_good_public_key_is_taken() {
    let certificate = portcullis_testkit::CertificateAuthority::new().pem();
    let private = RSA_1024.replace("PUBLIC", "PRIVATE");
    let good = SigningKey::generate(Signing::ES256, "k").public_pem();
    let table = [
        (certificate.clone(), None),
        (certificate.replace("MII", "AII"), Some(KeyProblem::NotPem)),
        (private.clone(), Some(KeyProblem::PrivateKey)),
        (format!("{good}{private}"), Some(KeyProblem::PrivateKey)),
        (good.replace("PUBLIC", "ENCRYPTED PRIVATE"), Some(KeyProblem::PrivateKey)),
        (good.replace("PUBLIC", "OPENSSH PRIVATE"), Some(KeyProblem::PrivateKey)),
        (good.replace("PUBLIC KEY", "CERTIFICATE REQUEST"), Some(KeyProblem::NotPem)),
        ("not PEM at all \u{1F511}".to_owned(), Some(KeyProblem::NotPem)),
        (good.replace('M', "!"), Some(KeyProblem::NotPem)),
        (format!("{certificate}{good}"), None),
        (good.replace('\n', "\r\n"), None),
    ];
    for (text, expected) in table {
        assert_eq!(keys_from_pem(text.as_bytes()).err(), expected, "{text}");
    }
    // One bad section spoils an operator's text: it is better reported than skipped.
    assert!(keys_from_pem(RSA_1024.as_bytes()).is_err());
    assert!(keys_from_pem(format!("{good}{RSA_1024}").as_bytes()).is_err());
}

#[test]
fn a_pem_text_may_hold_several_public_keys_and_nothing_else_counts() {
    let (rsa, ec) = (SigningKey::generate(Signing::RS256, "a"), SigningKey::generate(Signing::ES384, "b"));
    let both = format!("some words\n{}\n{}", rsa.public_pem(), ec.public_pem());
    assert_eq!(keys_from_pem(both.as_bytes()).unwrap().len(), 2);
    let relabelled = rsa.public_pem().replace("PUBLIC KEY", "CERTIFICATE");
    let cut = rsa.public_pem().replace("-----END PUBLIC KEY-----", "");
    let garbled = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n".to_owned();
    for (text, expected) in [
        (String::new(), KeyProblem::NotPem),
        (relabelled, KeyProblem::NotPem),
        (cut, KeyProblem::NotPem),
        (garbled, KeyProblem::UnsupportedPem),
    ] {
        assert_eq!(keys_from_pem(text.as_bytes()).err(), Some(expected), "{text}");
    }
}

/// The forms in which people keep a key, each of which is accepted.
#[test]
fn a_key_is_taken_in_each_form_that_people_hold_it_in() {
    let key = SigningKey::generate(Signing::RS256, "k");
    let pem = key.public_pem();
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let pkcs1 = RSA_PKCS1.to_owned();
    let der = rustls_pki_types::pem::PemObject::from_pem_slice(pem.as_bytes());
    let der: rustls_pki_types::SubjectPublicKeyInfoDer<'_> = der.unwrap();
    let jwk = key.public_jwk();
    let table: Vec<(&str, Vec<u8>)> = vec![
        ("PEM", pem.clone().into()),
        ("PEM with words before", format!("Bag Attributes\n{pem}").into()),
        ("PEM with a byte-order mark", format!("\u{feff}{pem}").into()),
        ("base64", base64.clone().into()),
        ("base64 in lines", pem.lines().filter(|line| !line.starts_with('-')).collect::<Vec<_>>().join("\r\n").into()),
        ("PKCS#1", pkcs1.into()),
        ("certificate", CERTIFICATE.into()),
        ("certificate of version 1, as Keycloak makes them", CERTIFICATE_V1.into()),
        (
            "certificate's base64",
            CERTIFICATE_V1.lines().filter(|line| !line.starts_with('-')).collect::<String>().into(),
        ),
        ("DER", der.to_vec()),
        ("lines that are written out, as in a variable", pem.replace('\n', "\\n").into()),
        ("the same in quotes", format!("\"{}\"", pem.replace('\n', "\\r\\n")).into()),
        ("one line", pem.replace('\n', " ").into()),
        ("one line without spaces", pem.replace('\n', "").into()),
        ("indented", pem.replace('\n', "\n    ").into()),
        ("PEM with another label", pem.replace("PUBLIC KEY", "EC PUBLIC KEY").into()),
        ("JWK", jwk.to_string().into()),
        ("JWK Set", json!({ "keys": [jwk] }).to_string().into()),
        ("JWK Set with a byte-order mark", format!("\u{feff}{}", json!({ "keys": [jwk] })).into()),
    ];
    for (form, text) in table {
        let keys = keys_from_text(&text, &ImportRules::of(Origin::Local));
        assert_eq!(keys.map(|keys| keys.len()).ok(), Some(1), "{form}");
    }
}

/// DER of fewer than 128 bytes begins differently.
#[test]
fn der_of_each_type_of_key_is_taken() {
    for algorithm in [Signing::RS256, Signing::ES256, Signing::ES384, Signing::ES512, Signing::EdDSA] {
        let pem = SigningKey::generate(algorithm, "k").public_pem();
        let der: rustls_pki_types::SubjectPublicKeyInfoDer<'_> =
            rustls_pki_types::pem::PemObject::from_pem_slice(pem.as_bytes()).unwrap();
        for text in [der.to_vec(), crate::base64url::encode(&der).into()] {
            let keys = keys_from_text(&text, &ImportRules::of(Origin::Local));
            assert_eq!(keys.map(|keys| keys.len()).ok(), Some(1), "{algorithm}");
        }
    }
}

/// About half of all texts of 32 bytes are points of Ed25519.
#[test]
fn a_secret_is_not_taken_for_a_public_key() {
    for number in 0..64_u8 {
        let secret = [number.wrapping_mul(37); 32];
        let secret = crate::base64url::encode(secret);
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{secret}\n-----END PUBLIC KEY-----\n");
        for text in [secret, pem] {
            assert!(keys_from_text(text.as_bytes(), &ImportRules::of(Origin::Local)).is_err(), "{text}");
        }
    }
}

#[test]
fn another_form_is_named() {
    let text = |error: Unreadable| match error {
        Unreadable::NotAJwkSet(problem) => problem.to_string(),
        Unreadable::Key(problem) => problem.to_string(),
    };
    let private = RSA_PKCS1.replace("PUBLIC", "PRIVATE");
    let table: [(&[u8], &str); 12] = [
        (b"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQC7 me@here", "ssh-keygen"),
        (private.as_bytes(), "private"),
        (b"", "nothing"),
        (b"\x1f\x8b\x08\0\0", "compressed"),
        (b"<!DOCTYPE html><html></html>", "HTML"),
        (b"<?xml version=\"1.0\"?><EntityDescriptor/>", "XML"),
        (b"\xff\xfe{\0}\0", "UTF-16"),
        (b"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln", "token"),
        (br#"{"issuer":"https://as.example","jwks_uri":"https://as.example/jwks"}"#, "metadata"),
        (br#"{"k1":"-----BEGIN CERTIFICATE-----\nMII","k2":"-----BEGIN CERTIFICATE-----\nMII"}"#, "by key id"),
        (br#"[{"kty":"RSA"}]"#, "array"),
        (br#"{"keys":[{"kty":"#, "breaks off"),
    ];
    for (form, expected) in table {
        let told = keys_from_text(form, &ImportRules::of(Origin::Local)).map(drop).map_err(text).unwrap_err();
        assert!(told.contains(expected), "{told}");
    }
}
