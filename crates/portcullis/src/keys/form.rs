//! The types of JWK (`kty`), a row each with its members.

/// The members of a JWK of one `kty`.
pub(super) struct Form {
    pub(super) kty: &'static str,
    /// The member that names the curve or the parameter set, where the `kty` has several.
    pub(super) set: Option<&'static str>,
    pub(super) public: &'static [&'static str],
    private: &'static [&'static str],
}

const FORMS: [Form; 5] = [
    // RFC 7518 section 6.3.
    Form { kty: "RSA", set: None, public: &["n", "e"], private: &["d", "p", "q", "dp", "dq", "qi", "oth"] },
    // RFC 7518 section 6.2.
    Form { kty: "EC", set: Some("crv"), public: &["x", "y"], private: &["d"] },
    // RFC 8037 section 2.
    Form { kty: "OKP", set: Some("crv"), public: &["x"], private: &["d"] },
    // RFC 9964 section 3.
    Form { kty: "AKP", set: Some("alg"), public: &["pub"], private: &["priv"] },
    // RFC 7518 section 6.4: a secret has no public members.
    Form { kty: "oct", set: None, public: &[], private: &["k"] },
];

impl Form {
    pub(super) fn of(kty: &str) -> Option<&'static Self> {
        FORMS.iter().find(|form| form.kty == kty)
    }

    /// The members of all forms that have to stay private: one alone is enough to make signatures.
    pub(super) fn private_members() -> impl Iterator<Item = &'static str> {
        FORMS.iter().flat_map(|form| form.private).copied()
    }
}
