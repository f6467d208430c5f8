//! The test kit's hostile tokens, grouped and named for the page.

use portcullis_testkit::Attack;

/// Tamperings of one kind, under a heading.
pub(super) struct Group {
    pub(super) title: &'static str,
    pub(super) rows: &'static [(Attack, &'static str)],
}

/// All attacks except [`Attack::Oversized`], which HTTP servers refuse before they pass it on.
pub(super) const GROUPS: [Group; 8] = [
    Group {
        title: "Times",
        rows: &[
            (Attack::Expired, "expired an hour ago"),
            (Attack::NotYetValid, "not valid for another hour"),
            (Attack::IssuedInFuture, "issued an hour from now"),
            (Attack::MissingExpiry, "no exp"),
            (Attack::ExpiryAsString, "exp is a string"),
            (Attack::ExpiryInfinite, "exp is infinite"),
            (Attack::NegativeExpiry, "exp is negative"),
        ],
    },
    Group {
        title: "Issuer and audience",
        rows: &[
            (Attack::WrongAudience, "wrong audience"),
            (Attack::MissingAudience, "no aud"),
            (Attack::WrongIssuer, "wrong issuer"),
            (Attack::IssuerPrefix, "issuer that begins like the right one"),
            (Attack::MissingIssuer, "no iss"),
        ],
    },
    Group {
        title: "Signature",
        rows: &[
            (Attack::FlippedSignatureBit, "flipped bit in the signature"),
            (Attack::FlippedPayloadBit, "flipped bit in the payload"),
            (Attack::TruncatedSignature, "half a signature"),
            (Attack::EmptySignature, "empty signature"),
            (Attack::ZeroSignature, "signature of zeros"),
            (Attack::DerSignature, "ECDSA signature in DER"),
            (Attack::WrongCurve, "signature on another curve"),
        ],
    },
    Group {
        title: "Algorithm",
        rows: &[
            (Attack::AlgNone, "alg none"),
            (Attack::AlgNoneMixedCase, "alg nOnE"),
            (Attack::AlgorithmConfusion, "HS256 with the public key (PEM) as the secret"),
            (Attack::AlgorithmConfusionDer, "HS256 with the public key (DER) as the secret"),
            (Attack::HeaderAlgMissing, "no alg"),
            (Attack::UnknownAlgorithm, "alg that does not exist"),
        ],
    },
    Group {
        title: "Key",
        rows: &[
            (Attack::UnknownKey, "unknown key"),
            (Attack::ForgedKey, "attacker's key under the real kid"),
            (Attack::EmbeddedJwk, "attacker's key in jwk"),
            (Attack::JwkSetUrl, "attacker's key set by jku"),
            (Attack::X509Url, "attacker's certificate by x5u"),
            (Attack::X509Chain, "attacker's certificate in x5c"),
            (Attack::KidTraversal, "kid that is a path"),
            (Attack::KidNotAString, "kid that is a number"),
            (Attack::HugeKid, "kid of 4,096 characters"),
        ],
    },
    Group {
        title: "Kind of token",
        rows: &[
            (Attack::IdToken, "ID token"),
            (Attack::DpopProof, "DPoP proof"),
            (Attack::LogoutToken, "logout token"),
            (Attack::Jwe, "encrypted token"),
        ],
    },
    Group {
        title: "Sender",
        rows: &[
            (Attack::DpopBound, "bound to a DPoP key"),
            (Attack::CertificateBound, "bound to a certificate"),
            (Attack::UnknownConfirmation, "bound in an unknown way"),
            (Attack::DoublyBound, "bound to both"),
            (Attack::NullConfirmation, "cnf is null"),
            (Attack::EmptyConfirmation, "cnf is empty"),
            (Attack::ConfirmationList, "cnf is a list"),
            (Attack::NullThumbprint, "jkt is null"),
            (Attack::ShortThumbprint, "jkt is too short"),
        ],
    },
    Group {
        title: "Form",
        rows: &[
            (Attack::TwoParts, "two parts"),
            (Attack::FourParts, "four parts"),
            (Attack::PaddedBase64, "padded base64url"),
            (Attack::WhitespaceInToken, "space within"),
            (Attack::StandardAlphabet, "standard base64 alphabet"),
            (Attack::TrailingBits, "stray bits at the end"),
            (Attack::HeaderNotJson, "header that is not JSON"),
            (Attack::PayloadNotJson, "payload that is not JSON"),
            (Attack::NotAnObject, "payload that is an array"),
            (Attack::InvalidUtf8, "payload that is not UTF-8"),
            (Attack::DeepJson, "10,000 nested arrays"),
            (Attack::DuplicateHeaderMember, "alg twice"),
            (Attack::DuplicateClaim, "sub twice"),
            (Attack::DuplicateNestedClaim, "a nested member twice"),
            (Attack::CriticalHeader, "unknown extension in crit"),
            (Attack::UnencodedPayload, "b64: false"),
            (Attack::UnencodedPayloadWithoutCrit, "b64: false without crit"),
        ],
    },
];

/// The tampering of this name.
pub(super) fn find(name: &str) -> Option<Attack> {
    all().map(|(attack, _)| *attack).find(|attack| attack.name() == name)
}

fn all() -> impl Iterator<Item = &'static (Attack, &'static str)> {
    GROUPS.iter().flat_map(|group| group.rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hostile_token_is_offered_once_under_a_name_of_its_own() {
        for attack in Attack::ALL {
            let rows: Vec<_> = all().filter(|(offered, _)| offered == attack).collect();
            assert_eq!(rows.len(), usize::from(*attack != Attack::Oversized), "{attack}");
        }
        let mut labels: Vec<_> = all().map(|(_, label)| label).collect();
        labels.sort();
        labels.dedup();
        assert_eq!(labels.len(), all().count());
    }
}
