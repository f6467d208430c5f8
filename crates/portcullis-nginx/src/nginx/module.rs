//! The module as nginx sees it: its directives, hooks and handlers.

use std::{ffi::CStr, ptr};

use ngx::ffi::{
    NGX_CONF_1MORE, NGX_CONF_FLAG, NGX_CONF_NOARGS, NGX_CONF_TAKE1, NGX_DECLINED, NGX_HTTP_FORBIDDEN,
    NGX_HTTP_INTERNAL_SERVER_ERROR, NGX_HTTP_LIF_CONF, NGX_HTTP_LMT_CONF, NGX_HTTP_LOC_CONF, NGX_HTTP_LOC_CONF_OFFSET,
    NGX_HTTP_MAIN_CONF, NGX_HTTP_MODULE, NGX_HTTP_SRV_CONF, NGX_PROCESS_SINGLE, NGX_PROCESS_WORKER, ngx_array_push,
    ngx_command_t, ngx_conf_t, ngx_cycle_t, ngx_http_conf_ctx_t, ngx_http_core_loc_conf_t, ngx_http_core_main_conf_t,
    ngx_http_core_module, ngx_http_handler_pt, ngx_http_module_t, ngx_http_phases_NGX_HTTP_ACCESS_PHASE,
    ngx_http_phases_NGX_HTTP_POST_READ_PHASE, ngx_http_phases_NGX_HTTP_PRECONTENT_PHASE, ngx_http_request_t, ngx_int_t,
    ngx_module_t, ngx_process, ngx_uint_t, ngx_worker,
};

use super::{FAILED, Request, arrivals, caught, configuration, text, variables, zone};
use crate::{
    door::{self, Outcome},
    settings::Directive,
    worker,
};

// The symbols by which nginx finds the module in the shared object; nginx compares its own signature with the module's when it loads it.
ngx::ngx_modules!(ngx_http_portcullis_module);

/// The module.
#[unsafe(no_mangle)]
#[used]
#[allow(non_upper_case_globals, reason = "the name of a module")]
pub(super) static mut ngx_http_portcullis_module: ngx_module_t = ngx_module_t {
    ctx: (&raw const CONTEXT).cast_mut().cast(),
    commands: (&raw const COMMANDS).cast_mut().cast(),
    type_: NGX_HTTP_MODULE as ngx_uint_t,
    init_process: Some(begin),
    exit_process: Some(end),
    ..ngx_module_t::default()
};

static CONTEXT: ngx_http_module_t = ngx_http_module_t {
    preconfiguration: Some(before_configuration),
    postconfiguration: Some(after_configuration),
    create_main_conf: Some(configuration::make_main),
    init_main_conf: None,
    create_srv_conf: Some(configuration::make_server),
    merge_srv_conf: None,
    create_loc_conf: Some(configuration::make_location),
    merge_loc_conf: Some(configuration::merge_location),
};

/// The blocks in which requests get rules.
const ANYWHERE: u32 =
    NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF | NGX_HTTP_LIF_CONF | NGX_HTTP_LMT_CONF;

/// A list of directives, which nginx does not change.
#[repr(transparent)]
struct Commands([ngx_command_t; Directive::ALL.len() + 1]);

// SAFETY: it is never written to.
unsafe impl Sync for Commands {}

static COMMANDS: Commands = Commands({
    let mut commands = [const { ngx_command_t::empty() }; Directive::ALL.len() + 1];
    let mut index = 0;
    while index < Directive::ALL.len() {
        #[allow(clippy::indexing_slicing, reason = "evaluated by the compiler")]
        {
            commands[index] = command(Directive::ALL[index]);
        }
        index += 1;
    }
    commands
});

const fn command(directive: Directive) -> ngx_command_t {
    let arguments = match directive {
        Directive::Switch => NGX_CONF_FLAG | ANYWHERE,
        Directive::Config | Directive::Realm | Directive::Route => NGX_CONF_TAKE1 | ANYWHERE,
        Directive::Status => NGX_CONF_NOARGS | NGX_HTTP_LOC_CONF,
        Directive::Issuer | Directive::Audience | Directive::Scope | Directive::AnyScope | Directive::Claim => {
            NGX_CONF_1MORE | ANYWHERE
        }
    };
    ngx_command_t {
        name: text::of_c(directive.name()),
        type_: arguments as ngx_uint_t,
        set: Some(configuration::take),
        conf: NGX_HTTP_LOC_CONF_OFFSET as ngx_uint_t,
        offset: 0,
        post: ptr::null_mut(),
    }
}

/// Returns the place of the module's structures in arrays of all HTTP modules.
pub(super) fn index() -> usize {
    // SAFETY: nginx sets it before it calls the module, and never again.
    unsafe { ngx_http_portcullis_module.ctx_index }
}

/// Returns the name of another HTTP module with the same place, if there is one.
///
/// The module stays in memory with its place when a reload leaves it out (`build.rs`), and nginx gives the place away then. Both modules
/// in one configuration would take each other's structures for their own.
///
/// # Safety
///
/// The configuration lives.
pub(super) unsafe fn rival(cf: *mut ngx_conf_t) -> Option<String> {
    let own = &raw mut ngx_http_portcullis_module;
    // SAFETY: as the caller promises; the list of a cycle's modules ends with a null, and each has a name.
    unsafe {
        let mut next = (*(*cf).cycle).modules;
        while let Some(module) = (*next).as_ref() {
            if !ptr::eq(module, own) && module.type_ == (*own).type_ && module.ctx_index == index() {
                return Some(CStr::from_ptr(module.name).to_string_lossy().into_owned());
            }
            next = next.add(1);
        }
    }
    None
}

unsafe extern "C" fn before_configuration(cf: *mut ngx_conf_t) -> ngx_int_t {
    // SAFETY: nginx calls it with a live configuration.
    unsafe { caught((*cf).log, FAILED, || variables::add(cf)) }
}

unsafe extern "C" fn after_configuration(cf: *mut ngx_conf_t) -> ngx_int_t {
    // SAFETY: nginx calls it with a live configuration, of an `http` block.
    unsafe {
        caught((*cf).log, FAILED, || {
            let context = (*cf).ctx.cast::<ngx_http_conf_ctx_t>();
            let Some(guards) = configuration::of_main((*context).main_conf) else { return FAILED };
            if configuration::told(cf, guards.check()) != configuration::GOOD {
                return FAILED;
            }
            if guards.are_none() {
                return 0;
            }
            if zone::add(cf).is_none() {
                return FAILED;
            }
            let core = (*(*context).main_conf.add(ngx_http_core_module.ctx_index)).cast::<ngx_http_core_main_conf_t>();
            for (phase, handler) in [
                (ngx_http_phases_NGX_HTTP_POST_READ_PHASE, after_reading as Handler),
                (ngx_http_phases_NGX_HTTP_ACCESS_PHASE, access),
                (ngx_http_phases_NGX_HTTP_PRECONTENT_PHASE, before_content),
            ] {
                let phases = &raw mut (*core).phases;
                #[allow(clippy::indexing_slicing, reason = "nginx has a place for each phase")]
                let phase = (&raw mut (*phases)[phase as usize].handlers).cast();
                let Some(place) = ngx_array_push(phase).cast::<ngx_http_handler_pt>().as_mut() else { return FAILED };
                *place = Some(handler);
            }
            0
        })
    }
}

type Handler = unsafe extern "C" fn(*mut ngx_http_request_t) -> ngx_int_t;

/// Looks after a request before any rule of nginx's sees it.
unsafe extern "C" fn after_reading(raw: *mut ngx_http_request_t) -> ngx_int_t {
    // SAFETY: nginx calls it with a live request.
    unsafe {
        let failed = NGX_HTTP_INTERNAL_SERVER_ERROR as ngx_int_t;
        caught((*(*raw).connection).log, failed, || {
            let is_clean = Request::new(raw).is_some_and(door::without_forged_fields);
            if is_clean { NGX_DECLINED as ngx_int_t } else { failed }
        })
    }
}

/// Looks after a request that may pass, before it is answered.
unsafe extern "C" fn before_content(raw: *mut ngx_http_request_t) -> ngx_int_t {
    // SAFETY: nginx calls it with a live request.
    unsafe {
        let failed = NGX_HTTP_INTERNAL_SERVER_ERROR as ngx_int_t;
        caught((*(*raw).connection).log, failed, || {
            // A subrequest has the answer of its own.
            if ptr::eq((*raw).main, raw)
                && let Some(request) = Request::new(raw)
            {
                door::before_content(request);
            }
            NGX_DECLINED as ngx_int_t
        })
    }
}

/// Decides in the access phase.
unsafe extern "C" fn access(raw: *mut ngx_http_request_t) -> ngx_int_t {
    // SAFETY: nginx calls it with a live request.
    unsafe {
        caught((*(*raw).connection).log, NGX_HTTP_INTERNAL_SERVER_ERROR as ngx_int_t, || {
            let outcome = Request::new(raw).map_or(Outcome::Failed, door::admit);
            match outcome {
                Outcome::Unguarded => NGX_DECLINED as ngx_int_t,
                Outcome::Admitted => 0,
                Outcome::Waits | Outcome::Answered => ngx::ffi::NGX_DONE as ngx_int_t,
                Outcome::Refused(status) => ngx_int_t::try_from(status).unwrap_or(NGX_HTTP_FORBIDDEN as ngx_int_t),
                Outcome::Failed => NGX_HTTP_INTERNAL_SERVER_ERROR as ngx_int_t,
            }
        })
    }
}

/// Has a location answer with the metrics.
///
/// # Safety
///
/// The configuration lives, and is one of a location.
pub(super) unsafe fn serve_status(cf: *mut ngx_conf_t) {
    // SAFETY: configuration.
    unsafe {
        let context = (*cf).ctx.cast::<ngx_http_conf_ctx_t>();
        let core = (*(*context).loc_conf.add(ngx_http_core_module.ctx_index)).cast::<ngx_http_core_loc_conf_t>();
        (*core).handler = Some(status);
    }
}

unsafe extern "C" fn status(raw: *mut ngx_http_request_t) -> ngx_int_t {
    // SAFETY: nginx calls it with a live request.
    unsafe {
        caught((*(*raw).connection).log, NGX_HTTP_INTERNAL_SERVER_ERROR as ngx_int_t, || {
            let Some(request) = Request::new(raw) else { return FAILED };
            let text = worker::metrics(request.guards());
            // The answer ends the request, and so does the return of the handler.
            if let Some(main) = (*raw).main.as_mut() {
                main.set_count(main.count() + 1);
            }
            request.answer(200, b"text/plain; version=0.0.4", text.as_bytes());
            ngx::ffi::NGX_DONE as ngx_int_t
        })
    }
}

/// Begins the work of a worker: its runtime, and the deciders of its configuration.
unsafe extern "C" fn begin(cycle: *mut ngx_cycle_t) -> ngx_int_t {
    // SAFETY: nginx calls it on the thread of a new worker, with its cycle.
    unsafe {
        caught((*cycle).log, FAILED, || {
            // The processes that manage caches begin like workers.
            let process = ngx_process;
            if process != NGX_PROCESS_WORKER as usize && process != NGX_PROCESS_SINGLE as usize {
                return 0;
            }
            let Some(guards) = configuration::of_cycle(cycle).filter(|guards| !guards.are_none()) else { return 0 };
            let begun = worker::begin(guards, ngx_worker, || arrivals::watch(cycle));
            match begun {
                Ok(()) => 0,
                Err(reason) => {
                    super::log(super::Level::Emergency, &reason);
                    FAILED
                }
            }
        })
    }
}

/// Ends the work of a worker.
unsafe extern "C" fn end(cycle: *mut ngx_cycle_t) {
    // SAFETY: nginx calls it on the thread of a worker that ends, with its cycle.
    unsafe {
        caught((*cycle).log, (), || {
            worker::end();
        });
    }
}
