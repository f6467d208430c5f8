//! The variables `$portcullis_…`.

use ngx::ffi::{
    NGX_HTTP_VAR_NOCACHEABLE, NGX_HTTP_VAR_PREFIX, ngx_conf_t, ngx_http_add_variable, ngx_http_request_t, ngx_int_t,
    ngx_str_t, ngx_variable_value_t,
};

use super::{FAILED, Request, caught, text};
use crate::door;

/// The variables for each request, by the part of the name behind the prefix.
const NAMES: [&str; 6] = [
    "portcullis_sub",
    "portcullis_scope",
    "portcullis_client_id",
    "portcullis_code",
    "portcullis_would_refuse",
    "portcullis_reason",
];

/// The beginning of the names of variables with a claim.
const CLAIM: &str = "portcullis_claim_";

/// Adds the variables.
///
/// # Safety
///
/// The configuration lives.
pub(super) unsafe fn add(cf: *mut ngx_conf_t) -> ngx_int_t {
    let prefixed = NAMES.iter().map(|name| (*name, 0)).chain([(CLAIM, NGX_HTTP_VAR_PREFIX)]);
    for (index, (name, flags)) in prefixed.enumerate() {
        let mut name = text::of(name);
        // SAFETY: as the caller promises; nginx copies the name.
        unsafe {
            let variable = ngx_http_add_variable(cf, &raw mut name, (NGX_HTTP_VAR_NOCACHEABLE | flags) as usize);
            let Some(variable) = variable.as_mut() else { return FAILED };
            variable.get_handler = Some(get);
            // nginx gives the handler of a prefix the whole name in place of this.
            variable.data = index;
        }
    }
    0
}

/// Returns the value of a variable.
unsafe extern "C" fn get(raw: *mut ngx_http_request_t, value: *mut ngx_variable_value_t, data: usize) -> ngx_int_t {
    // SAFETY: nginx calls it with a live request, a value to fill, and the number of the variable or its name.
    unsafe {
        caught((*(*raw).connection).log, FAILED, || {
            let Some(request) = Request::new(raw) else { return FAILED };
            let found = match NAMES.get(data) {
                Some(name) => door::variable(request, name),
                None => {
                    let name = text::bytes(*std::ptr::with_exposed_provenance::<ngx_str_t>(data));
                    let claim = name.get(CLAIM.len()..).unwrap_or_default();
                    door::claim_variable(request, &String::from_utf8_lossy(claim))
                }
            };
            let copied = found.map(|found| text::copy(request.pool(), found.as_bytes()));
            match copied {
                None => (*value).set_not_found(1),
                Some(None) => return FAILED,
                Some(Some(text)) => {
                    (*value).set_valid(1);
                    (*value).set_no_cacheable(1);
                    (*value).set_not_found(0);
                    (*value).set_len(u32::try_from(text.len).unwrap_or_default() & 0x0fff_ffff);
                    (*value).data = text.data;
                }
            }
            0
        })
    }
}
