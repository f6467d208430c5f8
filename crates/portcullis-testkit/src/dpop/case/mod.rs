//! Requests with DPoP proofs, one for each known mistake of resource servers, and good ones that look unusual.

mod algorithm;
mod claims;
mod form;
mod key;
mod nonce;
mod request;
mod scene;
mod url;

use std::fmt;

pub use scene::DpopAttempt;
pub(crate) use scene::Scene;

use Expected::{Good, Hostile};

/// The answer that a case must get.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expected {
    Good,
    Hostile,
}

/// Declares the cases. A row has the variant, its name, the expected answer and the function that mints the request.
macro_rules! cases {
    (
        ALL { $( $(#[doc = $doc:literal])+ $variant:ident = $name:literal, $expected:ident, $mint:path; )* }
        NONCES { $( $(#[doc = $nonce_doc:literal])+ $nonce:ident = $nonce_name:literal, $nonce_mint:path; )* }
    ) => {
        /// A class of request with DPoP proofs, good or hostile.
        ///
        /// Each one differs from a good request in a single point: unless that point is the key or the signature itself, the proof is
        /// signed correctly by the key that the token is bound to, so that no other check can refuse it. Section numbers
        /// refer to [RFC 9449].
        ///
        /// [`DpopClient::attempt`](crate::DpopClient::attempt) mints the request. Cases of `htu` change parts of the URL that not every URL has:
        /// use one with letters in host and path, without a port. Where the part is absent, a good case is the plain good request.
        ///
        /// [RFC 9449]: https://www.rfc-editor.org/rfc/rfc9449
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum DpopCase {
            $( $(#[doc = $doc])+ $variant, )*
            $( $(#[doc = $nonce_doc])+ $nonce, )*
        }

        impl DpopCase {
            /// Every case but those of [`NONCES`](Self::NONCES), in the order of their declaration.
            pub const ALL: &[Self] = &[ $( Self::$variant, )* ];

            /// The hostile cases for an API that demands nonces (section 9).
            ///
            /// The client needs a good nonce for all other cases ([`with_nonce`](crate::DpopClient::with_nonce)). A stale nonce is a good
            /// one after the API's clock moved.
            pub const NONCES: &[Self] = &[ $( Self::$nonce, )* ];

            /// The case's name in snake case, such as `"htu_with_query"`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $( Self::$variant => $name, )*
                    $( Self::$nonce => $nonce_name, )*
                }
            }

            /// The case in a sentence.
            #[must_use]
            pub fn description(self) -> &'static str {
                match self {
                    $( Self::$variant => concat!($($doc),+), )*
                    $( Self::$nonce => concat!($($nonce_doc),+), )*
                }.trim_start()
            }

            /// True if the API must accept the request, false if it must refuse it.
            #[must_use]
            pub fn must_pass(self) -> bool {
                let expected = match self {
                    $( Self::$variant => $expected, )*
                    $( Self::$nonce => Hostile, )*
                };
                expected == Good
            }

            /// Mints the request.
            pub(crate) fn mint(self, scene: &Scene<'_>) -> DpopAttempt {
                match self {
                    $( Self::$variant => $mint(scene), )*
                    $( Self::$nonce => $nonce_mint(scene), )*
                }
            }
        }
    };
}

cases! {
    ALL {
        /// Is a good request.
        Plain = "plain", Good, request::plain;
        /// Names the scheme in another case, `dPoP` (RFC 9110 section 11.1).
        SchemeInAnotherCase = "scheme_in_another_case", Good, request::scheme_in_another_case;
        /// Is sent without a proof (section 7.1).
        MissingProof = "missing_proof", Hostile, request::missing_proof;
        /// Has two `DPoP` fields, each with a good proof (section 4.3, check 1).
        TwoProofs = "two_proofs", Hostile, request::two_proofs;
        /// Has two good proofs in one `DPoP` field, with a comma between them.
        TwoProofsInOneField = "two_proofs_in_one_field", Hostile, request::two_proofs_in_one_field;
        /// Sends the bound token as a bearer token, without a proof (section 7.2).
        BoundTokenAsBearer = "bound_token_as_bearer", Hostile, request::bound_token_as_bearer;
        /// Sends the bound token as a bearer token, with a good proof (section 7.2).
        BoundTokenAsBearerWithProof = "bound_token_as_bearer_with_proof", Hostile, request::bound_token_as_bearer_with_proof;
        /// Sends a token that is not bound by the scheme `DPoP`, with a good proof (section 7.1).
        UnboundToken = "unbound_token", Hostile, request::unbound_token;
        /// Sends a token that is not bound as a bearer token, with a good proof.
        UnboundTokenAsBearerWithProof = "unbound_token_as_bearer_with_proof", Hostile, request::unbound_token_as_bearer_with_proof;
        /// Has two `Authorization` fields, one for each scheme, and a good proof.
        TwoSchemes = "two_schemes", Hostile, request::two_schemes;
        /// Sends the same request twice (section 11.1).
        Replay = "replay", Hostile, request::replay;
        /// Sends a second proof with the `jti` of the first one (section 11.1).
        ReusedJti = "reused_jti", Hostile, request::reused_jti;
        /// Sends a second proof with the `jti` of the first one and another spelling of the same `htu`.
        ReusedJtiInAnotherSpelling = "reused_jti_in_another_spelling", Hostile, request::reused_jti_in_another_spelling;

        /// Has an empty `DPoP` field.
        EmptyProof = "empty_proof", Hostile, form::empty;
        /// Has a text that is no JWT for a proof (section 4.3, check 2).
        NotAJwt = "not_a_jwt", Hostile, form::not_a_jwt;
        /// Has no signature part.
        TwoParts = "two_parts", Hostile, form::two_parts;
        /// Has a part after the signature.
        FourParts = "four_parts", Hostile, form::four_parts;
        /// Pads the payload's base64url with `=` (RFC 7515 section 2).
        PaddedBase64 = "padded_base64", Hostile, form::padded;
        /// Has a space within the payload's base64url (RFC 7515 section 2).
        Whitespace = "whitespace", Hostile, form::whitespace;
        /// Has a claim of 100 kB; servers and proxies may refuse the field for its size.
        Oversized = "oversized", Hostile, form::oversized;
        /// Has a header that is not JSON.
        HeaderNotJson = "header_not_json", Hostile, form::header_not_json;
        /// Has an array for its payload (RFC 7519 section 7.2).
        PayloadNotAnObject = "payload_not_an_object", Hostile, form::payload_not_an_object;
        /// Has `typ` twice in the header, first `JWT` (RFC 7515 section 4).
        DuplicateHeaderMember = "duplicate_header_member", Hostile, form::duplicate_header_member;
        /// Has `htm` twice, first `TRACE` (RFC 7519 section 4).
        DuplicateClaim = "duplicate_claim", Hostile, form::duplicate_claim;
        /// Names an unknown extension in `crit` (RFC 7515 section 4.1.11).
        CriticalHeader = "critical_header", Hostile, form::critical_header;
        /// Has a header member and a claim that are unknown.
        UnknownMembers = "unknown_members", Good, form::unknown_members;
        /// Sends the access token as the proof (section 11.5).
        AccessTokenAsProof = "access_token_as_proof", Hostile, form::access_token_as_proof;

        /// Has no `typ` (section 4.3, check 4).
        TypMissing = "typ_missing", Hostile, form::typ_missing;
        /// Says `typ: "JWT"` (section 4.3, check 4).
        TypJwt = "typ_jwt", Hostile, form::typ_jwt;
        /// Says `typ: "at+jwt"`, the type of access tokens (section 4.3, check 4).
        TypAccessToken = "typ_access_token", Hostile, form::typ_access_token;
        /// Says `typ: "application/dpop+jwt"`, the same type in its long form (RFC 7515 section 4.1.9).
        TypInLongForm = "typ_in_long_form", Good, form::typ_in_long_form;
        /// Says `typ: "DPoP+JWT"`, the same type in another case (RFC 2045 section 5.1).
        TypInAnotherCase = "typ_in_another_case", Good, form::typ_in_another_case;

        /// Says `alg: "none"` and has no signature (section 4.3, check 5).
        AlgNone = "alg_none", Hostile, algorithm::none;
        /// Has no `alg` (section 4.3, check 5).
        AlgMissing = "alg_missing", Hostile, algorithm::missing;
        /// Is signed with HS256 by the secret in `jwk`, which the token is bound to (section 4.3, check 5).
        SymmetricKey = "symmetric_key", Hostile, algorithm::symmetric;
        /// Is signed with HS256 and the PEM text of the public key in `jwk` as the secret (RFC 8725 section 2.1).
        AlgorithmConfusion = "algorithm_confusion", Hostile, algorithm::confusion;
        /// Says an `alg` of another type of key than `jwk` (RFC 8725 section 3.1).
        AlgMismatch = "alg_mismatch", Hostile, algorithm::mismatch;

        /// Has no `jwk` (section 4.3, check 3).
        JwkMissing = "jwk_missing", Hostile, key::missing;
        /// Has a text for `jwk`.
        JwkNotAnObject = "jwk_not_an_object", Hostile, key::not_an_object;
        /// Has the private key in `jwk` (section 4.3, check 7).
        JwkPrivate = "jwk_private", Hostile, key::private;
        /// Has another key in `jwk` than the one that the token is bound to, which signs the proof (section 4.3, check 12).
        JwkOfAThief = "jwk_of_a_thief", Hostile, key::of_a_thief;
        /// Has the right key in `jwk` and is signed by another one (section 4.3, check 6).
        SignedByAnotherKey = "signed_by_another_key", Hostile, key::signed_by_another;
        /// Has a point that is not on the curve in `jwk` (RFC 7518 section 6.2).
        JwkOffCurve = "jwk_off_curve", Hostile, key::off_curve;
        /// Has an RSA key of 1,024 bits, which the token is bound to (RFC 7518 section 3.3).
        JwkRsa1024 = "jwk_rsa_1024", Hostile, key::rsa_1024;
        /// Names the key by `kid` and `jku` only.
        JwkByReference = "jwk_by_reference", Hostile, key::by_reference;
        /// Has `kid`, `use` and `alg` in `jwk`, which are no part of the thumbprint (RFC 7638 section 3.2).
        JwkWithFurtherMembers = "jwk_with_further_members", Good, key::with_further_members;
        /// Differs from a good proof in one bit of the signature (section 4.3, check 6).
        FlippedSignatureBit = "flipped_signature_bit", Hostile, key::flipped_bit;
        /// Has an empty signature.
        EmptySignature = "empty_signature", Hostile, key::empty_signature;
        /// Has an ECDSA signature in DER instead of the fixed length (RFC 7518 section 3.4).
        DerSignature = "der_signature", Hostile, key::der_signature;

        /// Has no `htm` (section 4.3, check 3).
        HtmMissing = "htm_missing", Hostile, claims::htm_missing;
        /// Has another method for `htm` (section 4.3, check 8).
        HtmOther = "htm_other", Hostile, claims::htm_other;
        /// Has the method in another case for `htm`: methods are case-sensitive (RFC 9110 section 9.1).
        HtmInAnotherCase = "htm_in_another_case", Hostile, claims::htm_in_another_case;
        /// Has a list with the right method for `htm`.
        HtmList = "htm_list", Hostile, claims::htm_list;

        /// Has no `htu` (section 4.3, check 3).
        HtuMissing = "htu_missing", Hostile, url::missing;
        /// Has a list with the right URL for `htu`.
        HtuList = "htu_list", Hostile, url::list;
        /// Has an empty `htu`.
        HtuEmpty = "htu_empty", Hostile, url::empty;
        /// Has only the path for `htu`.
        HtuRelative = "htu_relative", Hostile, url::relative;
        /// Has a query in `htu`, which is ignored (section 4.3, check 9).
        HtuWithQuery = "htu_with_query", Good, url::with_query;
        /// Has a fragment in `htu`, which is ignored (section 4.3, check 9).
        HtuWithFragment = "htu_with_fragment", Good, url::with_fragment;
        /// Has the scheme of `htu` in upper case, which is the same URL (RFC 3986 section 6.2.2.1).
        HtuUpperCaseScheme = "htu_upper_case_scheme", Good, url::upper_case_scheme;
        /// Has the host of `htu` in upper case, which is the same URL (RFC 3986 section 6.2.2.1).
        HtuUpperCaseHost = "htu_upper_case_host", Good, url::upper_case_host;
        /// Has the scheme's default port in `htu`, which is the same URL (RFC 3986 section 6.2.3).
        HtuDefaultPort = "htu_default_port", Good, url::default_port;
        /// Has an empty port in `htu`, which is the same URL (RFC 3986 section 6.2.3).
        HtuEmptyPort = "htu_empty_port", Good, url::empty_port;
        /// Has an unreserved character of the path percent-encoded in `htu`, which is the same URL (RFC 3986 section 6.2.2.2).
        HtuPercentEncoded = "htu_percent_encoded", Good, url::percent_encoded;
        /// Has dot segments in `htu`, which is the same URL (RFC 3986 section 6.2.2.3).
        HtuDotSegments = "htu_dot_segments", Good, url::dot_segments;
        /// Has another host in `htu` (section 4.3, check 9).
        HtuOtherHost = "htu_other_host", Hostile, url::other_host;
        /// Has a host in `htu` that begins with the right one.
        HtuHostPrefix = "htu_host_prefix", Hostile, url::host_prefix;
        /// Has the other of `http` and `https` in `htu` (section 4.3, check 9).
        HtuOtherScheme = "htu_other_scheme", Hostile, url::other_scheme;
        /// Has another port in `htu` (section 4.3, check 9).
        HtuOtherPort = "htu_other_port", Hostile, url::other_port;
        /// Has another path in `htu` (section 4.3, check 9).
        HtuOtherPath = "htu_other_path", Hostile, url::other_path;
        /// Has a slash after the path of `htu`, which is another URL.
        HtuTrailingSlash = "htu_trailing_slash", Hostile, url::trailing_slash;
        /// Has an encoded slash in a dot segment of `htu`, which no normalisation decodes (RFC 3986 section 2.2).
        HtuEncodedSlash = "htu_encoded_slash", Hostile, url::encoded_slash;
        /// Has the right host as the user in `htu`, and another as the host (RFC 3986 section 3.2.1).
        HtuUserIsHost = "htu_user_is_host", Hostile, url::user_is_host;
        /// Has a user before the right host in `htu` (RFC 9110 section 4.2.4).
        HtuUserinfo = "htu_userinfo", Hostile, url::userinfo;
        /// Has backslashes for slashes in `htu`: browsers repair it, and it is no URI (RFC 3986 appendix A).
        HtuBackslashes = "htu_backslashes", Hostile, url::backslashes;
        /// Has a space before and after the URL in `htu`: browsers strip it, and it is no URI (RFC 3986 appendix A).
        HtuSpaces = "htu_spaces", Hostile, url::spaces;
        /// Has a tab within the URL in `htu`: browsers strip it, and it is no URI (RFC 3986 appendix A).
        HtuTab = "htu_tab", Hostile, url::tab;
        /// Has one slash after the scheme in `htu`: browsers repair it, and its host is absent (RFC 9110 section 4.2).
        HtuOneSlash = "htu_one_slash", Hostile, url::one_slash;

        /// Has no `iat` (section 4.3, check 3).
        IatMissing = "iat_missing", Hostile, claims::iat_missing;
        /// Has the right time as a text in `iat` (RFC 7519 section 2, `NumericDate`).
        IatText = "iat_text", Hostile, claims::iat_text;
        /// Was made an hour ago (section 4.3, check 11).
        IatOld = "iat_old", Hostile, claims::iat_old;
        /// Was made an hour from now (section 4.3, check 11).
        IatAhead = "iat_ahead", Hostile, claims::iat_ahead;
        /// Has the time in milliseconds in `iat`.
        IatMilliseconds = "iat_milliseconds", Hostile, claims::iat_milliseconds;
        /// Has `1e400` for `iat`, which many parsers read as infinity.
        IatInfinite = "iat_infinite", Hostile, claims::iat_infinite;
        /// Has a negative `iat`, which an unsigned conversion reads as the far future.
        IatNegative = "iat_negative", Hostile, claims::iat_negative;
        /// Has a fraction of a second in `iat` (RFC 7519 section 2, `NumericDate`).
        IatFractional = "iat_fractional", Good, claims::iat_fractional;
        /// Was made 30 seconds ago (section 11.1).
        IatRecent = "iat_recent", Good, claims::iat_recent;
        /// Was made 3 seconds from now, by a client whose clock is a little ahead (section 11.1).
        IatSlightlyAhead = "iat_slightly_ahead", Good, claims::iat_slightly_ahead;

        /// Has no `ath` (section 4.3, check 12).
        AthMissing = "ath_missing", Hostile, claims::ath_missing;
        /// Has the hash of another token in `ath` (section 4.3, check 12).
        AthOfAnotherToken = "ath_of_another_token", Hostile, claims::ath_of_another_token;
        /// Has padding in `ath` (section 4.2).
        AthPadded = "ath_padded", Hostile, claims::ath_padded;
        /// Has the hash in hexadecimal in `ath` (section 4.2).
        AthHex = "ath_hex", Hostile, claims::ath_hex;
        /// Has the hash of the token's decoded parts in `ath` (section 4.2).
        AthOfDecodedToken = "ath_of_decoded_token", Hostile, claims::ath_of_decoded_token;

        /// Has no `jti` (section 4.3, check 3).
        JtiMissing = "jti_missing", Hostile, claims::jti_missing;
        /// Has an empty `jti` (section 4.2).
        JtiEmpty = "jti_empty", Hostile, claims::jti_empty;
        /// Has a number for `jti` (RFC 7519 section 4.1.7).
        JtiNumber = "jti_number", Hostile, claims::jti_number;
        /// Has a `jti` of 10 kB (section 11.1).
        JtiHuge = "jti_huge", Hostile, claims::jti_huge;
    }
    NONCES {
        /// Has no `nonce` (section 9).
        NonceMissing = "nonce_missing", nonce::missing;
        /// Has an empty `nonce` (section 9).
        NonceEmpty = "nonce_empty", nonce::empty;
        /// Has a `nonce` that the client made up (section 9).
        NonceForged = "nonce_forged", nonce::forged;
        /// Has a good `nonce` with one character changed (section 9).
        NonceTampered = "nonce_tampered", nonce::tampered;
        /// Has the first half of a good `nonce` (section 9).
        NonceTruncated = "nonce_truncated", nonce::truncated;
        /// Has a good `nonce` in a list (section 4.2).
        NonceList = "nonce_list", nonce::list;
    }
}

impl fmt::Display for DpopCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
