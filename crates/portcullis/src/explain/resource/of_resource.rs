//! The checks of the resource's own answer.

use http::StatusCode;
use url::Url;

use super::{
    ResourceCheck, ResourceCheckKind as Kind, ResourceFinding as Finding,
    authenticate::Challenge,
    client::allowed,
    rows::{Judged, about, found, not_asked, not_reached, passed},
    seen::{Asked, Seen},
};
use crate::shown_url::shown;

pub(super) fn checks(seen: &Seen) -> Vec<ResourceCheck> {
    about(
        &seen.text,
        [
            (Kind::Protected, protected(seen)),
            (Kind::Address, address(seen)),
            (Kind::Challenge, challenge(seen)),
            (Kind::MetadataUrl, metadata_url(seen)),
        ],
    )
}

fn protected(seen: &Seen) -> Judged {
    const EXPECTED: &str = "401 for a request without a token";
    match &seen.first {
        None | Some(Asked::Given(_)) => not_asked(),
        Some(Asked::Nothing(_)) => not_reached(),
        Some(Asked::Redirected(to)) => found(Finding::RedirectsElsewhere, EXPECTED, format!("a redirect to {to}")),
        Some(Asked::Answered(answer)) => match answer.status {
            StatusCode::UNAUTHORIZED => passed(answer.status.to_string()),
            status if status.is_success() => found(Finding::NotProtected, EXPECTED, status.to_string()),
            status => found(Finding::WrongStatus, EXPECTED, status.to_string()),
        },
    }
}

fn address(seen: &Seen) -> Judged {
    match &seen.first {
        None | Some(Asked::Given(_)) => not_asked(),
        Some(Asked::Nothing(_) | Asked::Redirected(_)) => not_reached(),
        Some(Asked::Answered(answer)) if answer.url == seen.url => passed("none"),
        Some(Asked::Answered(answer)) => {
            found(Finding::Redirects, "an answer at this URL", format!("a redirect to {}", shown(&answer.url)))
        }
    }
}

fn challenge(seen: &Seen) -> Judged {
    const EXPECTED: &str = "a challenge with the scheme Bearer";
    match &seen.challenges {
        None if seen.first.is_none() => not_asked(),
        None => not_reached(),
        Some(Err(mistake)) => found(Finding::MalformedChallenge, EXPECTED, mistake),
        // Another status than 401 has its own finding.
        Some(Ok(challenges)) if challenges.is_empty() && !is_unauthorized(seen) => not_reached(),
        Some(Ok(challenges)) if challenges.is_empty() => found(Finding::NoChallenge, EXPECTED, "no such field"),
        Some(Ok(challenges)) if seen.token_challenges().next().is_none() => {
            found(Finding::NoBearerChallenge, EXPECTED, schemes(challenges))
        }
        Some(Ok(challenges)) => passed(schemes(challenges)),
    }
}

/// Tells whether the answer, if there is one, is 401.
fn is_unauthorized(seen: &Seen) -> bool {
    match &seen.first {
        Some(Asked::Answered(answer)) => answer.status == StatusCode::UNAUTHORIZED,
        _ => true,
    }
}

fn schemes(challenges: &[Challenge]) -> String {
    challenges.iter().map(|challenge| challenge.scheme.as_str()).collect::<Vec<_>>().join(", ")
}

fn metadata_url(seen: &Seen) -> Judged {
    let expected = || seen.well_known.as_str();
    let Some(text) = seen.challenged("resource_metadata") else {
        return match seen.token_challenges().next() {
            Some(_) => found(Finding::NoMetadataUrl, expected(), "no such parameter"),
            None if seen.first.is_none() && seen.challenges.is_none() => not_asked(),
            None => not_reached(),
        };
    };
    match (allowed(text), Url::parse(text)) {
        (Some(url), _) if url.origin() != seen.url.origin() => found(Finding::MetadataElsewhere, expected(), text),
        (Some(_), _) => passed(text),
        (None, Ok(url)) if url.scheme() == "http" => found(Finding::InsecureMetadataUrl, expected(), text),
        (None, _) => found(Finding::MalformedMetadataUrl, expected(), text),
    }
}
