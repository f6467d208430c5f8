//! Replays here and elsewhere, floods, clocks, and stores of each kind.

use std::{
    collections::HashSet,
    future::pending,
    sync::atomic::{AtomicUsize, Ordering},
};

use portcullis_testkit::TestClock;

use super::*;
use crate::{crypto::sha256, shared_store::TIME_LIMIT, transport::BoxError};

const MAX_AGE: Duration = Duration::from_secs(300);
const SECOND: Duration = Duration::from_secs(1);

/// A proof with this `jti`, made at this time.
struct Proof(Digest, SystemTime);

impl Proof {
    fn new(jti: impl std::fmt::Display, made: SystemTime) -> Self {
        Self(sha256(jti.to_string().as_bytes()), made)
    }

    fn sighting(&self) -> Sighting<'_> {
        Sighting { id: &self.0, time: ProofTime { made: self.1, until: self.1 + MAX_AGE, also: None } }
    }

    async fn at(&self, replays: &Replays, now: SystemTime) -> Result<(), ReplayFault> {
        match replays.check(&self.sighting(), now) {
            Lookup::Done(result) => result,
            Lookup::Asks(asking) => asking.await,
        }
    }

    /// Looks it up in a memory that shares nothing.
    fn alone(&self, replays: &Replays, now: SystemTime) -> Result<(), ReplayFault> {
        match replays.check(&self.sighting(), now) {
            Lookup::Done(result) => result,
            Lookup::Asks(_) => panic!("asks a store"),
        }
    }
}

fn alone(bytes: usize) -> Replays {
    Replays::new(bytes)
}

fn start() -> SystemTime {
    TestClock::new().now()
}

/// A store whose answers a test chooses.
#[derive(Default)]
struct Store {
    kept: Mutex<HashSet<String>>,
    manner: Mutex<Manner>,
    asked: AtomicUsize,
    ttl: Mutex<Duration>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
enum Manner {
    #[default]
    Works,
    Fails,
    Hangs,
    SaysNo,
    SaysYes,
}

impl ReplayStore for Arc<Store> {
    async fn keep_new(&self, id: &str, ttl: Duration) -> Result<bool, BoxError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        *self.ttl.lock().unwrap() = ttl;
        let manner = *self.manner.lock().unwrap();
        match manner {
            Manner::Works => Ok(self.kept.lock().unwrap().insert(id.to_owned())),
            Manner::Fails => Err("no".into()),
            Manner::Hangs => pending().await,
            Manner::SaysNo => Ok(false),
            Manner::SaysYes => Ok(true),
        }
    }
}

impl Store {
    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn does(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }
}

fn process(store: &Arc<Store>, away: ReplayStoreAway) -> Replays {
    alone(MEMORY_BYTES).sharing(Arc::new(Arc::clone(store)), away)
}

#[test]
fn a_proof_passes_once() {
    let (replays, now) = (alone(MEMORY_BYTES), start());
    let [one, other] = [Proof::new("1", now), Proof::new("2", now)];
    assert_eq!(one.alone(&replays, now), Ok(()));
    assert_eq!(other.alone(&replays, now), Ok(()));
    for seconds in [0, 1, 299, 300] {
        let later = now + seconds * SECOND;
        assert_eq!(one.alone(&replays, later), Err(ReplayFault::Replayed), "{seconds} s later");
        assert_eq!(other.alone(&replays, later), Err(ReplayFault::Replayed), "{seconds} s later");
    }
    assert_eq!(replays.size().0, 2);
}

#[test]
fn of_a_hundred_threads_with_the_same_proof_one_passes() {
    let now = start();
    for round in 0..20 {
        let (replays, passed, begin) = (alone(MEMORY_BYTES), AtomicUsize::new(0), std::sync::Barrier::new(100));
        let proof = Proof::new(round, now);
        std::thread::scope(|scope| {
            for _ in 0..100 {
                scope.spawn(|| {
                    begin.wait();
                    passed.fetch_add(usize::from(proof.alone(&replays, now).is_ok()), Ordering::SeqCst);
                });
            }
        });
        assert_eq!(passed.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_hundred_tasks_in_two_processes_with_the_same_proof_one_passes() {
    let (now, store) = (start(), Arc::new(Store::default()));
    let processes: [Arc<Replays>; 2] = std::array::from_fn(|_| Arc::new(process(&store, ReplayStoreAway::Refuse)));
    let tasks: Vec<_> = (0..100)
        .map(|number| {
            let replays = Arc::clone(&processes[number % 2]);
            tokio::spawn(async move { Proof::new("jti", now).at(&replays, now).await })
        })
        .collect();
    let mut passed = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(()) => passed += 1,
            Err(fault) => assert_eq!(fault, ReplayFault::Replayed),
        }
    }
    assert_eq!((passed, store.asked()), (1, 2), "each process asks once");
}

#[test]
fn a_flood_shortens_the_time_and_lets_no_replay_pass() {
    const BYTES: usize = 1 << 20;
    let (replays, begun) = (alone(BYTES), start());
    let made = |number: u32| begun + Duration::from_millis(u64::from(number));
    let (mut most, mut passed) = (0, 0);
    for number in 0..1_000_000 {
        let now = made(number);
        passed += u32::from(Proof::new(number, now).alone(&replays, now).is_ok());
        if number % 97 == 0 {
            // Any of those before, which are accepted by their age.
            let earlier = fastrand::u32(number.saturating_sub(300_000)..=number);
            assert!(Proof::new(earlier, made(earlier)).alone(&replays, now).is_err(), "{earlier} of {number}");
        }
        most = most.max(replays.size().1);
    }
    assert_eq!(passed, 1_000_000, "proofs that arrive at once pass");
    assert!(most <= BYTES && most > BYTES / 4, "{most} bytes");
    let (now, (kept, _)) = (made(999_999), replays.size());
    assert!((10_000..60_000).contains(&kept), "{kept} are remembered");
    let late = |seconds| Proof::new("late", now - seconds * SECOND).alone(&replays, now);
    assert_eq!((late(5), late(200)), (Ok(()), Err(ReplayFault::Forgotten)), "a slow client is too late sooner");
}

#[test]
fn a_flood_within_one_second_ends_that_second() {
    let (replays, now) = (alone(100_000), start());
    let outcomes: Vec<_> = (0..10_000).map(|number| Proof::new(number, now).alone(&replays, now)).collect();
    let passed = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert!((500..10_000).contains(&passed), "{passed} passed");
    assert!(outcomes[passed..].iter().all(|outcome| *outcome == Err(ReplayFault::Forgotten)), "then none does");
    assert!((0..10_000).all(|number| Proof::new(number, now).alone(&replays, now).is_err()));
    let next = now + SECOND;
    assert_eq!(Proof::new("next", next).alone(&replays, next), Ok(()));
    // One that was made earlier displaces none that was made later.
    assert_eq!(Proof::new("earlier", now - SECOND).alone(&replays, next), Err(ReplayFault::Forgotten));
    assert_eq!(Proof::new("next", next).alone(&replays, next), Err(ReplayFault::Replayed));
}

#[test]
fn a_memory_without_room_lets_nothing_pass() {
    let (replays, now) = (alone(0), start());
    for proof in [Proof::new("a", now), Proof::new("b", now), Proof::new("c", now + SECOND)] {
        assert_eq!(proof.alone(&replays, now), Err(ReplayFault::Forgotten));
    }
    assert_eq!(replays.size(), (0, 0));
}

#[test]
fn memory_is_given_back_when_the_time_of_proofs_is_over() {
    let (replays, clock) = (alone(MEMORY_BYTES), TestClock::new());
    for number in 0..10_000 {
        assert_eq!(Proof::new(number, clock.now()).alone(&replays, clock.now()), Ok(()));
        clock.advance(Duration::from_millis(10));
    }
    clock.advance(MAX_AGE + 100 * SECOND);
    assert_eq!(Proof::new("last", clock.now()).alone(&replays, clock.now()), Ok(()));
    let (kept, bytes) = replays.size();
    assert!(kept == 1 && bytes < 1_000, "{kept} proofs, {bytes} bytes");
}

#[test]
fn a_clock_that_goes_back_revives_no_proof() {
    let (replays, clock) = (alone(MEMORY_BYTES), TestClock::new());
    let before = Proof::new("before", clock.now());
    assert_eq!(before.alone(&replays, clock.now()), Ok(()));
    // A jump forward, in which its time is over, …
    clock.advance(3600 * SECOND);
    let meanwhile = Proof::new("meanwhile", clock.now());
    assert_eq!(meanwhile.alone(&replays, clock.now()), Ok(()));
    // … and back, where its age would be fine again.
    clock.rewind(3600 * SECOND - 2 * SECOND);
    assert_eq!(before.alone(&replays, clock.now()), Err(ReplayFault::Forgotten));
    assert_eq!(meanwhile.alone(&replays, clock.now()), Err(ReplayFault::Replayed));
    assert_eq!(Proof::new("new", clock.now()).alone(&replays, clock.now()), Ok(()), "new ones pass at once");
    clock.set(SystemTime::UNIX_EPOCH);
    assert_eq!(before.alone(&replays, clock.now()), Err(ReplayFault::Forgotten));
    let ancient = Proof::new("ancient", SystemTime::UNIX_EPOCH - SECOND);
    assert_eq!(ancient.alone(&replays, clock.now()), Err(ReplayFault::Forgotten));
}

#[test]
fn a_proof_counts_for_as_long_as_the_most_patient_rule_says() {
    let (replays, now) = (alone(MEMORY_BYTES), start());
    let proof = Proof::new("jti", now);
    let short = Sighting { time: ProofTime { made: now, until: now + SECOND, also: None }, ..proof.sighting() };
    assert!(matches!(replays.check(&short, now), Lookup::Done(Ok(()))));
    assert_eq!(Proof::new("other", now).alone(&replays, now), Ok(()));
    assert_eq!(proof.alone(&replays, now + 200 * SECOND), Err(ReplayFault::Replayed), "the same second, another rule");
    // A rule that grows more patient meets a time that is forgotten.
    let replays = alone(MEMORY_BYTES);
    assert!(matches!(replays.check(&short, now), Lookup::Done(Ok(()))));
    assert_eq!(proof.alone(&replays, now + 200 * SECOND), Err(ReplayFault::Forgotten));
}

#[test]
fn a_proof_with_two_times_is_a_replay_by_each() {
    let (nonce, now) = (start(), start() + 20 * SECOND);
    for (made, also) in [(nonce, now), (now, nonce)] {
        let replays = alone(MEMORY_BYTES);
        let proof = Proof::new("jti", made);
        let until = now + MAX_AGE;
        let both = Sighting { time: ProofTime { made, until, also: Some(also) }, ..proof.sighting() };
        assert!(matches!(replays.check(&both, now), Lookup::Done(Ok(()))));
        let by_the_other = Sighting { time: ProofTime { made: also, until, also: None }, ..proof.sighting() };
        for (at, fault) in
            [(now, ReplayFault::Replayed), (until, ReplayFault::Replayed), (until + SECOND, ReplayFault::Forgotten)]
        {
            assert!(
                matches!(replays.check(&by_the_other, at), Lookup::Done(Err(found)) if found == fault),
                "{fault:?}"
            );
        }
    }
    // The second entry counts against the limit, too.
    let replays = alone(4096);
    for number in 0..1000_u64 {
        let proof = Proof::new(number, now);
        let time = ProofTime {
            made: now,
            until: now + MAX_AGE,
            also: Some(now - SECOND * u32::try_from(number % 30).unwrap()),
        };
        let _ = replays.check(&Sighting { time, ..proof.sighting() }, now);
        assert!(replays.size().1 <= 4096);
    }
}

#[tokio::test]
async fn a_proof_that_one_process_has_seen_is_a_replay_at_another() {
    let (now, store) = (start(), Arc::new(Store::default()));
    let [here, there] = [(), ()].map(|()| process(&store, ReplayStoreAway::default()));
    let proof = Proof::new("jti", now - 100 * SECOND);
    assert_eq!(proof.at(&here, now).await, Ok(()));
    assert_eq!(*store.ttl.lock().unwrap(), 205 * SECOND, "longer than its time, for slow clocks");
    assert_eq!(store.kept.lock().unwrap().iter().next().unwrap(), &shared_name(&proof));
    for replays in [&there, &here, &there] {
        assert_eq!(proof.at(replays, now).await, Err(ReplayFault::Replayed));
    }
    assert_eq!(store.asked(), 2, "a process asks about a proof once");
}

#[tokio::test]
async fn a_memory_outlives_a_change_of_its_store() {
    let (now, store) = (start(), Arc::new(Store::default()));
    let before = alone(MEMORY_BYTES);
    let proof = Proof::new("jti", now);
    assert_eq!(proof.at(&before, now).await, Ok(()));
    let after = before.sharing(Arc::new(Arc::clone(&store)), ReplayStoreAway::default());
    assert_eq!(proof.at(&after, now).await, Err(ReplayFault::Replayed));
    let other = after.of_bytes(0);
    assert_eq!(proof.at(&other, now).await, Err(ReplayFault::Forgotten));
    assert_eq!(Proof::new("new", now).at(&after, now).await, Ok(()));
    assert_eq!(Proof::new("new", now).at(&after.of_bytes(MEMORY_BYTES), now).await, Err(ReplayFault::Replayed));
}

fn shared_name(proof: &Proof) -> String {
    crate::shared_store::name(&proof.0)
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_costs_one_short_wait_and_what_holds_meanwhile_is_configured() {
    let refused = |result| matches!(result, Err(ReplayFault::StoreAway { retry_after }) if retry_after <= SECOND);
    for manner in [Manner::Fails, Manner::Hangs] {
        for away in [ReplayStoreAway::JudgeLocally, ReplayStoreAway::Refuse] {
            let (now, store) = (start(), Arc::new(Store::default()));
            let replays = process(&store, away);
            let mut number = 0;
            let mut judged = async || {
                number += 1;
                let begun = tokio::time::Instant::now();
                let proof = Proof::new(number, now);
                let result = proof.at(&replays, now).await;
                assert_eq!(proof.at(&replays, now).await, Err(ReplayFault::Replayed), "{manner:?} {away:?}");
                (result, begun.elapsed())
            };
            assert_eq!(judged().await, (Ok(()), Duration::ZERO));
            store.does(manner);
            for (round, asked) in [(0, 2), (1, 3)] {
                let what = format!("{manner:?} {away:?} round {round}");
                for question in 0..5 {
                    let (result, waited) = judged().await;
                    match away {
                        ReplayStoreAway::JudgeLocally => assert_eq!(result, Ok(()), "{what}"),
                        ReplayStoreAway::Refuse => assert!(refused(result), "{what}: {result:?}"),
                    }
                    let waits = manner == Manner::Hangs && question == 0;
                    let limit = if waits { TIME_LIMIT + Duration::from_millis(2) } else { Duration::ZERO };
                    assert!(waited <= limit, "{what}: {waited:?}");
                }
                assert_eq!(store.asked(), asked, "{what}: the others do not ask");
                tokio::time::advance(SECOND).await;
            }
            store.does(Manner::Works);
            assert_eq!(judged().await.0, Ok(()));
            assert_eq!(judged().await.0, Ok(()));
            assert_eq!(store.asked(), 5, "it is back");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_request_tries_a_store_that_was_away_even_if_its_client_leaves() {
    let (now, store) = (start(), Arc::new(Store::default()));
    let replays = Arc::new(process(&store, ReplayStoreAway::Refuse));
    store.does(Manner::Fails);
    assert!(Proof::new("first", now).at(&replays, now).await.is_err());
    tokio::time::advance(SECOND).await;
    store.does(Manner::Hangs);
    let probe = tokio::spawn({
        let replays = Arc::clone(&replays);
        async move { Proof::new("probe", now).at(&replays, now).await }
    });
    while store.asked() < 2 {
        tokio::task::yield_now().await;
    }
    let beside = Proof::new("beside", now).at(&replays, now).await;
    assert!(matches!(beside, Err(ReplayFault::StoreAway { .. })) && store.asked() == 2);
    probe.abort();
    store.does(Manner::Works);
    assert!(Proof::new("soon", now).at(&replays, now).await.is_err());
    tokio::time::advance(TIME_LIMIT).await;
    assert_eq!(Proof::new("later", now).at(&replays, now).await, Ok(()));
    assert_eq!(Proof::new("probe", now).at(&replays, now).await, Err(ReplayFault::Replayed), "it was sent");
}

#[tokio::test]
async fn a_hostile_store_can_refuse_and_cannot_let_a_replay_pass_here() {
    let (now, store) = (start(), Arc::new(Store::default()));
    let replays = process(&store, ReplayStoreAway::default());
    store.does(Manner::SaysNo);
    assert_eq!(Proof::new("1", now).at(&replays, now).await, Err(ReplayFault::Replayed));
    store.does(Manner::SaysYes);
    assert_eq!(Proof::new("1", now).at(&replays, now).await, Err(ReplayFault::Replayed));
    assert_eq!(Proof::new("2", now).at(&replays, now).await, Ok(()));
    assert_eq!(Proof::new("2", now).at(&replays, now).await, Err(ReplayFault::Replayed));
}

#[test]
fn without_a_runtime_a_store_is_away() {
    let (now, store) = (start(), Arc::new(Store::default()));
    for (away, passes) in [(ReplayStoreAway::JudgeLocally, true), (ReplayStoreAway::Refuse, false)] {
        let replays = process(&store, away);
        let Lookup::Asks(mut asking) = replays.check(&Proof::new("jti", now).sighting(), now) else {
            panic!("does not ask")
        };
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let std::task::Poll::Ready(result) = asking.as_mut().poll(&mut context) else { panic!("waits") };
        assert_eq!(result.is_ok(), passes);
    }
}

#[test]
fn outcomes_are_counted_and_warnings_are_seldom() {
    let recorder = metrics_util::debugging::DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async {
            let (now, store) = (start(), Arc::new(Store::default()));
            let [here, there] = [(), ()].map(|()| process(&store, ReplayStoreAway::default()));
            for replays in [&here, &here, &there] {
                let _ = Proof::new("jti", now).at(replays, now).await;
            }
            store.does(Manner::Fails);
            for number in 0..3 {
                let _ = Proof::new(number, now).at(&here, now).await;
            }
            let _ = Proof::new("jti", now).at(&process(&store, ReplayStoreAway::Refuse), now).await;
            let _ = Proof::new("jti", now).alone(&alone(0), now);
        });
    });
    let mut counted: Vec<_> = snapshotter
        .snapshot()
        .into_vec()
        .into_iter()
        .map(|(key, _, _, value)| {
            let labels: Vec<_> = key.key().labels().map(|label| label.value().to_owned()).collect();
            let metrics_util::debugging::DebugValue::Counter(count) = value else { panic!("not a counter") };
            (format!("{} {}", key.key().name(), labels.join(",")), count)
        })
        .collect();
    counted.sort();
    let expected = [
        ("portcullis_dpop_proofs_total first", 1),
        ("portcullis_dpop_proofs_total first_here", 3),
        ("portcullis_dpop_proofs_total forgotten", 1),
        ("portcullis_dpop_proofs_total replayed", 1),
        ("portcullis_dpop_proofs_total replayed_elsewhere", 1),
        ("portcullis_dpop_proofs_total unknown", 1),
        ("portcullis_replay_store_failures_total ", 2),
    ];
    assert_eq!(counted, expected.map(|(name, count)| (name.to_owned(), count)));
}
