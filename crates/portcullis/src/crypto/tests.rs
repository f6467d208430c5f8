//! Two libraries verify Ed25519: they have to agree, on odd signatures above all. One verifies ML-DSA.

mod ml_dsa;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use proptest::prelude::*;

use super::*;

/// The order of the group, little-endian (RFC 8032 section 5.1).
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

struct Pair {
    pair: Ed25519KeyPair,
    ours: KeyMaterial,
}

impl Pair {
    fn from_seed(seed: &[u8; 32]) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).unwrap();
        let point = pair.public_key().as_ref();
        let ours = KeyMaterial::bare(point, KeyType::Ed25519, &[Algorithm::EdDSA]).unwrap();
        Self { pair, ours }
    }

    /// The verdict of both libraries.
    fn verdict(&self, message: &[u8], signature: &[u8]) -> bool {
        let ours = self.ours.verify(Algorithm::EdDSA, message, signature).is_some();
        let theirs = UnparsedPublicKey::new(&ED25519, self.pair.public_key().as_ref()).verify(message, signature);
        assert_eq!(ours, theirs.is_ok(), "{message:x?} {signature:x?}");
        ours
    }
}

/// `s + order`: the same number to a verifier that does not check that it is reduced.
fn malleated(signature: &[u8]) -> Vec<u8> {
    let mut other = signature.to_vec();
    let mut carry = 0;
    for (byte, order) in other[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    other
}

#[test]
fn signatures_are_good_to_the_bit_and_in_their_one_form() {
    let pair = Pair::from_seed(&[7; 32]);
    let message = b"header.payload";
    let good = pair.pair.sign(message).as_ref().to_vec();
    assert!(pair.verdict(message, &good));
    assert!(!pair.verdict(b"header.payloae", &good));
    assert!(!pair.verdict(message, &malleated(&good)), "s has to be less than the order of the group");
    for bit in 0..512 {
        let mut forged = good.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        assert!(!pair.verdict(message, &forged), "bit {bit}");
    }
    for odd in [vec![], vec![0; 63], vec![0; 64], vec![0xff; 64], vec![0; 65], [&good[..], &[0]].concat()] {
        assert!(!pair.verdict(message, &odd), "{} bytes", odd.len());
    }
}

#[test]
fn points_of_small_order_and_odd_encodings_do_not_help() {
    let pair = Pair::from_seed(&[9; 32]);
    let good = pair.pair.sign(b"m").as_ref().to_vec();
    // R as the neutral point, as points that are not reduced, and with a sign that zero does not have.
    let tops = [[1, 0], [1, 0x80], [0, 0], [0, 0x80], [0xed, 0x7f], [0xee, 0x7f], [0xee, 0xff], [0xec, 0x7f]];
    for [first, last] in tops {
        for s in [&good[32..], &[0; 32], &ORDER] {
            let middle = if first >= 0xec { 0xff } else { 0 };
            let mut signature = vec![first];
            signature.extend([middle; 30]);
            signature.push(last);
            signature.extend(s);
            assert!(!pair.verdict(b"m", &signature), "{first:x}…{last:x}");
        }
    }
}

proptest! {
    #[test]
    fn both_libraries_say_the_same(
        seed in any::<[u8; 32]>(), message in prop::collection::vec(any::<u8>(), 0..200), noise in any::<[u8; 64]>(),
        at in 0..64_usize, change in 1..=255_u8,
    ) {
        let pair = Pair::from_seed(&seed);
        let good = pair.pair.sign(&message).as_ref().to_vec();
        prop_assert!(pair.verdict(&message, &good));
        prop_assert!(!pair.verdict(&message, &malleated(&good)));
        prop_assert!(!pair.verdict(&message, &noise));
        let mut forged = good.clone();
        forged[at] ^= change;
        prop_assert!(!pair.verdict(&message, &forged));
        let mixed = [&good[..32], &noise[32..]].concat();
        prop_assert!(!pair.verdict(&message, &mixed));
    }
}

/// A bare key of ML-DSA may be any bytes of its length; one in 256 begins as DER does.
#[test]
fn a_bare_key_is_no_spki() {
    for algorithm in [Algorithm::EdDSA, Algorithm::MlDsa44, Algorithm::MlDsa65, Algorithm::MlDsa87] {
        let key_type = algorithm.key_type();
        let bytes = vec![0x30; key_type.member_bytes().unwrap()];
        let of = |bytes: &[u8]| KeyMaterial::spki(bytes, key_type, &[algorithm]).err();
        assert_eq!(of(&bytes), Some(InvalidKey::Malformed(key_type)), "{algorithm}");
        assert_eq!(of(&[&*bytes, &[0]].concat()), Some(InvalidKey::Malformed(key_type)), "{algorithm}");
    }
    assert!(KeyMaterial::bare(&[0x30; 1312], KeyType::MlDsa44, &[Algorithm::MlDsa44]).is_ok());
}
