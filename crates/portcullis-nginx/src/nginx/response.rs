//! The header fields for the upstream, and the answer for the client.

use std::{
    mem,
    ptr::{self, NonNull},
};

use ngx::ffi::{
    ngx_http_complex_value_t, ngx_http_core_main_conf_t, ngx_http_core_module, ngx_http_finalize_request,
    ngx_http_send_response, ngx_http_variable_t, ngx_list_init, ngx_list_push, ngx_list_t, ngx_str_t, ngx_table_elt_t,
};

use portcullis_gateway::door::Authorization;

use super::{Request, state, text};

const AUTHORIZATION: &[u8] = b"authorization";
const BASIC: &[u8] = b"basic ";
const COOKIE: &[u8] = b"cookie";
const CHALLENGE: &[u8] = b"www-authenticate";

/// Puts a new list in place of the request's header fields; none if there is no memory, and then nothing has changed.
///
/// # Safety
///
/// The request lives.
pub(super) unsafe fn hand_on<'f>(
    request: Request<'_>,
    keeps: &dyn Fn(&[u8], &[u8]) -> bool,
    fields: impl Iterator<Item = (&'f [u8], &'f [u8])>,
    authorization: &'f Authorization,
) -> Option<()> {
    let client = request.fields();
    let is_sent = matches!(authorization, Authorization::AsSent);
    let kept = client.elements().filter(|element| {
        // SAFETY: request.
        let (name, value) = unsafe { (text::bytes(element.key), text::bytes(element.value)) };
        (is_sent || !name.eq_ignore_ascii_case(AUTHORIZATION)) && keeps(name, value)
    });
    // SAFETY: request; the list has elements of this type, and a copied element points at texts in the pool.
    unsafe {
        let mut list: ngx_list_t = mem::zeroed();
        if ngx_list_init(&raw mut list, request.pool(), 20, size_of::<ngx_table_elt_t>()) != 0 {
            return None;
        }
        // The list is in its place before anything is added: it points into itself.
        let place = &raw mut (*request.raw()).headers_in.headers;
        let before = place.read();
        place.write(list);
        (*place).last = &raw mut (*place).part;
        let mut special = Special::default();
        let filled = fill(request, place, kept, fields, authorization, &mut special);
        if filled.is_none() {
            // Its pointer into itself is right again in the old place.
            place.write(before);
            return None;
        }
        special.point(request);
        forget_variables(request);
    }
    Some(())
}

/// Has nginx read `$http_…` and `$cookie_…` anew: it keeps values that an earlier phase has read, also those that a client forged.
///
/// # Safety
///
/// The request lives.
unsafe fn forget_variables(request: Request<'_>) {
    // SAFETY: request and configuration; a request has a value for each variable of the configuration with a number.
    unsafe {
        let core =
            (*(*request.raw()).main_conf.add(ngx_http_core_module.ctx_index)).cast::<ngx_http_core_main_conf_t>();
        for (index, variable) in (*core).variables.as_slice::<ngx_http_variable_t>().iter().enumerate() {
            let name = text::bytes(variable.name);
            if name.starts_with(b"http_") || name.starts_with(b"cookie_") {
                let value = (*request.raw()).variables.add(index);
                (*value).set_valid(0);
                (*value).set_not_found(0);
            }
        }
    }
}

/// # Safety
///
/// The request lives, and the list is its own.
unsafe fn fill<'a, 'f>(
    request: Request<'_>,
    list: *mut ngx_list_t,
    kept: impl Iterator<Item = &'a ngx_table_elt_t>,
    fields: impl Iterator<Item = (&'f [u8], &'f [u8])>,
    authorization: &'f Authorization,
    special: &mut Special,
) -> Option<()> {
    let replaced = match authorization {
        Authorization::Replaced(value) => Some((&b"Authorization"[..], value.as_bytes())),
        Authorization::AsSent | Authorization::Removed => None,
    };
    // SAFETY: request; each pushed element is written before it is read.
    unsafe {
        for element in kept {
            let mut pushed = NonNull::new(ngx_list_push(list).cast::<ngx_table_elt_t>())?;
            *pushed.as_mut() = *element;
            special.note(text::bytes(element.key), pushed);
        }
        for (name, value) in fields.chain(replaced) {
            let mut pushed = NonNull::new(ngx_list_push(list).cast::<ngx_table_elt_t>())?;
            *pushed.as_mut() = field(request, name, value)?;
            special.note(name, pushed);
        }
    }
    Some(())
}

/// Makes a header field in the pool of a request.
///
/// # Safety
///
/// The request lives.
unsafe fn field(request: Request<'_>, name: &[u8], value: &[u8]) -> Option<ngx_table_elt_t> {
    // SAFETY: request; nulls.
    unsafe {
        let mut field: ngx_table_elt_t = mem::zeroed();
        field.key = text::copy(request.pool(), name)?;
        field.value = text::copy(request.pool(), value)?;
        (field.lowcase_key, field.hash) = text::lower_case(request.pool(), name)?;
        Some(field)
    }
}

/// The fields that nginx finds by pointers of their own.
#[derive(Default)]
struct Special {
    authorization: Option<NonNull<ngx_table_elt_t>>,
    cookies: Vec<NonNull<ngx_table_elt_t>>,
}

impl Special {
    fn note(&mut self, name: &[u8], element: NonNull<ngx_table_elt_t>) {
        if name.eq_ignore_ascii_case(AUTHORIZATION) {
            self.authorization = self.authorization.or(Some(element));
        } else if name.eq_ignore_ascii_case(COOKIE) {
            self.cookies.push(element);
        }
    }

    /// # Safety
    ///
    /// The request lives, and the elements are in its list.
    unsafe fn point(&self, request: Request<'_>) {
        let pointer =
            |element: Option<&NonNull<ngx_table_elt_t>>| element.map_or(ptr::null_mut(), |element| element.as_ptr());
        // SAFETY: request.
        unsafe {
            let headers = &raw mut (*request.raw()).headers_in;
            // `auth_basic` beside the module judges the client's own, also if the upstream gets a token in its place.
            let client = (*headers).authorization.as_ref().map(|field| text::bytes(field.value));
            if !client.and_then(|value| value.get(..BASIC.len())).is_some_and(|own| own.eq_ignore_ascii_case(BASIC)) {
                (*headers).authorization = pointer(self.authorization.as_ref());
            }
            #[cfg(cookies_are_an_array)]
            {
                // An array that nginx has not begun has no pool, and no cookies either.
                (*headers).cookies.nelts = 0;
                for cookie in &self.cookies {
                    if (*headers).cookies.pool.is_null() {
                        break;
                    }
                    let place = ngx::ffi::ngx_array_push(&raw mut (*headers).cookies).cast::<*mut ngx_table_elt_t>();
                    if let Some(place) = place.as_mut() {
                        *place = cookie.as_ptr();
                    }
                }
            }
            #[cfg(not(cookies_are_an_array))]
            {
                (*headers).cookie = pointer(self.cookies.first());
                for (index, cookie) in self.cookies.iter().enumerate() {
                    (*cookie.as_ptr()).next = pointer(self.cookies.get(index + 1));
                }
            }
        }
    }
}

/// Adds a field to the answer; none if there is no memory.
///
/// # Safety
///
/// The request lives.
pub(super) unsafe fn add(request: Request<'_>, name: &str, value: &[u8]) -> Option<()> {
    // SAFETY: request; the pushed element is written at once.
    unsafe {
        let headers = &raw mut (*request.raw()).headers_out;
        let mut pushed = NonNull::new(ngx_list_push(&raw mut (*headers).headers).cast::<ngx_table_elt_t>())?;
        // nginx leaves fields without a hash out.
        *pushed.as_mut() = mem::zeroed();
        *pushed.as_mut() = field(request, name.as_bytes(), value)?;
        if name.as_bytes().eq_ignore_ascii_case(CHALLENGE) {
            // nginx takes it off if another module lets the request pass (`satisfy any`).
            (*headers).www_authenticate = pushed.as_ptr();
        }
        if let Some(held) = state::of(request.raw()) {
            held.told.borrow_mut().push(pushed);
        }
    }
    Some(())
}

/// Takes the fields off the answer that the module has added before, for good.
///
/// # Safety
///
/// The request lives.
pub(super) unsafe fn take_back(request: Request<'_>) {
    // SAFETY: request.
    unsafe {
        hide(request);
        if let Some(held) = state::of(request.raw()) {
            held.told.borrow_mut().clear();
        }
    }
}

/// Takes the fields off the answer that the module has added before.
///
/// # Safety
///
/// The request lives.
pub(super) unsafe fn hide(request: Request<'_>) {
    // SAFETY: request; the elements are in its list.
    unsafe {
        let Some(held) = state::of(request.raw()) else { return };
        let headers = &raw mut (*request.raw()).headers_out;
        for told in held.told.borrow_mut().iter_mut() {
            told.as_mut().hash = 0;
            if (*headers).www_authenticate == told.as_ptr() {
                (*headers).www_authenticate = ptr::null_mut();
            }
        }
    }
}

/// Puts the fields back that the module has added before, and nginx taken off.
///
/// # Safety
///
/// The request lives.
pub(super) unsafe fn put_back(request: Request<'_>) {
    // SAFETY: request; the elements are in its list.
    unsafe {
        let Some(held) = state::of(request.raw()) else { return };
        for told in held.told.borrow_mut().iter_mut().filter(|told| told.as_ref().hash == 0) {
            told.as_mut().hash = 1;
            if text::bytes(told.as_ref().key).eq_ignore_ascii_case(CHALLENGE) {
                (*request.raw()).headers_out.www_authenticate = told.as_ptr();
            }
        }
    }
}

/// Sends an answer, and ends the request.
///
/// # Safety
///
/// The request lives; nothing of it is touched afterwards.
pub(super) unsafe fn send(request: Request<'_>, status: u16, content_type: &[u8], body: &[u8]) {
    // SAFETY: request; nginx copies what it needs later.
    unsafe {
        let texts = text::copy(request.pool(), content_type).zip(text::copy(request.pool(), body));
        let sent = match texts {
            Some((mut content_type, value)) => {
                let mut body: ngx_http_complex_value_t = mem::zeroed();
                body.value = value;
                let content_type: *mut ngx_str_t = &raw mut content_type;
                ngx_http_send_response(request.raw(), usize::from(status), content_type, &raw mut body)
            }
            None => super::FAILED,
        };
        ngx_http_finalize_request(request.raw(), sent);
    }
}
