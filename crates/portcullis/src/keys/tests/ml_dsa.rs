//! Keys and signatures of ML-DSA (RFC 9964): the examples of its appendix A.1, whose keys come from a seed of zeros.

use super::*;
use crate::{crypto::KeyMaterial, keys::jwk_thumbprint};

/// Each parameter set with the `kid` of its key, which is the thumbprint.
const SETS: [(Signing, &str); 3] = [
    (Signing::MlDsa44, "T4xl70S7MT6Zeq6r9V9fPJGVn76wfnXJ21-gyo0Gu6o"),
    (Signing::MlDsa65, "Suiu29qbfuaBaR4Ats-c6XQBePB_OpAxAwcTR_0KXVM"),
    (Signing::MlDsa87, "tRn1JNIkgMsABVQBlXeDHxAIcclh-2IX0UdDEzPt5XU"),
];

/// Header and payload that are signed by ML-DSA-44; the payload is words and no claims.
const INPUT: &str = concat!(
    "eyJhbGciOiJNTC1EU0EtNDQiLCJraWQiOiJUNHhsNzBTN01UNlplcTZyOVY5ZlBKR1ZuNzZ3Zm5YSjIxLWd5bzBHdTZvIn0.",
    "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4"
);

const SIGNATURE: &str = concat!(
    "knI1Q_9CIzLH5Xy94Kkc7WVKqZcAgtJ3mNf0GUj1uLA6YXAWFJfXkh-zQxUtEl3UIC7zPCiUwKTDR6ZsuUmFj8Ctb_6aH64hElN7weS_1m5okCy8Gq",
    "HNL2lsfclCH3Y2f4QNP-DLVS1XsuboDA7Dw3ir2IdYKIfWJyIU7ROHgd24nuun1zJbxcLJC2EKt2M8R0wZudcIE9nm5oPzYXq0z-hPsKoXp9leVYkq",
    "gMmO9Lo8SP_1YYIEth3B8v-GuP249KDTFRKPjISmK4aPCknjtjihHsQVv2XePXxKExatHl4qhsiiW-y-EJXa1Kfw4WYpLA7B4_5Ids--cIJmIx7f6x",
    "xAWKh5qoBWq1QIOaaFuzsAraRW3NOEuzThew1En85gI3GcRTZGp-VDGyxHm0Al04cyWo2bxAVOF0fbDc265iP2mCNw6Qg10jIJeAhGB4OAMYcBUWJA",
    "G0l1MN1U_koEmGh5dXKnQTRl461ea_Cq3DLkcA2Dj2woWUFyDTmQ8oO_yheASfJacyRm7_suj88z5XFNo8F53P8OxTG9xUPlrwvH-TAq7AH3NU4SNX",
    "ApyVKTU3zhx1tJ34nlTILcTujXVJVo_f0DZfUxr6JSCYqvy4z1Kl0wDQzd55aopyFtQxvOPhcCHbAN34g2Ug750Jm835fl7NOxcqoMbuTcgH68kr37",
    "M-Pdh2K9WazXUJgCupgdIWW8WjfOjmTiF59CrVtfVtK2qDzF40OENCfqtNPQlZe5cN5p0P8arj4USB8HCPh7NdqQBAeWrw0wsYhdiM39lrSkA8mLRY",
    "MhZnqKGCTPCrHXDdEjRKYRNaqIUT44laYl5c27K0v-ozjKPu6tzEhkYSC4XZ3LehEFtmAzOE0mHbhKMgXqjoPJjOrGIPibX3jwK8_Q5RmMOXtXo8R3",
    "vXfBaUdQoLeeyywNYE0nIcsl4z5a8_utwEFiVf0VK2pdviyiOPVSi3zOMAmqz6gFhVy8aMMQOWZAEAuTyDw7ZWG6diwptmrgSXZotW63I19S2ZH7ke",
    "CXRIq_pFLuYhOuG6dD4MkouILRdC9bXZMLrNDq7COpUOO86aQVlYd0pR935WpUw-V6obSRnHlRFZSmUSIB7h1Q0ImciRzojN93Xhw7qpzGzdzDEO3O",
    "OTayXaSG_0YHQyy-eH4hBbmgt_LBx120g1eY4XHeHFRfTfetHkL5ZZusX1jQ_nk9ez4XBG_6hRtTNSuVBsYlH8-KUuR5-qTP8dkvRf8Wk2hHoUr2sz",
    "5YO_xDFCMMTrt8ahiMyfjo5ih5Fwo3riFbFUGKibniTLXspFd4spcNK_WchlZLRgkPK4jh6Z_X8JJkHxvQhpyouHQFyGxgBrl24x-_EB1zbWMhJthm",
    "m8DiKt-nzKaJz8Cju1-HwCpg76CRqRsEz2hyKEpbb4M5KQSj3AsENCroVmQ5QIv3K2XNRkve4vjBmP6sV2b6GSY_UeRvPElA7SUgBGTKbn-c0aYhBu",
    "B8plPhRTBa55_cFqAmNmavF1-fdMktJuIaH2f-K0zZCzbHw54998T7kIWgyMsyGCAvynEB_khOqwT7tCjg5HQ8SIjdnRYW0kjZfjt5LJbGA-PnRo8g",
    "PVQVGeYDP2vsSXhNJY94AitKCY1srcSsuYDrhNBKrnoJ1uEsMPVHsgFw_ZHMyAEaVQughSNW4fm8q6_1Nv4zLutDITzmAL6a6i6-WS6QRIs_4VUtwr",
    "5cXXIFDDeHVWeGcNivQ6W9urEUP4crguiq7z_DTiYaGfUksub-T7mw0zU8ZoOSd5pUTpJLv-IYIUAl6CscHvunnRLEKqpW1Sa1dcFZs5VP4AfR3mg7",
    "wX4Vlq1AHnpFxE2L1LZiKoTc9jDEOvTDkxr86gMkwMm6RdyPF_q48AVJ1br8Qp88-4B84X52zZ5cw-IJYe-HiVJ29LpeYm340_rWivpy-UB5i9TKlM",
    "rxf94y1okzZTPbP3_v1_XX0nE7RTLz98EA96euJ7l3EpbEqks7mh6i1FJNnvvlM_u29sYobJ6PUT-i1VlQnF_JBARKEz74pBXm1l5Y5Lo15rsIlaQH",
    "inUBCO8fHCHI59LAfKusN4JmodDqLYwkWijEL_sfrC6LtrbXqpM1pw09zSrs_tS1RQ-LnWHuPrU5KLCzv53JKrh8lU_cdBowe_F-Ib_Ui4bQ2FME-0",
    "mnyG0XijHUsrGMZ9dfowvIkr83JpqwlFOZAwMmSGPNPEJRw9kDshjotndUB5S1UCfv_U4IoVn7WgvxeCS-BBxqyWfh7YTdf73EnmGwVYxVjlXaHCee",
    "TZmUacnT4MQUAcbFjTq6BBlboAQGWP2FZWpd6HNnruv744VeWmfgLk9z5567wFhwuXMkmE2xvDo4wP80xutjUfsePx5YkLxhY1XsWqTZr19tInxJWW",
    "q8RLZsWPmtq5wZ5ucBMasCLpOABenYZdSAcQNhC73wLS0Z2s1HQhBoIl7lr1p372LZs_Seu1u_8Fo7DoJqRpKaNoc2_JUMmn7TUZS8zLyzxgeq8R8i",
    "NbRP20DwDBNXocsTDBKaQrtB-QiEPySQtJa4G61XeNZyh5aGzfoWZ9OmjZG9pbbehcqwIrt-ESjPyeT6sfSrvOfTZr7fBXwpUs2rS4BrlNse5g_h8C",
    "Qiik8aaOTOEPkXiyg4s5DewRlgDZHS-3g-YXPUIBNO62_HxknkMpkJvKW-tkvDbgtxvy4nG80ul6W_KeRsoEKDTRYNKZWxXjZITNa0h6agnwNCJKEb",
    "Fg3Qhre394c0i60mfP9YIgKTXrCX3Yt2eX-6mPzYmLbSbV5jH69v6WZqYV2WAj-9DU0diR4hOfYQaJnBZhTtKb-SQsYiFuN1BDJ3v9eM9K8hq91NBd",
    "CHVa-Thk9Dov-JkcTZnZGRRyW5yXHUV4NOEltBXh8GkjjDvs5Yo3u-2rPCXjK1aGPSI1W8BaUJLQY5sbfAVCAuUHBv-Vlh5Qamt-lgeKguhqTSuy-t",
    "jabOb5kiBOG7xGQt3z-XYXtnWFDCii-5h11XfZsQ-xQxy8gSfdMz4hDK9Nw_VQt6fzWiQY0Th_dHzVki0MUfVfsDUjgblhD6j0wgbs3zdj-GM3rtt8",
    "oit0wXx11bIOaOKgf07tP0wimVXMRqRWe7LCUAKTE5PkRKU1x_h4iusrzi5uwKDhc4SmRwm6KssNrmCAkiNDZCREVKd3yMnrjA4PAGDzdKWVplcHJ6",
    "jKmrsbrEztHd9QAAAAAAAAAAAAAAABIfMEQ"
);

fn decode(text: &Value) -> Vec<u8> {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.decode(text.as_str().unwrap()).unwrap()
}

/// The key of the RFC.
fn rfc_key(set: Signing) -> SigningKey {
    SigningKey::from_seed(set, "k", [0; 32])
}

#[test]
fn the_thumbprint_of_an_algorithm_key_pair_is_that_of_the_rfc() {
    for (set, kid) in SETS {
        assert_eq!(jwk_thumbprint(&rfc_key(set).public_jwk()).as_deref(), Some(kid), "{set}");
    }
}

#[test]
fn the_example_of_the_rfc_verifies_and_nothing_near_it_does() {
    let public = decode(&rfc_key(Signing::MlDsa44).public_jwk()["pub"]);
    let key = KeyMaterial::bare(&public, KeyType::MlDsa44, &[Algorithm::MlDsa44]).unwrap();
    let signature = decode(&SIGNATURE.into());
    let verifies =
        |input: &str, signature: &[u8]| key.verify(Algorithm::MlDsa44, input.as_bytes(), signature).is_some();

    assert!(verifies(INPUT, &signature));
    assert!(!verifies(&INPUT[1..], &signature), "another input");
    for bad in
        [vec![], vec![0; 2420], signature[1..].to_vec(), signature[..2419].to_vec(), [&*signature, &[0]].concat()]
    {
        assert!(!verifies(INPUT, &bad), "{} bytes", bad.len());
    }
    for at in (0..signature.len()).step_by(97) {
        let mut forged = signature.clone();
        forged[at] ^= 1;
        assert!(!verifies(INPUT, &forged), "byte {at}");
    }
    for other in Algorithm::ASYMMETRIC.iter().filter(|other| **other != Algorithm::MlDsa44) {
        assert!(key.verify(*other, INPUT.as_bytes(), &signature).is_none(), "{other}");
    }
}

#[test]
fn an_algorithm_key_pair_is_what_it_says_or_is_not_used() {
    let [small, medium, large] = SETS.map(|(set, _)| rfc_key(set).public_jwk());
    let cut = |jwk: &Value, bytes: usize| base64url(&decode(&jwk["pub"])[..bytes]);
    let longer = |jwk: &Value| base64url(&[&*decode(&jwk["pub"]), &[0]].concat());
    // `SubjectPublicKeyInfo`, which the library reads, too: of ML-DSA-44 it has 22 bytes more than the key.
    let spki = base64url(&rfc_key(Signing::MlDsa44).public_der());
    let member = |name, expected| Some(KeyProblem::Member { name, expected });
    let length = |expected, actual| Some(KeyProblem::Length { name: "pub", expected, actual });
    for (jwk, expected) in [
        (small.clone(), None),
        (medium.clone(), None),
        (large.clone(), None),
        (without(&small, "alg"), member("alg", "present")),
        (with(&small, json!({ "alg": "" })), member("alg", "present")),
        (with(&small, json!({ "alg": 44 })), member("alg", "a string")),
        (with(&small, json!({ "alg": "ML-DSA" })), Some(KeyProblem::UnknownType)),
        (with(&small, json!({ "alg": "ml-dsa-44" })), Some(KeyProblem::UnknownType)),
        (with(&small, json!({ "alg": "SLH-DSA-SHA2-128s" })), Some(KeyProblem::UnknownType)),
        (with(&small, json!({ "alg": "ES256" })), Some(KeyProblem::UnknownType)),
        (with(&small, json!({ "alg": "ML-DSA-65" })), length(1952, 1312)),
        (with(&medium, json!({ "alg": "ML-DSA-44" })), length(1312, 1952)),
        (with(&medium, json!({ "alg": "ML-DSA-87" })), length(2592, 1952)),
        (with(&large, json!({ "alg": "ML-DSA-65" })), length(1952, 2592)),
        (with(&small, json!({ "pub": cut(&small, 1311) })), length(1312, 1311)),
        (with(&large, json!({ "pub": cut(&large, 32) })), length(2592, 32)),
        (with(&small, json!({ "pub": longer(&small) })), length(1312, 1313)),
        (with(&small, json!({ "pub": spki })), length(1312, 1334)),
        (without(&small, "pub"), member("pub", "present")),
        (with(&small, json!({ "pub": "!" })), member("pub", "base64url without padding")),
        (with(&small, json!({ "priv": base64url(&[0; 32]) })), Some(KeyProblem::Published)),
        (with(&small, json!({ "use": "enc" })), Some(KeyProblem::NotForVerifying)),
        (with(&small, json!({ "kty": "OKP", "crv": "ML-DSA-44" })), Some(KeyProblem::UnknownType)),
        (with(&small, json!({ "kty": "EC", "crv": "P-256", "alg": "ES256" })), member("x", "present")),
    ] {
        assert_eq!(problem(&jwk), expected, "{expected:?}");
    }
    // In our own configuration the private half is allowed, as for keys on curves.
    assert!(import(&with(&small, json!({ "priv": base64url(&[0; 32]) })), Origin::Local).is_ok());
}

#[test]
fn a_key_verifies_tokens_of_its_own_parameter_set_only() {
    let keys = SETS.map(|(set, _)| rfc_key(set));
    let tokens = keys.each_ref().map(|key| {
        portcullis_testkit::TokenBuilder::new(key, "https://as.example", std::time::SystemTime::UNIX_EPOCH).sign()
    });
    for (of, key) in keys.iter().enumerate() {
        let set = set(&[key.public_jwk()], Origin::Remote);
        for (by, text) in tokens.iter().enumerate() {
            assert!(text.len() < 16 * 1024, "a token of any set fits the default limit");
            let token = token::parse(BearerToken::bare(text.as_bytes(), 16 * 1024).unwrap()).unwrap();
            let verified = set.candidates(token.header()).is_ok_and(|keys| keys.verify(token, 8).is_ok());
            assert_eq!(verified, of == by, "a key for {} and a token by {}", key.algorithm(), keys[by].algorithm());
        }
    }
}

#[test]
fn a_private_key_where_a_public_one_belongs_is_told_so() {
    // PKCS#8 with a seed of zeros (RFC 9881 section 6), without a frame.
    let head = [0x30, 0x34, 2, 1, 0, 0x30, 11, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 17, 4, 0x22, 0x80, 0x20];
    let pkcs8 = [head.as_slice(), &[0; 32]].concat();
    assert_eq!(keys_from_pem(&pkcs8).map(|keys| keys.len()), Err(KeyProblem::PrivateKey));
    let public = rfc_key(Signing::MlDsa44).public_der();
    assert_eq!(keys_from_pem(&public).map(|keys| keys.len()), Ok(1));
    // The bare key is in no form that names its parameter set.
    let bare = decode(&rfc_key(Signing::MlDsa44).public_jwk()["pub"]);
    assert!(keys_from_pem(&bare).is_err());
}
