//! The fields that mirror parts of the content: `MCP-Protocol-Version`, `Mcp-Method`, `Mcp-Name` ("Request Metadata", SEP-2243).

use std::borrow::Cow;

use base64_simd::STANDARD;
use http::HeaderName;

use super::operation::{self, Operation};
use crate::{bearer::HeaderFields, refusal::RequestFault};

const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");

/// The spellings of these names that servers read as the names themselves, if they make variables of names (RFC 3875 section 4.1.18).
const OTHER_SPELLINGS: [HeaderName; 5] = [
    HeaderName::from_static("mcp_protocol_version"),
    HeaderName::from_static("mcp_protocol-version"),
    HeaderName::from_static("mcp-protocol_version"),
    HeaderName::from_static("mcp_method"),
    HeaderName::from_static("mcp_name"),
];

/// The first protocol version whose servers hold the fields against the content.
const FIRST_BINDING_VERSION: &str = "2026-07-28";

/// The fields of one request.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    version: Option<&'a str>,
    method: Option<&'a str>,
    name: Option<Name<'a>>,
}

/// The name in a field.
#[derive(Debug)]
struct Name<'a> {
    text: Cow<'a, str>,
    /// True if it may be several values that a proxy joined (RFC 9110 section 5.3).
    may_be_several: bool,
}

impl<'a> Fields<'a> {
    /// Reads the fields strictly: each once at the most, visible ASCII, and a well-formed base64 sentinel.
    pub(super) fn of(fields: &'a dyn HeaderFields) -> Result<Self, RequestFault> {
        Ok(Self {
            version: only(fields, &PROTOCOL_VERSION)?,
            method: only(fields, &METHOD)?.map(one_value).transpose()?,
            name: only(fields, &NAME)?.map(Name::of).transpose()?,
        })
    }

    /// Reads the fields where nothing but them is seen: the server behind must hold the same ones against the content.
    pub(super) fn alone(fields: &'a dyn HeaderFields) -> Result<Self, RequestFault> {
        match OTHER_SPELLINGS.iter().any(|name| fields.first_two(name) != [None, None]) {
            true => Err(RequestFault::McpFieldsMalformed),
            false => Self::of(fields),
        }
    }

    /// The operation, where nothing but the fields is seen.
    ///
    /// `asks_for_name` tells whether a rule depends on the name of what this method names.
    pub(super) fn operation(&self, asks_for_name: impl Fn(&str) -> bool) -> Result<Operation<'_>, RequestFault> {
        let method = self.method.filter(|_| self.are_binding()).ok_or(RequestFault::McpFieldsMissing)?;
        if operation::name_member(method).is_none() || !asks_for_name(method) {
            return Ok(Operation { method, name: None });
        }
        match self.name.as_ref().filter(|_| operation::is_mirrored(method)) {
            Some(name) if name.may_be_several => Err(RequestFault::McpFieldsMalformed),
            Some(name) => Ok(Operation { method, name: Some(&name.text) }),
            None => Err(RequestFault::McpFieldsMissing),
        }
    }

    /// Tells whether the fields that are there agree with a message of the content.
    pub(super) fn agree_with(&self, operation: Option<&Operation<'_>>) -> bool {
        let Some(operation) = operation else { return self.method.is_none() && self.name.is_none() };
        let is_other_method = self.method.is_some_and(|method| method != operation.method);
        // `Mcp-Name` has no meaning for a method that names nothing.
        let is_other_name =
            operation.name.is_some_and(|name| self.name.as_ref().is_some_and(|field| field.text != name));
        !is_other_method && !is_other_name
    }

    /// Tells whether any of them is there.
    pub(super) fn mirror_content(&self) -> bool {
        self.method.is_some() || self.name.is_some()
    }

    /// Tells whether the MCP server has to hold the fields against the content.
    fn are_binding(&self) -> bool {
        let is_date = |version: &&str| {
            version.len() == FIRST_BINDING_VERSION.len()
                && version.bytes().zip(FIRST_BINDING_VERSION.bytes()).all(|(byte, model)| match model {
                    b'-' => byte == b'-',
                    _ => byte.is_ascii_digit(),
                })
        };
        self.version.filter(is_date).is_some_and(|version| version >= FIRST_BINDING_VERSION)
    }
}

impl<'a> Name<'a> {
    const BEGIN: &'static str = "=?base64?";
    const END: &'static str = "?=";

    fn of(field: &'a str) -> Result<Self, RequestFault> {
        let looks_encoded = field.get(..Self::BEGIN.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(Self::BEGIN));
        if !looks_encoded {
            return Ok(Self { text: Cow::Borrowed(field), may_be_several: field.contains(',') });
        }
        // What only looks like the sentinel may be decoded by one server and taken to the letter by another.
        let encoded = field.strip_prefix(Self::BEGIN).and_then(|rest| rest.strip_suffix(Self::END));
        let bytes = encoded.and_then(|encoded| STANDARD.decode_to_vec(encoded).ok());
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok()).filter(|text| operation::is_name(text));
        let text = text.ok_or(RequestFault::McpFieldsMalformed)?;
        Ok(Self { text: Cow::Owned(text), may_be_several: false })
    }
}

/// A value that no proxy has joined from several: no method has a comma in it.
fn one_value(value: &str) -> Result<&str, RequestFault> {
    if value.contains(',') { Err(RequestFault::McpFieldsMalformed) } else { Ok(value) }
}

/// The value of the only field of this name, in visible ASCII and spaces; an empty one is malformed.
fn only<'a>(fields: &'a dyn HeaderFields, name: &HeaderName) -> Result<Option<&'a str>, RequestFault> {
    let value = match fields.first_two(name) {
        [None, _] => return Ok(None),
        [Some(value), None] => value.trim_ascii(),
        _ => return Err(RequestFault::McpFieldsMalformed),
    };
    let is_visible = value.iter().all(|byte| matches!(byte, b' '..=b'~'));
    match std::str::from_utf8(value) {
        Ok(text) if is_visible && !text.is_empty() => Ok(Some(text)),
        _ => Err(RequestFault::McpFieldsMalformed),
    }
}
