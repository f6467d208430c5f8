//! The directives, and the text of `portcullis.toml` that they stand for: the gateway reads both, so that a rule means the same.

use std::{ffi::CStr, fmt, path::Path, sync::Arc};

use portcullis_gateway::door::Config;

/// A directive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Directive {
    Switch,
    Config,
    Route,
    Issuer,
    Audience,
    Scope,
    AnyScope,
    Claim,
    Realm,
    Status,
}

impl Directive {
    /// Each directive.
    pub(crate) const ALL: [Self; 10] = [
        Self::Switch,
        Self::Config,
        Self::Route,
        Self::Issuer,
        Self::Audience,
        Self::Scope,
        Self::AnyScope,
        Self::Claim,
        Self::Realm,
        Self::Status,
    ];

    /// Returns the name in a configuration of nginx.
    pub(crate) const fn name(self) -> &'static CStr {
        match self {
            Self::Switch => c"portcullis",
            Self::Config => c"portcullis_config",
            Self::Route => c"portcullis_route",
            Self::Issuer => c"portcullis_issuer",
            Self::Audience => c"portcullis_audience",
            Self::Scope => c"portcullis_scope",
            Self::AnyScope => c"portcullis_any_scope",
            Self::Claim => c"portcullis_claim",
            Self::Realm => c"portcullis_realm",
            Self::Status => c"portcullis_status",
        }
    }

    /// Returns the directive of this name.
    pub(crate) fn named(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|directive| directive.name().to_bytes() == name)
    }
}

/// A place in nginx's configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: String,
    pub(crate) line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.file.is_empty() { f.write_str("the command line") } else { write!(f, "{}:{}", self.file, self.line) }
    }
}

/// A mistake in the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// The expected and the actual value, and the remedy.
    pub(crate) line: String,
    /// The place; none if it is the directive that nginx reads now.
    pub(crate) place: Option<Place>,
}

impl Mistake {
    /// A mistake of the directive that nginx reads now.
    pub(crate) fn here(line: impl Into<String>) -> Self {
        Self { line: line.into(), place: None }
    }
}

/// A directive as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    /// The words behind its name.
    pub(crate) words: Vec<String>,
    pub(crate) place: Place,
}

/// The rules of a block, by directives. Those of one name are inherited from the block around it if there is none in the block
/// itself, as with nginx's own directives.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    issuers: Vec<Written>,
    audiences: Vec<Written>,
    scope: Vec<Written>,
    any_scope: Vec<Written>,
    claims: Vec<Written>,
    realm: Vec<Written>,
}

impl Rules {
    /// Takes a directive in, if it is one of a rule.
    pub(crate) fn take(&mut self, directive: Directive, written: Written) {
        let list = match directive {
            Directive::Issuer => &mut self.issuers,
            Directive::Audience => &mut self.audiences,
            Directive::Scope => &mut self.scope,
            Directive::AnyScope => &mut self.any_scope,
            Directive::Claim => &mut self.claims,
            Directive::Realm => &mut self.realm,
            Directive::Switch | Directive::Config | Directive::Route | Directive::Status => return,
        };
        list.push(written);
    }

    fn lists(&self) -> [&Vec<Written>; 6] {
        [&self.issuers, &self.audiences, &self.scope, &self.any_scope, &self.claims, &self.realm]
    }

    /// Returns the place of the first directive; none if there is none.
    pub(crate) fn place(&self) -> Option<&Place> {
        self.lists().into_iter().flatten().map(|written| &written.place).next()
    }

    /// Returns true if the directives name an issuer.
    pub(crate) fn have_issuer(&self) -> bool {
        !self.issuers.is_empty()
    }

    /// Completes the rules by those of the block around them.
    pub(crate) fn within(&mut self, outer: &Self) {
        let own = [
            (&mut self.issuers, &outer.issuers),
            (&mut self.audiences, &outer.audiences),
            (&mut self.scope, &outer.scope),
            (&mut self.any_scope, &outer.any_scope),
            (&mut self.claims, &outer.claims),
            (&mut self.realm, &outer.realm),
        ];
        for (own, outer) in own {
            if own.is_empty() {
                own.clone_from(outer);
            }
        }
    }

    /// Returns the name of the one route that the directives make, for logs and metrics: the place of the first of them, as in
    /// `nginx.conf-34`.
    pub(crate) fn name(&self) -> String {
        let Some(Place { file, line }) = self.nearest() else { return "none".to_owned() };
        let file = file.rsplit('/').next().unwrap_or_default();
        let file = file.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' });
        format!("{}-{line}", file.collect::<String>())
    }

    /// Returns the place of the last directive in the files, which is one of the innermost block.
    fn nearest(&self) -> Option<&Place> {
        let places = self.lists().into_iter().flatten().map(|written| &written.place);
        places.max_by_key(|place| place.line)
    }

    /// Reads the rules as the gateway reads its file.
    ///
    /// # Errors
    ///
    /// Each mistake, at the directive that makes it.
    pub(crate) fn config(&self, folder: &Path) -> Result<Arc<Config>, Vec<Mistake>> {
        let mut lines = Lines::default();
        let audience = array(self.audiences.iter().flat_map(|written| &written.words));
        for issuer in &self.issuers {
            lines.add("[[issuers]]", issuer);
            lines.issuer(issuer)?;
            if let Some(written) = self.audiences.first() {
                lines.add(&format!("audience = {audience}"), written);
            }
        }
        if let Some(written) = self.issuers.first() {
            lines.add("[[routes]]", written);
            lines.add(&format!("name = \"{}\"", self.name()), written);
        }
        for (key, list) in [("scope", &self.scope), ("any_scope", &self.any_scope)] {
            if let Some(written) = list.last() {
                let values = array(list.iter().flat_map(|written| &written.words));
                lines.add(&format!("{key} = {values}"), written);
            }
        }
        for written in &self.realm {
            let realm = written.words.first().map(String::as_str).unwrap_or_default();
            lines.add(&format!("realm = {}", text(realm)), written);
        }
        for written in &self.claims {
            if let Some(name) = written.words.first().filter(|name| name.contains('=')) {
                let line =
                    format!("expected the name of a claim, and its value behind it as in `role admin`, got \"{name}\"");
                return Err(vec![Mistake { line, place: Some(written.place.clone()) }]);
            }
            lines.add("[[routes.claims]]", written);
            for line in claim(&written.words) {
                lines.add(&line, written);
            }
        }
        lines.read(folder)
    }
}

/// Returns the lines of a claim rule: `NAME`, `!NAME`, `NAME VALUE…`, `NAME ~PATTERN`.
fn claim(words: &[String]) -> Vec<String> {
    let (name, values) = words.split_first().map(|(name, values)| (name.as_str(), values)).unwrap_or_default();
    let (name, is_absent) = name.strip_prefix('!').map_or((name, false), |name| (name, true));
    let mut lines = vec![format!("name = {}", text(name))];
    lines.extend(is_absent.then(|| "absent = true".to_owned()));
    lines.extend(match values {
        [] => None,
        [only] => Some(match only.strip_prefix('~') {
            Some(pattern) => format!("matches = {}", text(pattern)),
            None => format!("value = {}", value(only)),
        }),
        several => {
            Some(format!("one_of = [{}]", several.iter().map(|word| value(word)).collect::<Vec<_>>().join(", ")))
        }
    });
    lines
}

/// Returns a value as JSON would have it: a number, a truth value, or else a text.
fn value(word: &str) -> String {
    match word.parse::<i64>() {
        Ok(number) => number.to_string(),
        Err(_) if matches!(word, "true" | "false") => word.to_owned(),
        Err(_) => text(word),
    }
}

fn text(text: &str) -> String {
    // In one line: a line stands for a directive.
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            character if character.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(character))),
            character => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

fn array(words: impl Iterator<Item = impl AsRef<str>>) -> String {
    format!("[{}]", words.map(|word| text(word.as_ref())).collect::<Vec<_>>().join(", "))
}

/// Lines of `portcullis.toml`, each with the place of its directive.
#[derive(Default)]
struct Lines {
    text: String,
    places: Vec<Place>,
}

impl Lines {
    fn add(&mut self, line: &str, written: &Written) {
        self.text.push_str(line);
        self.text.push('\n');
        self.places.push(written.place.clone());
    }

    /// Adds an issuer: `URL [KEY=VALUE…]`.
    fn issuer(&mut self, written: &Written) -> Result<(), Vec<Mistake>> {
        let (name, options) = written.words.split_first().map(|(name, rest)| (name.as_str(), rest)).unwrap_or_default();
        self.add(&format!("issuer = {}", text(name)), written);
        for option in options {
            let Some((key, value)) = option.split_once('=') else {
                let line = format!("expected KEY=VALUE behind the issuer, as in jwks_uri=https://…, got \"{option}\"");
                return Err(vec![Mistake { line, place: Some(written.place.clone()) }]);
            };
            self.add(&format!("{} = {}", text(key), option_value(key, value)), written);
        }
        Ok(())
    }

    fn read(self, folder: &Path) -> Result<Arc<Config>, Vec<Mistake>> {
        Config::read_or_mistakes(&self.text, folder).map(Arc::new).map_err(|mistakes| {
            let told = |mistake: portcullis_gateway::door::Mistake| {
                let place =
                    mistake.line.and_then(|line| self.places.get(line.saturating_sub(1)).or(self.places.last()));
                Mistake { line: line(&mistake), place: place.cloned() }
            };
            mistakes.into_iter().map(told).collect()
        })
    }
}

/// Returns the value of an option; algorithms and the like are lists with commas between their values.
fn option_value(key: &str, value: &str) -> String {
    match (key, value) {
        ("algorithms" | "key_uses" | "typ", _) => array(value.split(',')),
        (_, "true" | "false") => value.to_owned(),
        _ => text(value),
    }
}

/// Returns a mistake as one line.
pub(crate) fn line(mistake: &portcullis_gateway::door::Mistake) -> String {
    match &mistake.help {
        Some(help) => format!("{} ({help})", mistake.text),
        None => mistake.text.clone(),
    }
}
