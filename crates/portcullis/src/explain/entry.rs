//! The methods `explain` of a verifier and of a gate.

use std::time::SystemTime;

use super::{
    Explanation,
    walk::{self, Binding},
};
use crate::{
    crypto::Digest,
    gate::{Presented, Secure},
    proof::{DpopUse, PossessionRules, Sender},
    verifier::Verifier,
};

impl Verifier {
    /// Explains, check by check, why this token passes or is refused at a time: for operators, not for clients.
    ///
    /// The verdict is that of [`verify`](Self::verify), by the same functions; the checks go on past a failure if that is
    /// safe. Keys are fetched and opaque tokens introspected as `verify` does; times of an opaque token are judged by the
    /// verifier's clock.
    ///
    /// # Example
    ///
    /// ```no_run
    /// # async fn example(verifier: portcullis::Verifier, token: &str) {
    /// let explanation = verifier.explain(token, std::time::SystemTime::now()).await;
    /// for check in &explanation.checks {
    ///     println!("{:<26} {:?} {}", check.kind.title(), check.outcome, check.hint.as_deref().unwrap_or_default());
    /// }
    /// # }
    /// ```
    pub async fn explain(&self, token: &str, now: SystemTime) -> Explanation {
        let rules = PossessionRules { dpop: DpopUse::Off, sender_constrained: false };
        let possession = Binding { rules, sender: Sender::UNKNOWN, proof_rows: &|_| Vec::new() };
        walk::explain(self, Ok(Some(token.as_bytes())), self.max_token_bytes(), None, possession, now).await
    }
}

impl Secure {
    /// Explains, check by check, why a request passes or is refused: [`Verifier::explain`], and the checks of these rules.
    ///
    /// The verdict is that of [`judge`](Self::judge); for a layer that [only reports](Self::report_only), it is the verdict
    /// without shadow mode. The token is verified anew each time.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::SystemTime;
    /// use portcullis::{JwksService, Presented, Secure};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), portcullis::ConfigurationError> {
    /// let secure = Secure::new(JwksService::new("https://as.example.com/jwks")?).scope(["read"]);
    /// let fields: [(&str, &[u8]); 1] = [("authorization", b"Basic YWxpY2U6c2VjcmV0")];
    /// let explanation = secure.explain(&Presented::new(&fields), SystemTime::now()).await;
    /// assert_eq!(explanation.refusal().map(|refusal| refusal.code()), Some("other_scheme"));
    /// # Ok(()) }
    /// ```
    pub async fn explain(&self, presented: &Presented<'_>, now: SystemTime) -> Explanation {
        let gate = &self.gate;
        // The size of the token is a check of its own.
        let found = gate.find(presented, usize::MAX);
        let sender = match &found {
            Ok(Some(credentials)) => gate.sender(presented, *credentials),
            _ => Sender::UNKNOWN,
        };
        let token = found.map(|found| found.map(|found| found.token.as_bytes()));
        let bytes = token.as_ref().ok().copied().flatten().unwrap_or_default();
        let rows =
            |jkt: &Digest| gate.accepted_dpop().map(|dpop| dpop.rows(presented, bytes, now, jkt)).unwrap_or_default();
        let possession = Binding { rules: gate.possession(), sender, proof_rows: &rows };
        walk::explain(&gate.verifier, token, gate.max_token_bytes(), Some(&gate.policy), possession, now).await
    }
}
