//! Nonces of the server: [`Nonces`] (RFC 9449 sections 8 and 9).

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwapOption;
use http::HeaderValue;

use super::ProofTime;
use crate::{
    base64url,
    configuration_error::ConfigurationError,
    crypto::{MacKey, random_bytes},
};

/// The time for which one nonce is given to all clients.
const STEP: Duration = Duration::from_secs(30);

/// The default and the longest lifetime of a nonce.
const LIFETIME: Duration = Duration::from_secs(5 * 60);
const LONGEST_LIFETIME: Duration = Duration::from_secs(60 * 60);

/// The accepted difference between the clocks of servers with the same secret.
const CLOCKS_APART: Duration = Duration::from_secs(5);

/// The time for which a key is in use.
const DAY: u64 = 24 * 60 * 60;

/// The version of the rules for keys and nonces: nonces of another version are not accepted.
const KEY: &[u8] = b"portcullis dpop nonce 1 key";

/// The nonces that a resource server has DPoP proofs made with (RFC 9449 section 9).
///
/// The age of a proof is then that of its nonce: the client's clock does not matter, and no proof can be made in advance. A
/// nonce is the time at which it was given, sealed with a key of the day (HMAC with SHA-256) that comes from a secret. The
/// server keeps no nonce, and servers with the same secret accept each other's.
///
/// # Example
///
/// ```
/// use portcullis::Nonces;
///
/// // One process; after a restart clients are told a new nonce.
/// let nonces = Nonces::random()?;
/// // Several, each with this secret of 32 bytes or more, from a file or the environment.
/// let shared = Nonces::new(b"a secret of 32 bytes or more, of a random generator")?;
/// assert!(Nonces::new(b"short").is_err());
/// # Ok::<(), portcullis::ConfigurationError>(())
/// ```
#[derive(Clone)]
pub struct Nonces {
    secret: Arc<MacKey>,
    lifetime: Duration,
    /// The key of the day, and the nonce of the step, of the latest request.
    key: Arc<ArcSwapOption<DayKey>>,
    current: Arc<ArcSwapOption<Given>>,
}

struct DayKey {
    day: u64,
    key: MacKey,
}

struct Given {
    step: u64,
    nonce: HeaderValue,
}

impl Nonces {
    /// Makes nonces with a secret of 32 bytes or more.
    ///
    /// # Errors
    ///
    /// [`ConfigurationError::ShortNonceSecret`].
    pub fn new(secret: impl AsRef<[u8]>) -> Result<Self, ConfigurationError> {
        let secret = MacKey::new(secret.as_ref()).ok_or(ConfigurationError::ShortNonceSecret)?;
        Ok(Self { secret: Arc::new(secret), lifetime: LIFETIME, key: Arc::default(), current: Arc::default() })
    }

    /// Makes nonces with a random secret: no other process accepts them, nor this one after a restart.
    ///
    /// # Errors
    ///
    /// [`ConfigurationError::NoRandomness`] if the operating system has no random numbers.
    pub fn random() -> Result<Self, ConfigurationError> {
        Self::new(random_bytes::<{ MacKey::BYTES }>().ok_or(ConfigurationError::NoRandomness)?)
    }

    /// Accepts a nonce for at least this time, and for 30 s more at most: 5 min by default, 1 h at the most.
    pub fn lifetime(self, lifetime: Duration) -> Self {
        Self { lifetime: lifetime.min(LONGEST_LIFETIME), ..self }
    }

    /// Returns the nonce to be given now; it is the same for half a minute.
    pub(crate) fn current(&self, now: SystemTime) -> HeaderValue {
        let step = step_at(now);
        if let Some(given) = self.current.load().as_deref().filter(|given| given.step == step) {
            return given.nonce.clone();
        }
        let nonce = self.nonce(step);
        self.current.store(Some(Arc::new(Given { step, nonce: nonce.clone() })));
        nonce
    }

    /// Returns the times of a nonce, if this server, or another with the same secret, has given it lately.
    pub(crate) fn check(&self, nonce: &str, now: SystemTime) -> Option<ProofTime> {
        let bytes = base64url::decode(nonce)?;
        let (step, mac) = bytes.split_first_chunk()?;
        let step = u64::from_be_bytes(*step);
        let time = time_of_step(step, self.lifetime, now)?;
        self.with_key(step, |key| key.verify(&step.to_be_bytes(), mac)).then_some(time)
    }

    /// Returns the times that a nonce tells, of whatever server: a server with nonces of whatever lifetime may accept it.
    pub(super) fn time_of(nonce: &str, now: SystemTime) -> Option<ProofTime> {
        let bytes = base64url::decode(nonce)?;
        time_of_step(u64::from_be_bytes(*bytes.first_chunk()?), LONGEST_LIFETIME, now)
    }

    fn nonce(&self, step: u64) -> HeaderValue {
        let time = step.to_be_bytes();
        let mac = self.with_key(step, |key| key.sign(&time));
        let text = base64url::encode([&time[..], &mac].concat());
        // Base64url is always a field value.
        HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
    }

    /// Uses the key of the day of a step.
    fn with_key<T>(&self, step: u64, used: impl FnOnce(&MacKey) -> T) -> T {
        let day = step.saturating_mul(STEP.as_secs()) / DAY;
        if let Some(kept) = self.key.load().as_deref().filter(|kept| kept.day == day) {
            return used(&kept.key);
        }
        let derived = Arc::new(DayKey { day, key: self.secret.derive(&[KEY, &day.to_be_bytes()].concat()) });
        self.key.store(Some(Arc::clone(&derived)));
        used(&derived.key)
    }
}

impl fmt::Debug for Nonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nonces").field("lifetime", &self.lifetime).finish_non_exhaustive()
    }
}

/// Returns the times of a nonce that was given in this step, if it is recent.
fn time_of_step(step: u64, lifetime: Duration, now: SystemTime) -> Option<ProofTime> {
    let made = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(step.checked_mul(STEP.as_secs())?))?;
    let until = made.checked_add(STEP + lifetime)?;
    let is_recent = made <= now + CLOCKS_APART && now <= until;
    is_recent.then_some(ProofTime { made, until, also: None })
}

fn step_at(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs() / STEP.as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: [u8; 32] = [7; 32];

    fn nonces() -> Nonces {
        Nonces::new(SECRET).unwrap()
    }

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn text(nonces: &Nonces, now: SystemTime) -> String {
        nonces.current(now).to_str().unwrap().to_owned()
    }

    /// The middle of a day, and the start of a step.
    const NOON: u64 = 20_000 * DAY + DAY / 2;

    #[test]
    fn a_nonce_is_good_for_its_lifetime_and_no_longer() {
        let nonces = nonces();
        let given = text(&nonces, at(NOON + 29));
        for (seconds, accepted) in [(0, true), (29, true), (300, true), (330, true), (331, false), (1_000_000, false)] {
            let time = nonces.check(&given, at(NOON + seconds));
            assert_eq!(time.is_some(), accepted, "{seconds} s after its step began");
            if let Some(time) = time {
                assert_eq!(time, ProofTime { made: at(NOON), until: at(NOON + 330), also: None });
            }
        }
        let short = Nonces::new(SECRET).unwrap().lifetime(Duration::ZERO);
        assert!(short.check(&given, at(NOON + 30)).is_some());
        assert_eq!(short.check(&given, at(NOON + 31)), None);
        let long = Nonces::new(SECRET).unwrap().lifetime(Duration::MAX);
        assert!(long.check(&given, at(NOON + 3_630)).is_some() && long.check(&given, at(NOON + 3_631)).is_none());
    }

    #[test]
    fn it_is_the_same_for_half_a_minute_and_another_then() {
        let nonces = nonces();
        let given: Vec<_> = [0, 1, 29, 30, 59, 60, 0].map(|seconds| text(&nonces, at(NOON + seconds))).into();
        assert!(given[0] == given[1] && given[1] == given[2] && given[3] == given[4] && given[0] == given[6]);
        assert!(given[2] != given[3] && given[4] != given[5]);
        // RFC 9449 section 8.1: NQCHAR.
        assert!(given[0].bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e)), "{}", given[0]);
    }

    #[test]
    fn a_replica_with_the_same_secret_accepts_it_and_no_other() {
        let given = text(&nonces(), at(NOON));
        assert!(nonces().check(&given, at(NOON)).is_some());
        // A replica whose clock is slow.
        assert!(nonces().check(&given, at(NOON - 5)).is_some());
        assert_eq!(nonces().check(&given, at(NOON - 6)), None, "a nonce of the future");
        let (one, other) = (Nonces::random().unwrap(), Nonces::random().unwrap());
        for stranger in [&one, &other, &Nonces::new([8; 32]).unwrap()] {
            assert_eq!(stranger.check(&given, at(NOON)), None);
        }
        let given = text(&one, at(NOON));
        assert!(one.clone().check(&given, at(NOON)).is_some(), "clones are one");
        assert_eq!(other.check(&given, at(NOON)), None);
    }

    #[test]
    fn a_changed_or_made_up_nonce_is_not_accepted() {
        let nonces = nonces();
        let given = text(&nonces, at(NOON));
        let bytes = base64url::decode(&given).unwrap();
        for bit in 0..8 * bytes.len() {
            let mut forged = bytes.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(nonces.check(&base64url::encode(forged), at(NOON)), None, "bit {bit}");
        }
        for length in 0..bytes.len() {
            assert_eq!(nonces.check(&base64url::encode(&bytes[..length]), at(NOON)), None, "{length} bytes");
        }
        let ending = [&bytes[..], &[0]].concat();
        let largest = [&[0xff; 8][..], &bytes[8..]].concat();
        let made_up = [base64url::encode(ending), base64url::encode(largest), format!("{given}="), format!(" {given}")];
        for made_up in made_up.iter().map(String::as_str).chain(["", "eyJ7S_zG.eyJH0-Z.HX4w-7v", "\u{1f511}", "a b"]) {
            assert_eq!(nonces.check(made_up, at(NOON)), None, "{made_up:?}");
        }
    }

    #[test]
    fn keys_change_with_the_day_and_nonces_outlive_them() {
        let (nonces, midnight) = (nonces(), 20_001 * DAY);
        let given = text(&nonces, at(midnight - 1));
        assert!(nonces.check(&given, at(midnight + 60)).is_some(), "of yesterday, and fresh");
        let today = text(&nonces, at(midnight));
        assert!(nonces.check(&today, at(midnight)).is_some() && nonces.check(&given, at(midnight)).is_some());
        // A time of today under the key of yesterday.
        let yesterday = nonces.secret.derive(&[KEY, &20_000_u64.to_be_bytes()].concat());
        let time = (midnight / STEP.as_secs()).to_be_bytes();
        let forged = base64url::encode([&time[..], &yesterday.sign(&time)].concat());
        assert_eq!(nonces.check(&forged, at(midnight)), None);
    }

    #[test]
    fn any_clock_does() {
        let nonces = nonces();
        for now in [SystemTime::UNIX_EPOCH, SystemTime::UNIX_EPOCH - STEP, at(u64::from(u32::MAX) * 1_000)] {
            let given = text(&nonces, now);
            assert!(nonces.check(&given, now.max(SystemTime::UNIX_EPOCH)).is_some(), "{now:?}");
        }
    }

    #[test]
    fn a_short_secret_is_none() {
        for (bytes, good) in [(0, false), (31, false), (32, true), (1_000, true)] {
            assert_eq!(Nonces::new(vec![7; bytes]).is_ok(), good, "{bytes} bytes");
        }
        assert!(!format!("{:?}", nonces()).contains('7'));
    }
}
