//! The answer to Envoy, made from a decision.

use envoy_types::{
    ext_authz::v3::pb::{
        CheckResponse, DeniedHttpResponse, HeaderAppendAction, HeaderValue, HeaderValueOption, HttpResponse,
        HttpStatus, OkHttpResponse,
    },
    pb::google::rpc,
};
use http::{StatusCode, header::WWW_AUTHENTICATE};
use tonic::Code;

use super::{AUTHORIZATION, codec::Answer, metadata::Encoded};
use crate::decision::{Authorization, DPOP_NONCE, Decision, Pass, Refused};

/// Makes the answer of a pass: fields to set, fields to remove, and the claims as dynamic metadata.
pub(super) fn passed(pass: &Pass, forged: &[&str]) -> Answer {
    let mut ok = OkHttpResponse::default();
    for (name, value) in &pass.headers {
        match value {
            Some(value) => ok.headers.push(set(name.as_str(), value)),
            None => ok.headers_to_remove.push(name.as_str().to_owned()),
        }
    }
    let is_set = |name: &str| pass.headers.iter().any(|(ours, _)| ours.as_str().eq_ignore_ascii_case(name));
    ok.headers_to_remove.extend(forged.iter().filter(|name| !is_set(name)).map(|&name| name.to_owned()));
    match &pass.authorization {
        Authorization::AsSent => {}
        Authorization::Replaced(authorization) => ok.headers.push(set(AUTHORIZATION, authorization)),
        Authorization::Removed => ok.headers_to_remove.push(AUTHORIZATION.to_owned()),
    }
    ok.response_headers_to_add.extend(pass.dpop_nonce.iter().map(|nonce| set(DPOP_NONCE.as_str(), nonce)));
    let metadata = pass.access.as_ref().map_or_else(|| Some(Encoded::anonymous()), Encoded::of);
    answer(Code::Ok, "", Some(HttpResponse::OkResponse(ok)), metadata)
}

/// Makes the answer of a refusal: the response for the client.
pub(super) fn refused(refused: Refused) -> Answer {
    let Refused { code, response, .. } = refused;
    let (head, body) = response.into_parts();
    let challenge = head.headers.get(WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
    let metadata = Encoded::of_refusal(code, challenge);
    let denied = DeniedHttpResponse {
        status: Some(HttpStatus { code: i32::from(head.status.as_u16()) }),
        headers: head.headers.iter().map(|(name, value)| set(name.as_str(), value)).collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    answer(grpc_code(head.status), code, Some(HttpResponse::DeniedResponse(denied)), Some(metadata))
}

/// Makes a refusal of a decision about a check without an HTTP request, even if the decision is a pass.
pub(super) fn undescribed(decision: Decision) -> Answer {
    match decision.outcome {
        Err(why) => refused(why),
        Ok(_) => answer(Code::InvalidArgument, "", None, None),
    }
}

fn grpc_code(status: StatusCode) -> Code {
    match status {
        StatusCode::BAD_REQUEST => Code::InvalidArgument,
        StatusCode::UNAUTHORIZED => Code::Unauthenticated,
        StatusCode::SERVICE_UNAVAILABLE => Code::Unavailable,
        StatusCode::INTERNAL_SERVER_ERROR => Code::Internal,
        _ => Code::PermissionDenied,
    }
}

fn answer(code: Code, message: &str, http: Option<HttpResponse>, metadata: Option<Encoded>) -> Answer {
    let status = rpc::Status { code: code.into(), message: message.to_owned(), details: Vec::new() };
    let response = CheckResponse { status: Some(status), dynamic_metadata: None, http_response: http };
    Answer { response, metadata }
}

/// Makes a field that replaces the client's field of this name.
fn set(name: &str, value: &http::HeaderValue) -> HeaderValueOption {
    // All values of the gateway are UTF-8; any other becomes empty rather than altered.
    let value = std::str::from_utf8(value.as_bytes()).unwrap_or_default().to_owned();
    let header = HeaderValue { key: name.to_owned(), value, raw_value: Vec::new() };
    HeaderValueOption {
        header: Some(header),
        append_action: HeaderAppendAction::OverwriteIfExistsOrAdd.into(),
        ..HeaderValueOption::default()
    }
}
