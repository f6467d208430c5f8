//! Mistakes in a configuration, each shown on its line.

use std::{cell::RefCell, fmt, ops::Range};

use miette::{Diagnostic, LabeledSpan, NamedSource, Report, SourceCode};

use crate::terminal::visible;

/// Places in the text.
pub(super) type Places = Vec<Range<usize>>;

/// One mistake: what was expected, what the file has, where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    message: String,
    help: Option<String>,
    places: Vec<(Range<usize>, Option<String>)>,
    hidden: Places,
}

impl Problem {
    pub(super) fn new(place: Range<usize>, message: impl Into<String>) -> Self {
        Self::somewhere(message).at(place)
    }

    /// One whose place is told by [`at`](Self::at).
    pub(super) fn somewhere(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None, places: Vec::new(), hidden: Vec::new() }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Points at another place, and says what is there.
    pub(super) fn and(mut self, place: Range<usize>, what: impl Into<String>) -> Self {
        self.places.push((place, Some(what.into())));
        self
    }

    /// Shows nothing of these places: a secret may stand there.
    pub(super) fn hiding(mut self, places: Places) -> Self {
        self.hidden.extend(places);
        self
    }

    /// Points here, unless it points somewhere already.
    pub(super) fn at(mut self, place: Range<usize>) -> Self {
        if self.places.is_empty() {
            self.places.push((place, None));
        }
        self
    }

    fn start(&self) -> usize {
        self.places.first().map_or(0, |(place, _)| place.start)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Words of the file's may be in it.
        f.write_str(&visible(&self.message))
    }
}

impl std::error::Error for Problem {}

impl Diagnostic for Problem {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(visible(help)) as Box<dyn fmt::Display>)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = |(place, what): &(Range<usize>, Option<String>)| {
            let what = Some(visible(what.as_deref().unwrap_or("here")));
            LabeledSpan::new(what, place.start, place.len())
        };
        Some(Box::new(self.places.iter().map(label)))
    }
}

/// The mistakes found so far.
#[derive(Debug, Default)]
pub(super) struct Problems(RefCell<Vec<Problem>>);

impl Problems {
    /// Adds a mistake, once.
    pub(super) fn note(&self, problem: Problem) {
        let mut problems = self.0.borrow_mut();
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }

    pub(super) fn count(&self) -> usize {
        self.0.borrow().len()
    }

    /// What was read, or its mistake noted.
    pub(super) fn keep<T>(&self, read: Result<T, Problem>) -> Option<T> {
        read.map_err(|problem| self.note(problem)).ok()
    }

    /// A report of all, in the order of the text, which `shown` makes fit to be seen; none if there are none.
    pub(super) fn report(self, name: &str, shown: impl FnOnce(&Places) -> String) -> Option<Report> {
        let mut problems = self.0.into_inner();
        problems.sort_by_key(Problem::start);
        if problems.is_empty() {
            return None;
        }
        let hidden = problems.iter().flat_map(|problem| problem.hidden.clone()).collect();
        Some(Mistakes { source: NamedSource::new(visible(name), shown(&hidden)), problems }.into())
    }
}

/// One mistake, or several as related ones.
#[derive(Debug)]
struct Mistakes {
    source: NamedSource<String>,
    problems: Vec<Problem>,
}

impl Mistakes {
    fn only(&self) -> Option<&Problem> {
        match self.problems.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.only() {
            Some(only) => only.fmt(f),
            None => write!(f, "{} mistakes in {}", self.problems.len(), self.source.name()),
        }
    }
}

impl std::error::Error for Mistakes {}

impl Diagnostic for Mistakes {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.only()?.help()
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.only()?.labels()
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        match self.only() {
            Some(_) => None,
            None => Some(Box::new(self.problems.iter().map(|problem| problem as &dyn Diagnostic))),
        }
    }
}
