//! Access to the playground: only for its own page, in a browser on this machine.

use std::net::SocketAddr;

use axum::{
    extract::Request,
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, ORIGIN, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
        },
    },
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::Problem;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const FIELDS: [(HeaderName, &str); 4] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (CACHE_CONTROL, "no-store"),
];

/// Lets only the page's own requests pass, and adds the header fields that protect the page to each answer.
pub(super) async fn admit(address: SocketAddr, request: Request, next: Next) -> Response {
    let mut response = match judge(address, request.method(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    for (name, value) in FIELDS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Refuses other host names that resolve to this address (DNS rebinding) and requests from other sites (CSRF).
fn judge(address: SocketAddr, method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    let hosts = [address.to_string(), format!("localhost:{}", address.port())];
    let is_ours = |host: &str| hosts.iter().any(|ours| without_80(ours).eq_ignore_ascii_case(without_80(host)));
    if !only(headers, &HOST).is_some_and(is_ours) {
        return Err(Problem(StatusCode::MISDIRECTED_REQUEST, format!("the playground is at http://{address}/")));
    }
    if method == Method::GET || method == Method::HEAD {
        return Ok(());
    }
    let from_us = |origin: &str| origin.strip_prefix("http://").is_some_and(is_ours);
    if headers.contains_key(ORIGIN) && !only(headers, &ORIGIN).is_some_and(from_us) {
        return Err(Problem(StatusCode::FORBIDDEN, "only the playground's own page may send this request".to_owned()));
    }
    // A form cannot send this type, and another site's script needs a preflight, which is not answered here.
    let is_json = |kind: &str| kind.split(';').next().is_some_and(|kind| kind.trim() == "application/json");
    if !only(headers, &CONTENT_TYPE).is_some_and(is_json) {
        return Err(Problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "expected application/json".to_owned()));
    }
    Ok(())
}

/// Removes port 80, which browsers leave out.
fn without_80(host: &str) -> &str {
    host.strip_suffix(":80").unwrap_or(host)
}

/// The value of a field that occurs once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(HOST, HeaderValue::from_static(value))])
    }

    #[test]
    fn only_the_page_itself_may_ask() {
        assert!(judge("[::1]:80".parse().unwrap(), &Method::GET, &host("[::1]")).is_ok());
        assert!(judge("[::1]:80".parse().unwrap(), &Method::GET, &host("[::2]")).is_err());
        let address: SocketAddr = "127.0.0.1:3000".parse().unwrap();
        const JSON: (&str, &str) = ("content-type", "application/json");
        type Row = (Method, &'static [(&'static str, &'static str)], Option<u16>);
        let table: &[Row] = &[
            (Method::GET, &[("host", "127.0.0.1:3000")], None),
            (Method::GET, &[("host", "LocalHost:3000")], None),
            (Method::GET, &[], Some(421)),
            (Method::GET, &[("host", "127.0.0.1")], Some(421)),
            (Method::GET, &[("host", "127.0.0.1:3001")], Some(421)),
            (Method::GET, &[("host", "rebound.example:3000")], Some(421)),
            (Method::GET, &[("host", "127.0.0.1:3000"), ("host", "rebound.example")], Some(421)),
            (Method::POST, &[("host", "127.0.0.1:3000"), JSON], None),
            (Method::POST, &[("host", "127.0.0.1:3000"), JSON, ("origin", "http://127.0.0.1:3000")], None),
            (Method::POST, &[("host", "127.0.0.1:3000"), ("content-type", "application/json; charset=utf-8")], None),
            (Method::POST, &[("host", "rebound.example:3000"), JSON], Some(421)),
            (Method::POST, &[("host", "127.0.0.1:3000"), JSON, ("origin", "http://evil.example")], Some(403)),
            (Method::POST, &[("host", "127.0.0.1:3000"), JSON, ("origin", "https://127.0.0.1:3000")], Some(403)),
            (Method::POST, &[("host", "127.0.0.1:3000"), JSON, ("origin", "null")], Some(403)),
            (Method::POST, &[("host", "127.0.0.1:3000")], Some(415)),
            (Method::POST, &[("host", "127.0.0.1:3000"), ("content-type", "text/plain")], Some(415)),
            (Method::POST, &[("host", "127.0.0.1:3000"), ("content-type", "text/plain; application/json")], Some(415)),
        ];
        for (method, fields, expected) in table {
            let mut headers = HeaderMap::new();
            for (name, value) in *fields {
                headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
            }
            let status = judge(address, method, &headers).err().map(|Problem(status, _)| status.as_u16());
            assert_eq!(status, *expected, "{method} {fields:?}");
        }
    }
}
