//! The answers on the way of a client, as they arrived.

use std::net::IpAddr;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use url::Url;

use super::authenticate::{self, Challenge};
use crate::{
    json::{self, Object},
    keys::{Notation, without_byte_order_mark},
    refusal::JsonFault,
};

/// The whole way: from the resource to the keys of its authorization servers.
pub(super) struct Seen {
    /// The URL of the resource, to the letter.
    pub(super) text: String,
    pub(super) url: Url,
    /// The answer to a request without a token; none if only documents are given.
    pub(super) first: Option<Asked>,
    /// The challenges of that answer; none if there is no answer.
    pub(super) challenges: Option<Result<Vec<Challenge>, String>>,
    /// The requests for the resource's metadata, in a client's order.
    pub(super) attempts: Vec<Attempt>,
    /// The URI that RFC 9728 section 3.1 makes of the resource's URL.
    pub(super) well_known: Url,
    pub(super) servers: Vec<Server>,
}

/// An authorization server that the metadata name.
pub(super) struct Server {
    pub(super) issuer: String,
    /// The requests for its metadata, in a client's order.
    pub(super) attempts: Vec<Attempt>,
    /// The request for its keys.
    pub(super) keys: Option<Attempt>,
}

/// A request for a document, and its outcome.
pub(super) struct Attempt {
    pub(super) url: Url,
    pub(super) asked: Asked,
}

/// The outcome of a request.
pub(super) enum Asked {
    Answered(Box<Answer>),
    /// A redirect to another origin, or one too many.
    Redirected(String),
    /// No whole answer; the reason in words.
    Nothing(String),
    /// A document from elsewhere, without a request.
    Given(Bytes),
}

/// An answer of a server.
pub(super) struct Answer {
    /// The URL that answered, after redirects within its origin.
    pub(super) url: Url,
    /// The address of the server, if it is known.
    pub(super) peer: Option<IpAddr>,
    pub(super) status: StatusCode,
    pub(super) fields: HeaderMap,
    pub(super) body: Bytes,
}

/// The reason why there is no document.
pub(super) enum Miss {
    Absent(StatusCode),
    NeedsToken(StatusCode),
    Status(StatusCode),
    Redirected(String),
    Nothing(String),
    Html,
    NotJson(String),
}

impl Seen {
    /// Returns the challenges for an access token.
    pub(super) fn token_challenges(&self) -> impl Iterator<Item = &Challenge> {
        let challenges = self.challenges.iter().flatten().flatten();
        challenges.filter(|challenge| challenge.asks_for_token())
    }

    /// Returns a parameter of the first challenge for an access token that has it.
    pub(super) fn challenged(&self, parameter: &str) -> Option<&str> {
        self.token_challenges().find_map(|challenge| challenge.parameter(parameter))
    }

    /// Returns the scopes of the challenge.
    pub(super) fn challenged_scopes(&self) -> Vec<&str> {
        let scope = self.challenged("scope").unwrap_or_default();
        scope.split(' ').filter(|scope| !scope.is_empty()).collect()
    }

    /// Returns the metadata that a client would use, read.
    pub(super) fn metadata(&self) -> Option<Object> {
        self.attempts.iter().find_map(|attempt| attempt.object().ok())
    }
}

impl Server {
    /// Returns the metadata that a client would use: those of this issuer, or else the first ones.
    pub(super) fn metadata(&self) -> Option<(&Attempt, Object)> {
        let read = || self.attempts.iter().filter_map(|attempt| Some((attempt, attempt.object().ok()?)));
        read().find(|(_, metadata)| text(metadata, "issuer") == Some(&self.issuer)).or_else(|| read().next())
    }
}

impl Attempt {
    /// Reads the document, strictly: each member once.
    pub(super) fn object(&self) -> Result<Object, Miss> {
        let body = self.body()?;
        json::object(without_byte_order_mark(body).to_vec()).map_err(|fault| match (Notation::of(body), fault) {
            (Notation::Html, _) => Miss::Html,
            (_, JsonFault::DuplicateMember { .. }) => Miss::NotJson("JSON in which a member stands twice".to_owned()),
            (_, JsonFault::TooDeep) => Miss::NotJson("JSON that is nested too deep".to_owned()),
            (notation, _) => Miss::NotJson(notation.to_string()),
        })
    }

    /// Returns the body of a successful answer.
    pub(super) fn body(&self) -> Result<&Bytes, Miss> {
        match &self.asked {
            Asked::Given(text) => Ok(text),
            Asked::Redirected(to) => Err(Miss::Redirected(to.clone())),
            Asked::Nothing(why) => Err(Miss::Nothing(why.clone())),
            Asked::Answered(answer) => match answer.status {
                StatusCode::OK => Ok(&answer.body),
                status @ (StatusCode::NOT_FOUND | StatusCode::GONE) => Err(Miss::Absent(status)),
                status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => Err(Miss::NeedsToken(status)),
                status => Err(Miss::Status(status)),
            },
        }
    }
}

impl Miss {
    /// Returns the miss in words.
    pub(super) fn told(&self) -> String {
        match self {
            Self::Absent(status) | Self::NeedsToken(status) | Self::Status(status) => status.to_string(),
            Self::Redirected(to) => format!("a redirect to {to}"),
            Self::Nothing(why) | Self::NotJson(why) => why.clone(),
            Self::Html => Notation::Html.to_string(),
        }
    }
}

/// Reads the challenges of an answer.
pub(super) fn challenges(asked: &Asked) -> Option<Result<Vec<Challenge>, String>> {
    match asked {
        Asked::Answered(answer) => Some(authenticate::challenges(&answer.fields)),
        _ => None,
    }
}

/// Returns a member that is a text.
pub(super) fn text<'a>(metadata: &'a Object, name: &str) -> Option<&'a str> {
    metadata.get(name)?.as_str()
}

/// Returns the texts of a member that is an array; none if the member is absent or has another form.
pub(super) fn texts<'a>(metadata: &'a Object, name: &str) -> Option<Vec<&'a str>> {
    let member = metadata.get(name).filter(|member| member.is_array())?;
    Some(member.elements().filter_map(|element| element.as_str()).collect())
}
