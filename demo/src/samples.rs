//! The requests to try, and what each answers: printed at the start, and what the tests send.

/// The realm in challenges.
pub(crate) const REALM: &str = "portcullis-demo";
/// The client that the embedded authorization server knows.
pub(crate) const CLIENT_ID: &str = "demo";
/// Its secret.
pub(crate) const CLIENT_SECRET: &str = "demo";

/// An endpoint, and the requests to try on it.
pub(crate) struct Endpoint {
    pub(crate) path: &'static str,
    /// What a token has to be to pass.
    pub(crate) needs: &'static str,
    pub(crate) samples: &'static [Sample],
}

/// A request to try.
pub(crate) struct Sample {
    pub(crate) what: &'static str,
    /// What to ask of the token endpoint beyond a token; none to send no token.
    pub(crate) token: Option<&'static [(&'static str, &'static str)]>,
    pub(crate) status: u16,
    /// The `error` of the challenge.
    pub(crate) error: Option<&'static str>,
}

/// Every endpoint.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        path: "/secured/token",
        needs: "any valid token",
        samples: &[
            Sample { what: "a valid token", token: Some(&[]), status: 200, error: None },
            NO_TOKEN,
            Sample {
                what: "a token that has expired",
                token: Some(&[("claims", r#"{"exp":1}"#)]),
                status: 403,
                error: Some("invalid_token"),
            },
        ],
    },
    Endpoint {
        path: "/secured/scope",
        needs: "the scope read",
        samples: &[
            Sample { what: "the scope read", token: Some(&[("scope", "read")]), status: 200, error: None },
            Sample {
                what: "only the scope write",
                token: Some(&[("scope", "write")]),
                status: 403,
                error: Some("insufficient_scope"),
            },
        ],
    },
    Endpoint {
        path: "/secured/claim",
        needs: "the claims sub, and myClaim = someRequiredValue",
        samples: &[
            Sample {
                what: "the right value",
                token: Some(&[("claims", r#"{"myClaim":"someRequiredValue"}"#)]),
                status: 200,
                error: None,
            },
            Sample {
                what: "another value",
                token: Some(&[("claims", r#"{"myClaim":"another"}"#)]),
                status: 403,
                error: Some("invalid_token"),
            },
        ],
    },
];

/// A request that carries no credentials.
pub(crate) const NO_TOKEN: Sample = Sample { what: "no token", token: None, status: 401, error: None };
