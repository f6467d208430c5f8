//! The exchange of a request's token: [`of_request`].

use std::{net::IpAddr, time::UNIX_EPOCH};

use napi::{
    Env, Result,
    bindgen_prelude::{Either, Object},
};
use napi_derive::napi;
use portcullis::{Access, Admitted, ClientAddress, ExchangedToken, Judging, Refusal, Secure, refusal::RequestFault};

use crate::{field::Field, refused::Refused, request::Request, runtime};

/// A token for an upstream.
#[napi(object, object_from_js = false)]
pub struct Exchanged {
    /// The token.
    pub token: String,
    /// Its claims as JSON, if it is a verified JWT.
    pub claims: Option<String>,
    /// The time until which it may be used, in milliseconds since 1970.
    pub until: f64,
}

/// Returns a promise of the token in exchange for that of a request, or of the refusal.
pub(crate) fn of_request<'env>(
    env: &'env Env,
    secure: &Secure,
    authorization: &Field,
    name: &str,
    client: Option<&str>,
    before: Option<&Admitted>,
) -> Result<Object<'env>> {
    runtime::enter_for_good()?;
    let client = client.and_then(|address| address.parse::<IpAddr>().ok()).map(ClientAddress::from);
    let (secure, name) = (secure.clone(), name.to_owned());
    let request = Request { authorization: Some(authorization.as_bytes()), several: false, verify: true };
    let evidence = before.and_then(Admitted::access).cloned().ok_or_else(|| request.judge(&secure));
    runtime::promise(env, async move {
        let access = match evidence {
            Ok(access) => access,
            Err(judging) => match admitted(judging).await {
                Ok(access) => access,
                Err(refusal) => return Ok(Either::B(Refused::new(&secure, &refusal))),
            },
        };
        match access.exchange(&name).by_client(client).await {
            Ok(exchanged) => Ok(Either::A(told(&exchanged))),
            Err(rejection) => Ok(Either::B(Refused::new(&secure, rejection.refusal()))),
        }
    })
}

async fn admitted(judging: Judging) -> std::result::Result<Access, Refusal> {
    let verdict = match judging {
        Judging::Done(verdict) => verdict,
        Judging::Waits(pending) => pending.await,
    };
    let missing = Refusal::Request(RequestFault::NoCredentials);
    verdict.outcome?.access().cloned().ok_or(missing)
}

fn told(exchanged: &ExchangedToken) -> Exchanged {
    let until = exchanged.until().duration_since(UNIX_EPOCH).unwrap_or_default();
    Exchanged {
        token: exchanged.token().to_owned(),
        claims: exchanged.claims().and_then(|claims| serde_json::to_string(claims).ok()),
        until: until.as_secs_f64() * 1000.0,
    }
}
