//! The TOML text as tables that are read key by key, each value with its place.
//!
//! Serde's derives stop at the first mistake; here a mistake is noted and the reading goes on, so that all are shown at
//! once. A key that was never read is unknown.

use std::{borrow::Cow, cell::RefCell, ops::Range, path::Path};

use portcullis::{ConfigurationError, IssuerRules, Rules};
use serde::de::DeserializeOwned;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

pub(super) use super::value::Value;
use super::{
    problem::{Problem, Problems},
    starred::{everything, may_be_secret},
    typed,
};

pub(super) type Read<T> = Result<T, Problem>;

/// A field of a library struct that a table cannot have, and the remedy; without one, the key has another meaning there.
pub(super) type NotHere = (&'static str, &'static str);

/// A field of a struct, and its value.
pub(super) type Field<'a> = (&'static str, Value<'a>);

/// The common parts of all tables of a file.
pub(super) struct File<'a> {
    pub(super) problems: Problems,
    /// The folder of relative paths.
    pub(super) base: &'a Path,
}

/// A table, with the keys that were read so far and those that have a mistake.
pub(super) struct Table<'a> {
    entries: &'a DeTable<'a>,
    place: Range<usize>,
    file: &'a File<'a>,
    asked: RefCell<Vec<&'static str>>,
    mistaken: RefCell<Vec<&'static str>>,
}

impl<'a> Table<'a> {
    pub(super) fn new(entries: &'a DeTable<'a>, place: Range<usize>, file: &'a File<'a>) -> Self {
        Self { entries, place, file, asked: RefCell::default(), mistaken: RefCell::default() }
    }

    pub(super) fn place(&self) -> Range<usize> {
        self.place.clone()
    }

    pub(super) fn base(&self) -> &'a Path {
        self.file.base
    }

    pub(super) fn note(&self, problem: Problem) {
        self.file.problems.note(problem);
    }

    pub(super) fn warn(&self, problem: Problem) {
        self.file.problems.warn(problem);
    }

    /// Reads the value of a key. If a mistake is noted meanwhile, [`rest`](Self::rest) does not read it again.
    pub(super) fn look_at<T>(&self, key: &'static str, look: impl FnOnce() -> T) -> T {
        let before = self.file.problems.count();
        let seen = look();
        if self.file.problems.count() > before {
            self.mistaken.borrow_mut().push(key);
        }
        seen
    }

    /// Returns the place of a key, and its value.
    pub(super) fn entry(&self, key: &str) -> Option<(Range<usize>, Value<'a>)> {
        self.entries.get_key_value(key).map(|(key, value)| (key.span(), value.into()))
    }

    /// Returns the value of a key, not interpreted.
    pub(super) fn value(&self, key: &'static str) -> Option<Value<'a>> {
        self.asked.borrow_mut().push(key);
        self.entry(key).map(|(_, value)| value)
    }

    /// Reads the value of a key, if it is there and good; a bad one is noted.
    pub(super) fn get<T>(&self, key: &'static str, read: impl FnOnce(&Value<'a>) -> Read<T>) -> Option<T> {
        let value = self.value(key)?;
        self.look_at(key, || self.file.problems.keep(read(&value)))
    }

    /// Reads the value of a required key; none if it is bad or missing, which is noted.
    pub(super) fn require<T>(
        &self,
        key: &'static str,
        help: &str,
        read: impl FnOnce(&Value<'a>) -> Read<T>,
    ) -> Option<T> {
        if !self.entries.contains_key(key) {
            let problem = Problem::new(self.place(), format!("expected `{key}` in this table, got none"));
            self.look_at(key, || self.note(problem.help(help)));
        }
        self.get(key, read)
    }

    /// Returns a table within this one.
    pub(super) fn table(&self, key: &'static str) -> Option<Table<'a>> {
        self.get(key, |value| value.table(self.file))
    }

    /// Notes an array without elements, which would ask for nothing.
    pub(super) fn refuse_empty(&self, key: &'static str, value: &Value<'a>) {
        if value.elements() == Some(0) {
            let problem = value.problem(format!("expected something in `{key}`, got an empty array"));
            self.look_at(key, || self.note(problem.help(format!("leave `{key}` out"))));
        }
    }

    /// Returns the tables of an array, `[[key]]`.
    pub(super) fn tables(&self, key: &'static str) -> Vec<Table<'a>> {
        let help = format!("write `[[{key}]]` above each, or `{key} = [{{ … }}]`");
        let helped = |problem: Problem| problem.help(help.clone());
        let values = self.get(key, |value| value.array("an array of tables").map_err(helped)).unwrap_or_default();
        values.iter().filter_map(|value| self.file.problems.keep(value.table(self.file).map_err(helped))).collect()
    }

    /// Reads the elements of an array, each bad one noted; none if the key is not there.
    pub(super) fn list<T>(
        &self,
        key: &'static str,
        what: &str,
        read: impl Fn(&Value<'a>) -> Read<T>,
    ) -> Option<Vec<T>> {
        let values = self.get(key, |value| value.array(what))?;
        Some(self.look_at(key, || values.iter().filter_map(|value| self.file.problems.keep(read(value))).collect()))
    }

    /// Reads the rest of the table into a struct of the library, whose fields become known keys here, and has it
    /// checked.
    ///
    /// A field that is not in this table may be in the one `above`, unless it is refused there. Each mistake is noted; keys in
    /// `not_here` are refused.
    pub(super) fn rest<T: DeserializeOwned>(
        &self,
        above: Option<(&Self, &[NotHere])>,
        not_here: &[NotHere],
        check: impl FnOnce(&T) -> Result<(), ConfigurationError>,
    ) -> Option<T> {
        self.refuse(not_here);
        let fields = self.good_fields::<T>(above, not_here);
        let read = typed::read(&fields, self.file).map_err(|problem| problem.at(self.place()));
        let rules = self.file.problems.keep(read)?;
        // With a key left out, the library's errors about the others may be wrong.
        if self.mistaken.borrow().is_empty()
            && let Err(error) = check(&rules)
        {
            self.note(told(error, &fields).at(self.place()));
            return None;
        }
        // The library's errors say more.
        fields.iter().for_each(|(key, value)| self.refuse_empty(key, value));
        Some(rules)
    }

    /// Refuses keys that a table of this kind cannot have.
    fn refuse(&self, not_here: &[NotHere]) {
        for (key, reason) in not_here.iter().filter(|(_, reason)| !reason.is_empty()) {
            if let Some((place, _)) = self.entry(key) {
                let problem = Problem::new(place, format!("expected no `{key}` here, got one")).help(*reason);
                self.look_at(key, || self.note(problem));
            }
        }
    }

    /// Returns the fields of a struct that have a value without a mistake. Each is read alone, so that each mistake is
    /// noted.
    fn good_fields<T: DeserializeOwned>(
        &self,
        above: Option<(&Self, &[NotHere])>,
        not_here: &[NotHere],
    ) -> Vec<Field<'a>> {
        let is_among = |keys: &[NotHere], key: &str| keys.iter().any(|(hidden, _)| *hidden == key);
        let is_offered = |key: &&&str| !is_among(not_here, key);
        let inherited = |key: &'static str| {
            above.filter(|(_, refused)| !is_among(refused, key)).and_then(|(above, _)| above.value(key))
        };
        let value = |key: &&'static str| Some((*key, self.value(key).or_else(|| inherited(key))?));
        let is_good = |(key, value): &Field<'a>| {
            // A value with a mistake is read as well, since it may have unknown keys, too.
            let alone =
                typed::read::<T>(&[(key, value.clone())], self.file).map_err(|problem| problem.at(value.place()));
            !self.mistaken.borrow().contains(key) && self.look_at(key, || self.file.problems.keep(alone)).is_some()
        };
        typed::fields::<T>().iter().filter(is_offered).filter_map(value).filter(is_good).collect()
    }

    /// Notes keys that were never read.
    pub(super) fn finish(self) {
        let (asked, mistaken) = (self.asked.into_inner(), self.mistaken.into_inner());
        let is_known = |key: &str| asked.contains(&key) || mistaken.contains(&key);
        for (key, value) in self.entries.iter().filter(|(key, _)| !is_known(key.get_ref())) {
            self.file.problems.note(unknown(key, value, &asked));
        }
    }
}

/// Turns an error of the library into a problem, at the place of the field that it names.
fn told(error: ConfigurationError, fields: &[Field<'_>]) -> Problem {
    let ConfigurationError::Rule { field, problem } = error else { return Problem::somewhere(error.to_string()) };
    let named = field.split(['.', '[']).next();
    match fields.iter().find(|(key, _)| Some(*key) == named) {
        Some((_, value)) => value.problem(problem),
        None => Problem::somewhere(problem),
    }
}

/// Makes the problem of an unknown key.
pub(super) fn unknown(key: &Spanned<Cow<'_, str>>, value: &Spanned<DeValue<'_>>, known: &[&str]) -> Problem {
    let meant = nearest(key.get_ref(), known);
    // `[[issuer]]` is a misspelt `[[issuers]]`, and not the key `issuer` of such a table.
    let is_table = meant.is_some() && has_tables(value.get_ref());
    let elsewhere = table_of(key.get_ref()).filter(|_| !is_table);
    let help = match elsewhere {
        Some(table) => format!("`{}` is a key of `[[{table}]]`: write it there", key.get_ref()),
        None => instead(key.get_ref(), value.get_ref(), meant, known),
    };
    let problem = Problem::new(key.span(), format!("unknown key `{}`", key.get_ref())).help(help);
    // It may be a misspelt key of a secret.
    let harmless = (elsewhere.is_some() || meant.is_some_and(|meant| !may_be_secret(meant)))
        && !may_be_secret(key.get_ref())
        && !has_tables(value.get_ref());
    problem.hiding(if harmless { Vec::new() } else { everything(value.get_ref(), value.span()) })
}

/// Names the known key that was probably meant, unless it asks for less than the unknown one.
fn instead(key: &str, value: &DeValue<'_>, meant: Option<&str>, known: &[&str]) -> String {
    let is_alike = meant.is_some_and(|meant| match meant {
        "implied_scopes" => key.starts_with("impl"),
        meant => quantity(meant) == quantity(key),
    });
    match meant {
        Some("value") if value.is_array() => {
            "did you mean `one_of` (one of these)? For all of them, write a rule for each".to_owned()
        }
        _ if !is_alike && key.contains("scope") && known.contains(&"any_scope") => {
            "did you mean `scope` (all of these) or `any_scope` (one of these)?".to_owned()
        }
        meant => suggestion(meant.filter(|_| is_alike), known),
    }
}

/// The number of its values that a key asks for, by its first word.
#[derive(PartialEq, Eq)]
enum Quantity {
    Unsaid,
    All,
    Any,
    None,
}

fn quantity(key: &str) -> Quantity {
    match key.split(['_', '-']).next().unwrap_or_default() {
        "all" | "each" | "every" => Quantity::All,
        "any" | "one" | "some" => Quantity::Any,
        "no" | "none" | "not" | "without" => Quantity::None,
        _ => Quantity::Unsaid,
    }
}

/// Returns the table of which a field of the library's rules is a key.
fn table_of(key: &str) -> Option<&'static str> {
    let tables = [
        ("issuers", typed::fields::<IssuerRules>()),
        ("routes", typed::fields::<Rules>()),
        // Its other keys are those of other tables, too.
        ("resources", &["resource", "mcp"]),
    ];
    tables.into_iter().find(|(_, fields)| fields.contains(&key)).map(|(table, _)| table)
}

/// Returns true if a value has keys in it, none of which was read.
fn has_tables(value: &DeValue<'_>) -> bool {
    match value {
        DeValue::Table(_) => true,
        DeValue::Array(values) => values.iter().any(|value| has_tables(value.get_ref())),
        _ => false,
    }
}

/// Returns the known key that was probably meant.
pub(crate) fn nearest<'a>(key: &str, known: &[&'a str]) -> Option<&'a str> {
    let nearest = known.iter().map(|known| (strsim::damerau_levenshtein(key, known), known)).min();
    nearest.filter(|(distance, _)| *distance <= 1.max(key.len() / 3)).map(|(_, nearest)| *nearest)
}

/// Names a few words of which one is expected: `"a", "b" or "c"`.
pub(super) fn alternatives(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// Names the known key that was probably meant, or all of them.
pub(super) fn suggestion(meant: Option<&str>, known: &[&str]) -> String {
    match meant {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => {
            let mut known: Vec<_> = known.iter().map(|known| format!("`{known}`")).collect();
            known.sort_unstable();
            known.dedup();
            format!("known here: {}", known.join(", "))
        }
    }
}
