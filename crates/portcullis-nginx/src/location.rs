//! The settings of a block of nginx's configuration, and the guards that they make.

use std::{
    cell::OnceCell,
    path::{Path, PathBuf},
    sync::Arc,
};

use portcullis_gateway::door::{CommonMemory, Config, Decider, Door, Gateway};
use tokio::runtime::Builder;

use crate::{
    memory,
    settings::{self, Directive, Mistake, Place, Rules, Written},
};

/// The settings of an `http`, `server`, `location`, `if` or `limit_except` block.
#[derive(Debug, Default)]
pub(crate) struct Location {
    /// `portcullis on` or `off`, and its place.
    switch: Option<(bool, Place)>,
    /// The number of the configuration of `portcullis_config`, and its place.
    file: Option<(usize, Place)>,
    route: Option<Written>,
    rules: Rules,
    guard: Option<Guard>,
}

/// The guard of a block: its configuration by its number, and the name of its route if the block chooses one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Guard {
    pub(crate) number: usize,
    pub(crate) route: Option<Arc<str>>,
}

impl Location {
    /// Takes a directive in.
    ///
    /// # Errors
    ///
    /// Its mistakes.
    pub(crate) fn take(
        &mut self,
        directive: Directive,
        written: Written,
        guards: &mut Guards,
        full_name: impl FnOnce(&str) -> Option<PathBuf>,
    ) -> Result<(), Vec<Mistake>> {
        let twice = |is_twice: bool| match is_twice {
            true => Err(vec![Mistake::here(format!(
                "expected one {} in this block, got two",
                directive.name().to_string_lossy()
            ))]),
            false => Ok(()),
        };
        if let Some(word) = written.words.iter().find(|word| word.contains('$')) {
            let line = format!("expected a text, got the variable in \"{word}\": a rule is the same for each request");
            return Err(vec![Mistake::here(line)]);
        }
        match directive {
            Directive::Switch => {
                twice(self.switch.is_some())?;
                let is_on = match written.words.first().map(String::as_str) {
                    Some("on") => true,
                    Some("off") => false,
                    other => {
                        let got = other.unwrap_or_default();
                        return Err(vec![Mistake::here(format!(
                            "expected portcullis on or portcullis off, got \"{got}\""
                        ))]);
                    }
                };
                self.switch = Some((is_on, written.place));
            }
            Directive::Config => {
                twice(self.file.is_some())?;
                let path = written.words.first().and_then(|path| full_name(path));
                let path = path.ok_or_else(|| vec![Mistake::here("expected the path of a file, got none")])?;
                self.file = Some((guards.load(&path)?, written.place));
            }
            Directive::Route => {
                twice(self.route.is_some())?;
                self.route = Some(written);
            }
            // nginx keeps the handler of the block.
            Directive::Status => {}
            rule => self.rules.take(rule, written),
        }
        Ok(())
    }

    /// Completes the settings by those of the block around them, and makes the guard.
    ///
    /// # Errors
    ///
    /// Mistakes of directives that do not go together, and of the rules that they make.
    pub(crate) fn within(&mut self, outer: &Self, guards: &mut Guards) -> Result<(), Vec<Mistake>> {
        let is_as_outer = self.file.is_none() && self.route.is_none() && self.rules.place().is_none();
        self.rules_and_file()?;
        if let (Some((_, place)), Some(rule)) = (&self.file, outer.rules.place()) {
            let line =
                format!("expected no rules around portcullis_config, got those at {rule}: write them into the file");
            return Err(vec![Mistake { line, place: Some(place.clone()) }]);
        }
        if self.file.is_none() {
            self.rules.within(&outer.rules);
        }
        if !self.rules.have_issuer() && self.file.is_none() && self.rules.place().is_none() {
            self.file.clone_from(&outer.file);
        }
        self.rules_and_file()?;
        if self.route.is_none() {
            self.route.clone_from(&outer.route);
        }
        // Rules below `off` are there to be kept.
        let inherited = outer.switch.clone().filter(|(is_on, _)| *is_on || is_as_outer);
        let switch = self.switch.clone().or(inherited);
        self.switch.clone_from(&switch);
        if matches!(switch, Some((false, _))) {
            self.guard = None;
            return Ok(());
        }
        if is_as_outer && outer.guard.is_some() {
            self.guard.clone_from(&outer.guard);
            return Ok(());
        }
        let route = self.route.as_ref().and_then(|written| written.words.first());
        self.guard = match &self.file {
            Some((number, _)) => {
                guards.check_route(*number, self.route.as_ref())?;
                Some(Guard { number: *number, route: route.map(|name| name.as_str().into()) })
            }
            None if self.rules.have_issuer() => {
                if let Some(written) = &self.route {
                    let line = "expected portcullis_config beside portcullis_route, got portcullis_issuer: the routes are in that file";
                    return Err(vec![Mistake { line: line.into(), place: Some(written.place.clone()) }]);
                }
                let config = self.rules.config(&guards.folder)?;
                Some(Guard {
                    number: guards.add(config, self.rules.place().cloned()),
                    route: Some(self.rules.name().into()),
                })
            }
            None => None,
        };
        match (&self.guard, self.rules.place(), switch) {
            (None, Some(place), _) => Err(vec![Mistake {
                line: "expected portcullis_issuer here or in a block around it, got rules without one".into(),
                place: Some(place.clone()),
            }]),
            (None, None, Some((true, place))) => Err(vec![Mistake {
                line: "expected portcullis_config or portcullis_issuer here or in a block around it, got portcullis on alone".into(),
                place: Some(place),
            }]),
            _ => Ok(()),
        }
    }

    fn rules_and_file(&self) -> Result<(), Vec<Mistake>> {
        match (&self.file, self.rules.place()) {
            (Some(_), Some(place)) => Err(vec![Mistake {
                line: "expected rules in the file of portcullis_config, got a directive beside it: write them there"
                    .into(),
                place: Some(place.clone()),
            }]),
            _ => Ok(()),
        }
    }

    /// Returns the guard of the block; none if its requests are not judged.
    pub(crate) fn guard(&self) -> Option<&Guard> {
        self.guard.as_ref()
    }
}

/// The guards of a server's blocks, by the numbers of their configurations.
#[derive(Debug, Default)]
pub(crate) struct Server {
    numbers: Vec<usize>,
}

impl Server {
    /// Notes the guard of a block.
    pub(crate) fn note(&mut self, location: &Location) {
        if let Some(Guard { number, .. }) = location.guard()
            && !self.numbers.contains(number)
        {
            self.numbers.push(*number);
        }
    }

    /// Returns the numbers of the configurations.
    pub(crate) fn numbers(&self) -> &[usize] {
        &self.numbers
    }
}

/// All configurations of a cycle, and in a worker their deciders.
#[derive(Default)]
pub(crate) struct Guards {
    configs: Vec<Loaded>,
    /// The folder of relative paths in directives.
    folder: PathBuf,
    deciders: OnceCell<Vec<Decider>>,
}

struct Loaded {
    config: Arc<Config>,
    /// The file, unless directives made it.
    path: Option<PathBuf>,
    /// The first directive that made it.
    place: Option<Place>,
}

impl Guards {
    /// Sets the folder of relative paths.
    pub(crate) fn at(&mut self, folder: impl FnOnce() -> PathBuf) -> &mut Self {
        if self.folder.as_os_str().is_empty() {
            self.folder = folder();
        }
        self
    }

    /// Loads a file, once; returns its number.
    fn load(&mut self, path: &Path) -> Result<usize, Vec<Mistake>> {
        if let Some(known) = self.configs.iter().position(|loaded| loaded.path.as_deref() == Some(path)) {
            return Ok(known);
        }
        let config = Config::load_or_mistakes(path).map_err(|mistakes| {
            let file = path.display().to_string();
            let told = |mistake: &portcullis_gateway::door::Mistake| Mistake {
                line: settings::line(mistake),
                place: Some(Place { file: file.clone(), line: mistake.line.unwrap_or_default() }),
            };
            mistakes.iter().map(told).collect::<Vec<_>>()
        })?;
        self.configs.push(Loaded { config: Arc::new(config), path: Some(path.to_owned()), place: None });
        Ok(self.configs.len() - 1)
    }

    fn add(&mut self, config: Arc<Config>, place: Option<Place>) -> usize {
        if let Some(known) = self.configs.iter().position(|loaded| loaded.path.is_none() && *loaded.config == *config) {
            return known;
        }
        self.configs.push(Loaded { config, path: None, place });
        self.configs.len() - 1
    }

    /// Checks that a file has the route that a block chooses.
    fn check_route(&self, number: usize, written: Option<&Written>) -> Result<(), Vec<Mistake>> {
        let chosen = written.and_then(|written| Some((written.words.first()?, &written.place)));
        let Some(((name, place), loaded)) = chosen.zip(self.configs.get(number)) else { return Ok(()) };
        if loaded.config.has_route(name) {
            return Ok(());
        }
        let file = loaded.path.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
        let line = format!("expected the name of a route in {file}, got \"{name}\"");
        Err(vec![Mistake { line, place: Some(place.clone()) }])
    }

    /// Returns true if nothing is guarded.
    pub(crate) fn are_none(&self) -> bool {
        self.configs.is_empty()
    }

    /// Builds each configuration once, so that its mistakes are known before a worker begins.
    ///
    /// # Errors
    ///
    /// The mistakes.
    pub(crate) fn check(&self) -> Result<(), Vec<Mistake>> {
        if self.are_none() {
            return Ok(());
        }
        // Nothing runs on it, and it has no thread that a worker would lack.
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| vec![Mistake::here(format!("the system gives no runtime: {error}"))])?;
        let _within = runtime.enter();
        self.build(None).map(drop)
    }

    fn build(&self, memory: Option<&Arc<dyn CommonMemory>>) -> Result<Vec<Gateway>, Vec<Mistake>> {
        let mut gateways: Vec<Gateway> = Vec::new();
        for Loaded { config, path, place } in &self.configs {
            // Keys are fetched once for all configurations with the same issuer.
            let earlier = self.configs.iter().zip(&gateways);
            let nearest = earlier.max_by_key(|(loaded, _)| config.common_issuers(&loaded.config));
            let before = nearest.map(|(_, gateway)| gateway);
            let gateway = Gateway::sharing(config, before, memory).map_err(|error| {
                let place = match path {
                    Some(path) => Some(Place { file: path.display().to_string(), line: 0 }),
                    None => place.clone(),
                };
                vec![Mistake { line: error.to_string(), place }]
            })?;
            gateways.push(gateway);
        }
        Ok(gateways)
    }

    /// Returns the deciders, which are built at the first call in a worker. Call it in a runtime.
    ///
    /// # Errors
    ///
    /// The reason why they cannot be built.
    pub(crate) fn deciders(&self) -> Result<&[Decider], String> {
        if let Some(deciders) = self.deciders.get() {
            return Ok(deciders);
        }
        let shared = memory::of_workers();
        let gateways = self
            .build(shared.as_ref())
            .map_err(|mistakes| mistakes.into_iter().map(|mistake| mistake.line).collect::<Vec<_>>().join("; "))?;
        let each = self.configs.iter().zip(gateways);
        let deciders = each.map(|(loaded, gateway)| Decider::in_process(Door::Nginx, &loaded.config, gateway));
        let deciders = deciders.collect::<Result<_, _>>()?;
        Ok(self.deciders.get_or_init(|| deciders))
    }

    /// Returns the configuration of a guard.
    pub(crate) fn config(&self, guard: &Guard) -> Option<&Config> {
        self.configs.get(guard.number).map(|loaded| &*loaded.config)
    }
}
