//! The layers of a route: one for each set of tokens that it may be requested with.

use portcullis::{ConfigurationError, Rules, Secure};

use super::{BuildError, Issuers};
use crate::config::{Config, Resource, Route};

/// The rules of a route; a public route has no layers.
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) layers: Option<Layers>,
}

/// The layers of a route: all have its rules, and each accepts its own tokens.
pub(super) struct Layers {
    /// The layer for requests to no resource; none if such requests are refused.
    apart: Option<Secure>,
    /// The layer for each resource; none for a resource without a request under the route.
    of_resources: Vec<Option<Secure>>,
}

impl Rule {
    /// Makes the rules of each route.
    pub(super) fn of_routes(config: &Config, names: Vec<String>, issuers: &Issuers) -> Result<Vec<Self>, BuildError> {
        let rule = |(index, (route, name)): (usize, (&Route, String))| {
            let earlier = config.routes.get(..index).unwrap_or_default();
            let layers =
                || Layers::new(&route.rules, config, issuers, |resource| meet(route, earlier, resource, config));
            Ok(Self { name, layers: (!route.public).then(layers).transpose()? })
        };
        config.routes.iter().zip(names).enumerate().map(rule).collect()
    }

    /// Makes the rules where there are no routes.
    pub(super) fn anywhere(config: &Config, issuers: &Issuers) -> Result<Self, BuildError> {
        Ok(Self { name: String::new(), layers: Some(Layers::new(&config.rules, config, issuers, |_| true)?) })
    }
}

impl Layers {
    /// Makes the layers with these rules, for the resources that meet a condition.
    fn new(
        rules: &Rules,
        config: &Config,
        issuers: &Issuers,
        meets: impl Fn(&Resource) -> bool,
    ) -> Result<Self, BuildError> {
        let layer = |secure: Secure| {
            let refused = |error: ConfigurationError| BuildError { issuer: None, problem: error.to_string() };
            secure.rules(rules.clone()).map_err(refused)
        };
        let of_resource =
            |(resource, secure): (&Resource, &Secure)| meets(resource).then(|| layer(secure.clone())).transpose();
        let of_resources =
            config.resources.iter().zip(issuers.resources()).map(of_resource).collect::<Result<_, _>>()?;
        let apart = || layer(Secure::new(issuers.verifier().clone()));
        let apart = (!config.has_only_resources()).then(apart).transpose()?;
        Ok(Self { apart, of_resources })
    }

    /// Returns the layer for requests to this resource, or to none.
    pub(super) fn of(&self, resource: Option<usize>) -> Option<&Secure> {
        match resource {
            Some(index) => self.of_resources.get(index)?.as_ref(),
            None => self.apart.as_ref(),
        }
    }
}

/// Returns false if no request is under both the route and the resource: the metadata of a resource name the scope of its
/// own routes alone.
fn meet(route: &Route, earlier: &[Route], resource: &Resource, config: &Config) -> bool {
    let (own, paths) = (&route.pattern, &resource.paths);
    let common = match (own.covers(paths), paths.covers(own)) {
        (true, _) => paths,
        (false, true) => own,
        (false, false) => return false,
    };
    let is_earlier = earlier.iter().any(|route| route.methods.is_empty() && route.pattern.covers(common));
    let is_within = config.resources.iter().any(|other| {
        other.host == resource.host && other.paths != *paths && paths.covers(&other.paths) && other.paths.covers(common)
    });
    !is_earlier && !is_within
}
