//! Heap allocations for each token.

use stats_alloc::Region;

use crate::{HEAP, bound::Figure, case::Case};

const TIMES: u64 = 100;

pub(crate) fn figures() -> Vec<Figure> {
    Case::ALL.iter().map(figure).collect()
}

fn figure(case: &Case) -> Figure {
    let prepared = case.prepare();
    let region = Region::new(HEAP);
    prepared.repeat(TIMES);
    let change = region.change();
    let counted = (change.allocations + change.reallocations) as u64;
    // Rounded up, so that an occasional allocation counts as one.
    let (counted, unit) = (counted.div_ceil(TIMES), "allocations");
    Figure { what: case.name.to_owned(), unit, counted, bound: case.allocations }
}
