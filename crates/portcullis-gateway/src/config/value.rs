//! A value of the TOML text, and its place.

use std::{borrow::Cow, ops::Range};

use toml::{Spanned, de::DeValue};

use super::{
    file::{File, Read, Table, alternatives, nearest, suggestion},
    problem::Problem,
    starred::everything,
};

/// A value and its place.
#[derive(Clone)]
pub(super) struct Value<'a> {
    pub(super) value: &'a DeValue<'a>,
    pub(super) place: Range<usize>,
}

impl<'a> From<&'a Spanned<DeValue<'a>>> for Value<'a> {
    fn from(value: &'a Spanned<DeValue<'a>>) -> Self {
        Self { value: value.get_ref(), place: value.span() }
    }
}

impl<'a> Value<'a> {
    pub(super) fn place(&self) -> Range<usize> {
        self.place.clone()
    }

    /// Makes a problem with this value.
    pub(super) fn problem(&self, message: impl Into<String>) -> Problem {
        Problem::new(self.place.clone(), message)
    }

    /// Makes a problem that does not show this value: it may be a misplaced secret.
    pub(super) fn hidden_problem(&self, message: impl Into<String>) -> Problem {
        self.problem(message).hiding(everything(self.value, self.place.clone()))
    }

    pub(super) fn expected(&self, what: &str) -> Problem {
        self.problem(format!("expected {what}, got {}", self.kind()))
    }

    /// Makes a problem that shows the value, which is no secret.
    pub(super) fn wrong(&self, expected: &str) -> Problem {
        self.problem(format!("expected {expected}, got {}", self.shown()))
    }

    fn kind(&self) -> &'static str {
        match self.value {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a fraction",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "an array",
            DeValue::Table(_) => "a table",
        }
    }

    /// Returns a short value as it is written, or the kind of a long one.
    fn shown(&self) -> String {
        match self.value {
            DeValue::String(text) => format!("\"{text}\""),
            DeValue::Integer(integer) => integer.to_string(),
            DeValue::Float(float) => float.to_string(),
            DeValue::Boolean(boolean) => boolean.to_string(),
            DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => self.kind().to_owned(),
        }
    }

    /// Reads a text that is not empty.
    pub(super) fn text(&self) -> Read<&'a str> {
        match self.value {
            DeValue::String(text) if text.is_empty() => {
                Err(self.problem("expected a text, got an empty one").help("fill it in, or leave the key out"))
            }
            DeValue::String(text) => Ok(text),
            _ => Err(self.expected("a text").help("write it in quotes")),
        }
    }

    pub(super) fn string(&self) -> Read<String> {
        self.text().map(ToOwned::to_owned)
    }

    /// Reads a text that is compared character by character, so that white space at its ends is a mistake.
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

    /// Returns the integer, if it is one.
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
            Some(integer) => Err(self.problem(format!("expected {what}, got {integer}"))),
            None => Err(self.expected(&what)),
        }
    }

    /// Reads a number from 0 to 1.
    pub(super) fn ratio(&self) -> Read<f64> {
        let number: Option<f64> = match self.value {
            DeValue::Integer(integer) => integer.as_str().parse().ok(),
            DeValue::Float(float) => float.as_str().parse().ok(),
            _ => None,
        };
        let expected = || self.wrong("a number from 0 to 1").help("write it as in `0.1`, for one in ten");
        number.filter(|number| (0.0..=1.0).contains(number)).ok_or_else(expected)
    }

    /// Reads one of a few words.
    pub(super) fn word<T: Copy>(&self, words: &[(&str, T)]) -> Read<T> {
        let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        let DeValue::String(text) = self.value else { return Err(self.no_word(&known)) };
        let found = words.iter().find(|(word, _)| *word == text.as_ref());
        found
            .map(|(_, value)| *value)
            .ok_or_else(|| self.wrong(&alternatives(&known)).help(suggestion(nearest(text, &known), &known)))
    }

    /// Makes the problem of a value that is no text, where one of a few words has to be.
    pub(super) fn no_word(&self, words: &[&str]) -> Problem {
        self.wrong(&alternatives(words)).help("write one of them, in quotes")
    }

    pub(super) fn array(&self, what: &str) -> Read<Vec<Value<'a>>> {
        match self.value {
            DeValue::Array(values) => Ok(values.iter().map(|value| value.into()).collect()),
            _ => Err(self.expected(what)),
        }
    }

    /// Returns the number of an array's elements; none if it is no array.
    pub(super) fn elements(&self) -> Option<usize> {
        if let DeValue::Array(values) = self.value { Some(values.len()) } else { None }
    }

    pub(super) fn table(&self, file: &'a File<'a>) -> Read<Table<'a>> {
        match self.value {
            DeValue::Table(entries) => Ok(Table::new(entries, self.place.clone(), file)),
            _ => Err(self.expected("a table")),
        }
    }

    /// Returns the names and values of a table.
    pub(super) fn entries(&self) -> Read<Vec<(&'a str, Value<'a>)>> {
        match self.value {
            DeValue::Table(entries) => {
                Ok(entries.iter().map(|(key, value)| (key.get_ref().as_ref(), value.into())).collect())
            }
            _ => Err(self.expected("a table")),
        }
    }

    /// Returns any value as JSON.
    pub(super) fn json(&self) -> Read<serde_json::Value> {
        json(self.value).ok_or_else(|| {
            self.wrong("a value that JSON has").help("write a date as a text, and a number that JSON can write")
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
