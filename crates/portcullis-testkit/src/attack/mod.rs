//! Hostile tokens, one for each known mistake of verifiers.

mod algorithm;
pub(crate) mod attacker;
mod certificate;
mod claims;
mod encoding;
mod key_source;
mod kind;
mod shape;
mod signature;
mod target;

use std::fmt;

pub(crate) use signature::resigned;
pub(crate) use target::{Target, prepend};

/// Declares the attacks. A row has the variant, its name and the function that forges the token.
macro_rules! attacks {
    ($( $(#[doc = $doc:literal])+ $variant:ident = $name:literal, $forge:path; )*) => {
        /// A class of hostile token.
        ///
        /// Each one differs from a good token in a single point: unless that point is the
        /// signature itself, the server's real key signs it correctly, so that no other check
        /// can refuse it. Section numbers refer to [RFC 8725], JWT Best Current Practices.
        ///
        /// ```
        /// # #[tokio::main(flavor = "current_thread")] async fn main() {
        /// use portcullis_testkit::{Attack, AuthorizationServer};
        ///
        /// let server = AuthorizationServer::start().await;
        /// for attack in Attack::ALL {
        ///     let token = server.hostile(*attack);
        ///     // … your API must refuse it …
        ///     assert!(!token.is_empty(), "{attack}");
        /// }
        /// # }
        /// ```
        ///
        /// [RFC 8725]: https://www.rfc-editor.org/rfc/rfc8725
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Attack { $( $(#[doc = $doc])+ $variant, )* }

        impl Attack {
            /// Every attack, in the order of their declaration.
            pub const ALL: &[Self] = &[ $( Self::$variant, )* ];

            /// The attack's name in snake case, such as `"alg_none"`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $( Self::$variant => $name, )* }
            }

            /// The attack in a sentence.
            #[must_use]
            pub fn description(self) -> &'static str {
                match self { $( Self::$variant => concat!($($doc),+), )* }.trim_start()
            }

            /// Forges the token.
            pub(crate) fn forge(self, target: &Target) -> String {
                match self { $( Self::$variant => $forge(target), )* }
            }
        }
    };
}

attacks! {
    /// Says `alg: "none"` and has no signature (section 3.1).
    AlgNone = "alg_none", algorithm::none;
    /// Says `alg: "nOnE"`, past a filter that knows only `none` (section 3.1).
    AlgNoneMixedCase = "alg_none_mixed_case", algorithm::none_mixed_case;
    /// Is signed with HS256 and the public key's PEM text as the secret (section 2.1).
    AlgorithmConfusion = "algorithm_confusion", algorithm::confusion_pem;
    /// Is signed with HS256 and the public key's DER bytes as the secret (section 2.1).
    AlgorithmConfusionDer = "algorithm_confusion_der", algorithm::confusion_der;
    /// Contains the attacker's key in `jwk`, under the real key's id (section 3.10).
    EmbeddedJwk = "embedded_jwk", key_source::embedded_jwk;
    /// Points to the attacker's key set by `jku`, a URL that works (section 3.10).
    JwkSetUrl = "jwk_set_url", key_source::jwk_set_url;
    /// Points to the attacker's certificate by `x5u`, a URL that works (section 3.10).
    X509Url = "x509_url", key_source::x509_url;
    /// Contains the attacker's certificate in `x5c` (section 3.10).
    X509Chain = "x509_chain", key_source::x509_chain;
    /// Names an unknown extension in `crit` (RFC 7515 section 4.1.11).
    CriticalHeader = "critical_header", shape::critical_header;
    /// Says `b64: false` and names it in `crit` (RFC 7797).
    UnencodedPayload = "unencoded_payload", shape::unencoded_payload;
    /// Says `b64: false` and does not name it in `crit` (RFC 7797 section 6).
    UnencodedPayloadWithoutCrit = "unencoded_payload_without_crit", shape::unencoded_payload_without_crit;
    /// Has `alg` twice in the header, first `none` (RFC 7515 section 4).
    DuplicateHeaderMember = "duplicate_header_member", shape::duplicate_header_member;
    /// Has `sub` twice, first `admin` (RFC 7519 section 4).
    DuplicateClaim = "duplicate_claim", shape::duplicate_claim;
    /// Has a member twice within a claim's object (RFC 8259 section 4).
    DuplicateNestedClaim = "duplicate_nested_claim", shape::duplicate_nested_claim;
    /// Sets spare bits of the last character, in the signature or, if that has none, in the payload (RFC 4648 section 3.5).
    TrailingBits = "trailing_bits", encoding::trailing_bits;
    /// Pads the payload's base64url with `=` (RFC 7515 section 2).
    PaddedBase64 = "padded_base64", encoding::padded;
    /// Has a space within the payload's base64url (RFC 7515 section 2).
    WhitespaceInToken = "whitespace_in_token", encoding::whitespace;
    /// Encodes the payload in base64's standard alphabet, with `/` (RFC 4648 section 5).
    StandardAlphabet = "standard_alphabet", encoding::standard_alphabet;
    /// Differs from a good token in one bit of the signature.
    FlippedSignatureBit = "flipped_signature_bit", signature::flipped_bit;
    /// Differs from a good token in one bit of `sub`.
    FlippedPayloadBit = "flipped_payload_bit", signature::flipped_payload_bit;
    /// Has only the first half of the signature.
    TruncatedSignature = "truncated_signature", signature::truncated;
    /// Has an empty signature under the real `alg`.
    EmptySignature = "empty_signature", signature::empty;
    /// Has a signature of the right length, all zeros (CVE-2022-21449).
    ZeroSignature = "zero_signature", signature::zero;
    /// Has an ECDSA signature in DER instead of the fixed length (RFC 7518 section 3.4).
    ///
    /// The real key signs it if the server has one for ES256, ES384 or ES512.
    DerSignature = "der_signature", signature::der;
    /// Says ES256 but has a signature on P-384 (section 3.1).
    WrongCurve = "wrong_curve", signature::wrong_curve;
    /// Is signed by the attacker under the real key's id.
    ForgedKey = "forged_key", key_source::forged_key;
    /// Is signed by the attacker under an unknown key id.
    UnknownKey = "unknown_key", key_source::unknown_key;
    /// Has a number for `kid` (RFC 7515 section 4.1.4).
    KidNotAString = "kid_not_a_string", key_source::kid_not_a_string;
    /// Has a path for `kid`, `../../dev/null` (section 3.10).
    KidTraversal = "kid_traversal", key_source::kid_traversal;
    /// Has a `kid` of 4,096 characters (section 3.10).
    HugeKid = "huge_kid", key_source::huge_kid;
    /// Expired an hour ago.
    Expired = "expired", claims::expired;
    /// Is not valid for another hour.
    NotYetValid = "not_yet_valid", claims::not_yet_valid;
    /// Was issued an hour from now.
    IssuedInFuture = "issued_in_future", claims::issued_in_future;
    /// Has no `exp` (RFC 9068 section 2.2).
    MissingExpiry = "missing_expiry", claims::missing_expiry;
    /// Has a string for `exp` (RFC 7519 section 2, `NumericDate`).
    ExpiryAsString = "expiry_as_string", claims::expiry_as_string;
    /// Has `1e400` for `exp`, which many parsers read as infinity.
    ExpiryInfinite = "expiry_infinite", claims::expiry_infinite;
    /// Has -1 for `exp`, which an unsigned conversion reads as the far future.
    NegativeExpiry = "negative_expiry", claims::negative_expiry;
    /// Comes from another issuer (section 3.8).
    WrongIssuer = "wrong_issuer", claims::wrong_issuer;
    /// Comes from an issuer that begins with the right one (section 3.8).
    IssuerPrefix = "issuer_prefix", claims::issuer_prefix;
    /// Has no `iss` (section 3.8).
    MissingIssuer = "missing_issuer", claims::missing_issuer;
    /// Is meant for another audience (section 3.9).
    WrongAudience = "wrong_audience", claims::wrong_audience;
    /// Has no `aud` (section 3.9).
    MissingAudience = "missing_audience", claims::missing_audience;
    /// Is an OpenID Connect ID token for the client (section 3.12).
    IdToken = "id_token", kind::id_token;
    /// Is a DPoP proof that also has an access token's claims (section 3.11).
    DpopProof = "dpop_proof", kind::dpop_proof;
    /// Is a back-channel logout token that also has an access token's claims (section 3.11).
    LogoutToken = "logout_token", kind::logout_token;
    /// Is bound to the sender's key by `cnf.jkt`, and sent without a DPoP proof (RFC 9449 section 7.1).
    DpopBound = "dpop_bound", kind::dpop_bound;
    /// Is bound to the sender's certificate by `cnf.x5t#S256`, and sent without it (RFC 8705 section 3).
    CertificateBound = "certificate_bound", kind::certificate_bound;
    /// Is bound to the sender's key and certificate by `cnf`, and sent without either.
    DoublyBound = "doubly_bound", kind::doubly_bound;
    /// Is bound to a key by a `cnf` that no HTTP request can confirm (RFC 7800 section 3.2).
    UnknownConfirmation = "unknown_confirmation", kind::unknown_confirmation;
    /// Has `null` for `cnf`, which some verifiers treat as absent (RFC 7800 section 3.1).
    NullConfirmation = "null_confirmation", kind::null_confirmation;
    /// Has an empty object for `cnf`, which some verifiers treat as absent (RFC 7800 section 3.1).
    EmptyConfirmation = "empty_confirmation", kind::empty_confirmation;
    /// Has a list for `cnf`, whose `jkt` a verifier of objects does not see (RFC 7800 section 3.1).
    ConfirmationList = "confirmation_list", kind::confirmation_list;
    /// Has `null` for `jkt`, which some verifiers treat as absent (RFC 9449 section 6.1).
    NullThumbprint = "null_thumbprint", kind::null_thumbprint;
    /// Has a `jkt` that is too short for SHA-256 (RFC 9449 section 6.1).
    ShortThumbprint = "short_thumbprint", kind::short_thumbprint;
    /// Has the five parts of an encrypted token (RFC 7516).
    Jwe = "jwe", kind::jwe;
    /// Has no signature part.
    TwoParts = "two_parts", shape::two_parts;
    /// Has a part after the signature.
    FourParts = "four_parts", shape::four_parts;
    /// Has a claim of one mebibyte.
    Oversized = "oversized", shape::oversized;
    /// Has a claim of 10,000 nested arrays.
    DeepJson = "deep_json", shape::deep_json;
    /// Has a byte in the payload that is not UTF-8 (section 3.7).
    InvalidUtf8 = "invalid_utf8", shape::invalid_utf8;
    /// Has an array for its payload (RFC 7519 section 7.2).
    NotAnObject = "not_an_object", shape::not_an_object;
    /// Has a header that is not JSON.
    HeaderNotJson = "header_not_json", shape::header_not_json;
    /// Has a payload that is not JSON.
    PayloadNotJson = "payload_not_json", shape::payload_not_json;
    /// Has no `alg` (RFC 7515 section 4.1.1).
    HeaderAlgMissing = "header_alg_missing", algorithm::missing;
    /// Says `alg: "XX999"` but has a real signature (section 3.1).
    UnknownAlgorithm = "unknown_algorithm", algorithm::unknown;
}

impl fmt::Display for Attack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
