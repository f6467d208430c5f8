//! The door: a request of nginx, judged by the gateway's decider of its location.
//!
//! ```text
//! access phase ──► admit ──► Decider::decide ──► Done(Decision) ──────────────► the upstream's fields, or the refusal
//!                                          └──► Waits ── a task of the runtime ──► Arrival ──► the access phase again
//! ```
//!
//! - A request is judged once for each guard: nginx runs the access phase again after an internal redirect, and then the verdict of the
//!   same guard holds. Another guard judges the same header fields of the client, and takes the verification of the token over.
//! - Method and path of the request line are judged, whatever `rewrite` or an internal redirect makes of them.
//! - Fields that only a guard may set are taken off before any rule of nginx's sees them. Another module (`satisfy any`) or an error page
//!   may hand a refused request on, and gets those of the client alone.
//! - A request that cannot be judged gets 500 or 503. None passes without a verdict.

use std::{cell::RefCell, env, rc::Rc, str, sync::LazyLock, time::Duration};

use http::{
    HeaderName, HeaderValue, Response,
    header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER},
};
use portcullis::{Access, Claims, Content, ResourceDocument, json};
use portcullis_gateway::door::{
    self as gateway, Authorization, CertificateIn, Decider, Deciding, Decision, Fault, Gateway, Original, Overrides,
    Pass, Refused, leads_past_us, told_in_field,
};
use tokio::task::AbortHandle;

use crate::{
    lines::{self, Line},
    location::{Guard, Guards, Server},
    nginx::{self, Fields, Level, Request, Ticket},
    worker,
};

/// The outcome of the access phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nobody asks for a token here.
    Unguarded,
    /// The request may pass.
    Admitted,
    /// The request waits.
    Waits,
    /// The request has its answer.
    Answered,
    /// nginx answers with this status.
    Refused(u16),
    /// The request could not be judged.
    Failed,
}

/// The state of a request.
#[derive(Debug, Default)]
pub(crate) struct State {
    stage: RefCell<Stage>,
    /// The last verdict; variables show it.
    verdict: RefCell<Option<Rc<Verdict>>>,
}

#[derive(Debug, Default)]
enum Stage {
    #[default]
    Idle,
    /// A decision is to come.
    Waiting { guard: Guard, _place: Place },
    /// It has come.
    Arrived(Guard, Arrival),
    /// It did not come in time.
    TooLate(Guard),
}

/// The place of a waiting request; its task ends with it.
#[derive(Debug)]
struct Place {
    task: AbortHandle,
    _ticket: Ticket,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The decision that a request waited for.
pub(crate) enum Arrival {
    /// The decision, and the lines for the log.
    Decision(Box<Decision>, Vec<Line>),
    /// None: the task has failed.
    Lost,
}

impl std::fmt::Debug for Arrival {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Arrival")
    }
}

/// The verdict of a guard.
#[derive(Debug)]
struct Verdict {
    guard: Guard,
    outcome: Outcome,
    code: &'static str,
    would_refuse: Option<&'static str>,
    reason: Option<String>,
    access: Option<Access>,
}

/// The code of a request that may pass.
const PASS: &str = "pass";
/// The code of a request whose decision did not come in time.
const TIMED_OUT: &str = "timed_out";

/// Takes the client's header fields off that only a guard of the server may set, and those that would have such a field dropped or lead
/// past the guard, before any rule of nginx's sees them, and also where nobody asks for a token. Returns false if it could not.
pub(crate) fn without_forged_fields(request: Request<'_>) -> bool {
    let numbers = request.server().map(Server::numbers).unwrap_or_default();
    if numbers.is_empty() {
        return true;
    }
    let Some(deciders) = request.guards().and_then(|guards| guards.deciders().ok()) else { return false };
    numbers.iter().filter_map(|number| deciders.get(*number)).all(|decider| {
        let gateway = decider.gateway();
        let is_forged = |name: &[u8], value: &[u8]| {
            let is_ours = str::from_utf8(name).is_ok_and(|name| gateway.owns_header(name));
            is_ours || is_hop_by_hop(&gateway, name, value)
        };
        let is_clean = !request.fields().iter().any(|(name, value)| is_forged(name, value));
        let keeps = |name: &[u8], value: &[u8]| !is_forged(name, value);
        is_clean || request.hand_on(keeps, std::iter::empty(), &Authorization::AsSent)
    })
}

/// Decides if a request may pass its location.
pub(crate) fn admit(request: Request<'_>) -> Outcome {
    let Some(guard) = request.location().and_then(|location| location.guard()) else { return Outcome::Unguarded };
    let Some((guards, state)) = request.guards().zip(request.state_or(State::default())) else {
        return Outcome::Failed;
    };
    match state.stage.take() {
        waiting @ Stage::Waiting { .. } => {
            state.stage.replace(waiting);
            Outcome::Waits
        }
        Stage::Arrived(of, Arrival::Decision(decision, _)) if of == *guard => {
            conclude(request, state, guard, *decision)
        }
        Stage::Arrived(_, Arrival::Lost) => Outcome::Failed,
        Stage::TooLate(of) if of == *guard => too_late(request, state, of),
        Stage::Idle | Stage::Arrived(..) | Stage::TooLate(_) => {
            let before = state.verdict.borrow().clone();
            match before {
                Some(verdict) if verdict.guard == *guard => {
                    if matches!(verdict.outcome, Outcome::Refused(_)) {
                        request.answer_as_before();
                    }
                    verdict.outcome
                }
                before => judge(request, guards, state, guard, before.as_deref()),
            }
        }
    }
}

/// Takes the fields of a refusal off the answer to a request that another module lets pass (`satisfy any`).
///
/// nginx takes off one challenge alone. An error page has another guard, or none, and keeps them.
pub(crate) fn before_content(request: Request<'_>) {
    let Some((guard, state)) = request.location().and_then(|location| location.guard()).zip(request.state()) else {
        return;
    };
    let is_refused = |verdict: &Rc<Verdict>| verdict.guard == *guard && matches!(verdict.outcome, Outcome::Refused(_));
    if state.verdict.borrow().as_ref().is_some_and(is_refused) {
        request.hide_answer();
    }
}

/// Judges a request as far as possible without waiting.
fn judge(request: Request<'_>, guards: &Guards, state: &State, guard: &Guard, before: Option<&Verdict>) -> Outcome {
    let Some(decider) = decider(guards, guard) else { return Outcome::Failed };
    let gateway = decider.gateway();
    if let Some(outcome) = metadata(request, &gateway) {
        return outcome;
    }
    fail_on_purpose("access", request.target());
    let fields = request.fields();
    let (Ok(method), Ok(target)) = (str::from_utf8(request.method()), str::from_utf8(request.target())) else {
        let decision = decider.refuse(&gateway, &Fault::MalformedPath, &Original::NOTHING);
        return conclude(request, state, guard, decision);
    };
    let Ok(certificate) = str::from_utf8(request.certificate()) else { return Outcome::Failed };
    let original = Original {
        method,
        target,
        host: request.host(),
        scheme: Some(if request.is_encrypted() { "https" } else { "http" }),
        overriding: overriding(&fields),
        route: guard.route.as_deref(),
        fields: &fields,
        content: Content::Unseen,
        certificate: CertificateIn::Check(certificate),
        before: before.and_then(|verdict| verdict.access.as_ref()),
        traceparent: decider.traceparent(&fields),
    };
    match decider.decide(&gateway, &original) {
        Deciding::Done(decision) => conclude(request, state, guard, decision),
        // However the wait ends, the page for its end gets no fields of another guard.
        Deciding::Waits(_) if !hand_on(request, None) => Outcome::Failed,
        Deciding::Waits(waiting) => wait(request, guards, state, guard, waiting),
    }
}

/// Returns the method or path by which fields override those of the request line.
fn overriding<'r>(fields: &Fields<'r>) -> Overrides<'r> {
    fields
        .iter()
        .fold(Overrides::NOTHING, |before, (name, value)| before.and(str::from_utf8(name).unwrap_or_default(), value))
}

/// Returns the decider of a guard; none if it could not be built.
fn decider<'a>(guards: &'a Guards, guard: &Guard) -> Option<&'a Decider> {
    match guards.deciders() {
        Ok(deciders) => deciders.get(guard.number),
        Err(reason) => {
            nginx::log(Level::Emergency, &reason);
            None
        }
    }
}

/// Has a request wait for its decision, which a task of the runtime makes.
fn wait(
    request: Request<'_>,
    guards: &Guards,
    state: &State,
    guard: &Guard,
    waiting: Box<gateway::Waiting>,
) -> Outcome {
    let limit = guards.config(guard).map_or(Duration::ZERO, gateway::Config::request_time);
    let (ticket, client) = (Ticket::of(request), request.client());
    let mut promise = Promise { ticket: ticket.number(), arrival: Arrival::Lost };
    let target = cfg!(debug_assertions).then(|| request.target().to_vec()).unwrap_or_default();
    let task = worker::spawn(async move {
        fail_on_purpose("task", &target);
        let (decision, lines) = lines::kept(waiting.decision(client.map(Into::into))).await;
        promise.keep(Arrival::Decision(Box::new(decision), lines));
    });
    let Some(task) = task.filter(|_| request.wait(limit)) else { return Outcome::Failed };
    state.stage.replace(Stage::Waiting { guard: guard.clone(), _place: Place { task, _ticket: ticket } });
    Outcome::Waits
}

/// The promise of an arrival: kept when the task ends, however it ends.
struct Promise {
    ticket: u64,
    arrival: Arrival,
}

impl Promise {
    fn keep(&mut self, arrival: Arrival) {
        self.arrival = arrival;
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        if let Some(mailbox) = nginx::mailbox() {
            mailbox.send(self.ticket, std::mem::replace(&mut self.arrival, Arrival::Lost));
        }
    }
}

/// Panics at a place and a target that the environment names, for the tests of panics; does nothing in a release build.
fn fail_on_purpose(place: &str, target: &[u8]) {
    if cfg!(debug_assertions) {
        static NAMED: LazyLock<Option<String>> = LazyLock::new(|| env::var("PORTCULLIS_NGINX_PANIC").ok());
        let is_named = NAMED.as_ref().is_some_and(|named| named.as_bytes() == [place.as_bytes(), target].concat());
        assert!(!is_named, "on purpose");
    }
}

/// Takes the decision in that a request waited for.
pub(crate) fn arrived(request: Request<'_>, arrival: Arrival) {
    let Some(state) = request.state() else { return };
    if let Arrival::Decision(_, lines) = &arrival {
        lines.iter().for_each(Line::write);
    }
    if let Stage::Waiting { guard, .. } = state.stage.take() {
        state.stage.replace(Stage::Arrived(guard, arrival));
    }
}

/// Ends the wait of a request that took longer than it may.
pub(crate) fn waited_too_long(request: Request<'_>) {
    let Some(state) = request.state() else { return };
    if let Stage::Waiting { guard, .. } = state.stage.take() {
        state.stage.replace(Stage::TooLate(guard));
    }
}

fn too_late(request: Request<'_>, state: &State, guard: Guard) -> Outcome {
    let reason = "its decision took longer than limits.request_time";
    nginx::log(Level::Error, &format!("request refused with 503: {reason}"));
    gateway::timed_out();
    request.take_answer_back();
    let outcome = match request.answer_with(RETRY_AFTER.as_str(), b"1") {
        true => Outcome::Refused(503),
        false => Outcome::Failed,
    };
    // It holds for an error page under the same guard: a request does not wait twice for one decision.
    let reason = Some(reason.to_owned());
    state.verdict.replace(Some(Rc::new(Verdict {
        guard,
        outcome,
        code: TIMED_OUT,
        would_refuse: None,
        reason,
        access: None,
    })));
    outcome
}

/// Carries a decision out.
fn conclude(request: Request<'_>, state: &State, guard: &Guard, decision: Decision) -> Outcome {
    request.take_answer_back();
    let (outcome, verdict, answer) = match decision.outcome {
        Ok(pass) => {
            let outcome = if hand_on(request, Some(&pass)) { Outcome::Admitted } else { Outcome::Failed };
            let Pass { would_refuse, access, .. } = pass;
            let (would_refuse, reason) = would_refuse.map(|reported| (reported.code, reported.reason)).unzip();
            (outcome, Verdict { guard: guard.clone(), outcome, code: PASS, would_refuse, reason, access }, None)
        }
        Err(Refused { code, reason, response }) => {
            // Another module may let it pass (`satisfy any`), without the fields of another guard.
            let outcome = if hand_on(request, None) { refuse(request, &response) } else { Outcome::Failed };
            let (guard, reason) = (guard.clone(), Some(reason));
            (outcome, Verdict { guard, outcome, code, would_refuse: None, reason, access: None }, Some(response))
        }
    };
    // The log of an answered request shows the verdict; the request and its state are over then.
    state.verdict.replace(Some(Rc::new(verdict)));
    match answer {
        Some(response) if outcome == Outcome::Answered => answer_with(request, &response),
        _ => outcome,
    }
}

/// Hands the request on: with the gateway's header fields in place of the client's if it may pass, and with those of the client alone if
/// not, whatever another guard has set before.
fn hand_on(request: Request<'_>, pass: Option<&Pass>) -> bool {
    let Some(pass) = pass else { return request.hand_on(|_, _| true, std::iter::empty(), &Authorization::AsSent) };
    let is_set = |name: &[u8]| pass.headers.iter().any(|(own, _)| name.eq_ignore_ascii_case(own.as_str().as_bytes()));
    let set =
        pass.headers.iter().filter_map(|(name, value)| Some((name.as_str().as_bytes(), value.as_ref()?.as_bytes())));
    let nonce = pass.dpop_nonce.as_ref();
    request.hand_on(|name, _| !is_set(name), set, &pass.authorization)
        && nonce.is_none_or(|nonce| request.answer_with("DPoP-Nonce", nonce.as_bytes()))
}

/// Refuses a request: nginx answers with its own page or that of `error_page`, unless the refusal has a body, which is to be sent then.
fn refuse<B: AsRef<[u8]>>(request: Request<'_>, response: &Response<B>) -> Outcome {
    let status = response.status().as_u16();
    if !fields_for_client(request, response) {
        return Outcome::Failed;
    }
    let is_nginxs =
        response.body().as_ref().is_empty() || request.is_satisfied_by_any() || request.has_error_page(status);
    if is_nginxs { Outcome::Refused(status) } else { Outcome::Answered }
}

fn answer_with<B: AsRef<[u8]>>(request: Request<'_>, response: &Response<B>) -> Outcome {
    let content_type = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    request.answer(response.status().as_u16(), content_type, response.body().as_ref());
    Outcome::Answered
}

fn fields_for_client<B>(request: Request<'_>, response: &Response<B>) -> bool {
    let is_nginxs = |name: &HeaderName| [CONTENT_TYPE, CONTENT_LENGTH].contains(name);
    let mut fields = response.headers().iter().filter(|(name, _)| !is_nginxs(name));
    fields.all(|(name, value)| request.answer_with(title(name).as_str(), value.as_bytes()))
}

/// Returns a name as it is written in HTTP/1.1.
fn title(name: &HeaderName) -> String {
    match name.as_str() {
        "www-authenticate" => "WWW-Authenticate".to_owned(),
        "dpop-nonce" => "DPoP-Nonce".to_owned(),
        other => {
            let words = other.split('-').map(|word| {
                let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
                first.to_ascii_uppercase() + rest
            });
            words.collect::<Vec<_>>().join("-")
        }
    }
}

/// Answers a request for the metadata of a protected resource.
///
/// No path that begins like one of metadata is judged: clients get the document, or 404.
fn metadata(request: Request<'_>, gateway: &Gateway) -> Option<Outcome> {
    let path = str::from_utf8(request.target()).ok()?.split('?').next()?;
    if !gateway.has_resources() || !path.starts_with(ResourceDocument::WELL_KNOWN) {
        return None;
    }
    let method = str::from_utf8(request.method()).ok()?;
    let Some(document) = gateway.metadata(request.host(), path) else { return Some(Outcome::Refused(404)) };
    let response = document.response(method);
    if !fields_for_client(request, &response) {
        return Some(Outcome::Failed);
    }
    Some(answer_with(request, &response))
}

/// Returns true for a `Connection` or `Upgrade` that would have a field of the gateway's dropped, or lead past it, if a configuration
/// of nginx handed it on. nginx itself does nothing of the kind.
fn is_hop_by_hop(gateway: &Gateway, name: &[u8], value: &[u8]) -> bool {
    match name.len() {
        10 if name.eq_ignore_ascii_case(b"connection") => gateway.is_dropped_by(value),
        7 if name.eq_ignore_ascii_case(b"upgrade") => leads_past_us(value),
        _ => false,
    }
}

/// Returns the value of a variable, by its name; none if it has none.
pub(crate) fn variable(request: Request<'_>, name: &str) -> Option<String> {
    let verdict = request.state()?.verdict.borrow().clone()?;
    match name {
        "portcullis_code" => Some(verdict.code.to_owned()),
        "portcullis_would_refuse" => verdict.would_refuse.map(str::to_owned),
        "portcullis_reason" => verdict.reason.clone(),
        "portcullis_scope" => {
            let scope = verdict.access.as_ref()?.scopes().collect::<Vec<_>>().join(" ");
            (!scope.is_empty()).then_some(scope)
        }
        "portcullis_sub" => told(verdict.access.as_ref()?.claims().find("sub")?),
        "portcullis_client_id" => told(verdict.access.as_ref()?.claims().find("client_id")?),
        _ => None,
    }
}

/// Returns the value of a claim, by its name in the spelling of variables: lower case, and `_` for other characters.
pub(crate) fn claim_variable(request: Request<'_>, name: &str) -> Option<String> {
    let verdict = request.state()?.verdict.borrow().clone()?;
    told(claim(verdict.access.as_ref()?.claims(), name)?)
}

/// Finds the claim that a variable names: the one that is spelled so, or else the only one that folds to this spelling.
fn claim<'a>(claims: &'a Claims, name: &str) -> Option<json::Value<'a>> {
    if let Some(exact) = claims.find(name) {
        return Some(exact);
    }
    let folds = |own: &str| {
        own.len() == name.len()
            && own.bytes().zip(name.bytes()).all(|(own, folded)| match own.is_ascii_alphanumeric() {
                true => own.to_ascii_lowercase() == folded,
                false => folded == b'_',
            })
    };
    let mut folded = claims.iter().filter(|(own, _)| folds(own)).map(|(_, value)| value);
    folded.next().filter(|_| folded.next().is_none())
}

/// Returns a claim as `[[headers]]` tell it, since variables go into header fields, too: none if text would not arrive unchanged, or
/// could be taken for an array or an object.
fn told(claim: json::Value<'_>) -> Option<String> {
    if claim.is_null() { None } else { told_in_field(claim) }
}
