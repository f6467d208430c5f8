//! The function called at each request: [`function`].
//!
//! It is made with Node-API itself, because napi-rs allocates twice around each call and runs code that is cold between two
//! requests.

use std::{
    ffi::c_void,
    panic::{self, AssertUnwindSafe},
    ptr,
    time::UNIX_EPOCH,
};

use napi::{
    Env, Error, JsError, Result,
    bindgen_prelude::{FromNapiValue, ToNapiValue, Unknown},
    check_status, sys,
};
use portcullis::{Admitted, Judging, Secure};

use crate::{
    field::Field,
    message::Message,
    request::Request,
    runtime,
    verdict::{Shown, told},
};

/// Makes the function `(authorization, several, verify)`, which returns the verdict of these rules on a request, or a promise of it.
///
/// # Errors
///
/// When Node has no memory left.
#[expect(unsafe_code, reason = "napi-rs offers no such function")]
pub(crate) fn function(env: &Env, secure: Secure) -> Result<Unknown<'_>> {
    let name = "judge";
    let mut function = ptr::null_mut();
    let rules = Box::into_raw(Box::new(secure)).cast::<c_void>();
    // SAFETY: `env` is valid for this call, `name` has the given length, and `rules` is a pointer to `Secure`, which the
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

/// The callback that Node calls.
#[expect(unsafe_code, reason = "a function for C")]
unsafe extern "C" fn judge(env: sys::napi_env, call: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: Node's arguments are valid for this call.
    let verdict = panic::catch_unwind(AssertUnwindSafe(|| unsafe {
        let call = Call::read(env, call)?;
        call.judge(&Env::from_raw(env))
    }));
    let failed = || Err(Error::from_reason("portcullis failed by a defect: please report it"));
    verdict.unwrap_or_else(|_| failed()).unwrap_or_else(|error| {
        // SAFETY: as above. The error is thrown when this function has returned.
        unsafe { JsError::from(error).throw_into(env) };
        ptr::null_mut()
    })
}

/// The verdict of these rules on a request with all its parts, or a promise of it; with the evidence for an exchange of its token if
/// it is `exchangeable`.
///
/// # Errors
///
/// When Node has no memory left.
#[expect(unsafe_code, reason = "napi has no safe way to a value of several types")]
pub(crate) fn message<'env>(
    env: &'env Env,
    secure: &Secure,
    message: &Message,
    verify: bool,
    before: Option<&Admitted>,
    exchangeable: bool,
) -> Result<Unknown<'env>> {
    runtime::enter_for_good()?;
    let shown = Shown { proof: message.shows_proof(), exchangeable };
    let outcome = outcome(env, secure, message.judge(secure, verify, before), shown)?;
    // SAFETY: the value was made in this call, for this `env`.
    Ok(unsafe { Unknown::from_raw_unchecked(env.raw(), outcome) })
}

/// Returns the time until which requests with this field pass, in milliseconds since 1970; 0 if each has to be judged.
pub(crate) fn holds_until(secure: &Secure, authorization: &Field) -> f64 {
    let request = Request { authorization: Some(authorization.as_bytes()), several: false, verify: false };
    let Judging::Done(verdict) = request.judge(secure) else { return 0.0 };
    let access = verdict.outcome.as_ref().ok().and_then(Admitted::access);
    let until = access.and_then(|access| secure.holds_until(access));
    let since_1970 = until.and_then(|until| until.duration_since(UNIX_EPOCH).ok());
    since_1970.map_or(0.0, |time| time.as_secs_f64() * 1000.0)
}

/// The verdict, or a promise of it that another thread settles.
fn outcome(env: &Env, secure: &Secure, judging: Judging, shown: Shown) -> Result<sys::napi_value> {
    match judging {
        Judging::Done(verdict) => to_javascript(env, told(secure, verdict, shown)),
        Judging::Waits(pending) => {
            let secure = secure.clone();
            let verdict = runtime::promise(env, async move { Ok(told(&secure, pending.await, shown)) })?;
            to_javascript(env, verdict)
        }
    }
}

/// The arguments of a call.
struct Call<'a> {
    secure: &'a Secure,
    authorization: Option<Field>,
    several: bool,
    verify: bool,
}

impl Call<'_> {
    /// The verdict, or a promise of it that another thread settles.
    fn judge(&self, env: &Env) -> Result<sys::napi_value> {
        runtime::enter_for_good()?;
        let authorization = self.authorization.as_ref().map(Field::as_bytes);
        let request = Request { authorization, several: self.several, verify: self.verify };
        outcome(env, self.secure, request.judge(self.secure), Shown::default())
    }

    /// # Safety
    ///
    /// Both are the arguments of Node's call of [`judge`], which has not ended.
    #[expect(unsafe_code, reason = "reads values of C")]
    unsafe fn read(env: sys::napi_env, call: sys::napi_callback_info) -> Result<Self> {
        let mut arguments = [ptr::null_mut(); 3];
        let mut count = arguments.len();
        let mut rules = ptr::null_mut();
        // SAFETY: the array has space for this number of arguments; missing ones are `undefined`.
        check_status!(unsafe {
            sys::napi_get_cb_info(env, call, &mut count, arguments.as_mut_ptr(), ptr::null_mut(), &mut rules)
        })?;
        let [authorization, several, verify] = arguments;
        // SAFETY: `function` has put a pointer to `Secure` there, which the called function holds.
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

/// The callback that Node calls when it has collected the function.
#[expect(unsafe_code, reason = "a function for C")]
unsafe extern "C" fn let_go(_env: sys::napi_env, rules: *mut c_void, _hint: *mut c_void) {
    // SAFETY: `function` has made the pointer of a `Box`, and this is called once.
    drop(unsafe { Box::from_raw(rules.cast::<Secure>()) });
}

#[expect(unsafe_code, reason = "napi has no safe way to a value's handle")]
fn to_javascript(env: &Env, value: impl ToNapiValue) -> Result<sys::napi_value> {
    // SAFETY: `env` is valid for the current call.
    unsafe { ToNapiValue::to_napi_value(env.raw(), value) }
}
