//! A token that passed every check of a verifier.

use std::{
    any::Any,
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use serde::de::DeserializeOwned;

use super::{Claims, Confirmation, GrantedScope, IssuerRules, checks::Checked, window::Window};
use crate::{
    algorithm::Algorithm,
    keys::KeySetId,
    refusal::Refusal,
    token::{AnswerTime, Header, IntrospectedToken, SignedToken},
};

/// An access token that a verifier accepted: its signature or introspection, times, issuer and audience were checked.
///
/// Only [`Verifier::verify`](crate::Verifier::verify) makes one. A clone is the same token, and cheap.
///
/// # Example
///
/// ```
/// use portcullis::{Algorithm, VerifiedToken};
///
/// fn is_signed_on_a_curve(token: &VerifiedToken) -> bool {
///     use Algorithm::{ES256, ES384, ES512, EdDSA};
///     token.algorithm().is_some_and(|algorithm| matches!(algorithm, ES256 | ES384 | ES512 | EdDSA))
/// }
/// ```
#[derive(Clone)]
pub struct VerifiedToken {
    handle: Handle,
}

/// A shared reference to a token. Threads that use the same token each take a handle of their own: a reference count that
/// many cores write to costs more than all the rest of a cached token.
#[derive(Clone)]
enum Handle {
    Shared(Arc<Verified>),
    Own(Arc<Own>),
}

/// A handle alone on its cache lines, so that its count slows down no other data.
#[repr(align(64))]
struct Own {
    verified: Arc<Verified>,
    /// The typed claims of the token, with a reference count of their own.
    typed: Typed,
}

static LAST_ID: AtomicU64 = AtomicU64::new(0);

/// A `Claims<T>` of one type, if it is kept.
type Typed = OnceLock<Box<dyn Any + Send + Sync>>;

struct Verified {
    grounds: Grounds,
    claims: Claims,
    /// The rules that its claims met; they name the claims that may hold the scope.
    rules: Arc<IssuerRules>,
    origin: Origin,
    id: u64,
    typed: Typed,
    typed_before: AtomicBool,
    /// The token's bytes, or the digest of an opaque one; kept where the token has to be recognised.
    shown_as: OnceLock<Arc<[u8]>>,
}

/// The grounds of the verdict on a token, which are judged again at each request.
#[derive(Clone)]
pub(crate) struct Grounds {
    /// The time in which the token is good.
    pub(crate) window: Window,
    /// The keys that verified the signature, of the token or of the answer about it; none if there was no signature.
    pub(crate) keys: Option<KeySetId>,
    /// The keys that the token is bound to; boxed, since most tokens are bound to none.
    confirmation: Option<Box<Confirmation>>,
}

impl Grounds {
    fn new(Checked { window, confirmation }: Checked, keys: Option<KeySetId>) -> Self {
        Self { window, keys, confirmation: confirmation.map(Box::new) }
    }
}

/// The evidence that a token is authentic.
enum Origin {
    /// Its signature.
    Signed(Arc<Header>),
    /// The answer of its authorization server.
    Introspected(Arc<Answered>),
}

/// The answer about an opaque token.
struct Answered {
    /// The JWT that the token stands for, and its header.
    phantom: Option<(Arc<Header>, Box<str>)>,
    time: AnswerTime,
}

impl VerifiedToken {
    pub(super) fn new(token: SignedToken<'_>, checked: Checked, rules: &Arc<IssuerRules>) -> Self {
        let SignedToken { header, claims, keys, .. } = token;
        let grounds = Grounds::new(checked, Some(keys));
        Self::of(Origin::Signed(header), grounds, Claims::new(claims), Arc::clone(rules))
    }

    pub(super) fn introspected(token: IntrospectedToken, checked: Checked, rules: &Arc<IssuerRules>) -> Self {
        let IntrospectedToken { claims, keys, time } = token;
        let origin = Origin::Introspected(Arc::new(Answered { phantom: None, time }));
        Self::of(origin, Grounds::new(checked, keys), Claims::new(claims), Arc::clone(rules))
    }

    /// The same token, presented as an opaque one that stands for this JWT; the answer about it counts for this time.
    pub(crate) fn behind_opaque(self, jwt: &str, time: AnswerTime) -> Self {
        let Verified { grounds, claims, rules, origin, .. } = &**self.verified();
        let Origin::Signed(header) = origin else { return self };
        let phantom = Some((Arc::clone(header), jwt.into()));
        let origin = Origin::Introspected(Arc::new(Answered { phantom, time }));
        Self::of(origin, grounds.clone(), claims.clone(), Arc::clone(rules))
    }

    fn of(origin: Origin, grounds: Grounds, claims: Claims, rules: Arc<IssuerRules>) -> Self {
        let (id, typed_before) = (LAST_ID.fetch_add(1, Ordering::Relaxed) + 1, AtomicBool::new(false));
        let (typed, shown_as) = (OnceLock::new(), OnceLock::new());
        let verified = Verified { grounds, claims, rules, origin, id, typed, typed_before, shown_as };
        Self { handle: Handle::Shared(Arc::new(verified)) }
    }

    /// The number of this token, unique in this process, from 1 on.
    ///
    /// It serves as a key for data of your own about a token: a cached token keeps its number, one that is verified anew
    /// has a new one.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.verified().id
    }

    /// The claims.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.verified().claims
    }

    /// The scope values that the token grants: those of the first of its issuer's
    /// [`scope_claims`](IssuerRules::scope_claims) that is present, `scope` and `scp` by default.
    ///
    /// The claim is a string of values separated by spaces, or an array with one value in each element. A value with a
    /// space in it meets no rule.
    ///
    /// # Example
    ///
    /// ```
    /// fn scope(token: &portcullis::VerifiedToken) -> String {
    ///     token.scopes().collect::<Vec<_>>().join(" ")
    /// }
    /// ```
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.granted_scope().values()
    }

    /// Tells whether the token grants this scope value, to the letter (RFC 6749 section 3.3).
    #[must_use]
    pub fn has_scope(&self, value: &str) -> bool {
        self.granted_scope().has(value)
    }

    pub(crate) fn granted_scope(&self) -> GrantedScope<'_> {
        self.verified().rules.granted_scope(self.claims())
    }

    /// Reads the claims into your own type. The second call keeps them, shared by all clones of the token.
    ///
    /// So the claims of a cached token are read twice at most. One type is kept; others are read at each call.
    ///
    /// # Errors
    ///
    /// [`Refusal::Access`] if they do not fit the type: the token lacks claims that this endpoint needs.
    ///
    /// # Example
    ///
    /// ```
    /// use portcullis::{Refusal, VerifiedToken};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Customer {
    ///     customer_number: u64,
    /// }
    ///
    /// fn customer_number(token: &VerifiedToken) -> Result<u64, Refusal> {
    ///     Ok(token.typed::<Customer>()?.customer_number)
    /// }
    /// ```
    pub fn typed<T: DeserializeOwned + Send + Sync + 'static>(&self) -> Result<Claims<T>, Refusal> {
        let (verified, own) = (self.verified(), self.own_typed());
        if let Some(known) = kept::<T>(own) {
            return Ok(known.clone());
        }
        let claims = match kept::<T>(&verified.typed) {
            Some(known) => known.apart(),
            None => self.claims().typed()?,
        };
        // Most tokens whose claims are read once are never read again.
        if verified.typed_before.swap(true, Ordering::Relaxed) {
            verified.typed.get_or_init(|| Box::new(claims.clone()));
            own.get_or_init(|| Box::new(claims.apart()));
        }
        Ok(claims)
    }

    /// The algorithm that the token is signed with; none if its authorization server vouches for it by introspection.
    #[must_use]
    pub fn algorithm(&self) -> Option<Algorithm> {
        Some(self.header()?.algorithm)
    }

    /// The `kid` of the key that the token is signed with, if its header names one.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.header()?.kid.as_deref()
    }

    /// The keys that the token is bound to (`cnf`, RFC 7800); none if it is a bearer token.
    #[must_use]
    pub fn confirmation(&self) -> Option<&Confirmation> {
        self.grounds().confirmation.as_deref()
    }

    /// The JWT that an opaque token stands for: a gateway forwards it in place of the token (phantom token).
    #[must_use]
    pub fn phantom_jwt(&self) -> Option<&str> {
        match &self.verified().origin {
            Origin::Introspected(answer) => answer.phantom.as_ref().map(|(_, jwt)| &**jwt),
            Origin::Signed(_) => None,
        }
    }

    fn header(&self) -> Option<&Header> {
        match &self.verified().origin {
            Origin::Signed(header) => Some(header),
            Origin::Introspected(answer) => answer.phantom.as_ref().map(|(header, _)| &**header),
        }
    }

    /// Keeps the form in which the token was presented: its bytes, or the digest of an opaque one.
    pub(crate) fn keep_shown_as(&self, name: impl FnOnce() -> Arc<[u8]>) -> &Arc<[u8]> {
        self.verified().shown_as.get_or_init(name)
    }

    /// Tells whether the token was presented in this form, and that was kept.
    pub(crate) fn was_shown_as(&self, name: &[u8]) -> bool {
        self.verified().shown_as.get().is_some_and(|kept| **kept == *name)
    }

    /// Returns true if the authorization server vouched for the token (RFC 7662), by an answer or by a phantom JWT.
    ///
    /// # Example
    ///
    /// ```
    /// fn told(token: &portcullis::VerifiedToken) -> &str {
    ///     if token.is_introspected() { "introspected" } else { "signed" }
    /// }
    /// ```
    #[must_use]
    pub fn is_introspected(&self) -> bool {
        matches!(self.verified().origin, Origin::Introspected(_))
    }

    /// The grounds of the verdict on it.
    pub(crate) fn grounds(&self) -> &Grounds {
        &self.verified().grounds
    }

    /// The time for which the answer of the authorization server counts, if it was asked.
    pub(crate) fn answer_time(&self) -> Option<AnswerTime> {
        match &self.verified().origin {
            Origin::Introspected(answer) => Some(answer.time),
            Origin::Signed(_) => None,
        }
    }

    /// The rules that its claims have met.
    pub(crate) fn rules(&self) -> &Arc<IssuerRules> {
        &self.verified().rules
    }

    /// A handle of the token for one thread.
    pub(crate) fn own_handle(&self) -> OwnHandle {
        OwnHandle(Arc::new(Own { verified: Arc::clone(self.verified()), typed: Typed::new() }))
    }

    /// The approximate bytes of the token on the heap, typed claims included.
    pub(crate) fn heap_bytes(&self) -> usize {
        let claims = self.claims();
        // Typed claims are seldom longer than their text.
        let typed = 64 + claims.text().len();
        let header = self.header().map_or(0, |header| header.part.len());
        let jwt = self.phantom_jwt().map_or(0, |jwt| size_of::<Answered>() + jwt.len());
        size_of::<Verified>() + header + jwt + claims.heap_bytes() + typed
    }

    fn own_typed(&self) -> &Typed {
        match &self.handle {
            Handle::Shared(verified) => &verified.typed,
            Handle::Own(own) => &own.typed,
        }
    }

    fn verified(&self) -> &Arc<Verified> {
        match &self.handle {
            Handle::Shared(verified) => verified,
            Handle::Own(own) => &own.verified,
        }
    }
}

/// A handle of a token for one thread.
pub(crate) struct OwnHandle(Arc<Own>);

impl OwnHandle {
    /// The bytes of a handle, and of the place where it is kept.
    pub(crate) const BYTES: usize = size_of::<OnceLock<Self>>() + 2 * align_of::<Own>();

    /// The token by this handle.
    pub(crate) fn token(&self) -> VerifiedToken {
        VerifiedToken { handle: Handle::Own(Arc::clone(&self.0)) }
    }
}

fn kept<T: Send + Sync + 'static>(typed: &Typed) -> Option<&Claims<T>> {
    typed.get()?.downcast_ref()
}

impl fmt::Debug for VerifiedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (algorithm, kid) = (self.algorithm(), self.kid());
        f.debug_struct("VerifiedToken").field("algorithm", &algorithm).field("kid", &kid).finish_non_exhaustive()
    }
}
