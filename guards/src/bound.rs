//! A counted figure and its bound.

use std::fmt;

/// A count and its upper bound.
pub(crate) struct Figure {
    pub(crate) what: String,
    pub(crate) unit: &'static str,
    pub(crate) counted: u64,
    pub(crate) bound: u64,
}

impl Figure {
    pub(crate) fn holds(&self) -> bool {
        self.counted <= self.bound
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, unit, counted, bound } = self;
        let word = if self.holds() { "ok" } else { "ABOVE" };
        write!(f, "{what:<44} {counted:>10} {unit:<12} at most {bound:>10}  {word}")
    }
}
