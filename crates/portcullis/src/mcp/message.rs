//! From the content of a request to the operations of its JSON-RPC messages.

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};

use super::operation::{self, Operation};
use crate::{
    bearer::HeaderFields,
    json::{self, Document, Value},
    refusal::{MessageFault, MessageId, RequestFault},
};

/// The depth to which objects and arrays of a message may be nested, arguments of tools included.
const MAX_DEPTH: usize = 64;

/// The length of the longest `id` that a response repeats, in bytes.
const LONGEST_ID: usize = 256;

/// The number of messages in a batch.
const MAX_BATCH: usize = 100;

/// A message, as far as it is read.
#[derive(Debug)]
pub(super) struct Message<'a> {
    /// None for a response.
    pub(super) operation: Option<Operation<'a>>,
    value: Value<'a>,
}

/// The messages of one content.
#[derive(Debug)]
pub(super) enum Messages<'a> {
    One(Message<'a>),
    Batch(Vec<Message<'a>>),
}

/// Reads the content as JSON.
pub(super) fn document(fields: &dyn HeaderFields, content: &[u8]) -> Result<Document, RequestFault> {
    if !is_plain_json(fields) {
        return Err(RequestFault::McpContentType);
    }
    json::document(content.to_vec(), MAX_DEPTH).map_err(|fault| RequestFault::McpBody(MessageFault::Json(fault)))
}

impl<'a> Messages<'a> {
    /// Reads one message, or a batch of them (JSON-RPC 2.0 section 6).
    pub(super) fn of(document: &'a Document) -> Result<Self, RequestFault> {
        let root = document.root();
        if !root.is_array() {
            return Message::of(root).map(Self::One);
        }
        match root.len() {
            1..=MAX_BATCH => root.elements().map(Message::of).collect::<Result<_, _>>().map(Self::Batch),
            _ => Err(expected("a batch of 1 to 100 messages")),
        }
    }

    pub(super) fn as_slice(&self) -> &[Message<'a>] {
        match self {
            Self::One(message) => std::slice::from_ref(message),
            Self::Batch(messages) => messages,
        }
    }
}

impl<'a> Message<'a> {
    fn of(value: Value<'a>) -> Result<Self, RequestFault> {
        if !value.is_object() {
            return Err(expected("a JSON-RPC message: an object, or an array of objects"));
        }
        has_no_lookalike(value, &["method", "params"])?;
        let operation = match value.get("method") {
            Some(method) => Some(operation_of(method, value.get("params"))?),
            None => None,
        };
        Ok(Self { operation, value })
    }

    /// The message's `id`, for the response to it.
    pub(super) fn id(&self) -> MessageId {
        let is_text = |id: Value<'_>| id.as_str().is_some_and(|text| text.len() <= LONGEST_ID);
        let id = self.value.get("id").filter(|id| id.as_f64().is_some() || is_text(*id));
        MessageId::new(id.map(|id| id.to_string()))
    }
}

fn operation_of<'a>(method: Value<'a>, params: Option<Value<'a>>) -> Result<Operation<'a>, RequestFault> {
    let method = name_in(Some(method)).ok_or(expected("a `method` that is a text without control characters"))?;
    let Some(member) = operation::name_member(method) else { return Ok(Operation { method, name: None }) };
    let Some(params) = params else { return Ok(Operation { method, name: None }) };
    if !params.is_object() {
        return Err(expected("`params` that are an object"));
    }
    has_no_lookalike(params, &[member])?;
    let Some(name) = params.get(member) else { return Ok(Operation { method, name: None }) };
    match name_in(Some(name)) {
        Some(name) => Ok(Operation { method, name: Some(name) }),
        None => Err(expected("a name of the tool, prompt or resource that is a text without control characters")),
    }
}

/// The fault of a message without the name that a rule goes by.
pub(super) fn nameless() -> RequestFault {
    expected("the name of the tool, prompt or resource in `params`")
}

fn name_in(value: Option<Value<'_>>) -> Option<&str> {
    value?.as_str().filter(|text| operation::is_name(text))
}

/// Refuses an object with a member that a reader without regard to case takes for one of these, and one that gives an object of
/// JavaScript other members if it is copied carelessly.
fn has_no_lookalike(object: Value<'_>, members: &[&str]) -> Result<(), RequestFault> {
    let is_lookalike =
        |name: &str| name == "__proto__" || members.iter().any(|member| name != *member && looks_like(name, member));
    if object.members().any(|(name, _)| is_lookalike(name)) {
        return Err(expected(
            "members that differ from `method`, `params`, `name` and `uri` in more than case, and no `__proto__`",
        ));
    }
    Ok(())
}

/// Tells whether two names are the same by Unicode's simple case folding; `member` is in lower-case ASCII.
fn looks_like(name: &str, member: &str) -> bool {
    let folded = name.chars().map(|character| match character {
        'ſ' => 's',
        'K' => 'k',
        other => other.to_ascii_lowercase(),
    });
    // Longer names need not be folded to their end.
    name.len() <= 3 * member.len() && folded.eq(member.chars())
}

fn expected(expected: &'static str) -> RequestFault {
    RequestFault::McpBody(MessageFault::Form { expected })
}

/// Tells whether the content is JSON in UTF-8 as it stands.
///
/// Another character set or a content coding would have the server read another text than the one that is judged here.
fn is_plain_json(fields: &dyn HeaderFields) -> bool {
    let (mut types, mut json, mut coded) = (0_usize, 0_usize, false);
    fields.each(&CONTENT_TYPE, &mut |value| {
        types += 1;
        json += usize::from(is_json_in_utf8(value));
    });
    fields.each(&CONTENT_ENCODING, &mut |value| coded |= !value.trim_ascii().eq_ignore_ascii_case(b"identity"));
    types == 1 && json == 1 && !coded
}

/// `application/json`, perhaps with `charset=utf-8` (RFC 9110 section 8.3.1).
fn is_json_in_utf8(value: &[u8]) -> bool {
    let mut parts = value.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let is_json = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case(b"application/json"));
    let is_utf8 = |parameter: &[u8]| {
        [&b"charset=utf-8"[..], b"charset=\"utf-8\""].iter().any(|utf8| parameter.eq_ignore_ascii_case(utf8))
    };
    is_json && parts.all(is_utf8)
}
