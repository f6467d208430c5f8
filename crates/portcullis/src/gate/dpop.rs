//! DPoP at the gate (RFC 9449): [`Dpop`], and the reading of a request's proof.

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use http::{HeaderName, HeaderValue, header::HOST};

use super::{
    Presented, Secure,
    forwarded::{Forwarded, TrustedProxies},
    judge::Gate,
};
use crate::{
    algorithm::Algorithm,
    bearer::{Credentials, Scheme},
    challenge::DpopTold,
    check::{Actual, CheckRow},
    configuration_error::ConfigurationError,
    crypto::Digest,
    proof::{ClientKeys, DpopRules, DpopUse, Nonces, ProofRequest, RequestUrl, UnverifiedProof, VerifiedProof},
    refusal::{CheckKind, ProofFault, Refusal, UnavailableFault},
    replay::{AnyReplayStore, Lookup, MEMORY_BYTES, ReplayFault, ReplayStore, ReplayStoreAway, Replays, Sighting},
    resource::DpopInDocument,
    shown_url::marked,
};

const DPOP: HeaderName = HeaderName::from_static("dpop");
const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// Sender-constrained tokens by DPoP (RFC 9449): the rules for proofs, and the memory of used ones.
///
/// Clones share the memory and the known keys: use one for all endpoints, so that a proof of one is a replay at each.
///
/// The proof has to name the URL that the client used. It is the [`public_url`](Self::public_url) with the path of the request; or
/// the URL that a [trusted proxy](Self::forwarded_from) tells; or the authority of the request target or of the one `Host` field, with
/// the scheme that the door knows, or else with https, and with http for names of this machine.
///
/// # Example
///
/// ```
/// use portcullis::{Dpop, JwksService, Secure};
///
/// let dpop = Dpop::required().public_url("https://api.example.com")?;
/// let secure = Secure::new(JwksService::new("https://as.example.com/jwks")?).dpop(dpop);
/// # Ok::<(), portcullis::ConfigurationError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Dpop {
    use_at_endpoint: DpopUse,
    rules: DpopRules,
    public_url: Option<String>,
    forwarded_from: Option<TrustedProxies>,
    nonces: Option<Nonces>,
    keys: Arc<ClientKeys>,
    replays: Arc<Replays>,
}

/// The host and port that the client used, as far as the door knows them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientAuthority<'a> {
    /// Those of the request's one `Host` field.
    #[default]
    HostField,
    /// These: of the request target, or as a trusted proxy tells them.
    Known(&'a str),
    /// Unknown: no proof passes, unless a [public URL](Dpop::public_url) is configured.
    Unknown,
}

impl Dpop {
    /// DPoP for tokens that are bound to a key; bearer tokens pass, too.
    #[must_use]
    pub fn allowed() -> Self {
        Self::new(DpopUse::Allowed)
    }

    /// DPoP for all tokens: bearer tokens are refused.
    #[must_use]
    pub fn required() -> Self {
        Self::new(DpopUse::Required)
    }

    /// DPoP as the rules of an endpoint say ([`Rules::dpop`](crate::Rules::dpop)): for endpoints that share the memory and differ in
    /// their rules.
    #[must_use]
    pub fn by_rules() -> Self {
        Self::new(DpopUse::Off)
    }

    fn new(use_at_endpoint: DpopUse) -> Self {
        Self {
            use_at_endpoint,
            rules: DpopRules::default(),
            public_url: None,
            forwarded_from: None,
            nonces: None,
            keys: Arc::default(),
            replays: Arc::new(Replays::new(MEMORY_BYTES)),
        }
    }

    /// Takes all rules for proofs at once, in place of those set so far.
    ///
    /// # Errors
    ///
    /// The error of [`DpopRules::check`].
    pub fn rules(self, rules: DpopRules) -> Result<Self, ConfigurationError> {
        rules.check()?;
        Ok(Self { rules, ..self })
    }

    /// Accepts proofs signed by these algorithms alone; by default all that have a public key.
    ///
    /// # Errors
    ///
    /// [`ConfigurationError::Rule`] if there are none, or one is symmetric.
    pub fn algorithms(self, algorithms: impl IntoIterator<Item = Algorithm>) -> Result<Self, ConfigurationError> {
        let rules = DpopRules { algorithms: algorithms.into_iter().collect(), ..self.rules.clone() };
        self.rules(rules)
    }

    /// Sets the accepted time since a proof was made: 5 min by default.
    ///
    /// # Errors
    ///
    /// [`ConfigurationError::Rule`] if it is zero, or longer than an hour.
    pub fn max_age(self, age: Duration) -> Result<Self, ConfigurationError> {
        let rules = DpopRules { max_age: age, ..self.rules.clone() };
        self.rules(rules)
    }

    /// Sets the URL under which clients know this server: its scheme, host and port, and a path before those of requests, if a proxy
    /// takes one off.
    ///
    /// # Errors
    ///
    /// [`ConfigurationError::Rule`] if it is no http or https URL, or has a query or a fragment.
    pub fn public_url(self, url: &str) -> Result<Self, ConfigurationError> {
        let base = url.strip_suffix('/').unwrap_or(url);
        if base.contains(['?', '#']) || RequestUrl::parse(base).is_none() {
            let problem = format!("expected an http or https URL without query, got {:?}", marked(url));
            return Err(ConfigurationError::rule("public_url", problem));
        }
        Ok(Self { public_url: Some(base.to_owned()), ..self })
    }

    /// Takes scheme and host of the client's URL from `Forwarded` (RFC 7239), or `X-Forwarded-Proto` and `X-Forwarded-Host`, of requests
    /// whose peer is one of these proxies, which have to replace a client's own fields. A [`public_url`](Self::public_url) is simpler, and comes
    /// first.
    ///
    /// The door has to know the peer: see [`ConnectionPeer`](crate::ConnectionPeer). The fields of any other peer have no effect. Where they
    /// are malformed, doubled, of several proxies or in contradiction, no proof passes (`dpop_url_unknown`).
    ///
    /// # Example
    ///
    /// ```
    /// use std::net::IpAddr;
    /// use portcullis::Dpop;
    ///
    /// let dpop = Dpop::required().forwarded_from(|peer: IpAddr| peer.is_loopback());
    /// ```
    #[must_use]
    pub fn forwarded_from(self, proxies: impl Fn(IpAddr) -> bool + Send + Sync + 'static) -> Self {
        Self { forwarded_from: Some(TrustedProxies::new(proxies)), ..self }
    }

    /// Asks for a nonce of this server in each proof (RFC 9449 section 9): a wrong clock of a client does not matter then, and no
    /// proof can be made in advance.
    ///
    /// Layers on one request need clones of the same `Nonces`, since a proof has one nonce. If they differ, the client gets the nonce of
    /// the layer that refused its proof, and no proof passes both.
    #[must_use]
    pub fn nonces(self, nonces: Nonces) -> Self {
        Self { nonces: Some(nonces), ..self }
    }

    /// Shares the memory of used proofs with other processes, by a store; the process asks its own memory first, which stays that of
    /// the clones made before.
    #[must_use]
    pub fn replay_store(self, store: impl ReplayStore, away: ReplayStoreAway) -> Self {
        let store: Arc<dyn AnyReplayStore> = Arc::new(store);
        Self { replays: Arc::new(self.replays.sharing(store, away)), ..self }
    }

    /// Remembers used proofs in at most this many bytes, in a new memory: 16 MiB by default, for about 450,000 proofs, or half of that where nonces are asked for.
    ///
    /// When it is full, the proofs that were made first are forgotten, and no proof of that time passes (`dpop_too_old`).
    #[must_use]
    pub fn replay_memory_bytes(self, bytes: usize) -> Self {
        Self { replays: Arc::new(self.replays.of_bytes(bytes)), ..self }
    }

    /// Returns the number of remembered proofs, and their estimated size in bytes.
    #[must_use]
    pub fn remembered_proofs(&self) -> (usize, usize) {
        self.replays.size()
    }

    pub(super) fn use_at_endpoint(&self) -> DpopUse {
        self.use_at_endpoint
    }

    pub(super) fn keys(&self) -> &ClientKeys {
        &self.keys
    }

    /// The facts for the document about a resource.
    pub(super) fn in_document(&self, use_at_endpoint: DpopUse) -> DpopInDocument {
        let algorithms = self.rules.algorithms.iter().map(|algorithm| algorithm.name()).collect();
        DpopInDocument { algorithms, is_required: use_at_endpoint == DpopUse::Required }
    }

    /// The facts for challenges.
    pub(super) fn told(&self, use_at_endpoint: DpopUse) -> DpopTold {
        let names: Vec<_> = self.rules.algorithms.iter().map(|algorithm| algorithm.name()).collect();
        DpopTold { algorithms: names.join(" "), is_required: use_at_endpoint == DpopUse::Required }
    }

    /// The nonce for clients now, if nonces are asked for.
    pub(super) fn nonce(&self, now: SystemTime) -> Option<(HeaderName, HeaderValue)> {
        Some((DPOP_NONCE, self.nonces.as_ref()?.current(now)))
    }

    /// Reads the proof of a request, if it has one.
    pub(super) fn read(
        &self,
        presented: &Presented<'_>,
        Credentials { token, scheme }: Credentials<'_>,
        now: SystemTime,
    ) -> Option<Result<UnverifiedProof, ProofFault>> {
        let field = match presented.fields.first_two(&DPOP) {
            [None, _] => return (scheme == Scheme::Dpop).then_some(Err(ProofFault::Missing)),
            [Some(field), None] => field,
            _ => return Some(Err(ProofFault::Several)),
        };
        let url = self.url(presented);
        let request = self.request(presented, url.as_ref(), token.as_bytes(), now);
        Some(UnverifiedProof::read(field, &request, &self.rules, &self.keys))
    }

    /// The checks of the request's proof with their results, for an explanation.
    pub(crate) fn rows(&self, presented: &Presented<'_>, token: &[u8], now: SystemTime, jkt: &Digest) -> Vec<CheckRow> {
        let [Some(field), None] = presented.fields.first_two(&DPOP) else { return Vec::new() };
        let url = self.url(presented);
        let request = self.request(presented, url.as_ref(), token, now);
        let mut rows = request.rows(field, &self.rules, Some(jkt));
        if rows.iter().all(|row| row.result.is_ok()) {
            let proof = UnverifiedProof::read(field, &request, &self.rules, &self.keys);
            rows.extend(proof.ok().map(|proof| self.replay_row(&proof)));
        }
        rows
    }

    /// The check that a proof was not used before, which does not use it up.
    fn replay_row(&self, proof: &UnverifiedProof) -> CheckRow {
        let (id, time) = proof.name();
        let first = self.replays.look(&Sighting { id, time });
        let actual = match first {
            Err(ReplayFault::Replayed) => Actual::Measured("used before".to_owned()),
            Err(_) => Actual::Measured("made in a time that is forgotten".to_owned()),
            Ok(()) if self.replays.is_shared() => Actual::Unchecked(
                "not used at this process; the shared store is not asked: that would use it up".to_owned(),
            ),
            Ok(()) => Actual::Measured("not used at this process".to_owned()),
        };
        let expected = Some("a proof that was not used before".to_owned());
        CheckRow { kind: CheckKind::ProofReplay, expected, actual, result: first.map_err(not_first) }
    }

    fn request<'a>(
        &'a self,
        presented: &Presented<'a>,
        url: Option<&'a RequestUrl>,
        token: &'a [u8],
        now: SystemTime,
    ) -> ProofRequest<'a> {
        ProofRequest { method: presented.method, url, token, now, nonces: self.nonces.as_ref() }
    }

    /// The URL that the client used; none if it is not clear.
    fn url(&self, presented: &Presented<'_>) -> Option<RequestUrl> {
        let path = presented.original_target.unwrap_or(presented.target);
        if let Some(base) = &self.public_url {
            // Anything else would go on with the authority.
            return path.starts_with('/').then(|| RequestUrl::parse(&[base, path].concat())).flatten();
        }
        let told = self.forwarded(presented)?;
        let authority = match (told.host, presented.authority) {
            (Some(host), _) => host,
            (None, ClientAuthority::Known(authority)) => authority,
            (None, ClientAuthority::Unknown) => return None,
            (None, ClientAuthority::HostField) => match presented.fields.first_two(&HOST) {
                [Some(host), None] => std::str::from_utf8(host).ok()?,
                _ => return None,
            },
        };
        if let Some(scheme) = told.scheme.or(presented.scheme) {
            return RequestUrl::new(scheme, authority, path);
        }
        let https = RequestUrl::new("https", authority, path)?;
        let is_here = url::Url::parse(https.as_str()).is_ok_and(|url| crate::loopback::is_this_machine(&url));
        if is_here { RequestUrl::new("http", authority, path) } else { Some(https) }
    }

    /// The facts about the client's URL that a trusted proxy tells; none if they are not clear.
    fn forwarded<'a>(&self, presented: &Presented<'a>) -> Option<Forwarded<'a>> {
        match (&self.forwarded_from, presented.peer) {
            (Some(proxies), Some(peer)) if proxies.include(peer) => Forwarded::of(presented.fields),
            _ => Some(Forwarded::default()),
        }
    }

    /// Looks for an earlier use of a proof; `before` is the one that an outer layer has taken for this request.
    pub(super) fn look_up(&self, proof: &VerifiedProof, before: Option<&Digest>, now: SystemTime) -> Lookup {
        if before == Some(&proof.id) {
            return Lookup::Done(Ok(()));
        }
        self.replays.check(&Sighting { id: &proof.id, time: proof.time }, now)
    }
}

/// The refusal of a proof that the store does not let pass.
pub(super) fn not_first(fault: ReplayFault) -> Refusal {
    match fault {
        ReplayFault::Replayed => Refusal::Proof(ProofFault::Replayed),
        ReplayFault::Forgotten => Refusal::Proof(ProofFault::Forgotten),
        ReplayFault::StoreAway { retry_after } => Refusal::Unavailable(UnavailableFault::ReplayStore { retry_after }),
    }
}

impl Secure {
    /// Tells whether the facts about a DPoP proof count: for the verdict, or in shadow mode for the layers within.
    #[cfg(feature = "tower")]
    pub(crate) fn minds_proofs(&self) -> bool {
        self.gate.accepted_dpop().is_some() || self.gate.rules.report_only
    }

    /// Accepts tokens that are bound to a key by DPoP (RFC 9449), with a proof for each request.
    ///
    /// [`Rules::dpop`](crate::Rules::dpop) may ask for more, and takes nothing back, whichever is set first.
    ///
    /// # Example
    ///
    /// ```
    /// use portcullis::{Dpop, JwksService, Nonces, Secure};
    ///
    /// let dpop = Dpop::allowed().nonces(Nonces::random()?);
    /// let secure = Secure::new(JwksService::new("https://as.example.com/jwks")?).dpop(dpop);
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    pub fn dpop(mut self, dpop: Dpop) -> Self {
        let gate: &mut Gate = Arc::make_mut(&mut self.gate);
        gate.dpop = Some(dpop);
        gate.change_rules(|_| {});
        self
    }
}
