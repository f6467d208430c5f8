//! A request.

use std::{marker::PhantomData, net::IpAddr, ptr::NonNull, time::Duration};

use ngx::ffi::{
    NGX_HTTP_SATISFY_ANY, ngx_add_timer, ngx_connection_t, ngx_del_timer, ngx_event_t, ngx_handle_read_event,
    ngx_handle_write_event, ngx_hash_strlow, ngx_http_block_reading, ngx_http_core_loc_conf_t, ngx_http_core_module,
    ngx_http_core_run_phases, ngx_http_get_variable, ngx_http_log_ctx_t, ngx_http_request_t,
    ngx_http_run_posted_requests, ngx_http_test_reading, ngx_msec_t, ngx_pool_t, ngx_post_event, ngx_posted_events,
};

use portcullis_gateway::door::Authorization;

use super::{FAILED, Fields, caught, configuration, log, response, state, text};
use crate::{
    door::{self, State},
    location::{Guards, Location, Server},
};

/// A request, as long as a callback runs.
#[derive(Clone, Copy)]
pub(crate) struct Request<'r> {
    raw: NonNull<ngx_http_request_t>,
    callback: PhantomData<&'r ()>,
}

/// A request that a callback may find again, as long as its state lives.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token(NonNull<ngx_http_request_t>);

impl<'r> Request<'r> {
    /// # Safety
    ///
    /// The request lives as long as `'r`.
    pub(super) unsafe fn new(raw: *mut ngx_http_request_t) -> Option<Self> {
        NonNull::new(raw).map(|raw| Self { raw, callback: PhantomData })
    }

    /// # Safety
    ///
    /// The state of the request that the token was made of lives, and so does the request, as long as `'r`.
    pub(super) unsafe fn found(Token(raw): Token) -> Self {
        Self { raw, callback: PhantomData }
    }

    pub(super) fn raw(self) -> *mut ngx_http_request_t {
        self.raw.as_ptr()
    }

    pub(super) fn pool(self) -> *mut ngx_pool_t {
        // SAFETY: request.
        unsafe { (*self.raw()).pool }
    }

    pub(super) fn connection(self) -> *mut ngx_connection_t {
        // SAFETY: request.
        unsafe { (*self.raw()).connection }
    }

    /// Returns the method of the request line, to the letter: nginx puts GET in its place at some internal redirects.
    pub(crate) fn method(self) -> &'r [u8] {
        // SAFETY: request.
        let line = unsafe { text::bytes((*self.raw()).request_line) };
        line.split(|byte| *byte == b' ').next().unwrap_or_default()
    }

    /// Returns path and query as the client sent them.
    pub(crate) fn target(self) -> &'r [u8] {
        // SAFETY: request.
        unsafe { text::bytes((*self.raw()).unparsed_uri) }
    }

    /// Returns the host, with the port that the client named; none if there is none, or if the request line names another one than
    /// the field.
    pub(crate) fn host(self) -> Option<&'r str> {
        // SAFETY: request; the pointers into the request line are both set or both null.
        let (field, line) = unsafe {
            let request = &*self.raw();
            let field = request.headers_in.host.as_ref().map(|field| text::bytes(field.value));
            let line = (!request.host_start.is_null() && request.host_end > request.host_start).then(|| {
                let length = request.host_end.offset_from(request.host_start).unsigned_abs();
                std::slice::from_raw_parts(request.host_start.cast_const(), length)
            });
            (field, line)
        };
        let bare = |host: &[u8]| match host.iter().rposition(|byte| *byte == b':') {
            Some(colon) if !host.ends_with(b"]") => host.get(..colon).unwrap_or_default().to_ascii_lowercase(),
            _ => host.to_ascii_lowercase(),
        };
        let is_clear = match (field, line) {
            (Some(field), Some(line)) => bare(field) == bare(line),
            _ => true,
        };
        field.or(line).filter(|_| is_clear).and_then(|host| std::str::from_utf8(host).ok())
    }

    /// Returns true if the client's connection is one of TLS or QUIC.
    pub(crate) fn is_encrypted(self) -> bool {
        // SAFETY: request, and its connection with it.
        unsafe { !(*self.connection()).ssl.is_null() }
    }

    /// Returns the address of the client, after `real_ip`.
    pub(crate) fn client(self) -> Option<IpAddr> {
        // SAFETY: request, and its connection with it.
        let address = unsafe { text::bytes((*self.connection()).addr_text) };
        std::str::from_utf8(address).ok()?.parse().ok()
    }

    /// Returns the certificate of the client, as percent-encoded PEM; empty without one.
    pub(crate) fn certificate(self) -> &'r [u8] {
        if self.is_encrypted() { self.variable("ssl_client_escaped_cert") } else { &[] }
    }

    /// Returns the value of a variable of nginx; empty if it has none.
    fn variable(self, name: &'static str) -> &'r [u8] {
        let mut lower = [0; 64];
        let Some(lower) = lower.get_mut(..name.len()) else { return &[] };
        // SAFETY: the name has as many bytes as `lower`; request: the value is in its pool.
        unsafe {
            let hash = ngx_hash_strlow(lower.as_mut_ptr(), name.as_ptr().cast_mut(), name.len());
            let mut name = text::of(name);
            match ngx_http_get_variable(self.raw(), &raw mut name, hash).as_ref() {
                Some(value) if value.not_found() == 0 && value.len() > 0 => {
                    std::slice::from_raw_parts(value.data, value.len() as usize)
                }
                _ => &[],
            }
        }
    }

    /// Returns the client's header fields, as they were before the module changed any.
    pub(crate) fn fields(self) -> Fields<'r> {
        // SAFETY: request; nginx adds nothing to a list that it has read, and the module makes a list of its own.
        unsafe {
            let known = state::of(self.raw()).map(|held| held.fields);
            Fields::of(known.unwrap_or((*self.raw()).headers_in.headers.part))
        }
    }

    /// Returns the settings of the location that the request is in now.
    pub(crate) fn location(self) -> Option<&'r Location> {
        // SAFETY: configuration.
        unsafe { configuration::of_location((*self.raw()).loc_conf) }
    }

    /// Returns the server that the request is for.
    pub(crate) fn server(self) -> Option<&'r Server> {
        // SAFETY: configuration.
        unsafe { configuration::of_server((*self.raw()).srv_conf) }
    }

    /// Returns the guards of the configuration.
    pub(crate) fn guards(self) -> Option<&'r Guards> {
        // SAFETY: configuration.
        unsafe { configuration::of_main((*self.raw()).main_conf) }
    }

    /// Returns the state of the request, if it has one.
    pub(crate) fn state(self) -> Option<&'r State> {
        // SAFETY: request.
        unsafe { state::of(self.raw()) }.map(|held| &held.state)
    }

    /// Returns the state of the request, which is `new` if there was none; none if there is no memory.
    pub(crate) fn state_or(self, new: State) -> Option<&'r State> {
        // SAFETY: request; nothing is known if there is no state.
        self.state().or_else(|| unsafe { state::give(self.raw(), new) }.map(|held| &held.state))
    }

    /// Returns the request for another callback.
    pub(crate) fn token(self) -> Token {
        Token(self.raw)
    }

    /// Returns true if one of several modules is enough to let a request pass here.
    pub(crate) fn is_satisfied_by_any(self) -> bool {
        // SAFETY: configuration.
        unsafe { (*self.core()).satisfy == NGX_HTTP_SATISFY_ANY as usize }
    }

    /// Returns true if nginx has a page of its own for a status here.
    pub(crate) fn has_error_page(self, status: u16) -> bool {
        // SAFETY: configuration; the array has elements of this type.
        unsafe {
            let Some(pages) = (*self.core()).error_pages.as_ref() else { return false };
            let pages = pages.as_slice::<ngx::ffi::ngx_http_err_page_t>();
            pages.iter().any(|page| page.status == isize::from(i16::try_from(status).unwrap_or_default()))
        }
    }

    fn core(self) -> *const ngx_http_core_loc_conf_t {
        // SAFETY: configuration; the core module has one for each location.
        unsafe { (*(*self.raw()).loc_conf.add(ngx_http_core_module.ctx_index)).cast() }
    }

    /// Has the request wait for an arrival, at most for so long. A client that goes away ends it.
    ///
    /// Returns false if the request cannot wait.
    pub(crate) fn wait(self, limit: Duration) -> bool {
        // SAFETY: request, and its connection with it.
        unsafe {
            let (read, write) = ((*self.connection()).read, (*self.connection()).write);
            if (*read).ready() != 0 {
                // There will be no further event for a client that has gone already, or for what it has sent already.
                ngx_post_event(read, &raw mut ngx_posted_events);
            } else if ngx_handle_read_event(read, 0) == FAILED {
                return false;
            }
            (*self.raw()).read_event_handler = Some(ngx_http_test_reading);
            (*self.raw()).write_event_handler = Some(on_write);
            // The timer keeps a worker that is to end alive until the request has its answer.
            (*write).set_delayed(1);
            ngx_add_timer(write, ngx_msec_t::try_from(limit.as_millis()).unwrap_or(ngx_msec_t::MAX >> 1));
        }
        true
    }

    /// Runs a function whose lines go into the log of the client's connection.
    pub(super) fn logging(self, run: impl FnOnce()) {
        // SAFETY: request, and its connection with it.
        let _lines = unsafe { log::Lines::into((*self.connection()).log) };
        run();
    }

    /// Goes on with the request after a wait.
    pub(super) fn go_on(self) {
        // SAFETY: request; the connection outlives it, and nginx knows if it is closed. Nothing of the request is touched after
        // the phases have run.
        unsafe {
            let connection = self.connection();
            stop_waiting((*connection).write);
            (*self.raw()).read_event_handler = Some(ngx_http_block_reading);
            (*self.raw()).write_event_handler = Some(ngx_http_core_run_phases);
            let log = (*connection).log;
            if let Some(context) = (*log).data.cast::<ngx_http_log_ctx_t>().as_mut() {
                context.current_request = self.raw();
            }
            ngx_http_core_run_phases(self.raw());
            ngx_http_run_posted_requests(connection);
        }
    }

    /// Replaces the header fields for the upstream: those of the client that `keeps` keeps, by name and value, and then these.
    ///
    /// Returns false if there is no memory.
    pub(crate) fn hand_on<'f>(
        self,
        keeps: impl Fn(&[u8], &[u8]) -> bool,
        fields: impl Iterator<Item = (&'f [u8], &'f [u8])>,
        authorization: &'f Authorization,
    ) -> bool {
        // SAFETY: request.
        unsafe { response::hand_on(self, &keeps, fields, authorization) }.is_some()
    }

    /// Takes the fields off the answer that the module has added before.
    pub(crate) fn take_answer_back(self) {
        // SAFETY: request.
        unsafe { response::take_back(self) };
    }

    /// Takes the fields off the answer until [`answer_as_before`](Self::answer_as_before).
    pub(crate) fn hide_answer(self) {
        // SAFETY: request.
        unsafe { response::hide(self) };
    }

    /// Puts the fields back that the module has added before, where they were taken off since another module let the request pass.
    pub(crate) fn answer_as_before(self) {
        // SAFETY: request.
        unsafe { response::put_back(self) };
    }

    /// Adds a field to the answer. Returns false if there is no memory.
    pub(crate) fn answer_with(self, name: &str, value: &[u8]) -> bool {
        // SAFETY: request.
        unsafe { response::add(self, name, value) }.is_some()
    }

    /// Answers the request, and ends it.
    pub(crate) fn answer(self, status: u16, content_type: &[u8], body: &[u8]) {
        // SAFETY: request; it ends here, and the caller returns at once.
        unsafe { response::send(self, status, content_type, body) };
    }
}

/// # Safety
///
/// The event is the write event of a live connection.
unsafe fn stop_waiting(write: *mut ngx_event_t) {
    // SAFETY: as the caller promises.
    unsafe {
        (*write).set_delayed(0);
        if (*write).timer_set() != 0 {
            ngx_del_timer(write);
        }
    }
}

/// Runs when the connection of a waiting request can be written to, or when the request has waited for too long.
unsafe extern "C" fn on_write(raw: *mut ngx_http_request_t) {
    // SAFETY: nginx calls it with a live request.
    unsafe {
        let (connection, log) = ((*raw).connection, (*(*raw).connection).log);
        if (*(*connection).write).delayed() != 0 {
            // nginx watches the event until it is told that nobody wants to write.
            ngx_handle_write_event((*connection).write, 0);
            return;
        }
        caught(log, (), || {
            if let Some(request) = Request::new(raw) {
                door::waited_too_long(request);
                request.go_on();
            }
        });
    }
}
