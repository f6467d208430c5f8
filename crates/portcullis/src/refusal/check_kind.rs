//! The checks, a row each.

use std::fmt;

/// Declares the checks: a row has the variant, its name, a title, and where it is written that this has to be checked.
macro_rules! checks {
    ($( $(#[$doc:meta])* $variant:ident = $name:literal, $title:literal, $reference:literal; )*) => {
        /// A check, of all that there are; declared in the order in which verification makes them.
        ///
        /// # Example
        ///
        /// ```
        /// use portcullis::CheckKind;
        ///
        /// assert_eq!(CheckKind::NotBefore.name(), "not_before");
        /// assert_eq!(CheckKind::NotBefore.to_string(), "nbf");
        /// assert_eq!(CheckKind::NotBefore.reference(), "RFC 7519 section 4.1.5");
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum CheckKind { $( $(#[$doc])* $variant, )* }

        impl CheckKind {
            /// Every check, in order.
            pub const ALL: &[Self] = &[ $( Self::$variant, )* ];

            /// The check's stable name, in `snake_case`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $( Self::$variant => $name, )* }
            }

            /// The check in a few words.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $( Self::$variant => $title, )* }
            }

            /// Where it is written that this has to be checked.
            #[must_use]
            pub fn reference(self) -> &'static str {
                match self { $( Self::$variant => $reference, )* }
            }
        }
    };
}

checks! {
    /// The request carries one token, in a way that it may.
    Credentials = "credentials", "credentials", "RFC 6750 section 2";
    /// The token is not too long.
    Size = "size", "size", "RFC 9110 section 5.4";
    /// It has only characters that a bearer token may have.
    Characters = "characters", "characters", "RFC 9110 section 11.2";
    /// It has three parts.
    Segments = "segments", "three parts", "RFC 7515 section 7.1";
    /// The authorization server says that it is active; asked about opaque tokens only.
    Introspection = "introspection", "introspection", "RFC 7662 section 2.2";
    /// Its header is base64url.
    HeaderEncoding = "header_encoding", "header is base64url", "RFC 7515 section 2";
    /// Its header is a JSON object.
    HeaderJson = "header_json", "header is JSON", "RFC 7515 section 4";
    /// Its header asks for no extension.
    Extensions = "extensions", "no extensions", "RFC 7515 section 4.1.11";
    /// `kid`, `typ` and `alg` are texts.
    HeaderMembers = "header_members", "header members", "RFC 7515 section 4.1";
    /// `alg` is an algorithm that exists.
    AlgorithmKnown = "algorithm_known", "algorithm exists", "RFC 7518 section 3.1";
    /// Its payload is base64url.
    PayloadEncoding = "payload_encoding", "payload is base64url", "RFC 7515 section 2";
    /// Its payload is a JSON object.
    PayloadJson = "payload_json", "payload is JSON", "RFC 7519 section 4";
    /// Its signature is base64url.
    SignatureEncoding = "signature_encoding", "signature is base64url", "RFC 7515 section 2";
    /// `iss` is an issuer whose keys are known.
    IssuerKnown = "issuer_known", "issuer is known", "RFC 8725 section 3.8";
    /// `alg` is allowed for this issuer.
    AlgorithmAllowed = "algorithm_allowed", "algorithm is allowed", "RFC 8725 section 3.1";
    /// `typ` is that of an access token.
    Type = "type", "token type", "RFC 8725 section 3.11";
    /// The issuer has the key.
    KeyFound = "key_found", "key is known", "RFC 7515 section 4.1.4";
    /// The key is for this algorithm.
    KeySuitable = "key_suitable", "key is for the algorithm", "RFC 7517 section 4.4";
    /// The signature verifies.
    Signature = "signature", "signature", "RFC 7515 section 5.2";
    /// `exp` is to come.
    Expiry = "expiry", "exp", "RFC 7519 section 4.1.4";
    /// `nbf` has passed.
    NotBefore = "not_before", "nbf", "RFC 7519 section 4.1.5";
    /// `iat` has passed.
    IssuedAt = "issued_at", "iat", "RFC 7519 section 4.1.6";
    /// From `iat` to `exp` it is not too long.
    Lifetime = "lifetime", "lifetime", "RFC 6750 section 5.3";
    /// `iss` is the issuer's.
    Issuer = "issuer", "iss", "RFC 7519 section 4.1.1";
    /// `aud` names us.
    Audience = "audience", "aud", "RFC 7519 section 4.1.3";
    /// The claims are there that RFC 9068 asks for.
    RequiredClaims = "required_claims", "required claims", "RFC 9068 section 2.2";
    /// It is not bound to a key that nobody has proved to have.
    Confirmation = "confirmation", "cnf", "RFC 7800 section 3.1";
    /// The scope values are there that the endpoint asks for.
    Scope = "scope", "scope", "RFC 6750 section 3.1";
    /// The claims are there, with the values, that the endpoint asks for; one check for each rule.
    Claim = "claim", "claim", "RFC 7519 section 4";
    /// The endpoint's own rules hold ([`Secure::rule`](crate::Secure::rule)); one check for each.
    Rule = "rule", "rule", "RFC 6750 section 3.1";
}

impl CheckKind {
    /// Tells whether it is of a registered claim, which a signature or an introspection has to vouch for before.
    pub(crate) fn is_of_claims(self) -> bool {
        (Self::Expiry..=Self::Confirmation).contains(&self)
    }

    /// The check of a registered claim that is missing or malformed.
    pub(super) fn of_claim(name: &str) -> Self {
        match name {
            "exp" => Self::Expiry,
            "nbf" => Self::NotBefore,
            "iat" => Self::IssuedAt,
            "iss" => Self::Issuer,
            "aud" => Self::Audience,
            "cnf" => Self::Confirmation,
            _ => Self::RequiredClaims,
        }
    }
}

impl fmt::Display for CheckKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}
