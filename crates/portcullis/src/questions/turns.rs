//! Turns at the introspection endpoint, shared fairly between clients.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Mutex},
};

use tokio::sync::oneshot;

use super::{ClientAddress, lock};

/// Gives out turns. Clones share them.
///
/// A client may hold as many turns as are left for others: of 64 the first client takes 32, a second one 16, a third one 8,
/// so that a turn is left for the next client. The next free turn goes to the waiting client that holds fewest, and among
/// equals to the first. Questions of unknown clients have no such bound, and wait like those of one client.
#[derive(Clone)]
pub(super) struct Turns(Arc<Mutex<State>>);

struct State {
    free: usize,
    held: HashMap<ClientAddress, usize>,
    /// The waiting questions in order of arrival, in a row for each client: a flood makes only one row long.
    waiting: HashMap<Option<ClientAddress>, VecDeque<Waiting>>,
    /// The rows by the number of turns that their client holds, and by arrival.
    order: BTreeMap<(usize, u64), Option<ClientAddress>>,
    /// The number of questions that have ever waited.
    came: u64,
}

struct Waiting {
    number: u64,
    grant: oneshot::Sender<Turn>,
}

/// A turn, until it is dropped.
pub(super) struct Turn {
    turns: Turns,
    client: Option<ClientAddress>,
}

impl Turns {
    pub(super) fn new(count: usize) -> Self {
        let state =
            State { free: count, held: HashMap::new(), waiting: HashMap::new(), order: BTreeMap::new(), came: 0 };
        Self(Arc::new(Mutex::new(state)))
    }

    /// A turn, as soon as there is one for this client.
    pub(super) async fn next(&self, client: Option<ClientAddress>) -> Option<Turn> {
        let granted = {
            let mut state = lock(&self.0);
            if state.may_begin(client) {
                state.begin(client);
                return Some(self.turn(client));
            }
            state.wait(client)
        };
        granted.await.ok()
    }

    fn turn(&self, client: Option<ClientAddress>) -> Turn {
        Turn { turns: self.clone(), client }
    }

    /// Hands on free turns. A dropped receiver gives its turn back at once.
    fn hand_on(&self) {
        loop {
            let Some((client, grant)) = lock(&self.0).next() else { return };
            // Outside of the lock, since a turn without a receiver is dropped here.
            drop(grant.send(self.turn(client)));
        }
    }
}

impl State {
    fn held(&self, client: ClientAddress) -> usize {
        self.held.get(&client).copied().unwrap_or_default()
    }

    fn may_begin(&self, client: Option<ClientAddress>) -> bool {
        self.free > client.map_or(0, |client| self.held(client))
    }

    fn begin(&mut self, client: Option<ClientAddress>) {
        self.change(client, |state| {
            state.free -= 1;
            if let Some(client) = client {
                *state.held.entry(client).or_default() += 1;
            }
        });
    }

    fn end(&mut self, client: Option<ClientAddress>) {
        self.change(client, |state| {
            state.free += 1;
            let Some(client) = client else { return };
            if let Some(held) = state.held.get_mut(&client) {
                *held -= 1;
                if *held == 0 {
                    state.held.remove(&client);
                }
            }
        });
    }

    fn wait(&mut self, client: Option<ClientAddress>) -> oneshot::Receiver<Turn> {
        let (grant, granted) = oneshot::channel();
        self.came += 1;
        let waiting = Waiting { number: self.came, grant };
        self.change(client, |state| state.waiting.entry(client).or_default().push_back(waiting));
        granted
    }

    /// Takes the next waiting question, with a turn; removes those whose requests were dropped.
    fn next(&mut self) -> Option<(Option<ClientAddress>, oneshot::Sender<Turn>)> {
        loop {
            let client = *self.order.first_key_value()?.1;
            let is_gone = self.waiting.get(&client)?.front()?.grant.is_closed();
            // All others hold as many turns or more.
            if !is_gone && !self.may_begin(client) {
                return None;
            }
            let next = self.change(client, |state| state.waiting.get_mut(&client)?.pop_front())?;
            if !is_gone {
                self.begin(client);
                return Some((client, next.grant));
            }
        }
    }

    /// Changes the state of a client, and moves its row to its new place.
    fn change<T>(&mut self, client: Option<ClientAddress>, change: impl FnOnce(&mut Self) -> T) -> T {
        if let Some(place) = self.place(client) {
            self.order.remove(&place);
        }
        let changed = change(self);
        match self.place(client) {
            Some(place) => drop(self.order.insert(place, client)),
            None => drop(self.waiting.remove(&client)),
        }
        changed
    }

    fn place(&self, client: Option<ClientAddress>) -> Option<(usize, u64)> {
        let first = self.waiting.get(&client)?.front()?;
        Some((client.map_or(0, |client| self.held(client)), first.number))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        lock(&self.turns.0).end(self.client);
        self.turns.hand_on();
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::Future,
        net::IpAddr,
        pin::{Pin, pin},
        task::{Context, Poll, Waker},
    };

    use super::*;

    fn client(last: u8) -> Option<ClientAddress> {
        Some(IpAddr::from([192, 0, 2, last]).into())
    }

    fn poll(next: Pin<&mut impl Future<Output = Option<Turn>>>) -> Option<Turn> {
        match next.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(turn) => turn,
            Poll::Pending => None,
        }
    }

    /// All turns that this client gets at once.
    fn take_all(turns: &Turns, client: Option<ClientAddress>) -> Vec<Turn> {
        std::iter::from_fn(|| poll(pin!(turns.next(client)))).collect()
    }

    #[test]
    fn one_client_leaves_as_many_to_others_as_it_takes() {
        let turns = Turns::new(64);
        let taken: Vec<Vec<Turn>> = (0..7).map(|number| take_all(&turns, client(number))).collect();
        assert_eq!(taken.iter().map(Vec::len).collect::<Vec<_>>(), [32, 16, 8, 4, 2, 1, 1]);
        drop(taken);
        assert_eq!(take_all(&turns, None).len(), 64, "all were given back, and unknown clients are not bounded");
    }

    #[test]
    fn a_turn_goes_to_the_client_that_holds_fewest_and_else_to_the_first() {
        let turns = Turns::new(4);
        let mut held = take_all(&turns, client(1));
        held.extend(take_all(&turns, client(2)));
        held.extend(take_all(&turns, None));
        assert_eq!(held.len(), 4);
        let mut of = [client(1), client(3), client(4)].map(|client| Box::pin(turns.next(client)));
        assert!(of.iter_mut().all(|next| poll(next.as_mut()).is_none()));
        held.pop();
        let turns = of.each_mut().map(|next| poll(next.as_mut()));
        assert_eq!(turns.each_ref().map(Option::is_some), [false, true, false]);
    }

    /// Looking through all rows at each turn would let a flood from many networks keep the processor busy.
    #[test]
    fn a_turn_costs_little_however_many_wait() {
        let turns = Turns::new(64);
        let mut held = take_all(&turns, None);
        let mut waiting: VecDeque<_> = (0..20_000_u32)
            .map(|number| Box::pin(turns.next(Some(IpAddr::from(number.to_be_bytes()).into()))))
            .collect();
        assert!(waiting.iter_mut().all(|next| poll(next.as_mut()).is_none()));
        let started = std::time::Instant::now();
        for _ in 0..1_000 {
            held.pop();
            held.push(poll(waiting.pop_front().unwrap().as_mut()).unwrap());
        }
        assert!(started.elapsed().as_secs() < 3, "{:?} for a thousand", started.elapsed());
        drop(waiting);
        drop(held);
        assert!(lock(&turns.0).waiting.is_empty() && lock(&turns.0).order.is_empty());
    }

    #[test]
    fn who_goes_away_takes_no_turn_along() {
        let turns = Turns::new(1);
        let held = take_all(&turns, None);
        for _ in 0..3 {
            assert!(poll(pin!(turns.next(client(1)))).is_none());
        }
        let mut last = pin!(turns.next(client(2)));
        assert!(poll(last.as_mut()).is_none());
        drop(held);
        assert!(poll(last.as_mut()).is_some());
        let mut granted = Box::pin(turns.next(None));
        let held = take_all(&turns, None);
        assert!(poll(granted.as_mut()).is_none());
        drop(held);
        drop(granted);
        assert_eq!(take_all(&turns, None).len(), 1, "also if it was granted already");
    }
}
