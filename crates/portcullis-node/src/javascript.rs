//! Questions to JavaScript: to fetch, to read and write a cache of keys, and to keep used proofs.
//!
//! A question goes to the event loop's thread with a number, and the answer comes back with the same number, once or never:
//! the asker limits the time. A question does not keep the event loop alive; a promise that waits for its outcome does.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use base64_simd::STANDARD as BASE64;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response};
use napi::{
    Result, Status,
    bindgen_prelude::{Buffer, FnArgs, Function},
    threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode},
};
use napi_derive::napi;
use portcullis::{HttpClient, HttpRequest, JwkSet, JwksCache, PeerAddress, ReplayStore, TokenStore};
use serde_json::{Value, json};
use tokio::sync::oneshot;

/// The number, kind and argument of a question.
pub(crate) type Question = FnArgs<(u32, String, String)>;
type Call = ThreadsafeFunction<Question, (), Question, Status, false, true>;
type Error = Box<dyn std::error::Error + Send + Sync>;

/// The member of a cached key set with the time of its fetch, in milliseconds since 1970.
const FETCHED_AT: &str = "fetchedAt";

/// A function of JavaScript that answers questions.
pub(crate) struct JavaScript(Call);

enum Answer {
    Fetched(Response<Bytes>),
    Text(Option<String>),
    Kept(bool),
    Failed(String),
}

/// The open questions.
#[derive(Default)]
struct Pending {
    last: u32,
    waiting: HashMap<u32, Waiting>,
}

struct Waiting {
    answer: oneshot::Sender<Answer>,
    /// The document to fetch, if the question is to fetch.
    request: Option<HttpRequest>,
}

static PENDING: LazyLock<Mutex<Pending>> = LazyLock::new(Mutex::default);

impl JavaScript {
    pub(crate) fn new(ask: &Function<'_, Question, ()>) -> Result<Self> {
        Ok(Self(ask.build_threadsafe_function::<Question>().weak::<true>().build()?))
    }

    async fn ask(
        &self,
        kind: &str,
        argument: String,
        request: Option<HttpRequest>,
    ) -> std::result::Result<Answer, Error> {
        let (asked, answer) = Asked::new(request);
        let question = FnArgs::from((asked.0, kind.to_owned(), argument));
        if self.0.call(question, ThreadsafeFunctionCallMode::NonBlocking) != Status::Ok {
            return Err("cannot ask JavaScript: its thread has ended".into());
        }
        match answer.await? {
            Answer::Failed(message) => Err(message.into()),
            answer => Ok(answer),
        }
    }
}

/// An open question, removed when its answer is not awaited any more.
struct Asked(u32);

impl Asked {
    fn new(request: Option<HttpRequest>) -> (Self, oneshot::Receiver<Answer>) {
        let (answer, receiver) = oneshot::channel();
        let mut pending = pending();
        pending.last = pending.last.wrapping_add(1);
        let number = pending.last;
        pending.waiting.insert(number, Waiting { answer, request });
        (Self(number), receiver)
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        pending().waiting.remove(&self.0);
    }
}

fn pending() -> MutexGuard<'static, Pending> {
    PENDING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Delivers an answer. An answer to no open question, such as a second one, is dropped.
fn settle(number: u32, answer: Answer) {
    let waiting = pending().waiting.remove(&number);
    if let Some(waiting) = waiting {
        // The receiver may have been dropped at this moment.
        let _ = waiting.answer.send(answer);
    }
}

/// Answers a question with a response; its fields are name, value, name, value…; `peer` is the server's address.
#[napi]
pub fn answer_fetched(number: u32, status: u16, fields: Vec<String>, body: Buffer, peer: Option<String>) {
    let peer = peer.and_then(|peer| peer.parse().ok()).map(PeerAddress);
    settle(number, response(status, &fields, body.to_vec(), peer).map_or_else(Answer::Failed, Answer::Fetched));
}

/// Returns true if the answer to a question may be fetched from this address.
#[napi]
pub fn may_connect_to(number: u32, address: String) -> bool {
    let Ok(address) = address.parse() else { return false };
    let pending = pending();
    let request = pending.waiting.get(&number).and_then(|waiting| waiting.request.as_ref());
    request.is_some_and(|request| request.may_connect_to(address))
}

/// Answers a question with a text, or with nothing.
#[napi]
pub fn answer_text(number: u32, text: Option<String>) {
    settle(number, Answer::Text(text));
}

/// Answers a question to a store of used proofs: `is_new` is true if the proof was not kept before.
#[napi]
pub fn answer_kept(number: u32, is_new: bool) {
    settle(number, Answer::Kept(is_new));
}

/// Answers a question with the reason of a failure.
#[napi]
pub fn answer_failed(number: u32, message: String) {
    settle(number, Answer::Failed(message));
}

fn response(
    status: u16,
    fields: &[String],
    body: Vec<u8>,
    peer: Option<PeerAddress>,
) -> std::result::Result<Response<Bytes>, String> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() =
        http::StatusCode::from_u16(status).map_err(|_| format!("expected an HTTP status, got {status}"))?;
    if let Some(peer) = peer {
        response.extensions_mut().insert(peer);
    }
    for pair in fields.as_chunks::<2>().0 {
        let [name, value] = pair;
        // Invalid fields are left out; the library reads none of them.
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name.as_str()), HeaderValue::try_from(value.as_str())) {
            response.headers_mut().append(name, value);
        }
    }
    Ok(response)
}

/// An HTTP client in JavaScript: Node's own `https`, or the user's.
pub(crate) struct JavaScriptClient(pub(crate) Arc<JavaScript>);

impl HttpClient for JavaScriptClient {
    async fn send(&self, request: HttpRequest) -> std::result::Result<Response<Bytes>, Error> {
        let HttpRequest { request: asked, max_body_bytes, .. } = &request;
        let headers: HashMap<_, _> =
            asked.headers().iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect();
        let argument = json!({
            "method": asked.method().as_str(),
            "url": asked.uri().to_string(),
            "headers": headers,
            "body": str::from_utf8(asked.body())?,
            "maxBodyBytes": max_body_bytes,
        });
        match self.0.ask("fetch", argument.to_string(), Some(request)).await? {
            Answer::Fetched(response) => Ok(response),
            _ => Err("expected a response, got a text".into()),
        }
    }
}

/// A cache in JavaScript: the JWK Set as an object, with the time of its fetch in it.
pub(crate) struct JavaScriptCache(pub(crate) Arc<JavaScript>);

impl JwksCache for JavaScriptCache {
    async fn get(&self) -> std::result::Result<Option<JwkSet>, Error> {
        match self.0.ask("getKeyStore", String::new(), None).await? {
            Answer::Text(Some(text)) => Ok(Some(cached(&text)?)),
            Answer::Text(None) => Ok(None),
            _ => Err("expected a key store, got a response".into()),
        }
    }

    async fn set(&self, set: JwkSet) -> std::result::Result<(), Error> {
        self.0.ask("setKeyStore", to_cache(&set)?, None).await.map(drop)
    }
}

/// A store of used proofs in JavaScript.
pub(crate) struct JavaScriptReplayStore(pub(crate) Arc<JavaScript>);

impl ReplayStore for JavaScriptReplayStore {
    async fn keep_new(&self, id: &str, ttl: Duration) -> std::result::Result<bool, Error> {
        // Redis takes whole seconds, and a shorter time could let a proof pass twice.
        let seconds = ttl.as_secs() + u64::from(ttl.subsec_nanos() > 0);
        match self.0.ask("keepNew", json!({ "id": id, "seconds": seconds }).to_string(), None).await? {
            Answer::Kept(is_new) => Ok(is_new),
            _ => Err("expected true or false, got another answer".into()),
        }
    }
}

/// A store in JavaScript for the sealed answers of an authorization server.
pub(crate) struct JavaScriptTokenStore(pub(crate) Arc<JavaScript>);

impl TokenStore for JavaScriptTokenStore {
    async fn get(&self, key: &str) -> std::result::Result<Option<Bytes>, Error> {
        match self.0.ask("getEntry", key.to_owned(), None).await? {
            Answer::Text(Some(text)) => Ok(Some(BASE64.decode_to_vec(text).map_err(|error| error.to_string())?.into())),
            Answer::Text(None) => Ok(None),
            _ => Err("expected an entry, got another answer".into()),
        }
    }

    async fn set(&self, key: &str, entry: Bytes, ttl: Duration) -> std::result::Result<(), Error> {
        // In whole seconds, as Redis takes them, and never longer than allowed; 0 would be for ever, or an error.
        let seconds = ttl.as_secs();
        if seconds == 0 {
            return Ok(());
        }
        let argument = json!({ "key": key, "entry": BASE64.encode_to_string(entry), "seconds": seconds });
        self.0.ask("setEntry", argument.to_string(), None).await.map(drop)
    }
}

fn cached(text: &str) -> std::result::Result<JwkSet, Error> {
    let document: Value = serde_json::from_str(text)?;
    let set: JwkSet = text.parse()?;
    let fetched_at = document.get(FETCHED_AT).and_then(Value::as_u64);
    let fetched_at = fetched_at.and_then(|at| SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(at)));
    Ok(match fetched_at {
        Some(at) => set.with_fetched_at(at),
        None => set,
    })
}

fn to_cache(set: &JwkSet) -> std::result::Result<String, Error> {
    let mut document: Value = serde_json::from_str(&set.to_string())?;
    let since = set.fetched_at().and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
    if let (Some(members), Some(since)) = (document.as_object_mut(), since) {
        members.insert(FETCHED_AT.to_owned(), json!(u64::try_from(since.as_millis())?));
    }
    Ok(document.to_string())
}
