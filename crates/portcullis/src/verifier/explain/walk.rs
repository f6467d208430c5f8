//! The straight line, walked to its end.

use std::{sync::Arc, time::SystemTime};

use super::{Check, CheckKind, Explanation, Fact, Outcome, expected, hint, words};
use crate::{
    bearer::BearerToken,
    claims::{ClaimRules, Claims, grants},
    json::{Object, Value},
    keys::Candidates,
    policy::Policy,
    refusal::{JsonFault, Refusal, RequestFault, TokenFault},
    token::{self, Header, Pieces},
    verifier::{Verifier, branch::Branch},
};

/// What is known of a token so far.
pub(super) struct Walk<'a> {
    pub(super) verifier: &'a Verifier,
    pub(super) policy: Option<&'a Policy>,
    pub(super) now: SystemTime,
    pub(super) token: &'a [u8],
    pub(super) checks: Vec<Check>,
    pub(super) header: Option<Object>,
    pub(super) claims: Option<Object>,
    pub(super) branch: Option<Arc<Branch>>,
    pub(super) vouched: bool,
}

/// The text of a row.
enum Came {
    Nothing,
    /// We saw it ourselves.
    Measured(String),
    /// The token says so.
    Claimed(String),
}

/// Walks the line with what stands in the place of a token; `policy` is what the endpoint asks for.
///
/// No token, and no refusal for that: the endpoint lets anonymous requests in.
pub(in crate::verifier) async fn explain(
    verifier: &Verifier,
    token: Result<Option<&[u8]>, Refusal>,
    max_bytes: usize,
    policy: Option<&Policy>,
    now: SystemTime,
) -> Explanation {
    let mut walk = Walk {
        verifier,
        policy,
        now,
        token: token.as_ref().ok().copied().flatten().unwrap_or_default(),
        checks: Vec::new(),
        header: None,
        claims: None,
        branch: None,
        vouched: false,
    };
    match token {
        Ok(None) => walk.nobody(),
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
        verifier.0.issuers.branches().into_iter().filter_map(|branch| branch.claims.issuer.as_deref()).collect()
    }
}

impl Walk<'_> {
    fn no_token(&mut self, refusal: Refusal) {
        self.check(CheckKind::Credentials, Err(refusal), "one bearer token", Came::Nothing);
    }

    fn nobody(&mut self) {
        let came = Came::Measured("none, which passes here".to_owned());
        self.check(CheckKind::Credentials, Ok(()), "one bearer token, or none", came);
    }

    async fn token(&mut self, max_bytes: usize) {
        self.check(CheckKind::Credentials, Ok(()), "one bearer token", Came::Nothing);
        let fits = BearerToken::bare(self.token, max_bytes);
        let came = Came::Measured(format!("{} bytes", self.token.len()));
        self.check(
            CheckKind::Size,
            fits.clone().map(drop),
            &format!("at most {max_bytes} bytes (max_token_bytes)"),
            came,
        );
        if let Ok(token) = fits {
            self.form(token).await;
        }
        if let Some(policy) = self.policy {
            self.access(policy);
        }
    }

    async fn form(&mut self, token: BearerToken<'_>) {
        let is_token68 = token.is_token68();
        let characters = if is_token68 { Ok(()) } else { Err(Refusal::Token(TokenFault::Characters)) };
        let came = self.odd_character(is_token68);
        self.check(CheckKind::Characters, characters, "letters, digits, - . _ ~ + / and = at the end", came);
        if self.verifier.opaque(token).is_some() {
            if is_token68 {
                self.opaque(token).await;
            }
            return;
        }
        let parts = memchr::memchr_iter(b'.', self.token).count() + 1;
        let came = Came::Measured(format!("{parts} part{}", if parts == 1 { "" } else { "s" }));
        match Pieces::of(token) {
            Ok(pieces) => {
                self.check(CheckKind::Segments, Ok(()), "three parts", came);
                self.parts(token, pieces).await;
            }
            Err(fault) => self.check(CheckKind::Segments, Err(Refusal::Token(fault)), "three parts", came),
        }
    }

    /// The first character that no bearer token has.
    fn odd_character(&self, is_token68: bool) -> Came {
        if is_token68 {
            return Came::Nothing;
        }
        let text = String::from_utf8_lossy(self.token);
        let fits = |character: char| character.is_ascii_alphanumeric() || "-._~+/".contains(character);
        let odd = text.chars().enumerate().find(|(_, character)| !fits(*character));
        odd.map_or(Came::Nothing, |(at, character)| {
            let name = u32::from(character);
            Came::Measured(if character.is_ascii_graphic() {
                format!("`{character}` as character {}", at + 1)
            } else {
                format!("U+{name:04X} as character {}", at + 1)
            })
        })
    }

    /// A token that is not for us to read: what its authorization server says of it.
    async fn opaque(&mut self, token: BearerToken<'_>) {
        let Some(opaque) = self.verifier.opaque(token).map(Arc::clone) else { return };
        let (kind, expected) = (CheckKind::Introspection, "an active token");
        match self.verifier.judge(token).await.token {
            Ok(verified) => {
                let claims = Object::clone(verified.claims());
                let branch = opaque.branch();
                self.vouched = true;
                self.check(kind, Ok(()), expected, Came::Nothing);
                let rules = branch.claims.of_introspected(&claims);
                self.claims = Some(claims);
                self.branch = Some(Arc::clone(branch));
                self.claims(&rules);
            }
            Err(refusal) if CheckKind::of(&refusal).is_of_claims() => {
                self.check(kind, Ok(()), expected, Came::Nothing);
                self.check(CheckKind::of(&refusal), Err(refusal), "as this issuer's rules say", Came::Nothing);
            }
            Err(refusal) => self.check(kind, Err(refusal), expected, Came::Nothing),
        }
    }

    async fn parts(&mut self, token: BearerToken<'_>, pieces: Pieces) {
        let Pieces { header, members, claims, signature } = pieces;
        self.header = header.as_ref().ok().cloned();
        self.claims = claims.as_ref().ok().cloned();
        self.json([CheckKind::HeaderEncoding, CheckKind::HeaderJson], header.as_ref().err());
        if header.is_ok() {
            self.members(members.as_ref().err());
        }
        self.json([CheckKind::PayloadEncoding, CheckKind::PayloadJson], claims.as_ref().err());
        let signature = signature.map_err(Refusal::Token);
        self.check(CheckKind::SignatureEncoding, signature, "strict base64url", Came::Nothing);
        self.issuer();
        let Some(branch) = self.branch.clone() else { return };
        if let Ok(header) = &members {
            self.by_the_rules_of(&branch, header, token).await;
        }
        self.claims(&branch.claims);
    }

    /// The two checks of a part that has to be a JSON object.
    fn json(&mut self, [encoding, json]: [CheckKind; 2], fault: Option<&TokenFault>) {
        let failed = |kind| match fault {
            Some(fault) if CheckKind::of_token(fault) == kind => Err(Refusal::Token(fault.clone())),
            _ => Ok(()),
        };
        let encoded = failed(encoding);
        let is_encoded = encoded.is_ok();
        self.check(encoding, encoded, "strict base64url", Came::Nothing);
        if is_encoded {
            let came = match fault {
                Some(TokenFault::Json(_, JsonFault::DuplicateMember { name, is_within: false })) => {
                    Came::Claimed(format!("{name} twice"))
                }
                Some(TokenFault::Json(_, JsonFault::DuplicateMember { name, is_within: true })) => {
                    Came::Claimed(format!("a member twice within {name}"))
                }
                _ => Came::Nothing,
            };
            let expected = format!("a JSON object, no member twice, {} levels deep at most", JsonFault::MAX_DEPTH);
            self.check(json, failed(json), &expected, came);
        }
    }

    /// The members of the header that count: one fault at the most, and the checks before it have passed.
    fn members(&mut self, fault: Option<&TokenFault>) {
        let failed = fault.map(|fault| match CheckKind::of_token(fault) {
            CheckKind::AlgorithmAllowed => CheckKind::AlgorithmKnown,
            kind => kind,
        });
        let rows = [
            (CheckKind::Extensions, "no crit, no b64: false"),
            (CheckKind::HeaderMembers, "alg, kid and typ are texts, kid of 512 bytes at most"),
            (CheckKind::AlgorithmKnown, "an algorithm of RFC 7518, 8037, 9864 or 9964 that is not none"),
        ];
        for (kind, expected) in rows {
            let has_failed = failed == Some(kind);
            let result = match fault.filter(|_| has_failed) {
                Some(fault) => Err(Refusal::Token(fault.clone())),
                None => Ok(()),
            };
            let came = match kind {
                CheckKind::AlgorithmKnown => Came::Claimed(self.header_text("alg")),
                _ => self.odd_member(fault.filter(|_| has_failed)),
            };
            self.check(kind, result, expected, came);
            if has_failed {
                return;
            }
        }
    }

    /// The member that is not right, as JSON: quotes tell a text from a number.
    fn odd_member(&self, fault: Option<&TokenFault>) -> Came {
        match fault {
            Some(TokenFault::Header { member, .. }) => {
                let value = self.header.as_ref().and_then(|header| header.get(member));
                Came::Claimed(format!("{member}: {}", as_json(value)))
            }
            _ => Came::Nothing,
        }
    }

    fn issuer(&mut self) {
        let Some(claims) = self.claims.clone() else { return };
        let issuers = &self.verifier.0.issuers;
        let branches = issuers.branches();
        let chosen = issuers.choose_by(|| token::claimed_issuer(&claims), || token::claimed_trust_domain(&claims));
        self.branch = match (&chosen, branches.as_slice()) {
            (Ok(branch), _) => Some(Arc::clone(branch)),
            // Whose rules are meant is plain; that the token is another's has been said.
            (Err(_), [only]) => Some(Arc::clone(only)),
            (Err(_), _) => None,
        };
        let known = self.known_issuers();
        if known.is_empty() {
            self.checks.push(Check::plain(CheckKind::IssuerKnown, Outcome::NotAsked));
            return;
        }
        let came = Came::Claimed(self.claim_text("iss"));
        self.check(CheckKind::IssuerKnown, chosen.map(drop), &expected::one_of(&known), came);
    }

    async fn by_the_rules_of(&mut self, branch: &Arc<Branch>, header: &Header, token: BearerToken<'_>) {
        let allowed = branch.header.check_algorithm(header);
        let is_allowed = allowed.is_ok();
        let names: Vec<_> = branch.header.algorithms.iter().map(|algorithm| algorithm.name()).collect();
        let came = Came::Claimed(header.algorithm.name().to_owned());
        self.check(CheckKind::AlgorithmAllowed, allowed, &expected::one_of(&names), came);
        let types = expected::one_of(&branch.header.types.names());
        let came = Came::Claimed(self.header_text("typ"));
        self.check(CheckKind::Type, branch.header.check_type(header), &types, came);
        if !is_allowed {
            return;
        }
        // Keys are fetched only where verification would fetch them: past a failure, those at hand have to do.
        let has_failed = self.checks.iter().any(Check::has_failed);
        let found = if has_failed { branch.jwks.peek(header) } else { Some(branch.jwks.key(header).await) };
        if let Some(found) = found {
            self.keys(branch, header, found, token);
        }
    }

    fn keys(&mut self, branch: &Branch, header: &Header, found: Result<Candidates, Refusal>, token: BearerToken<'_>) {
        let status = branch.jwks.status();
        let (key_set, key) = (expected::key_of(&status), "a key for the algorithm");
        let odd = if found.is_ok() { expected::oddities(header, &status) } else { String::new() };
        let came = Came::Claimed(expected::how_found(header, found.as_ref().ok()) + &odd);
        let is_mismatch =
            matches!(found, Err(Refusal::Token(TokenFault::KeyMismatch { .. } | TokenFault::UnusableKey { .. })));
        let algorithm = Came::Claimed(header.algorithm.name().to_owned());
        match found {
            Ok(keys) => {
                self.check(CheckKind::KeyFound, Ok(()), &key_set, came);
                self.check(CheckKind::KeySuitable, Ok(()), key, algorithm);
                self.signature(&keys, branch.key_attempts, token);
            }
            Err(refusal) if is_mismatch => {
                self.check(CheckKind::KeyFound, Ok(()), &key_set, came);
                self.check(CheckKind::KeySuitable, Err(refusal), key, algorithm);
            }
            Err(refusal) => self.check(CheckKind::KeyFound, Err(refusal), &key_set, came),
        }
    }

    fn signature(&mut self, keys: &Candidates, attempts: usize, token: BearerToken<'_>) {
        // What is not well-formed has no signature to verify; it was said why.
        let Ok(unverified) = token::parse(token) else { return };
        let verified = keys.verify(unverified, attempts);
        if let Ok(signed) = &verified {
            self.claims = Some(signed.claims.clone());
            self.vouched = true;
        }
        self.check(CheckKind::Signature, verified.map(drop), "made by the issuer's key", Came::Nothing);
    }

    fn claims(&mut self, rules: &ClaimRules) {
        let Some(claims) = self.claims.clone() else { return };
        for (name, result) in rules.check_each(&claims, self.now.into()) {
            let kind = CheckKind::of_claim(name);
            match expected::of_claim(kind, rules, &claims) {
                None if result.is_ok() => self.checks.push(Check::plain(kind, Outcome::NotAsked)),
                expected => {
                    let came = self.came(kind, name);
                    self.check(kind, result.map_err(Refusal::Token), &expected.unwrap_or_default(), came);
                }
            }
        }
    }

    /// The claim of a rule: a time as people read it, or as the token writes it, with quotes if it is a text.
    fn came(&self, kind: CheckKind, name: &str) -> Came {
        match kind {
            CheckKind::RequiredClaims => Came::Nothing,
            CheckKind::Expiry | CheckKind::NotBefore | CheckKind::IssuedAt => {
                let seconds = self.claims.as_ref().and_then(|claims| claims.get(name)?.as_f64());
                let told = seconds.and_then(|seconds| words::instant_and_distance(seconds, self.now));
                Came::Claimed(told.unwrap_or_else(|| as_json(self.claims.as_ref().and_then(|claims| claims.get(name)))))
            }
            _ => Came::Claimed(self.claim_text(name)),
        }
    }

    /// The rules of the endpoint.
    fn access(&mut self, policy: &Policy) {
        let Some(claims) = self.claims.clone() else { return };
        if policy.scope.is_empty() {
            self.checks.push(Check::plain(CheckKind::Scope, Outcome::NotAsked));
        } else {
            let came = Came::Claimed(granted(&claims));
            let result = policy.scope.check(|value| grants(&claims, value));
            self.check(CheckKind::Scope, result, &policy.scope.expected(), came);
        }
        for rule in &policy.claims {
            let claim = rule.claim(&claims);
            // Where another kind of value is asked for, the quotes of a text tell it apart.
            let is_text_asked = rule.values().iter().all(serde_json::Value::is_string);
            let came = Came::Claimed(if is_text_asked { shown(claim) } else { as_json(claim) });
            self.check(CheckKind::Claim, rule.check(&claims), &rule.expected(), came);
        }
        // Only claims that are vouched for are shown to code of others.
        if self.vouched {
            let claims = Claims::new(claims);
            for rule in &policy.own {
                self.check(CheckKind::Rule, rule.check(&claims), &rule.expected(), Came::Nothing);
            }
        }
    }

    fn finish(mut self) -> Explanation {
        let made: Vec<CheckKind> = self.checks.iter().map(|check| check.kind).collect();
        let is_opaque = made.contains(&CheckKind::Introspection);
        let policy = self.policy;
        let is_left_out = |kind: CheckKind| match kind {
            CheckKind::Introspection => true,
            CheckKind::Scope => policy.is_none(),
            CheckKind::Claim => policy.is_none_or(|policy| policy.claims.is_empty()),
            CheckKind::Rule => policy.is_none_or(|policy| policy.own.is_empty()),
            _ => is_opaque,
        };
        let left = CheckKind::ALL.iter().filter(|kind| !made.contains(kind) && !is_left_out(**kind));
        let nobody_came = self.token.is_empty() && !self.checks.iter().any(Check::has_failed);
        let outcome = if nobody_came { Outcome::NotAsked } else { Outcome::NotReached };
        self.checks.extend(left.map(|kind| Check::plain(*kind, outcome.clone())));
        self.checks.sort_by_key(|check| check.kind);
        if self.vouched {
            // What was looked at before the signature was, is of the same header and claims.
            self.checks.iter_mut().filter_map(|check| check.actual.as_mut()).for_each(|fact| fact.vouched = true);
        }
        let read = |object: &Option<Object>| object.as_ref().map(|object| object.root().to_json());
        let (header, claims) = (read(&self.header), read(&self.claims));
        Explanation { checks: self.checks, now: self.now, header, claims, vouched: self.vouched }
    }

    fn check(&mut self, kind: CheckKind, result: Result<(), Refusal>, expected: &str, came: Came) {
        let hint = result.as_ref().err().and_then(|refusal| hint::of(self, kind, refusal));
        let outcome = match result {
            Ok(()) => Outcome::Passed,
            Err(refusal) => Outcome::Failed(refusal),
        };
        let actual = match came {
            Came::Nothing => None,
            Came::Measured(text) => Some(Fact::new(&text, true)),
            Came::Claimed(text) => Some(Fact::new(&text, self.vouched)),
        };
        let expected = Some(words::clean(expected, Check::LONGEST));
        self.checks.push(Check { kind, outcome, expected, actual, hint });
    }

    fn header_text(&self, member: &str) -> String {
        shown(self.header.as_ref().and_then(|header| header.get(member)))
    }

    fn claim_text(&self, name: &str) -> String {
        shown(self.claims.as_ref().and_then(|claims| claims.get(name)))
    }
}

/// The scope that claims grant; if they grant none, what stands in its place.
fn granted(claims: &Object) -> String {
    let granted = crate::claims::scopes(claims).collect::<Vec<_>>().join(" ");
    let is_array = claims.get("scope").or_else(|| claims.get("scp")).is_some_and(Value::is_array);
    if granted.is_empty() || is_array { shown(claims.get("scope").or_else(|| claims.get("scp"))) } else { granted }
}

/// A text as it is, anything else as JSON.
fn shown(value: Option<Value<'_>>) -> String {
    value.and_then(Value::as_str).map_or_else(|| as_json(value), str::to_owned)
}

/// As JSON, a text in its quotes: where a number is expected, they are what is wrong.
fn as_json(value: Option<Value<'_>>) -> String {
    value.map_or_else(|| "not there".to_owned(), |value| value.to_json().to_string())
}
