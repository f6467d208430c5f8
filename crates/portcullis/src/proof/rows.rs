//! The checks of a proof with their results, for an explanation: also those after a failed one.

use super::{
    DpopRules, ProofRequest,
    claims::ProofClaims,
    client_keys::ClientKey,
    header,
    unverified::{self, check_length, json_part, split},
};
use crate::{
    algorithm::Algorithm,
    base64url,
    check::{Actual, CheckRow, one_of},
    crypto::{Digest, sha256},
    json::Object,
    keys::PresentedKey,
    refusal::{CheckKind, ProofFault, Refusal},
    token::Parts,
    units::span,
};

impl ProofRequest<'_> {
    /// The checks of a proof for this request and a token that is bound to the key with this thumbprint, if it is known.
    pub(crate) fn rows(&self, field: &[u8], rules: &DpopRules, jkt: Option<&Digest>) -> Vec<CheckRow> {
        let expected = format!("at most {} bytes (max_proof_bytes)", rules.max_proof_bytes);
        let length = Actual::Measured(format!("{} bytes", field.len()));
        let mut rows = vec![row(CheckKind::ProofField, expected, length, check_length(field, rules))];
        match split(field) {
            Ok(parts) => self.part_rows(field, parts, rules, jkt, &mut rows),
            Err(fault) => rows.push(form_row(Err(fault))),
        }
        rows
    }

    fn part_rows(
        &self,
        field: &[u8],
        parts: Parts<'_>,
        rules: &DpopRules,
        jkt: Option<&Digest>,
        rows: &mut Vec<CheckRow>,
    ) {
        let (header, payload) = (unverified::header(parts.header), json_part(parts.payload));
        let (signature, signed) = (unverified::bytes(parts.signature), field.get(..parts.signed).unwrap_or_default());
        let claims = payload.as_ref().map_err(Clone::clone).and_then(ProofClaims::of);
        let faults = [header.as_ref().err(), claims.as_ref().err(), signature.as_ref().err()];
        rows.push(form_row(faults.into_iter().flatten().next().map_or(Ok(()), |fault| Err(fault.clone()))));
        if let Ok(header) = &header {
            let key = header_rows(header, rules, rows);
            rows.extend(key.as_ref().map(|key| binding_row(key, jkt)));
            let key = key.and_then(|key| ClientKey::new(parts.header, &key).ok());
            if let (Some(key), Ok(signature)) = (key, &signature) {
                let verified = key.verify(signed, signature).map(drop);
                rows.push(row(CheckKind::ProofSignature, "made by the key in its header", Actual::Nothing, verified));
            }
        }
        if let (Ok(claims), Ok(payload)) = (claims, &payload) {
            rows.extend(self.claim_rows(&claims, payload, rules));
        }
    }

    fn claim_rows(&self, claims: &ProofClaims<'_>, payload: &Object, rules: &DpopRules) -> [CheckRow; 5] {
        let said = |name| Actual::claimed(payload.get(name));
        let url = self.url.map_or("the URL of the request, which is not clear", |url| url.as_str());
        let (time, nonce) = match self.nonces {
            None => (Some(claims.check_time(self.now, rules).map(drop)), None),
            Some(nonces) => (None, Some(claims.check_nonce(self.now, nonces).map(drop))),
        };
        let window = format!("at most {} ago and {} ahead (max_age, leeway)", span(rules.max_age), span(rules.leeway));
        let ath = base64url::encode(sha256(self.token));
        [
            row(CheckKind::ProofMethod, self.method, said("htm"), claims.check_method(self)),
            row(CheckKind::ProofUrl, url, said("htu"), claims.check_url(self)),
            optional_row(CheckKind::ProofTime, window, Actual::time(payload.get("iat")), time),
            optional_row(CheckKind::ProofNonce, "one that this server gave lately", said("nonce"), nonce),
            row(CheckKind::ProofToken, ath, said("ath"), claims.check_token(self)),
        ]
    }
}

/// Adds the rows of the header, and returns its key if that is usable in its form.
fn header_rows(header: &Object, rules: &DpopRules, rows: &mut Vec<CheckRow>) -> Option<PresentedKey> {
    let names: Vec<_> = rules.algorithms.iter().map(|algorithm| algorithm.name()).collect();
    let said = |name| Actual::claimed(header.get(name));
    let algorithm = header::algorithm(header, rules);
    rows.push(row(CheckKind::ProofType, header::TYPE, said("typ"), header::check_type(header)));
    rows.push(row(CheckKind::ProofAlgorithm, one_of(&names), said("alg"), algorithm.clone().map(drop)));
    let algorithm = algorithm.ok()?;
    let key = header::presented_key(header, algorithm);
    let usable = key.as_ref().map_err(Clone::clone).and_then(|key| ClientKey::new(&[], key)).map(drop);
    rows.push(row(CheckKind::ProofKey, expected_key(algorithm), key_type(header), usable));
    key.ok()
}

fn expected_key(algorithm: Algorithm) -> String {
    format!("a public {} key", algorithm.key_type())
}

/// The type of a key alone: its other members are long, and may be private.
fn key_type(header: &Object) -> Actual {
    let member = |name| header.get("jwk")?.get(name)?.as_str();
    let named: Vec<_> = ["kty", "crv"].into_iter().filter_map(member).collect();
    if named.is_empty() { Actual::Nothing } else { Actual::Claimed(named.join(" ")) }
}

fn binding_row(key: &PresentedKey, jkt: Option<&Digest>) -> CheckRow {
    let is_bound = jkt.is_none_or(|jkt| jkt == key.thumbprint());
    CheckRow {
        kind: CheckKind::ProofBinding,
        expected: jkt.map(|jkt| format!("a key with the thumbprint {} (cnf.jkt)", base64url::encode(jkt))),
        actual: Actual::Measured(base64url::encode(key.thumbprint())),
        result: if is_bound { Ok(()) } else { Err(Refusal::Proof(ProofFault::WrongKey)) },
    }
}

fn form_row(result: Result<(), ProofFault>) -> CheckRow {
    row(CheckKind::ProofForm, "a compact JWS with jti, htm, htu, iat and ath", Actual::Nothing, result)
}

fn row(kind: CheckKind, expected: impl Into<String>, actual: Actual, result: Result<(), ProofFault>) -> CheckRow {
    optional_row(kind, expected, actual, Some(result))
}

/// The row of a check that may not be made.
fn optional_row(
    kind: CheckKind,
    expected: impl Into<String>,
    actual: Actual,
    result: Option<Result<(), ProofFault>>,
) -> CheckRow {
    let expected = result.is_some().then(|| expected.into());
    CheckRow { kind, expected, actual, result: result.unwrap_or(Ok(())).map_err(Refusal::Proof) }
}
