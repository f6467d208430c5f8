use std::{collections::BTreeMap, sync::Barrier, thread};

use proptest::prelude::*;

use super::*;
use crate::counters::{text::tests::check, zone};

/// The words before the first entry.
const FIRST: usize = 3;

fn set(word: &AtomicU64, value: u64) {
    word.store(value, Ordering::Relaxed);
}

fn get(word: &AtomicU64) -> u64 {
    word.load(Ordering::Relaxed)
}

fn copy(zone: &[AtomicU64]) -> &'static [AtomicU64] {
    zone.iter().map(|word| get(word).into()).collect::<Vec<_>>().leak()
}

/// The readable entries: keys, and the first value of each.
fn read(table: &Table) -> Vec<(String, u64)> {
    table.entries().into_iter().map(|entry| (entry.key, get(&entry.values[0]))).collect()
}

fn count(table: &Table, key: &str, by: u64) -> bool {
    table.register(Kind::Counter, key, &[]).is_some_and(|values| {
        values[0].fetch_add(by, Ordering::Relaxed);
        true
    })
}

fn pairs(expected: &[(&str, u64)]) -> Vec<(String, u64)> {
    expected.iter().map(|(key, value)| ((*key).to_owned(), *value)).collect()
}

#[test]
fn a_zone_is_taken_over_if_it_is_large_enough_and_ours() {
    let cases = [(0, 0, false), (1, 0, false), (7, 0, false), (8, 0, true), (8, MAGIC, true), (8, MAGIC + 1, false)];
    for (words, magic, taken) in cases {
        let zone = zone(words);
        if let Some(first) = zone.first() {
            set(first, magic);
        }
        assert_eq!(Table::new(zone).is_some(), taken, "{words} words, mark {magic:#x}");
    }
}

#[test]
fn an_entry_is_found_by_kind_key_and_bounds() {
    let table = Table::new(zone(200)).unwrap();
    let cases: [(Kind, &str, &[f64], usize); 6] = [
        (Kind::Counter, "a", &[], 1),
        (Kind::Gauge, "a", &[], 1),
        (Kind::Histogram, "a", &[], 2),
        (Kind::Histogram, "a", &[1.0], 3),
        (Kind::Histogram, "a", &[2.0], 3),
        (Kind::Counter, "a key of more than eight bytes: \u{e9}\u{1f600}", &[], 1),
    ];
    for (number, (kind, key, bounds, values)) in cases.iter().enumerate() {
        let words = table.register(*kind, key, bounds).unwrap();
        assert_eq!(words.len(), *values, "{kind:?} {key} {bounds:?}");
        set(&words[0], number as u64);
    }
    for (number, (kind, key, bounds, _)) in cases.iter().enumerate() {
        assert_eq!(get(&table.register(*kind, key, bounds).unwrap()[0]), number as u64, "{kind:?} {key} {bounds:?}");
    }
    let entries = table.entries();
    assert_eq!(entries.len(), cases.len());
    for (entry, (kind, key, bounds, values)) in entries.iter().zip(cases) {
        assert_eq!((entry.kind, entry.key.as_str(), &*entry.bounds), (kind, key, bounds));
        assert_eq!(entry.values.len(), values);
    }
    assert_eq!(table.left_out(), 0);
}

#[test]
fn a_process_may_die_after_each_store() {
    let bounds = [0.5, 1.0];
    let image = Image::new(Kind::Histogram, "b_seconds{c=\"d\"}", &bounds).unwrap();
    let whole = zone(100);
    let table = Table::new(whole).unwrap();
    count(&table, "before_total", 1);
    let start = usize::try_from(get(&whole[1])).unwrap() + FIRST;
    let begun = copy(whole);
    table.register(Kind::Histogram, "b_seconds{c=\"d\"}", &bounds).unwrap();
    // The words that registering stores, in its order.
    let mut stores = vec![start, 1, start + 2];
    stores.extend(start + FIXED + image.values..start + image.size);
    stores.push(start + 1);
    for (at, word) in begun.iter().enumerate() {
        assert_eq!(get(word) != get(&whole[at]), stores.contains(&at), "word {at}");
    }
    for done in 0..=stores.len() {
        let zone = copy(begun);
        for at in &stores[..done] {
            set(&zone[*at], get(&whole[*at]));
        }
        let ready = done == stores.len();
        let table = Table::new(zone).unwrap();
        let seen = read(&table);
        assert_eq!(seen.len(), 1 + usize::from(ready), "after {done} stores: {seen:?}");

        // Another process adds its own, and a third one adds the same.
        assert!(count(&table, "after_total", 2), "after {done} stores");
        let again = table.register(Kind::Histogram, "b_seconds{c=\"d\"}", &bounds).unwrap();
        set(&again[0], 3);
        let mut seen = read(&table);
        seen.sort();
        let expected = pairs(&[("after_total", 2), ("b_seconds{c=\"d\"}", 3), ("before_total", 1)]);
        assert_eq!(seen, expected, "after {done} stores");
        check(&table.text(&BTreeMap::new()));

        // The first one was only slow: it goes on with its stores.
        for at in stores.iter().skip(done.max(2)) {
            if done > 0 {
                set(&zone[*at], get(&whole[*at]));
            }
        }
        let mut seen = read(&table);
        seen.sort();
        assert_eq!(seen, expected, "after {done} stores, and the others");
        assert_eq!(table.left_out(), 0);
    }
}

#[test]
fn an_entry_that_nobody_fills_is_stepped_over() {
    let zone = zone(100);
    let table = Table::new(zone).unwrap();
    set(&zone[FIRST], Image::new(Kind::Gauge, "never", &[]).unwrap().head());
    assert_eq!(read(&table), pairs(&[]));
    assert!(count(&table, "a_total", 1) && count(&table, "a_total", 1));
    assert_eq!(read(&table), pairs(&[("a_total", 2)]));
    assert_eq!(get(&zone[FIRST + 1]), 0, "the entry of another key stays as it is");
}

#[test]
fn a_full_table_counts_what_it_leaves_out() {
    // Room for two entries of six words and one of five.
    let table = Table::new(zone(FIRST + 17)).unwrap();
    let cases = [
        ("a23456789", true, 0),
        ("b23456789", true, 0),
        ("c23456789", false, 1),
        ("a23456789", true, 1),
        ("d", true, 1),
        ("e", false, 2),
        ("", false, 3),
        (&"k".repeat(600_000), false, 4),
    ];
    for (key, fits, left_out) in cases {
        assert_eq!(count(&table, key, 1), fits, "{key:.9}");
        assert_eq!(table.left_out(), left_out, "{key:.9}");
    }
    assert_eq!(read(&table), pairs(&[("a23456789", 2), ("b23456789", 1), ("d", 1)]));
    let table = Table::new(zone(70_000)).unwrap();
    assert!(count(&table, &"k".repeat(8 * 65_531), 1), "the largest entry");
    assert!(!count(&table, &"k".repeat(8 * 65_531 + 1), 1), "too large");
}

#[test]
fn damage_of_one_word_costs_its_entry_at_most() {
    let whole = zone(100);
    let table = Table::new(whole).unwrap();
    let long = "b_total{code=\"invalid_token\"}";
    assert!(count(&table, "a_total", 1) && count(&table, long, 2) && count(&table, "c_total", 3));
    let end = FIRST + usize::try_from(get(&whole[1])).unwrap();
    let b = FIRST + 5..FIRST + 5 + Image::new(Kind::Counter, long, &[]).unwrap().size;
    for at in (1..2).chain(FIRST..end) {
        let old = get(&whole[at]);
        let values = [
            0,
            1,
            5,
            0xffff,
            u64::MAX,
            old ^ 1,
            old ^ 2,
            old ^ (1 << 40),
            old ^ (1 << 63),
            old + 1,
            old.wrapping_sub(1),
        ];
        for value in values.into_iter().filter(|&value| value != old) {
            let zone = copy(whole);
            set(&zone[at], value);
            let table = Table::new(zone).unwrap();
            let context = format!("word {at} is {value:#x}, was {old:#x}");
            let mine = |key: &str| match key {
                "a_total" => at < b.start,
                "c_total" => at >= b.end,
                _ => b.contains(&at),
            };
            // Twice: what is registered after the damage must not write into other entries.
            for _ in 0..2 {
                let seen = read(&table);
                for (key, value) in pairs(&[("a_total", 1), (long, 2), ("c_total", 3)]) {
                    let found: Vec<_> =
                        seen.iter().filter(|(other, _)| *other == key).map(|(_, value)| *value).collect();
                    assert!(found == [value] || (at >= FIRST && mine(&key)), "{context}: {key} is {found:?}");
                }
                check(&table.text(&BTreeMap::new()));
                count(&table, "new_total", 1);
                count(&table, &"new_total".repeat(4), 1);
            }
        }
    }
}

#[test]
fn numbers_in_a_damaged_entry_are_not_taken_for_heads_or_the_end() {
    let zone = zone(100);
    let table = Table::new(zone).unwrap();
    let counts = table.register(Kind::Histogram, "h", &[1.0, 2.0]).unwrap();
    assert!(count(&table, "a_total", 1) && count(&table, "b_total", 2));
    // The count looks like an unready entry that reaches beyond the next one, and its neighbours like free words.
    set(&counts[1], 14);
    set(&zone[FIRST], u64::MAX);
    set(&zone[1], 0);
    for _ in 0..2 {
        assert_eq!(read(&table), pairs(&[("a_total", 1), ("b_total", 2)]));
        assert!(!count(&table, "new_total", 1), "the end is not known");
        assert!(count(&table, "a_total", 0), "what is there is found");
    }
    assert_eq!(counts.iter().map(get).collect::<Vec<_>>(), [0, 14, 0, 0]);
}

#[test]
fn the_first_to_reserve_has_the_place() {
    let zone = zone(100);
    let table = Table::new(zone).unwrap();
    let Step::Free(free) = Walk::new(&table).step() else { panic!("expected a table without entries") };
    assert!(count(&table, "first_total", 1));
    let late = Image::new(Kind::Counter, "late_total", &[]).unwrap();
    assert_eq!(table.reserve(free, &late), Some(()), "there is room");
    assert_eq!(read(&table), pairs(&[("first_total", 1)]));
    assert!(count(&table, "late_total", 2));
    assert_eq!(read(&table), pairs(&[("first_total", 1), ("late_total", 2)]));
}

#[test]
fn an_entry_of_another_key_with_the_same_head_is_left_alone() {
    let zone = zone(100);
    let table = Table::new(zone).unwrap();
    assert!(count(&table, "a_total", 1));
    set(&zone[FIRST], Image::new(Kind::Counter, "b_total", &[]).unwrap().head());
    for _ in 0..2 {
        assert!(count(&table, "b_total", 2));
    }
    assert_eq!(read(&table), pairs(&[("a_total", 1), ("b_total", 4)]));
}

#[test]
fn an_entry_with_a_good_hash_and_bad_contents_is_skipped() {
    let one = |word: u64| vec![word];
    let nan = f64::NAN.to_bits();
    let (low, high) = (1_f64.to_bits(), 2_f64.to_bits());
    let key = u64::from(b'k');
    let cases = [
        ("good", Kind::Counter, 0, 1, one(key), true),
        ("good with bounds", Kind::Histogram, 2, 1, vec![low, high, key], true),
        ("not UTF-8", Kind::Counter, 0, 1, one(0xff), false),
        ("a bound that is no number", Kind::Histogram, 1, 1, vec![nan, key], false),
        ("an infinite bound", Kind::Histogram, 1, 1, vec![f64::INFINITY.to_bits(), key], false),
        ("bounds that fall", Kind::Histogram, 2, 1, vec![high, low, key], false),
        ("bounds that repeat", Kind::Histogram, 2, 1, vec![low, low, key], false),
        ("bounds of a counter", Kind::Counter, 1, 1, vec![low, key], false),
        ("a key of no bytes", Kind::Counter, 0, 0, one(key), false),
        ("a key beyond the entry", Kind::Counter, 0, 9, one(key), false),
        ("a key shorter than its words", Kind::Counter, 0, 8, vec![key, 0], false),
    ];
    for (case, kind, bounds, key, fixed, good) in cases {
        let zone = zone(100);
        let table = Table::new(zone).unwrap();
        let shape = Shape { kind, bounds, key };
        let size = FIXED + shape.values() + fixed.len();
        let ready = hash(shape, &fixed);
        let image = Image { size, ready, shape: shape.pack().unwrap(), values: shape.values(), fixed };
        set(&zone[FIRST], image.head());
        image.take(&zone[FIRST..FIRST + size]).unwrap();
        assert_eq!(read(&table).len(), usize::from(good), "{case}");
        check(&table.text(&BTreeMap::new()));
    }
}

#[test]
fn threads_that_register_at_once_share_entries() {
    for _ in 0..200 {
        let table = Table::new(zone(400)).unwrap();
        let barrier = Barrier::new(4);
        thread::scope(|scope| {
            for thread in 0..4 {
                let (table, barrier) = (&table, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    for round in 0..8 {
                        // Each thread in another order.
                        let key = format!("k{}_total", (round * (2 * thread + 1)) % 8);
                        assert!(count(table, &key, 1));
                    }
                });
            }
        });
        let mut seen = read(&table);
        seen.sort();
        let expected: Vec<_> = (0..8).map(|key| (format!("k{key}_total"), 4)).collect();
        assert_eq!(seen, expected);
    }
}

/// Words that look like parts of entries more often than chance would have it.
fn word() -> impl Strategy<Value = u64> {
    let image = Image::new(Kind::Histogram, "h{a=\"b\"}", &[1.0]).unwrap();
    prop_oneof![
        any::<u64>(),
        Just(0),
        0_u64..20,
        (any::<u64>(), 0_u64..12).prop_map(|(hash, size)| hash & !SIZE | size),
        Just(image.head()),
        Just(image.ready),
        Just(image.shape),
        prop::sample::select(image.fixed),
    ]
}

proptest! {
    #[test]
    fn hostile_words_do_no_harm(
        words in prop::collection::vec(word(), 8..80),
        end in word(),
        ours in any::<bool>(),
    ) {
        let zone: &'static [AtomicU64] = words.into_iter().map(AtomicU64::from).collect::<Vec<_>>().leak();
        if ours {
            set(&zone[0], MAGIC);
            set(&zone[1], end);
        }
        if let Some(table) = Table::new(zone) {
            check(&table.text(&BTreeMap::new()));
            for _ in 0..3 {
                table.register(Kind::Counter, "c_total", &[]);
                table.register(Kind::Histogram, "h{a=\"b\"}", &[1.0]);
            }
            check(&table.text(&BTreeMap::new()));
        }
    }

    #[test]
    fn hostile_changes_of_a_good_table_do_no_harm(changes in prop::collection::vec((1_usize..60, word()), 1..6)) {
        let zone = zone(60);
        let table = Table::new(zone).unwrap();
        table.register(Kind::Histogram, "h{a=\"b\"}", &[1.0]);
        count(&table, "a_total", 1);
        table.register(Kind::Gauge, "g{worker=\"1\"}", &[]);
        for (at, word) in changes {
            set(&zone[at], word);
            check(&table.text(&BTreeMap::new()));
            table.register(Kind::Histogram, "h{a=\"b\"}", &[1.0]);
            count(&table, "b_total", 1);
        }
        check(&table.text(&BTreeMap::new()));
    }
}
