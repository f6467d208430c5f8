//! Lists without repetitions: [`each_once`].

/// Returns the values in their order, each once. For short lists: every value is compared with those before it.
pub(crate) fn each_once<T: PartialEq>(values: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut seen = Vec::new();
    for value in values {
        if !seen.contains(&value) {
            seen.push(value);
        }
    }
    seen
}
