//! Hints for DPoP proofs (RFC 9449): the remedy is the client's, as a rule.

use crate::refusal::ProofFault;

/// The likely cause of a proof's fault, if the fault does not say it itself.
pub(super) fn of(fault: &ProofFault) -> Option<&'static str> {
    let hint = match fault {
        ProofFault::Missing => {
            "the client must sign a proof for each request and send it in the DPoP field; a proxy in between may have dropped it"
        }
        ProofFault::Several => "a proxy in between may have added a proof of its own, or the client sent two fields",
        ProofFault::Type => {
            "this is another kind of JWT: the proof goes into the DPoP field, the token into Authorization"
        }
        ProofFault::Method { .. } => {
            "the proof was made for another request, or the client writes the method in another case: a proof is good for one \
             request"
        }
        ProofFault::Url { .. } => {
            "the proof was made for another request, or a proxy in between changes scheme, host or path: then name the URL that \
             clients use as `public_url`"
        }
        ProofFault::TooOld { .. } => {
            "the client kept the proof too long, or its clock is behind: it must sign one for each request"
        }
        ProofFault::Ahead { .. } => {
            "the client's clock is ahead: set it by NTP, or let proofs have a nonce of this server"
        }
        ProofFault::NonceMissing | ProofFault::NonceStale => {
            "the client must take the nonce from the DPoP-Nonce field of the last response and send the request again"
        }
        ProofFault::Token => {
            "the proof was made for another access token, of before a refresh perhaps: `ath` is the SHA-256 of the text of the \
             token that is sent"
        }
        ProofFault::WrongKey => {
            "the client signs with another key than that with which it got the token: it must keep its key as long as its tokens, or \
             the token is stolen"
        }
        ProofFault::Replayed => {
            "the client must sign a new proof for each request, also when it sends one again; or this is a replay"
        }
        _ => return None,
    };
    Some(hint)
}
