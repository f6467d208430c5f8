//! The line of verification, walked to its end: each module makes its checks, shown here as rows.

use std::{sync::Arc, time::SystemTime};

use super::{Check, CheckKind, Explanation, Fact, Outcome, hint, rows, words};
use crate::{
    bearer::{BearerToken, Scheme},
    check::{Actual, CheckRow},
    claims::{Claims, GrantedScope, IssuerRules, SCOPE_CLAIMS},
    crypto::Digest,
    issuer_template::IssuerTemplate,
    json::Object,
    jwks::JwksService,
    keys::Candidates,
    policy::{Now, Policy},
    proof::{PossessionRules, Sender},
    refusal::{ProofFault, Refusal, RequestFault, TokenFault},
    token::{self, Header, Pieces},
    verifier::{Branch, Verifier},
};

/// The facts about a token so far.
pub(super) struct Walk<'a> {
    pub(super) verifier: &'a Verifier,
    pub(super) policy: Option<&'a Policy>,
    /// The rules for the binding of tokens to keys, and the evidence that the request brings.
    pub(super) possession: Binding<'a>,
    pub(super) now: SystemTime,
    pub(super) token: &'a [u8],
    pub(super) checks: Vec<Check>,
    pub(super) header: Option<Object>,
    pub(super) claims: Option<Object>,
    pub(super) branch: Option<Arc<Branch>>,
    /// The keys of the tenant, where each has its own.
    pub(super) tenant: Option<JwksService>,
    pub(super) vouched: bool,
}

/// The binding of tokens to keys: its rules, the evidence of the request, and the checks of its proof for a thumbprint.
pub(super) struct Binding<'a> {
    pub(super) rules: PossessionRules,
    pub(super) sender: Sender,
    pub(super) proof_rows: &'a (dyn Fn(&Digest) -> Vec<CheckRow> + Sync),
}

/// Walks the line with the token of a request; `policy` has the rules of the endpoint.
///
/// `Ok(None)` is a request without credentials that the endpoint lets pass.
pub(super) async fn explain(
    verifier: &Verifier,
    token: Result<Option<&[u8]>, Refusal>,
    max_bytes: usize,
    policy: Option<&Policy>,
    possession: Binding<'_>,
    now: SystemTime,
) -> Explanation {
    let mut walk = Walk {
        verifier,
        policy,
        possession,
        now,
        token: token.as_ref().ok().copied().flatten().unwrap_or_default(),
        checks: Vec::new(),
        header: None,
        claims: None,
        branch: None,
        tenant: None,
        vouched: false,
    };
    match token {
        Ok(None) => walk.anonymous(),
        Ok(Some([])) => walk.no_token(Refusal::Request(RequestFault::EmptyToken)),
        Ok(Some(_)) => walk.token(max_bytes).await,
        Err(refusal) => walk.no_token(refusal),
    }
    walk.finish()
}

impl<'a> Walk<'a> {
    /// The issuers that are trusted by name.
    pub(super) fn known_issuers(&self) -> Vec<&'a str> {
        let verifier: &'a Verifier = self.verifier;
        verifier.branches().into_iter().filter_map(|branch| branch.issuer.as_deref()).collect()
    }

    /// The templates of the issuers that are trusted.
    pub(super) fn templates(&self) -> impl Iterator<Item = IssuerTemplate<'a>> {
        self.known_issuers().into_iter().filter_map(IssuerTemplate::of)
    }

    /// The scope that claims grant, by the rules of their issuer, or by default rules if it is unknown.
    pub(super) fn granted_scope<'c>(&self, claims: &'c Object) -> GrantedScope<'c> {
        match &self.branch {
            Some(branch) => branch.rules.granted_scope(claims),
            None => GrantedScope::of(claims, &SCOPE_CLAIMS),
        }
    }

    /// The keys that judge the token.
    pub(super) fn jwks(&self) -> Option<&JwksService> {
        self.tenant.as_ref().or_else(|| self.branch.as_ref().map(|branch| &branch.jwks))
    }

    /// The audiences expected in tokens of this issuer.
    pub(super) fn audiences(&self) -> &[String] {
        self.branch.as_ref().map_or(&[], |branch| &branch.rules.audience)
    }
}

impl Walk<'_> {
    fn no_token(&mut self, refusal: Refusal) {
        self.check(CheckKind::Credentials, Err(refusal), "one bearer token", Actual::Nothing);
    }

    fn anonymous(&mut self) {
        let none = Actual::Measured("none, which passes here".to_owned());
        self.check(CheckKind::Credentials, Ok(()), "one bearer token, or none", none);
    }

    async fn token(&mut self, max_bytes: usize) {
        let expected = match self.possession.sender.scheme {
            Scheme::Bearer => "one bearer token",
            Scheme::Dpop => "one access token, by the DPoP scheme",
        };
        self.check(CheckKind::Credentials, Ok(()), expected, Actual::Nothing);
        let fits = BearerToken::bare(self.token, max_bytes);
        let bytes = Actual::Measured(format!("{} bytes", self.token.len()));
        let expected = format!("at most {max_bytes} bytes (max_token_bytes)");
        self.check(CheckKind::Size, fits.clone().map(drop), expected, bytes);
        if let Ok(token) = fits {
            self.form(token).await;
        }
        self.access();
    }

    async fn form(&mut self, token: BearerToken<'_>) {
        let is_token68 = token.is_token68();
        let characters = if is_token68 { Ok(()) } else { Err(Refusal::Token(TokenFault::Characters)) };
        let odd = self.odd_character(is_token68);
        self.check(CheckKind::Characters, characters, "letters, digits, - . _ ~ + / and = at the end", odd);
        if let Some(branch) = self.verifier.introspecting(token).map(Arc::clone) {
            if is_token68 {
                self.opaque(branch, token).await;
            }
            return;
        }
        let parts = memchr::memchr_iter(b'.', self.token).count() + 1;
        let count = Actual::Measured(format!("{parts} part{}", if parts == 1 { "" } else { "s" }));
        match Pieces::of(token) {
            Ok(pieces) => {
                self.check(CheckKind::Segments, Ok(()), "three parts", count);
                self.parts(token, pieces).await;
            }
            Err(fault) => self.check(CheckKind::Segments, Err(Refusal::Token(fault)), "three parts", count),
        }
    }

    /// The first character that is not allowed in a bearer token.
    fn odd_character(&self, is_token68: bool) -> Actual {
        if is_token68 {
            return Actual::Nothing;
        }
        let text = String::from_utf8_lossy(self.token);
        let fits = |character: char| character.is_ascii_alphanumeric() || "-._~+/".contains(character);
        let odd = text.chars().enumerate().find(|(_, character)| !fits(*character));
        odd.map_or(Actual::Nothing, |(at, character)| {
            let name = u32::from(character);
            Actual::Measured(if character.is_ascii_graphic() {
                format!("`{character}` as character {}", at + 1)
            } else {
                format!("U+{name:04X} as character {}", at + 1)
            })
        })
    }

    /// The checks of an opaque token, by the answer of its authorization server and the rules of `branch`.
    async fn opaque(&mut self, branch: Arc<Branch>, token: BearerToken<'_>) {
        let (kind, expected) = (CheckKind::Introspection, "an active token");
        match self.verifier.judge(token).await.token {
            Ok(verified) => {
                let claims = Object::clone(verified.claims());
                self.vouched = true;
                self.check(kind, Ok(()), expected, Actual::Nothing);
                let rules = branch.rules.of_introspected(&claims);
                self.claims = Some(claims);
                self.branch = Some(branch);
                self.claims(&rules);
            }
            Err(refusal) if refusal.check().is_of_claims() => {
                self.check(kind, Ok(()), expected, Actual::Nothing);
                self.check(refusal.check(), Err(refusal), "as this issuer's rules say", Actual::Nothing);
            }
            Err(refusal) => self.check(kind, Err(refusal), expected, Actual::Nothing),
        }
    }

    async fn parts(&mut self, token: BearerToken<'_>, pieces: Pieces) {
        self.header = pieces.header.as_ref().ok().cloned();
        self.claims = pieces.claims.as_ref().ok().cloned();
        self.show_all(pieces.rows());
        self.issuer();
        let Some(branch) = self.branch.clone() else { return };
        if let Ok(header) = &pieces.members {
            self.by_the_rules_of(&branch, header, token).await;
        }
        self.claims(&branch.rules);
    }

    fn issuer(&mut self) {
        let Some(claims) = self.claims.clone() else { return };
        let chosen = self.verifier.choose(&claims);
        self.branch = match (&chosen, self.verifier.branches().as_slice()) {
            (Ok(branch), _) => Some(Arc::clone(branch)),
            // The only issuer's rules are meant, and its failed check tells that the token is of another.
            (Err(_), [only]) => Some(Arc::clone(only)),
            (Err(_), _) => None,
        };
        self.show(rows::known_issuer(&self.known_issuers(), &claims, chosen.map(drop)));
    }

    async fn by_the_rules_of(&mut self, branch: &Arc<Branch>, header: &Header, token: BearerToken<'_>) {
        self.show_all(branch.header.rows(header));
        if branch.header.check_algorithm(header).is_err() {
            return;
        }
        // Keys are fetched only where verification would fetch them: past a failure, those at hand have to do.
        let has_failed = self.checks.iter().any(Check::has_failed);
        let jwks = match self.keys(branch, has_failed) {
            Ok(jwks) => jwks,
            Err(refusal) => return self.show_all(rows::keys(&branch.jwks, header, &Err(refusal))),
        };
        let found = if has_failed { jwks.peek(header) } else { Some(jwks.key(header).await) };
        let Some(found) = found else { return };
        let found = found.and_then(|keys| {
            let checked = keys.check_issuer(|| self.claimed_issuer());
            checked.map(|()| keys).map_err(|problem| Refusal::Token(TokenFault::UnusableKey { problem }))
        });
        self.show_all(rows::keys(&jwks, header, &found));
        if let Ok(keys) = found {
            self.signature(&keys, branch.rules.max_key_attempts, token);
        }
    }

    /// The keys of this issuer; where each tenant has its own, those of the token's, which past a failure are not looked up.
    fn keys(&mut self, branch: &Branch, has_failed: bool) -> Result<JwksService, Refusal> {
        let claimed = self.claimed_issuer().filter(|issuer| branch.rules.tenant_of(issuer).is_some());
        self.tenant = match claimed {
            Some(issuer) if has_failed => branch.jwks.of_kept_tenant(issuer),
            claimed => branch.keys_of_tenant(claimed)?,
        };
        Ok(self.tenant.as_ref().unwrap_or(&branch.jwks).clone())
    }

    fn claimed_issuer(&self) -> Option<&str> {
        self.claims.as_ref()?.get("iss")?.as_str()
    }

    fn signature(&mut self, keys: &Candidates, attempts: usize, token: BearerToken<'_>) {
        // A malformed token has no signature to verify, and its failed check tells why.
        let Ok(unverified) = token::parse(token) else { return };
        let verified = keys.verify(unverified, attempts);
        if let Ok(signed) = &verified {
            self.claims = Some(signed.claims.clone());
            self.vouched = true;
        }
        self.check(CheckKind::Signature, verified.map(drop), "made by the issuer's key", Actual::Nothing);
    }

    fn claims(&mut self, rules: &IssuerRules) {
        let Some(claims) = self.claims.clone() else { return };
        self.show_all(rules.claim_rows(&claims, self.now));
        if let Ok(confirmation) = rules.confirmation(claims.get("cnf")) {
            let Binding { rules, sender, proof_rows } = &self.possession;
            let mut rows = Vec::from(rules.rows(confirmation.as_ref(), sender));
            let is_shown = sender.scheme == Scheme::Dpop && rows.iter().all(|row| row.result.is_ok());
            if let Some(jkt) = confirmation.and_then(|confirmation| confirmation.jkt).filter(|_| is_shown) {
                match sender.proof.as_deref() {
                    Some(Err(fault @ (ProofFault::Missing | ProofFault::Several))) => rows.push(CheckRow {
                        kind: CheckKind::ProofField,
                        expected: Some("one DPoP field".to_owned()),
                        actual: Actual::Nothing,
                        result: Err(Refusal::Proof(fault.clone())),
                    }),
                    _ => rows.extend(proof_rows(&jkt)),
                }
            }
            self.show_all(rows);
        }
    }

    /// The rules of the endpoint.
    fn access(&mut self) {
        let (Some(claims), Some(policy)) = (self.claims.clone(), self.policy) else { return };
        let leeway = self.branch.as_ref().map_or_else(|| IssuerRules::default().leeway, |branch| branch.rules.leeway);
        let now = Now { time: self.now, leeway };
        self.show_all(policy.rows(&claims, self.granted_scope(&claims), now, self.vouched));
    }

    fn finish(mut self) -> Explanation {
        let made: Vec<CheckKind> = self.checks.iter().map(|check| check.kind).collect();
        let is_opaque = made.contains(&CheckKind::Introspection);
        let policy = self.policy;
        let is_left_out = |kind: CheckKind| match kind {
            // An explanation exchanges no token.
            CheckKind::Origin | CheckKind::Message | CheckKind::Introspection | CheckKind::Exchange => true,
            CheckKind::Acr | CheckKind::MaxAge | CheckKind::Scope => policy.is_none(),
            // Without a proof to look into, one row tells that it is missing.
            kind if (CheckKind::ProofField..=CheckKind::ProofReplay).contains(&kind) => {
                !made.contains(&CheckKind::ProofForm)
            }
            CheckKind::Claim => policy.is_none_or(|policy| policy.claims.is_empty()),
            CheckKind::Rule => policy.is_none_or(|policy| policy.own.is_empty()),
            _ => is_opaque,
        };
        let left = CheckKind::ALL.iter().filter(|kind| !made.contains(kind) && !is_left_out(**kind));
        let is_anonymous = self.token.is_empty() && !self.checks.iter().any(Check::has_failed);
        let outcome = if is_anonymous { Outcome::NotAsked } else { Outcome::NotReached };
        self.checks.extend(left.map(|kind| Check::plain(*kind, outcome.clone())));
        self.checks.sort_by_key(|check| check.kind);
        if self.vouched {
            // Facts from before the signature are of the same header and claims.
            self.checks.iter_mut().filter_map(|check| check.actual.as_mut()).for_each(|fact| fact.vouched = true);
        }
        let read = |object: &Option<Object>| object.as_ref().map(|object| object.root().to_json());
        let (header, claims) = (read(&self.header), read(&self.claims));
        let granted = |claims| self.granted_scope(claims).values().map(str::to_owned).collect();
        let scopes = self.claims.as_ref().map(granted).unwrap_or_default();
        let object = self.claims.map(Claims::new);
        Explanation { checks: self.checks, now: self.now, header, claims, vouched: self.vouched, object, scopes }
    }

    fn check(&mut self, kind: CheckKind, result: Result<(), Refusal>, expected: impl Into<String>, actual: Actual) {
        self.show(CheckRow { kind, expected: Some(expected.into()), actual, result });
    }

    fn show_all(&mut self, rows: impl IntoIterator<Item = CheckRow>) {
        rows.into_iter().for_each(|row| self.show(row));
    }

    fn show(&mut self, row: CheckRow) {
        let CheckRow { kind, expected, actual, result } = row;
        let hint = result.as_ref().err().and_then(|refusal| hint::of(self, kind, refusal));
        let outcome = match result {
            Ok(()) if matches!(actual, Actual::Unchecked(_)) => Outcome::NotChecked,
            Ok(()) if expected.is_none() => return self.checks.push(Check::plain(kind, Outcome::NotAsked)),
            Ok(()) => Outcome::Passed,
            Err(refusal) => Outcome::Failed(refusal),
        };
        let actual = match actual {
            Actual::Nothing => None,
            Actual::Measured(text) | Actual::Unchecked(text) => Some(Fact::new(&text, true)),
            Actual::Claimed(text) => Some(Fact::new(&text, self.vouched)),
            Actual::Time(seconds, number) => {
                let told = words::instant_and_distance(seconds, self.now);
                Some(Fact::new(&told.unwrap_or(number), self.vouched))
            }
        };
        let expected = expected.map(|expected| words::clean(&expected, Check::LONGEST));
        self.checks.push(Check { kind, outcome, expected, actual, hint });
    }
}
