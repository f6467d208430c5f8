//! The TOML text as tables that are read key by key, each value with its place.
//!
//! Serde's derives stop at the first mistake; here a mistake is noted and the reading goes on, so that all are shown at
//! once. A key that nobody asked for is unknown.

use std::{borrow::Cow, cell::RefCell, ops::Range, path::Path};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    problem::{Problem, Problems},
    starred::{everything, may_be_secret},
};

pub(super) type Read<T> = Result<T, Problem>;

/// What all tables of a file share.
pub(super) struct File<'a> {
    pub(super) problems: Problems,
    /// The folder that relative paths start from.
    pub(super) base: &'a Path,
}

/// A table, and which of its keys were asked for.
pub(super) struct Table<'a> {
    entries: &'a DeTable<'a>,
    place: Range<usize>,
    file: &'a File<'a>,
    asked: RefCell<Vec<&'static str>>,
}

/// A value and its place.
#[derive(Clone)]
pub(super) struct Value<'a> {
    value: &'a DeValue<'a>,
    pub(super) place: Range<usize>,
}

impl<'a> Table<'a> {
    pub(super) fn new(entries: &'a DeTable<'a>, place: Range<usize>, file: &'a File<'a>) -> Self {
        Self { entries, place, file, asked: RefCell::default() }
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

    /// The value of a key as it stands.
    pub(super) fn value(&self, key: &'static str) -> Option<Value<'a>> {
        self.asked.borrow_mut().push(key);
        self.entries.get(key).map(|value| Value { value: value.get_ref(), place: value.span() })
    }

    /// The value of a key, if it is there and good; a bad one is noted.
    pub(super) fn get<T>(&self, key: &'static str, read: impl FnOnce(&Value<'a>) -> Read<T>) -> Option<T> {
        let value = self.value(key)?;
        self.file.problems.keep(read(&value))
    }

    /// The value of a key that has to be there; none if it is bad or missing, which is noted.
    pub(super) fn require<T>(
        &self,
        key: &'static str,
        help: &str,
        read: impl FnOnce(&Value<'a>) -> Read<T>,
    ) -> Option<T> {
        if !self.entries.contains_key(key) {
            self.note(Problem::new(self.place(), format!("expected `{key}` in this table, it is missing")).help(help));
        }
        self.get(key, read)
    }

    /// A table within this one.
    pub(super) fn table(&self, key: &'static str) -> Option<Table<'a>> {
        self.get(key, |value| value.table(self.file))
    }

    /// The tables of an array, `[[key]]`.
    pub(super) fn tables(&self, key: &'static str) -> Vec<Table<'a>> {
        let help = format!("write `[[{key}]]` above each, or `{key} = [{{ … }}]`");
        let read = |value: &Value<'a>| value.array("an array of tables").map_err(|problem| problem.help(help));
        let values = self.get(key, read).unwrap_or_default();
        values.iter().filter_map(|value| self.file.problems.keep(value.table(self.file))).collect()
    }

    /// The elements of an array, each bad one noted; none if the key is not there.
    pub(super) fn list<T>(
        &self,
        key: &'static str,
        what: &str,
        read: impl Fn(&Value<'a>) -> Read<T>,
    ) -> Option<Vec<T>> {
        let values = self.get(key, |value| value.array(what))?;
        Some(values.iter().filter_map(|value| self.file.problems.keep(read(value))).collect())
    }

    /// Notes keys that nobody asked for.
    pub(super) fn finish(self) {
        let asked = self.asked.into_inner();
        for (key, value) in self.entries.iter().filter(|(key, _)| !asked.contains(&key.get_ref().as_ref())) {
            let problem = Problem::new(key.span(), format!("unknown key `{}`", key.get_ref()));
            let meant = nearest(key.get_ref(), &asked);
            let problem = problem.help(suggestion(meant, &asked));
            // It may be that of a secret, misspelt.
            let harmless = meant.is_some_and(|meant| !may_be_secret(meant))
                && !may_be_secret(key.get_ref())
                && !has_tables(value.get_ref());
            let hidden = if harmless { Vec::new() } else { everything(value.get_ref(), value.span()) };
            self.file.problems.note(problem.hiding(hidden));
        }
    }
}

/// Tells whether a value has keys in it, of which none was looked at.
fn has_tables(value: &DeValue<'_>) -> bool {
    match value {
        DeValue::Table(_) => true,
        DeValue::Array(values) => values.iter().any(|value| has_tables(value.get_ref())),
        _ => false,
    }
}

/// The known key that was probably meant.
fn nearest<'a>(key: &str, known: &[&'a str]) -> Option<&'a str> {
    let nearest = known.iter().map(|known| (strsim::damerau_levenshtein(key, known), known)).min();
    nearest.filter(|(distance, _)| *distance <= 2.max(key.len() / 3)).map(|(_, nearest)| *nearest)
}

/// The known key that was probably meant, or all of them.
fn suggestion(meant: Option<&str>, known: &[&str]) -> String {
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

impl<'a> Value<'a> {
    /// A problem with this value.
    pub(super) fn problem(&self, message: impl Into<String>) -> Problem {
        Problem::new(self.place.clone(), message)
    }

    /// A problem with this value that does not show it: it may be a secret that should not stand here.
    pub(super) fn hidden_problem(&self, message: impl Into<String>) -> Problem {
        self.problem(message).hiding(everything(self.value, self.place.clone()))
    }

    fn expected(&self, what: &str) -> Problem {
        let came = match self.value {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a fraction",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "an array",
            DeValue::Table(_) => "a table",
        };
        self.problem(format!("expected {what}, {came} came"))
    }

    /// A text that is not empty.
    pub(super) fn text(&self) -> Read<&'a str> {
        match self.value {
            DeValue::String(text) if text.is_empty() => {
                Err(self.problem("expected a text, an empty one came").help("fill it in, or leave the key out"))
            }
            DeValue::String(text) => Ok(text),
            _ => Err(self.expected("a text").help("write it in quotes")),
        }
    }

    pub(super) fn string(&self) -> Read<String> {
        self.text().map(ToOwned::to_owned)
    }

    /// A text that is compared to the letter, so that a space at its ends is a mistake.
    pub(super) fn exact(&self) -> Read<String> {
        let text = self.text()?;
        if text.trim() == text {
            return Ok(text.to_owned());
        }
        let problem = self.problem("expected a text without spaces at its ends, got one with some");
        Err(problem.help("no token has them, and it is compared to the letter: take them out"))
    }

    pub(super) fn is_text(&self) -> bool {
        matches!(self.value, DeValue::String(_))
    }

    pub(super) fn is_table(&self) -> bool {
        matches!(self.value, DeValue::Table(_))
    }

    pub(super) fn boolean(&self) -> Read<bool> {
        match self.value {
            DeValue::Boolean(boolean) => Ok(*boolean),
            _ => Err(self.expected("`true` or `false`").help("write it without quotes")),
        }
    }

    /// The integer, if it is one.
    pub(super) fn as_integer(&self) -> Option<i64> {
        match self.value {
            DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix()).ok(),
            _ => None,
        }
    }

    pub(super) fn integer(&self, least: i64, most: i64) -> Read<usize> {
        let what = format!("an integer from {least} to {most}");
        match self.as_integer() {
            Some(integer) if (least..=most).contains(&integer) => {
                usize::try_from(integer).map_err(|_| self.expected(&what))
            }
            Some(integer) => Err(self.problem(format!("expected {what}, {integer} came"))),
            None => Err(self.expected(&what)),
        }
    }

    /// A number from 0 to 1.
    pub(super) fn ratio(&self) -> Read<f64> {
        let number: Option<f64> = match self.value {
            DeValue::Integer(integer) => integer.as_str().parse().ok(),
            DeValue::Float(float) => float.as_str().parse().ok(),
            _ => None,
        };
        let expected = || self.expected("a number from 0 to 1").help("write it as in `0.1`, for one in ten");
        number.filter(|number| (0.0..=1.0).contains(number)).ok_or_else(expected)
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&self, words: &[(&str, T)]) -> Read<T> {
        let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        let quoted = || known.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" or ");
        let text = self.text()?;
        let found = words.iter().find(|(word, _)| *word == text);
        found.map(|(_, value)| *value).ok_or_else(|| {
            self.problem(format!("expected {}, \"{text}\" came", quoted()))
                .help(suggestion(nearest(text, &known), &known))
        })
    }

    pub(super) fn array(&self, what: &str) -> Read<Vec<Value<'a>>> {
        match self.value {
            DeValue::Array(values) => {
                Ok(values.iter().map(|value| Value { value: value.get_ref(), place: value.span() }).collect())
            }
            _ => Err(self.expected(what)),
        }
    }

    /// How many elements an array has; none if it is no array.
    pub(super) fn elements(&self) -> Option<usize> {
        if let DeValue::Array(values) = self.value { Some(values.len()) } else { None }
    }

    pub(super) fn table(&self, file: &'a File<'a>) -> Read<Table<'a>> {
        match self.value {
            DeValue::Table(entries) => Ok(Table::new(entries, self.place.clone(), file)),
            _ => Err(self.expected("a table")),
        }
    }

    /// Any value, as JSON.
    pub(super) fn json(&self) -> Read<serde_json::Value> {
        json(self.value).ok_or_else(|| {
            self.problem("expected a value that JSON has")
                .help("write a date as a text, and a number that JSON can write")
        })
    }
}

fn json(value: &DeValue<'_>) -> Option<serde_json::Value> {
    Some(match value {
        DeValue::String(text) => text.as_ref().into(),
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix()).ok()?.into(),
        DeValue::Float(float) => serde_json::Number::from_f64(float.as_str().parse().ok()?)?.into(),
        DeValue::Boolean(boolean) => (*boolean).into(),
        DeValue::Datetime(_) => return None,
        DeValue::Array(values) => values.iter().map(|value| json(value.get_ref())).collect::<Option<Vec<_>>>()?.into(),
        DeValue::Table(entries) => {
            let entry = |(key, value): (&Spanned<Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
                Some((key.get_ref().to_string(), json(value.get_ref())?))
            };
            serde_json::Value::Object(entries.iter().map(entry).collect::<Option<_>>()?)
        }
    })
}
