//! Public keys that an operator hands over as PEM text.

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

#[test]
fn a_pem_key_of_each_type_verifies_its_own_tokens_only() {
    let algorithms = [Signing::RS256, Signing::PS512, Signing::ES256, Signing::ES384, Signing::ES512, Signing::EdDSA];
    let keys = algorithms.map(|algorithm| SigningKey::generate(algorithm, "k"));
    for (of, key) in algorithms.iter().zip(&keys) {
        let imported = keys_from_pem(key.public_pem().as_bytes()).unwrap();
        let set = Arc::new(KeySet::new(imported, Origin::Local));
        for (by, signer) in algorithms.iter().zip(&keys) {
            let text = portcullis_testkit::TokenBuilder::new(signer, "i", std::time::SystemTime::UNIX_EPOCH).sign();
            let token = token::parse(BearerToken::bare(text.as_bytes(), 10_000).unwrap()).unwrap();
            let verified = set.candidates(token.header()).is_ok_and(|keys| keys.verify(token).is_ok());
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
        (certificate.clone(), Some(KeyProblem::NotPem)),
        (private, Some(KeyProblem::NotPem)),
        (good.replace("PUBLIC", "RSA PUBLIC"), Some(KeyProblem::NotPem)),
        ("not PEM at all \u{1F511}".to_owned(), Some(KeyProblem::NotPem)),
        (good.replace('M', "!"), Some(KeyProblem::NotPem)),
        (format!("{certificate}{good}"), None),
        (good.replace('\n', "\r\n"), None),
    ];
    for (text, expected) in table {
        assert_eq!(keys_from_pem(text.as_bytes()).err(), expected, "{text}");
    }
    // One bad section spoils a text that an operator wrote: better told than passed over.
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
