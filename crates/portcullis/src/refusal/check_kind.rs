//! The checks, a row each.

/// Declares a kind of checks: a row has the variant, its name, its title, and the section that requires it.
macro_rules! check_kinds {
    (
        $(#[$about:meta])*
        $kind:ident {
            $( $(#[$doc:meta])* $variant:ident = $name:literal, $title:literal, $reference:literal; )*
        }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $kind { $( $(#[$doc])* $variant, )* }

        impl $kind {
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

            /// The section of a specification that requires the check.
            #[must_use]
            pub fn reference(self) -> &'static str {
                match self { $( Self::$variant => $reference, )* }
            }
        }

        impl std::fmt::Display for $kind {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.title())
            }
        }
    };
}

pub(crate) use check_kinds;

check_kinds! {
    /// A check of a request and its token; declared in the order in which verification makes them.
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
    CheckKind {
        /// The `Origin` field has an allowed origin; for MCP only.
        Origin = "origin", "origin", "MCP 2026-07-28, Streamable HTTP";
        /// The MCP message can be judged, and its header fields agree with it; for MCP only.
        Message = "message", "message", "MCP 2026-07-28, Streamable HTTP";
        /// The request carries exactly one token, in a permitted place.
        Credentials = "credentials", "credentials", "RFC 6750 section 2";
        /// The token is not too long.
        Size = "size", "size", "RFC 9110 section 5.4";
        /// The token has only characters that a bearer token may have.
        Characters = "characters", "characters", "RFC 9110 section 11.2";
        /// The token has three parts.
        Segments = "segments", "three parts", "RFC 7515 section 7.1";
        /// The authorization server says that the token is active; for opaque tokens only.
        Introspection = "introspection", "introspection", "RFC 7662 section 2.2";
        /// The header is base64url.
        HeaderEncoding = "header_encoding", "header is base64url", "RFC 7515 section 2";
        /// The header is a JSON object.
        HeaderJson = "header_json", "header is JSON", "RFC 7515 section 4";
        /// The header requires no extension.
        Extensions = "extensions", "no extensions", "RFC 7515 section 4.1.11";
        /// `kid`, `typ` and `alg` are texts.
        HeaderMembers = "header_members", "header members", "RFC 7515 section 4.1";
        /// `alg` is a known algorithm.
        AlgorithmKnown = "algorithm_known", "algorithm exists", "RFC 7518 section 3.1";
        /// The payload is base64url.
        PayloadEncoding = "payload_encoding", "payload is base64url", "RFC 7515 section 2";
        /// The payload is a JSON object.
        PayloadJson = "payload_json", "payload is JSON", "RFC 7519 section 4";
        /// The signature is base64url.
        SignatureEncoding = "signature_encoding", "signature is base64url", "RFC 7515 section 2";
        /// `iss` is an issuer whose keys are known.
        IssuerKnown = "issuer_known", "issuer is known", "RFC 8725 section 3.8";
        /// `alg` is allowed for this issuer.
        AlgorithmAllowed = "algorithm_allowed", "algorithm is allowed", "RFC 8725 section 3.1";
        /// `typ` is the type of an access token.
        Type = "type", "token type", "RFC 8725 section 3.11";
        /// The issuer has the key.
        KeyFound = "key_found", "key is known", "RFC 7515 section 4.1.4";
        /// The key is for this algorithm.
        KeySuitable = "key_suitable", "key is for the algorithm", "RFC 7517 section 4.4";
        /// The signature verifies.
        Signature = "signature", "signature", "RFC 7515 section 5.2";
        /// `exp` is in the future.
        Expiry = "expiry", "exp", "RFC 7519 section 4.1.4";
        /// `nbf` is not in the future.
        NotBefore = "not_before", "nbf", "RFC 7519 section 4.1.5";
        /// `iat` is not in the future.
        IssuedAt = "issued_at", "iat", "RFC 7519 section 4.1.6";
        /// The time since `iat` is not too long.
        Age = "age", "age", "RFC 7519 section 4.1.6";
        /// The time from `iat` to `exp` is not too long.
        Lifetime = "lifetime", "lifetime", "RFC 6750 section 5.3";
        /// `iss` is the expected issuer.
        Issuer = "issuer", "iss", "RFC 7519 section 4.1.1";
        /// The tenant in `iss` is that of the tenant's claim.
        Tenant = "tenant", "tenant", "RFC 8725 section 3.8";
        /// `sub` is an accepted subject.
        Subject = "subject", "sub", "RFC 7519 section 4.1.2";
        /// `aud` names this resource server.
        Audience = "audience", "aud", "RFC 7519 section 4.1.3";
        /// All claims that RFC 9068 requires are present.
        RequiredClaims = "required_claims", "required claims", "RFC 9068 section 2.2";
        /// A token that is bound to a key is bound in a way that a request can prove.
        Confirmation = "confirmation", "cnf", "RFC 7800 section 3.1";
        /// The token is sent in the way of its binding, and is bound if the endpoint asks for that.
        Possession = "possession", "possession", "RFC 9449 section 7.1";
        /// The client's certificate is the one that the token is bound to.
        Certificate = "certificate", "client certificate", "RFC 8705 section 3";
        /// The request has exactly one DPoP proof, which is not too long.
        ProofField = "proof_field", "one DPoP proof", "RFC 9449 section 4.3";
        /// The DPoP proof is a compact JWS with all members that it needs.
        ProofForm = "proof_form", "form of the proof", "RFC 9449 section 4.2";
        /// The DPoP proof's `typ` is `dpop+jwt`.
        ProofType = "proof_type", "proof type", "RFC 9449 section 4.3";
        /// The DPoP proof's `alg` is allowed for proofs.
        ProofAlgorithm = "proof_algorithm", "proof algorithm", "RFC 9449 section 4.3";
        /// The DPoP proof's `jwk` is a usable public key.
        ProofKey = "proof_key", "proof key", "RFC 9449 section 4.3";
        /// The DPoP proof is for the request's method.
        ProofMethod = "proof_method", "htm", "RFC 9449 section 4.3";
        /// The DPoP proof is for the request's URL.
        ProofUrl = "proof_url", "htu", "RFC 9449 section 4.3";
        /// The DPoP proof was made lately.
        ProofTime = "proof_time", "iat of the proof", "RFC 9449 section 11.1";
        /// The DPoP proof has a nonce of this server, if it asks for one.
        ProofNonce = "proof_nonce", "nonce", "RFC 9449 section 9";
        /// The DPoP proof is for this access token.
        ProofToken = "proof_token", "ath", "RFC 9449 section 4.3";
        /// The token is bound to the key of the DPoP proof.
        ProofBinding = "proof_binding", "jkt", "RFC 9449 section 6.1";
        /// The DPoP proof's signature verifies.
        ProofSignature = "proof_signature", "proof signature", "RFC 9449 section 4.3";
        /// The DPoP proof was not used before.
        ProofReplay = "proof_replay", "jti", "RFC 9449 section 11.1";
        /// The user was authenticated in one of the ways that the endpoint requires (`acr`).
        Acr = "acr", "acr", "RFC 9470 section 3";
        /// The user's authentication is not too long ago (`auth_time`).
        MaxAge = "max_age", "max_age", "RFC 9470 section 3";
        /// The token grants the scope that the endpoint requires.
        Scope = "scope", "scope", "RFC 6750 section 3.1";
        /// A claim meets a rule of the endpoint; one check for each rule.
        Claim = "claim", "claim", "RFC 7519 section 4";
        /// A rule of your own holds ([`Secure::rule`](crate::Secure::rule)); one check for each rule.
        Rule = "rule", "rule", "RFC 6750 section 3.1";
        /// The authorization server exchanges the token for one of the upstream's.
        Exchange = "exchange", "token exchange", "RFC 8693 section 2.2";
    }
}

impl CheckKind {
    /// Tells whether the check is of a registered claim, which a signature or an introspection has to vouch for first.
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
