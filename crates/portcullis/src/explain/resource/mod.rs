//! The way of a client from a protected resource to its authorization servers, check by check: a [`ResourceReport`].
//!
//! ```text
//! ResourceInspector ──► walk: resource ─► challenge ─► metadata ─► each authorization server ─► its keys
//! CollectedMetadata ──────────────────────────────┐
//!                                                Seen   the answers, as they arrived
//!                                                 │  rows (pure)
//!                                          ResourceReport
//! ```
//!
//! - Requests go where a client would send them, in its order (RFC 9728 section 5, RFC 8414 section 3, MCP authorization).
//!   Past a mistake the walk goes on where some clients would: one report shows all mistakes.
//! - Servers choose the texts and URLs. Texts are shortened and cleaned for display; URLs are https, or of this machine, and
//!   lead no farther in than the server that named them (`transport::Reach`).

mod authenticate;
mod client;
mod finding;
mod inspector;
mod kind;
mod of_metadata;
mod of_resource;
mod of_server;
mod places;
mod rows;
mod seen;
mod walk;

pub use finding::ResourceFinding;
pub use inspector::{CollectedMetadata, ResourceInspector};
pub use kind::ResourceCheckKind;

use serde::ser::{Serialize, SerializeStruct, Serializer};

/// The mistakes of a protected resource and its authorization servers, check by check.
///
/// Serialized it has the members `verdict`, `url`, `unreachable`, `errors`, `warnings` (arrays of codes) and `checks`; each
/// check has `about`, `check`, `title`, `outcome`, `code`, `expected`, `actual`, `reference` and `hint`. Missing values are null.
///
/// # Example
///
/// ```
/// use portcullis::CollectedMetadata;
///
/// # fn main() -> Result<(), portcullis::ConfigurationError> {
/// let documents = CollectedMetadata {
///     url: "https://mcp.example.com/mcp".to_owned(),
///     metadata: r#"{ "resource": "https://mcp.example.com/mcp" }"#.to_owned(),
///     ..CollectedMetadata::default()
/// };
/// let report = serde_json::to_value(documents.inspect()?).expect("it is data");
/// assert_eq!(report["verdict"], "failed");
/// assert_eq!(report["errors"][0], "no_authorization_servers");
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResourceReport {
    /// The URL of the resource.
    pub url: String,
    /// The reason why the resource did not answer at all; none if it did.
    pub unreachable: Option<String>,
    /// The checks, in the order in which a client meets them.
    pub checks: Vec<ResourceCheck>,
}

/// One check: its subject, the expectation, the actual value, and a remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResourceCheck {
    /// The subject: the URL of the resource or of its metadata, or the issuer.
    pub about: String,
    /// The kind of the check.
    pub kind: ResourceCheckKind,
    /// The outcome.
    pub outcome: ResourceOutcome,
    /// The expected value, of a check with a finding.
    pub expected: Option<String>,
    /// The actual value, as text of at most 256 characters, without control and invisible characters.
    pub actual: Option<String>,
}

/// The outcome of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResourceOutcome {
    /// There is no mistake.
    Passed,
    /// There is a mistake.
    Found(ResourceFinding),
    /// The check was not made, since an earlier one failed.
    NotReached,
    /// The check does not apply: there was no request, or no statement to check.
    NotAsked,
}

impl ResourceReport {
    /// The errors, in the order of the checks.
    pub fn errors(&self) -> impl Iterator<Item = ResourceFinding> {
        self.findings().filter(|finding| !finding.is_warning())
    }

    /// The warnings, in the order of the checks.
    pub fn warnings(&self) -> impl Iterator<Item = ResourceFinding> {
        self.findings().filter(|finding| finding.is_warning())
    }

    fn findings(&self) -> impl Iterator<Item = ResourceFinding> {
        self.checks.iter().filter_map(ResourceCheck::finding)
    }

    /// `passed` without an error, `failed` with one, `unreachable` if the resource did not answer.
    #[must_use]
    pub fn verdict(&self) -> &'static str {
        match (&self.unreachable, self.errors().next()) {
            (Some(_), _) => "unreachable",
            (None, Some(_)) => "failed",
            (None, None) => "passed",
        }
    }
}

impl ResourceCheck {
    /// The mistake, if there is one.
    #[must_use]
    pub fn finding(&self) -> Option<ResourceFinding> {
        match self.outcome {
            ResourceOutcome::Found(finding) => Some(finding),
            _ => None,
        }
    }
}

impl ResourceOutcome {
    /// `passed`, `failed`, `warned`, `not_reached` or `not_asked`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Found(finding) if finding.is_warning() => "warned",
            Self::Found(_) => "failed",
            Self::NotReached => "not_reached",
            Self::NotAsked => "not_asked",
        }
    }
}

impl Serialize for ResourceReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let codes = |findings: &mut dyn Iterator<Item = ResourceFinding>| {
            findings.map(ResourceFinding::code).collect::<Vec<_>>()
        };
        let mut report = serializer.serialize_struct("ResourceReport", 6)?;
        report.serialize_field("verdict", self.verdict())?;
        report.serialize_field("url", &self.url)?;
        report.serialize_field("unreachable", &self.unreachable)?;
        report.serialize_field("errors", &codes(&mut self.errors()))?;
        report.serialize_field("warnings", &codes(&mut self.warnings()))?;
        report.serialize_field("checks", &self.checks)?;
        report.end()
    }
}

impl Serialize for ResourceCheck {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let finding = self.finding();
        let mut check = serializer.serialize_struct("ResourceCheck", 9)?;
        check.serialize_field("about", &self.about)?;
        check.serialize_field("check", self.kind.name())?;
        check.serialize_field("title", self.kind.title())?;
        check.serialize_field("outcome", self.outcome.name())?;
        check.serialize_field("code", &finding.map(ResourceFinding::code))?;
        check.serialize_field("expected", &self.expected)?;
        check.serialize_field("actual", &self.actual)?;
        check.serialize_field("reference", self.kind.reference())?;
        check.serialize_field("hint", &finding.map(ResourceFinding::remedy))?;
        check.end()
    }
}
