//! The function that is called at each request: [`function`].
//!
//! It is made with Node-API itself: napi allocates twice around each call, and runs code that is cold between two requests.

use std::{
    ffi::c_void,
    panic::{self, AssertUnwindSafe},
    ptr,
    sync::Arc,
};

use napi::{
    Env, Error, JsError, Result,
    bindgen_prelude::{FromNapiValue, ToNapiValue, Unknown},
    check_status, sys,
};
use portcullis::Secure;

use crate::{
    field::Field,
    runtime,
    verdict::{Fields, LATER, Verdict, told},
};

/// `(authorization, several, verify)`: the verdict of these rules on a request, here and now.
///
/// # Errors
///
/// When Node has no memory left.
#[expect(unsafe_code, reason = "napi makes functions of its own only")]
pub(crate) fn function(env: &Env, secure: Arc<Secure>) -> Result<Unknown<'_>> {
    let name = "judge";
    let mut function = ptr::null_mut();
    let rules = Arc::into_raw(secure).cast_mut().cast::<c_void>();
    // SAFETY: `env` is good for this call, `name` is as long as is said, and `rules` is a pointer to `Secure`, which the
    // function holds until Node has collected it: `let_go` runs then, and the function cannot be called any more.
    unsafe {
        check_status!(sys::napi_create_function(
            env.raw(),
            name.as_ptr().cast(),
            name.len().cast_signed(),
            Some(judge),
            rules,
            &mut function,
        ))?;
        check_status!(sys::napi_add_finalizer(
            env.raw(),
            function,
            rules,
            Some(let_go),
            ptr::null_mut(),
            ptr::null_mut()
        ))?;
        Ok(Unknown::from_raw_unchecked(env.raw(), function))
    }
}

/// What Node calls.
#[expect(unsafe_code, reason = "a function for C")]
unsafe extern "C" fn judge(env: sys::napi_env, call: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: Node gives what is good for this call.
    let verdict = panic::catch_unwind(AssertUnwindSafe(|| unsafe {
        let Call { secure, authorization, several, verify } = Call::read(env, call)?;
        Verdict::to_napi_value(env, verdict(secure, authorization.as_ref(), several, verify)?)
    }));
    let failed = || Err(Error::from_reason("portcullis failed: please report this"));
    verdict.unwrap_or_else(|_| failed()).unwrap_or_else(|error| {
        // SAFETY: as above. The error is thrown when this function has returned.
        unsafe { JsError::from(error).throw_into(env) };
        ptr::null_mut()
    })
}

fn verdict(secure: &Secure, authorization: Option<&Field>, several: bool, verify: bool) -> Result<Verdict> {
    runtime::enter_for_good()?;
    let fields = Fields::new(authorization.map(Field::as_bytes), several);
    let verdict = if verify { secure.judge_now(fields.values()) } else { secure.judge_known(fields.values()) };
    Ok(verdict.map_or(LATER, |verdict| told(secure, verdict)))
}

/// A call, as Rust sees it.
struct Call<'a> {
    secure: &'a Secure,
    authorization: Option<Field>,
    several: bool,
    verify: bool,
}

impl Call<'_> {
    /// # Safety
    ///
    /// Both are what Node has called [`judge`] with, and the call has not ended.
    #[expect(unsafe_code, reason = "reads values of C")]
    unsafe fn read(env: sys::napi_env, call: sys::napi_callback_info) -> Result<Self> {
        let mut arguments = [ptr::null_mut(); 3];
        let mut count = arguments.len();
        let mut rules = ptr::null_mut();
        // SAFETY: there is room for as many arguments as is said; those that were not given are `undefined`.
        check_status!(unsafe {
            sys::napi_get_cb_info(env, call, &mut count, arguments.as_mut_ptr(), ptr::null_mut(), &mut rules)
        })?;
        let [authorization, several, verify] = arguments;
        // SAFETY: `function` has put a pointer to `Secure` there, which the function that is being called holds.
        unsafe {
            Ok(Self {
                secure: &*rules.cast::<Secure>(),
                authorization: Option::from_napi_value(env, authorization)?,
                several: bool::from_napi_value(env, several)?,
                verify: bool::from_napi_value(env, verify)?,
            })
        }
    }
}

/// What Node calls when it has collected the function.
#[expect(unsafe_code, reason = "a function for C")]
unsafe extern "C" fn let_go(_env: sys::napi_env, rules: *mut c_void, _hint: *mut c_void) {
    // SAFETY: `function` has made the pointer of an `Arc`, and this is called once.
    drop(unsafe { Arc::from_raw(rules.cast_const().cast::<Secure>()) });
}
