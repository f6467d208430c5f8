//! Numbers under keys, in words that processes share.
//!
//! # Layout
//!
//! ```text
//! zone    MAGIC, END, LEFT_OUT, then entries without gaps, then zeros
//! entry   head    the upper 48 bits of the entry's hash, and its size in words (16 bits)
//!         ready   the whole hash, or 0 until the entry is filled
//!         shape   kind (8 bits), number of bounds (24 bits), length of the key in bytes (32 bits)
//!         values  counter, gauge: one word; histogram: the sum, then a count for each bucket, the last one without a bound
//!         bounds  upper bounds of the buckets, as bits of f64
//!         key     text, eight bytes a word
//! ```
//!
//! # A process may die at any instruction
//!
//! An entry is reserved by one compare-exchange of the zero at the end of the entries, and the new value, `head`, carries the
//! size. There is no moment at which space is taken and its size unknown: before the exchange nothing has happened, after it
//! everybody can step over the entry. Until `ready` is stored (Release), readers skip it.
//!
//! All that is stored between the two follows from kind, key and bounds: each process would store the same words, and values
//! are not among them (a new zone is zeroed). `head` tells by its hash for which key an entry was reserved. So a process that
//! meets an unready entry for its own key fills it too, without asking if the first one is dead or only slow. This is why a
//! key has one entry, also if several workers register it at once, and why an entry of the dead is found again.
//!
//! `END` is only a lower bound of the end, raised after each reservation: a zero below it is damage.
//!
//! # Damage
//!
//! A reader believes an entry if its hash fits its words. Where a head makes no sense, the reader looks at each following word
//! for an entry that does, and a process that registers adds nothing: it cannot know where the end is. A key whose entry
//! is damaged gets another one. As text, entries of one key are added up, except gauges, of which the last one stays.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use super::Kind;

/// The mark of a zone with this layout. To be changed with the layout.
const MAGIC: u64 = u64::from_le_bytes(*b"PcMetr\x00\x01");
/// The words of an entry before its values.
const FIXED: usize = 3;
/// The words of the smallest entry: a value and a key of up to eight bytes.
const SMALLEST: usize = FIXED + 2;
/// The part of a head that is the size.
const SIZE: u64 = 0xffff;

/// The table of all metrics, in shared words.
#[derive(Clone, Copy)]
pub(crate) struct Table {
    end: &'static AtomicU64,
    left_out: &'static AtomicU64,
    entries: &'static [AtomicU64],
}

/// An entry as it was read.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The kind, which says what the values are.
    pub(crate) kind: Kind,
    /// The key, in UTF-8 and otherwise unchecked.
    pub(crate) key: String,
    /// The bounds of a histogram's buckets: finite and rising.
    pub(crate) bounds: Vec<f64>,
    /// The words that count.
    pub(crate) values: &'static [AtomicU64],
}

impl Table {
    /// Takes over a zone: zeroed, or as other processes left it.
    ///
    /// Returns `None` if it is too small for an entry, or holds something else than this layout.
    pub(crate) fn new(words: &'static [AtomicU64]) -> Option<Self> {
        let [magic, end, left_out, entries @ ..] = words else { return None };
        if entries.len() < SMALLEST {
            return None;
        }
        match magic.compare_exchange(0, MAGIC, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) | Err(MAGIC) => Some(Self { end, left_out, entries }),
            Err(_) => None,
        }
    }

    /// Finds the values of a key, or adds them.
    ///
    /// Returns `None`, and counts that, if there is no room.
    pub(crate) fn register(&self, kind: Kind, key: &str, bounds: &[f64]) -> Option<&'static [AtomicU64]> {
        let values = Image::new(kind, key, bounds).and_then(|image| self.place(&image));
        if values.is_none() {
            self.left_out.fetch_add(1, Ordering::Relaxed);
        }
        values
    }

    /// Returns the number of metrics for which there was no room.
    pub(crate) fn left_out(&self) -> u64 {
        self.left_out.load(Ordering::Relaxed)
    }

    /// Reads all entries that are ready and undamaged.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        let mut walk = Walk::new(self);
        let mut entries = Vec::new();
        while let Step::Entry(words) = walk.step() {
            entries.extend(Entry::read(words));
        }
        entries
    }

    fn place(&self, image: &Image) -> Option<&'static [AtomicU64]> {
        let mut walk = Walk::new(self);
        // Each round steps over an entry or reserves one. If another process was faster, the next step sees its entry.
        loop {
            match walk.step() {
                Step::Entry(words) => {
                    if let Some(values) = image.take(words) {
                        return Some(values);
                    }
                }
                Step::Free(free) => self.reserve(free, image)?,
                Step::End => return None,
            }
        }
    }

    /// Reserves an entry at the end, unless another process was first. Returns `None` if there is no room.
    fn reserve(&self, free: &[AtomicU64], image: &Image) -> Option<()> {
        let head = free.get(..image.size)?.first()?;
        if head.compare_exchange(0, image.head(), Ordering::AcqRel, Ordering::Acquire).is_ok() {
            let end = self.entries.len().saturating_sub(free.len()).saturating_add(image.size);
            self.end.fetch_max(u64::try_from(end).ok()?, Ordering::AcqRel);
        }
        Some(())
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("words", &self.entries.len()).finish_non_exhaustive()
    }
}

impl Entry {
    /// Reads an entry. Returns `None` if it is not ready, or damaged.
    fn read(words: &'static [AtomicU64]) -> Option<Self> {
        let [_, ready, shape, rest @ ..] = words else { return None };
        let ready = ready.load(Ordering::Acquire);
        let shape = Shape::unpack(shape.load(Ordering::Relaxed))?;
        let (values, rest) = rest.split_at_checked(shape.values())?;
        let fixed: Vec<u64> = rest.iter().map(|word| word.load(Ordering::Relaxed)).collect();
        if hash(shape, &fixed) != ready {
            return None;
        }
        let (bounds, key) = fixed.split_at_checked(shape.bounds)?;
        let mut key: Vec<u8> = key.iter().flat_map(|word| word.to_le_bytes()).collect();
        key.truncate(shape.key);
        let bounds: Vec<f64> = bounds.iter().copied().map(f64::from_bits).collect();
        // The hash shows damage, but anybody can compute one.
        if !bounds.iter().all(|bound| bound.is_finite()) || !bounds.is_sorted_by(|one, next| one < next) {
            return None;
        }
        Some(Self { kind: shape.kind, key: String::from_utf8(key).ok()?, bounds, values })
    }
}

/// The sizes of an entry, from which all places in it follow.
#[derive(Debug, Clone, Copy)]
struct Shape {
    kind: Kind,
    /// The number of bounds.
    bounds: usize,
    /// The length of the key in bytes.
    key: usize,
}

impl Shape {
    fn unpack(word: u64) -> Option<Self> {
        let kind = match word & 0xff {
            1 => Kind::Counter,
            2 => Kind::Gauge,
            3 => Kind::Histogram,
            _ => return None,
        };
        let bounds = usize::try_from((word >> 8) & 0xff_ffff).ok()?;
        Some(Self { kind, bounds, key: usize::try_from(word >> 32).ok()? })
    }

    fn pack(self) -> Option<u64> {
        let kind = match self.kind {
            Kind::Counter => 1,
            Kind::Gauge => 2,
            Kind::Histogram => 3,
        };
        let bounds = u64::try_from(self.bounds).ok().filter(|&bounds| bounds <= 0xff_ffff)?;
        Some(u64::from(u32::try_from(self.key).ok()?) << 32 | bounds << 8 | kind)
    }

    /// Returns the number of words for values.
    fn values(self) -> usize {
        match self.kind {
            Kind::Counter | Kind::Gauge => 1,
            Kind::Histogram => self.bounds.saturating_add(2),
        }
    }

    /// Returns the number of words of the entry. `None` if that is more than a head can say, or if the shape makes no sense.
    fn size(self) -> Option<usize> {
        if self.bounds > 0 && self.kind != Kind::Histogram {
            return None;
        }
        let size = FIXED.checked_add(self.values())?.checked_add(self.bounds)?.checked_add(self.key.div_ceil(8))?;
        u16::try_from(size).ok().map(usize::from)
    }
}

/// All words of an entry but its values.
struct Image {
    size: usize,
    ready: u64,
    shape: u64,
    values: usize,
    /// Bounds and key.
    fixed: Vec<u64>,
}

impl Image {
    /// Lays out an entry. `None` if it is larger than an entry can be.
    fn new(kind: Kind, key: &str, bounds: &[f64]) -> Option<Self> {
        let shape = Shape { kind, bounds: bounds.len(), key: key.len() };
        let size = shape.size()?;
        let key =
            key.as_bytes().chunks(8).map(|bytes| bytes.iter().rfold(0, |word, byte| word << 8 | u64::from(*byte)));
        let fixed: Vec<u64> = bounds.iter().map(|bound| bound.to_bits()).chain(key).collect();
        Some(Self { size, ready: hash(shape, &fixed), shape: shape.pack()?, values: shape.values(), fixed })
    }

    fn head(&self) -> u64 {
        // The size fits: `Shape::size` saw to that.
        self.ready & !SIZE | u64::try_from(self.size).unwrap_or(0) & SIZE
    }

    /// Takes an entry that is this one, or that was reserved for it and is not ready yet. Returns its values.
    fn take(&self, words: &'static [AtomicU64]) -> Option<&'static [AtomicU64]> {
        let [head, ready, shape, rest @ ..] = words else { return None };
        if head.load(Ordering::Acquire) != self.head() {
            return None;
        }
        let (values, fixed) = rest.split_at_checked(self.values)?;
        if ready.load(Ordering::Acquire) == 0 {
            shape.store(self.shape, Ordering::Relaxed);
            for (word, value) in fixed.iter().zip(&self.fixed) {
                word.store(*value, Ordering::Relaxed);
            }
            ready.store(self.ready, Ordering::Release);
        }
        let same = ready.load(Ordering::Acquire) == self.ready
            && shape.load(Ordering::Relaxed) == self.shape
            && fixed.len() == self.fixed.len()
            && fixed.iter().zip(&self.fixed).all(|(word, value)| word.load(Ordering::Relaxed) == *value);
        same.then_some(values)
    }
}

/// Hashes what an entry is for: FNV-1a, since all releases must agree on it; never 0.
fn hash(shape: Shape, fixed: &[u64]) -> u64 {
    let shape = shape.pack().unwrap_or(0);
    let bytes = std::iter::once(&shape).chain(fixed).flat_map(|word| word.to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)) | 1
}

/// A walk along the entries.
struct Walk {
    rest: &'static [AtomicU64],
    /// The number of words that are taken for certain, from here. Not kept up once the walk is lost.
    taken: usize,
    /// True after a head that makes no sense.
    lost: bool,
}

enum Step {
    /// An entry, ready or not.
    Entry(&'static [AtomicU64]),
    /// The words after the last entry. The walk stays there.
    Free(&'static [AtomicU64]),
    /// The end of the zone.
    End,
}

impl Walk {
    fn new(table: &Table) -> Self {
        let taken = usize::try_from(table.end.load(Ordering::Acquire)).unwrap_or(usize::MAX);
        Self { rest: table.entries, taken, lost: false }
    }

    fn step(&mut self) -> Step {
        while let Some(head) = self.rest.first() {
            let head = head.load(Ordering::Acquire);
            if head == 0 && self.taken == 0 && !self.lost {
                return Step::Free(self.rest);
            }
            if let Some((entry, rest)) = self.entry(head) {
                self.taken = self.taken.saturating_sub(entry.len());
                self.rest = rest;
                return Step::Entry(entry);
            }
            self.lost = true;
            self.rest = self.rest.get(1..).unwrap_or_default();
        }
        Step::End
    }

    /// Splits off the entry with this head, if its shape has the size that the head says.
    fn entry(&self, head: u64) -> Option<(&'static [AtomicU64], &'static [AtomicU64])> {
        let size = usize::try_from(head & SIZE).ok()?;
        let (entry, rest) = self.rest.split_at_checked(size)?;
        let [_, ready, shape, ..] = entry else { return None };
        let ready = ready.load(Ordering::Acquire);
        // In a damaged entry, any number may look like a head, so only what is ready counts.
        let fits = match ready {
            0 => !self.lost,
            _ => Shape::unpack(shape.load(Ordering::Relaxed)).and_then(Shape::size) == Some(size),
        };
        fits.then_some((entry, rest))
    }
}

#[cfg(test)]
mod tests;
