//! Arrivals: the decisions that requests of a worker wait for, handed over by other threads through an eventfd on nginx's loop.
//!
//! Any thread may [`write`]. nginx's thread alone reads, and finds the request by its ticket; a request that is gone has torn its ticket up.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    ffi::c_int,
    os::fd::{AsFd, AsRawFd},
    sync::{Mutex, OnceLock, PoisonError},
};

use ngx::ffi::{ngx_cycle_t, ngx_event_handler_pt, ngx_event_t, ngx_int_t};
use nix::sys::eventfd::{EfdFlags, EventFd};

use super::{Level, Request, Token, caught, log};
use crate::door::{self, Arrival};

unsafe extern "C" {
    /// Watches a file (`os/unix/ngx_channel.h`, which the bindings leave out).
    fn ngx_add_channel_event(
        cycle: *mut ngx_cycle_t,
        file: c_int,
        event: ngx_int_t,
        handler: ngx_event_handler_pt,
    ) -> ngx_int_t;
}

/// `NGX_READ_EVENT` where nginx has epoll, with or without its use: `EPOLLIN | EPOLLRDHUP`.
const READ: ngx_int_t = 0x2001;

/// The way from other threads into nginx's loop.
pub(crate) struct Mailbox {
    arrived: Mutex<Vec<Message>>,
    bell: EventFd,
}

enum Message {
    Arrival(u64, Box<Arrival>),
    Line(Level, String),
}

static MAILBOX: OnceLock<Mailbox> = OnceLock::new();

thread_local! {
    /// The requests that wait, by the numbers of their tickets.
    static WAITING: RefCell<HashMap<u64, Token>> = RefCell::default();
    static NEXT: Cell<u64> = const { Cell::new(0) };
}

/// The place of a waiting request; it ends with the value. It stays on nginx's thread.
#[derive(Debug)]
pub(crate) struct Ticket {
    number: u64,
    here: std::marker::PhantomData<*mut ()>,
}

impl Ticket {
    /// Makes a request wait for an arrival.
    pub(crate) fn of(request: Request<'_>) -> Self {
        let number = NEXT.get();
        NEXT.set(number.wrapping_add(1));
        WAITING.with_borrow_mut(|waiting| waiting.insert(number, request.token()));
        Self { number, here: std::marker::PhantomData }
    }

    /// Returns the number by which other threads name the request.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        WAITING.with_borrow_mut(|waiting| waiting.remove(&self.number));
    }
}

/// Returns the mailbox of the worker, once it has begun.
pub(crate) fn mailbox() -> Option<&'static Mailbox> {
    MAILBOX.get()
}

impl Mailbox {
    /// Hands over the arrival for a waiting request, from any thread.
    pub(crate) fn send(&self, ticket: u64, arrival: Arrival) {
        self.put(Message::Arrival(ticket, Box::new(arrival)));
    }

    fn put(&self, message: Message) {
        self.arrived.lock().unwrap_or_else(PoisonError::into_inner).push(message);
        // It fails only if the counter is full, and then the bell rings already.
        let _ = self.bell.write(1);
    }

    fn take(&self) -> Vec<Message> {
        let _ = self.bell.read();
        std::mem::take(&mut *self.arrived.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Writes a line into nginx's log, from any thread.
pub(crate) fn write(level: Level, line: String) {
    if !log(level, &line)
        && let Some(mailbox) = mailbox()
    {
        mailbox.put(Message::Line(level, line));
    }
}

/// Watches the bell in nginx's loop.
///
/// # Safety
///
/// On nginx's thread, with the cycle of a worker that begins.
pub(super) unsafe fn watch(cycle: *mut ngx_cycle_t) -> Result<(), String> {
    let bell = EventFd::from_flags(EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC);
    let bell = bell.map_err(|error| format!("the system gives no eventfd: {error}"))?;
    let mailbox = MAILBOX.get_or_init(|| Mailbox { arrived: Mutex::default(), bell });
    let file = mailbox.bell.as_fd().as_raw_fd();
    // SAFETY: as the caller promises; the file lives as long as the process.
    // nginx knows a channel as something to leave open at its end.
    let added = unsafe { ngx_add_channel_event(cycle, file, READ, Some(rung)) };
    if added == 0 { Ok(()) } else { Err("nginx takes no event: raise worker_connections".to_owned()) }
}

/// Runs when the bell has rung.
unsafe extern "C" fn rung(event: *mut ngx_event_t) {
    // SAFETY: nginx calls it with the read event of the bell.
    let log = unsafe { (*event).log };
    let messages = mailbox().map(Mailbox::take).unwrap_or_default();
    for message in messages {
        // SAFETY: the log of the cycle lives as long as the worker. A panic ends one request only.
        unsafe { caught(log, (), || arrive(message)) };
    }
}

/// # Safety
///
/// On nginx's thread, outside of other callbacks.
unsafe fn arrive(message: Message) {
    match message {
        // SAFETY: as the caller promises.
        Message::Line(level, line) => unsafe { super::log::log_of_cycle(level, &line) },
        Message::Arrival(number, arrival) => {
            let Some(token) = WAITING.with_borrow(|waiting| waiting.get(&number).copied()) else { return };
            // SAFETY: the ticket is part of the request's state.
            let request = unsafe { Request::found(token) };
            request.logging(|| door::arrived(request, *arrival));
            request.go_on();
        }
    }
}
