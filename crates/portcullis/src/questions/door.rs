//! Admits questions of clients, or makes them wait, by the outcome of earlier questions: a pure decision.
//!
//! A client's token may make the server fail. So a failure counts against the client that caused it, and once for each such
//! client against the server: questions pause for all clients after failures of several clients, or of unknown ones.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

use super::{
    ClientAddress,
    breaker::{Breaker, SOON},
};

/// The longest wait of a client after the answer 429.
const LONGEST_REST: Duration = Duration::from_secs(30);

/// The time after an answer for which the server is assumed to know our credentials.
const CREDENTIALS_HOLD: Duration = Duration::from_secs(60);

/// The number of waiting clients that are remembered.
const MOST_CLIENTS: usize = 1024;

/// The pauses of the server and of clients: without one, a question may be asked.
#[derive(Debug, Default)]
pub(super) struct Door {
    /// The pause for all clients.
    all: Breaker,
    /// Clients whose questions failed since the last success.
    failing: HashMap<ClientAddress, Breaker>,
    /// Clients that asked too much, with the end of their wait.
    resting: HashMap<ClientAddress, SystemTime>,
    /// The time at which the server last answered to our credentials.
    answered: Option<SystemTime>,
}

impl Door {
    /// Admits a question of this client, or returns the time until another try.
    pub(super) fn admit(&mut self, client: Option<ClientAddress>, now: SystemTime) -> Result<(), Duration> {
        self.refuses(client, now).map_or(Ok(()), Err)?;
        self.all.admit(now)?;
        self.own(client).map_or(Ok(()), |own| own.admit(now))
    }

    /// The time for which this client has to wait; none if its questions may be asked.
    pub(super) fn refuses(&self, client: Option<ClientAddress>, now: SystemTime) -> Option<Duration> {
        let own = client.and_then(|client| self.failing.get(&client)?.refuses(now));
        let rest = client.and_then(|client| rest_left(*self.resting.get(&client)?, now));
        [self.all.refuses(now), own, rest].into_iter().flatten().max()
    }

    /// Failures since the last success.
    pub(super) fn failures(&self) -> u32 {
        self.failing.values().map(Breaker::failures).fold(self.all.failures(), u32::max)
    }

    /// Records a success.
    pub(super) fn succeed(&mut self) {
        self.all.succeed();
        self.failing.clear();
    }

    /// Records a question that shows nothing about the server.
    pub(super) fn leave(&mut self, client: Option<ClientAddress>) {
        self.all.leave();
        if let Some(own) = self.own(client) {
            own.leave();
        }
    }

    /// Records a failure at a question of this client; returns the time until another try.
    pub(super) fn fail(&mut self, client: Option<ClientAddress>, now: SystemTime, jitter: f64) -> Duration {
        let Some(client) = client.filter(|client| self.is_kept(*client)) else { return self.all.fail(now, jitter) };
        let is_first = !self.failing.contains_key(&client);
        let own = self.failing.entry(client).or_default().fail(now, jitter);
        if is_first {
            return own.max(self.all.fail(now, jitter));
        }
        self.all.leave();
        own.max(self.all.refuses(now).unwrap_or_default())
    }

    /// Records the answer 429, after which this client alone waits; returns the time of the wait.
    pub(super) fn rest(&mut self, client: Option<ClientAddress>, told: Option<Duration>, now: SystemTime) -> Duration {
        self.leave(client);
        let rest = told.unwrap_or(SOON).clamp(SOON, LONGEST_REST);
        if self.resting.len() >= MOST_CLIENTS {
            self.resting.retain(|_, until| rest_left(*until, now).is_some());
        }
        if let Some(client) = client.filter(|_| self.resting.len() < MOST_CLIENTS) {
            self.resting.insert(client, now + rest);
        }
        rest
    }

    /// Records an answer to our credentials.
    pub(super) fn answered(&mut self, now: SystemTime) {
        self.answered = Some(now);
    }

    /// Tells whether the server knew our credentials a moment ago, so that a 401 is about the token.
    pub(super) fn knows_us(&self, now: SystemTime) -> bool {
        let since = self.answered.and_then(|answered| now.duration_since(answered).ok());
        since.is_some_and(|since| since < CREDENTIALS_HOLD)
    }

    fn own(&mut self, client: Option<ClientAddress>) -> Option<&mut Breaker> {
        self.failing.get_mut(&client?)
    }

    fn is_kept(&self, client: ClientAddress) -> bool {
        self.failing.len() < MOST_CLIENTS || self.failing.contains_key(&client)
    }
}

/// The remaining wait; none if it is longer than possible, since the clock went back then.
fn rest_left(until: SystemTime, now: SystemTime) -> Option<Duration> {
    until.duration_since(now).ok().filter(|left| !left.is_zero() && *left <= LONGEST_REST)
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + seconds)
    }

    fn client(last: u8) -> Option<ClientAddress> {
        Some(IpAddr::from([192, 0, 2, last]).into())
    }

    fn is_open(door: &Door, last: u8, seconds: u64) -> bool {
        door.refuses(client(last), at(seconds)).is_none()
    }

    #[test]
    fn one_client_shuts_the_door_for_itself_alone() {
        let mut door = Door::default();
        for _ in 0..100 {
            door.fail(client(1), at(0), 0.0);
        }
        assert_eq!((is_open(&door, 1, 0), is_open(&door, 2, 0), door.failures()), (false, true, 5));
        assert!(door.refuses(None, at(0)).is_none());
        door.succeed();
        assert!(is_open(&door, 1, 0));
    }

    #[test]
    fn five_clients_shut_it_for_all() {
        let mut door = Door::default();
        for last in 0..4 {
            door.fail(client(last), at(0), 0.0);
            door.fail(client(last), at(0), 0.0);
        }
        assert!(is_open(&door, 9, 0));
        door.fail(client(4), at(0), 0.0);
        assert!(!is_open(&door, 9, 0));
        // A client that failed before is no probe for all: the next client may be.
        assert_eq!(door.admit(client(0), at(2)), Ok(()));
        assert_eq!(door.admit(client(9), at(2)), Err(SOON));
        door.fail(client(0), at(2), 0.0);
        assert_eq!(door.admit(client(9), at(2)), Ok(()));
    }

    #[test]
    fn questions_of_nobody_known_count_each() {
        let mut door = Door::default();
        for _ in 0..5 {
            door.fail(None, at(0), 0.0);
        }
        assert!(!is_open(&door, 1, 0));
    }

    #[test]
    fn who_asks_too_much_rests_and_nobody_else() {
        for (told, until) in [(None, 1), (Some(0), 1), (Some(7), 7), (Some(86_400), 30)] {
            let mut door = Door::default();
            let rest = door.rest(client(1), told.map(Duration::from_secs), at(0));
            assert_eq!(rest.as_secs(), until);
            assert_eq!((is_open(&door, 1, until - 1), is_open(&door, 1, until)), (false, true), "{told:?}");
            assert!(is_open(&door, 2, 0) && door.refuses(None, at(0)).is_none());
            door.succeed();
            assert!(!is_open(&door, 1, 0), "another's success gives it no turn");
            assert!(door.refuses(client(1), at(0) - Duration::from_secs(3600)).is_none(), "the clock went back");
        }
    }

    #[test]
    fn what_is_remembered_of_clients_is_bounded() {
        let mut door = Door::default();
        for number in 0..10_000_u32 {
            let client = Some(IpAddr::from(number.to_be_bytes()).into());
            door.rest(client, None, at(0));
            door.fail(client, at(0), 0.0);
        }
        assert!(door.resting.len() <= MOST_CLIENTS && door.failing.len() <= MOST_CLIENTS);
    }

    #[test]
    fn credentials_are_known_for_a_while_after_an_answer() {
        let mut door = Door::default();
        assert!(!door.knows_us(at(0)));
        door.answered(at(0));
        assert_eq!((door.knows_us(at(59)), door.knows_us(at(60)), door.knows_us(at(0) - SOON)), (true, false, false));
    }
}
