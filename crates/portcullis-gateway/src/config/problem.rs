//! Mistakes in a configuration, each shown on its line.

use std::{cell::RefCell, fmt, ops::Range};

use miette::{Diagnostic, LabeledSpan, NamedSource, Report, SourceCode};

use crate::terminal::visible;

/// Places in the text.
pub(super) type Places = Vec<Range<usize>>;

/// A mistake: the expected and the actual value, the place, and the remedy.
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

    /// Makes a problem whose place [`at`](Self::at) sets.
    pub(super) fn somewhere(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None, places: Vec::new(), hidden: Vec::new() }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Points at another place, too, with a remark.
    pub(super) fn and(mut self, place: Range<usize>, what: impl Into<String>) -> Self {
        self.places.push((place, Some(what.into())));
        self
    }

    /// Hides the text of these places in reports: it may be a secret.
    pub(super) fn hiding(mut self, places: Places) -> Self {
        self.hidden.extend(places);
        self
    }

    /// Points here, unless it has a place already.
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
        // It may quote the file.
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

/// The mistakes found so far, and the warnings.
#[derive(Debug, Default)]
pub(super) struct Problems {
    mistakes: RefCell<Vec<Problem>>,
    warnings: RefCell<Vec<Problem>>,
}

impl Problems {
    /// Adds a mistake, once.
    pub(super) fn note(&self, problem: Problem) {
        let mut problems = self.mistakes.borrow_mut();
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }

    pub(super) fn count(&self) -> usize {
        self.mistakes.borrow().len()
    }

    /// Adds a remark on something that is read all the same.
    pub(super) fn warn(&self, problem: Problem) {
        self.warnings.borrow_mut().push(problem);
    }

    /// Returns a line for each warning about a text named `name`.
    pub(super) fn warnings(&self, name: &str, text: &str) -> Vec<String> {
        let told = |problem: &Problem| format!("{}:{}: warning: {problem}", visible(name), line(text, problem));
        self.warnings.borrow().iter().map(told).collect()
    }

    /// Returns the value read, or notes its mistake.
    pub(super) fn keep<T>(&self, read: Result<T, Problem>) -> Option<T> {
        read.map_err(|problem| self.note(problem)).ok()
    }

    /// Makes a report of all mistakes, in the order of the text, which `shown` makes safe to show; none if there are
    /// none.
    pub(super) fn report(self, name: &str, shown: impl FnOnce(&Places) -> String) -> Option<Report> {
        let mut problems = self.mistakes.into_inner();
        problems.sort_by_key(Problem::start);
        if problems.is_empty() {
            return None;
        }
        let hidden = problems.iter().flat_map(|problem| problem.hidden.clone()).collect();
        Some(Mistakes { source: NamedSource::new(visible(name), shown(&hidden)), problems }.into())
    }
}

/// A mistake in a configuration, for a program that shows it in its own way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The line, from 1; none if the mistake is on no line.
    pub line: Option<usize>,
    /// The expected and the actual value.
    pub text: String,
    /// The remedy.
    pub help: Option<String>,
}

/// Returns the mistakes of a report, in the order of the text.
pub(crate) fn mistakes(report: &Report) -> Vec<Mistake> {
    let Some(Mistakes { source, problems }) = report.downcast_ref::<Mistakes>() else {
        let help = report.help().map(|help| help.to_string());
        return vec![Mistake { line: None, text: report.to_string(), help }];
    };
    let told = |problem: &Problem| Mistake {
        line: Some(line(source.inner(), problem)),
        text: problem.to_string(),
        help: problem.help.as_deref().map(visible),
    };
    problems.iter().map(told).collect()
}

/// Returns the line of a problem, from 1.
fn line(text: &str, problem: &Problem) -> usize {
    1 + text.bytes().take(problem.start()).filter(|byte| *byte == b'\n').count()
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
