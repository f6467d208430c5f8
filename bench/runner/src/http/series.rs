//! The servers.

/// A server, as it is measured.
#[derive(Debug)]
pub(crate) struct Series {
    /// Its name in tables and plots.
    pub(crate) name: &'static str,
    /// Its program.
    pub(crate) binary: &'static str,
    /// What it is told beyond what all are told.
    pub(crate) options: &'static [&'static str],
    /// Whether the storms are for it.
    pub(crate) meets_storms: bool,
}

/// axum without any authorization.
pub(crate) const BARE: &str = "bare axum";
/// The least that a new token can cost: bare axum that verifies its signature, and does nothing else.
pub(crate) const RAW: &str = "bare axum, signature alone";
/// Ours.
pub(crate) const OURS: &str = "portcullis";

/// All of them; the first is what the others are compared with.
pub(crate) const SERIES: &[Series] = &[
    Series { meets_storms: false, ..peer(BARE, "server-bare") },
    Series { meets_storms: false, ..peer(RAW, "server-raw-verify") },
    peer(OURS, "server-portcullis"),
    Series { options: &["--no-cache"], meets_storms: false, ..peer("portcullis without cache", "server-portcullis") },
    peer("jwt-authorizer", "server-jwt-authorizer"),
    peer("tower-oauth2-resource-server", "server-tower-oauth2-resource-server"),
    peer("axum-jwt-auth", "server-axum-jwt-auth"),
    peer("huskarl-resource-server", "server-huskarl-resource-server"),
];

const fn peer(name: &'static str, binary: &'static str) -> Series {
    Series { name, binary, options: &[], meets_storms: true }
}
