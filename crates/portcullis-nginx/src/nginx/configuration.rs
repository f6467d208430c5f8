//! The module's structures in nginx's configuration.

use std::{
    ffi::{c_char, c_void},
    path::PathBuf,
    ptr,
};

use ngx::ffi::{
    NGX_LOG_EMERG, ngx_command_t, ngx_conf_full_name, ngx_conf_log_error, ngx_conf_t, ngx_cycle_t, ngx_http_conf_ctx_t,
    ngx_http_module, ngx_log_error_core, ngx_pool_cleanup_add, ngx_pool_t, ngx_str_t,
};

use super::{caught, module, text};
use crate::{
    location::{Guards, Location, Server},
    settings::{Directive, Mistake, Place, Written},
};

/// The return value of a directive's callback for a mistake.
pub(super) const MISTAKE: *mut c_char = usize::MAX as *mut c_char;
/// The return value of a directive's callback for success.
pub(super) const GOOD: *mut c_char = ptr::null_mut();

/// # Safety
///
/// `confs` is the array of main configurations of a cycle that lives as long as `'a`.
pub(super) unsafe fn of_main<'a>(confs: *mut *mut c_void) -> Option<&'a Guards> {
    // SAFETY: configuration; `make_main` has made it.
    unsafe { (*confs.add(module::index())).cast::<Guards>().as_ref() }
}

/// # Safety
///
/// `confs` is the array of location configurations of a cycle that lives as long as `'a`.
pub(super) unsafe fn of_location<'a>(confs: *mut *mut c_void) -> Option<&'a Location> {
    // SAFETY: configuration; `make_location` has made it.
    unsafe { (*confs.add(module::index())).cast::<Location>().as_ref() }
}

/// # Safety
///
/// `confs` is the array of server configurations of a cycle that lives as long as `'a`.
pub(super) unsafe fn of_server<'a>(confs: *mut *mut c_void) -> Option<&'a Server> {
    // SAFETY: configuration; `make_server` has made it.
    unsafe { (*confs.add(module::index())).cast::<Server>().as_ref() }
}

/// Returns the guards of a cycle; none if it has no `http` block.
///
/// # Safety
///
/// The cycle lives as long as `'a`.
pub(super) unsafe fn of_cycle<'a>(cycle: *const ngx_cycle_t) -> Option<&'a Guards> {
    // SAFETY: configuration; each module has a place in the contexts of a cycle.
    unsafe {
        let context = (*(*cycle).conf_ctx.add(ngx_http_module.index)).cast::<ngx_http_conf_ctx_t>();
        of_main(context.as_ref()?.main_conf)
    }
}

/// Makes the main configuration.
pub(super) unsafe extern "C" fn make_main(cf: *mut ngx_conf_t) -> *mut c_void {
    // SAFETY: nginx calls it with a live configuration.
    unsafe {
        caught((*cf).log, ptr::null_mut(), || {
            let Some(rival) = module::rival(cf) else { return boxed(cf, Guards::default()).cast() };
            let line = format!(
                "expected a place of its own for Portcullis in nginx's memory, got that of {rival}, which was loaded \
                 while Portcullis was not: restart nginx"
            );
            told(cf, Err(vec![Mistake::here(line)]));
            ptr::null_mut()
        })
    }
}

/// Makes the configuration of a server.
pub(super) unsafe extern "C" fn make_server(cf: *mut ngx_conf_t) -> *mut c_void {
    // SAFETY: nginx calls it with a live configuration.
    unsafe { caught((*cf).log, ptr::null_mut(), || boxed(cf, Server::default()).cast()) }
}

/// Makes the configuration of an `http`, `server`, `location`, `if` or `limit_except` block.
pub(super) unsafe extern "C" fn make_location(cf: *mut ngx_conf_t) -> *mut c_void {
    // SAFETY: nginx calls it with a live configuration.
    unsafe { caught((*cf).log, ptr::null_mut(), || boxed(cf, Location::default()).cast()) }
}

/// Moves a value into memory that the pool of a configuration frees; null if there is none.
///
/// # Safety
///
/// The configuration lives.
unsafe fn boxed<T>(cf: *mut ngx_conf_t, value: T) -> *mut T {
    unsafe extern "C" fn free<T>(data: *mut c_void) {
        // SAFETY: it was made of a box, and nginx calls a clean-up once.
        unsafe { caught(ptr::null_mut(), (), || drop(Box::from_raw(data.cast::<T>()))) };
    }
    // SAFETY: as the caller promises.
    unsafe {
        let pool: *mut ngx_pool_t = (*cf).pool;
        let Some(cleanup) = ngx_pool_cleanup_add(pool, 0).as_mut() else { return ptr::null_mut() };
        let value = Box::into_raw(Box::new(value));
        cleanup.data = value.cast();
        cleanup.handler = Some(free::<T>);
        value
    }
}

/// Completes the configuration of a block by that of the block around it.
pub(super) unsafe extern "C" fn merge_location(
    cf: *mut ngx_conf_t,
    outer: *mut c_void,
    own: *mut c_void,
) -> *mut c_char {
    // SAFETY: nginx calls it with a live configuration, and with two values of `make_location`.
    unsafe {
        caught((*cf).log, MISTAKE, || {
            let (outer, own) = (&*outer.cast::<Location>(), &mut *own.cast::<Location>());
            let (Some(guards), Some(server)) = (main_of(cf), server_of(cf)) else { return MISTAKE };
            let outcome = own.within(outer, guards);
            server.note(own);
            told(cf, outcome)
        })
    }
}

/// # Safety
///
/// It is the configuration of a server or a block within, and nothing else borrows the server.
unsafe fn server_of<'a>(cf: *mut ngx_conf_t) -> Option<&'a mut Server> {
    // SAFETY: configuration; while blocks are merged, the context is that of their server.
    unsafe {
        let context = (*cf).ctx.cast::<ngx_http_conf_ctx_t>().as_ref()?;
        (*context.srv_conf.add(module::index())).cast::<Server>().as_mut()
    }
}

/// # Safety
///
/// It is the configuration of an `http` block or one within, and nothing else borrows the guards.
unsafe fn main_of<'a>(cf: *mut ngx_conf_t) -> Option<&'a mut Guards> {
    // SAFETY: configuration.
    unsafe {
        let context = (*cf).ctx.cast::<ngx_http_conf_ctx_t>().as_ref()?;
        (*context.main_conf.add(module::index())).cast::<Guards>().as_mut()
    }
}

/// Takes a directive in.
pub(super) unsafe extern "C" fn take(
    cf: *mut ngx_conf_t,
    command: *mut ngx_command_t,
    conf: *mut c_void,
) -> *mut c_char {
    // SAFETY: nginx calls it with a live configuration, a directive of the module, and a value of `make_location`.
    unsafe {
        caught((*cf).log, MISTAKE, || {
            let Some(directive) = Directive::named(text::bytes((*command).name)) else {
                return MISTAKE;
            };
            let words = (*(*cf).args).as_slice::<ngx_str_t>().iter().skip(1);
            let words = words.map(|word| std::str::from_utf8(text::bytes(*word)).map(str::to_owned)).collect();
            let Ok(words) = words else {
                return told(cf, Err(vec![Mistake::here("expected UTF-8, got other bytes")]));
            };
            let place = place(cf);
            let (location, Some(guards)) = (&mut *conf.cast::<Location>(), main_of(cf)) else { return MISTAKE };
            if directive == Directive::Status {
                module::serve_status(cf);
            }
            let guards = guards
                .at(|| PathBuf::from(String::from_utf8_lossy(text::bytes((*(*cf).cycle).conf_prefix)).into_owned()));
            told(cf, location.take(directive, Written { words, place }, guards, |path| full_name(cf, path)))
        })
    }
}

/// Returns the place of the directive that is read now.
///
/// # Safety
///
/// The configuration lives.
unsafe fn place(cf: *mut ngx_conf_t) -> Place {
    // SAFETY: as the caller promises; without a file the directive comes from the command line.
    unsafe {
        match (*cf).conf_file.as_ref() {
            Some(file) => {
                Place { file: String::from_utf8_lossy(text::bytes(file.file.name)).into_owned(), line: file.line }
            }
            None => Place::default(),
        }
    }
}

/// Returns a path, which is relative to the folder of nginx's configuration.
///
/// # Safety
///
/// The configuration lives.
unsafe fn full_name(cf: *mut ngx_conf_t, path: &str) -> Option<PathBuf> {
    // SAFETY: as the caller promises; the name is copied into the pool, with the zero that `ngx_conf_full_name` expects behind it.
    unsafe {
        let mut with_zero = path.as_bytes().to_vec();
        with_zero.push(0);
        let mut name = text::copy((*cf).pool, &with_zero)?;
        name.len -= 1;
        let done = ngx_conf_full_name((*cf).cycle, &raw mut name, 1) == 0;
        done.then(|| PathBuf::from(String::from_utf8_lossy(text::bytes(name)).into_owned()))
    }
}

/// Shows mistakes as nginx shows its own.
///
/// # Safety
///
/// The configuration lives.
pub(super) unsafe fn told(cf: *mut ngx_conf_t, outcome: Result<(), Vec<Mistake>>) -> *mut c_char {
    let Err(mistakes) = outcome else { return GOOD };
    for Mistake { line, place } in mistakes {
        let level = NGX_LOG_EMERG as usize;
        // SAFETY: as the caller promises; the format takes a length and a pointer to as many bytes.
        unsafe {
            match place {
                None => ngx_conf_log_error(level, cf, 0, c"%*s".as_ptr(), line.len(), line.as_ptr()),
                Some(place) => {
                    let line = format!("{line} in {place}");
                    ngx_log_error_core(level, (*cf).log, 0, c"%*s".as_ptr(), line.len(), line.as_ptr());
                }
            }
        }
    }
    MISTAKE
}
