//! The layers of a route: one for each set of tokens that it may be requested with.

use portcullis::{ConfigurationError, Dpop, DpopUse, Rules, Secure, Target};

use super::{BuildError, Issuers, places, proofs::Proofs};
use crate::config::{Config, Resource, Route, TokenPlaces};

/// The rules of a route; a public route has no layers.
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) layers: Option<Layers>,
    /// True if the upstream gets the token.
    pub(super) forwards_authorization: bool,
    /// True if preflights pass without a token.
    pub(super) lets_preflights_pass: bool,
    pub(super) token_places: TokenPlaces,
    /// True if the upstream gets a token of its own, in exchange for the client's.
    pub(super) exchanges: bool,
    dpop: DpopUse,
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
    pub(super) fn of_routes(
        config: &Config,
        names: Vec<String>,
        issuers: &Issuers,
        proofs: &Proofs,
    ) -> Result<Vec<Self>, BuildError> {
        let rule = |(index, (route, name)): (usize, (&Route, String))| {
            let earlier = config.routes.get(..index).unwrap_or_default();
            let places = &route.token_places;
            let layers = || {
                let meets = |resource: &Resource| meet(route, earlier, resource, config);
                Layers::new(&route.rules, places, route.exchange.as_ref(), config, issuers, proofs, meets)
            };
            let layers = (!route.public).then(layers).transpose()?;
            Ok(Self {
                name,
                layers,
                forwards_authorization: route.forward_authorization,
                lets_preflights_pass: route.preflight,
                token_places: places.clone(),
                exchanges: route.exchange.is_some(),
                dpop: route.rules.dpop,
            })
        };
        config.routes.iter().zip(names).enumerate().map(rule).collect()
    }

    /// Makes the rules where there are no routes.
    pub(super) fn anywhere(config: &Config, issuers: &Issuers, proofs: &Proofs) -> Result<Self, BuildError> {
        let token_places = TokenPlaces::default();
        let layers = Layers::new(&config.rules, &token_places, None, config, issuers, proofs, |_| true)?;
        Ok(Self {
            name: String::new(),
            layers: Some(layers),
            forwards_authorization: config.forward_authorization,
            lets_preflights_pass: config.preflight,
            token_places,
            exchanges: false,
            dpop: config.rules.dpop,
        })
    }

    /// Returns the use of DPoP for requests under this route to a resource; none if there are none.
    pub(super) fn dpop_of(&self, resource: usize) -> Option<DpopUse> {
        self.layers.as_ref()?.of(Some(resource)).map(|_| self.dpop)
    }
}

impl Layers {
    /// Makes the layers with these rules, for the resources that meet a condition.
    fn new(
        rules: &Rules,
        places: &TokenPlaces,
        exchange: Option<&Target>,
        config: &Config,
        issuers: &Issuers,
        proofs: &Proofs,
        meets: impl Fn(&Resource) -> bool,
    ) -> Result<Self, BuildError> {
        let layer = |secure: Secure, dpop: Result<Dpop, ConfigurationError>| {
            let secure = dpop.and_then(|dpop| secure.dpop(dpop).rules(rules.clone()));
            let secure = secure.map(|secure| places::looking(secure, places));
            secure.and_then(|secure| exchanging(secure, exchange, issuers)).map_err(|error| refused(&error))
        };
        let of_resource = |(resource, secure): (&Resource, &Secure)| {
            meets(resource).then(|| layer(secure.clone(), proofs.of(resource))).transpose()
        };
        let of_resources =
            config.resources.iter().zip(issuers.resources()).map(of_resource).collect::<Result<_, _>>()?;
        let apart = || layer(Secure::new(issuers.verifier().clone()), proofs.apart());
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

/// The name of the exchange for a route's upstream.
pub(super) const UPSTREAM: &str = "upstream";

/// Declares the exchange of a route, at the server of each issuer.
fn exchanging(secure: Secure, target: Option<&Target>, issuers: &Issuers) -> Result<Secure, ConfigurationError> {
    let Some(target) = target else { return Ok(secure) };
    let mut exchangers = issuers.each().iter().filter_map(|served| served.exchanger.as_ref());
    exchangers.try_fold(secure, |secure, exchanger| secure.exchange(UPSTREAM, exchanger, target.clone()))
}

/// Makes the layer whose document describes each resource: it tells of DPoP as all routes to the resource have it.
pub(super) fn described(
    config: &Config,
    rules: &[&Rule],
    issuers: &Issuers,
    proofs: &Proofs,
) -> Result<Vec<Secure>, BuildError> {
    let resources = config.resources.iter().zip(issuers.resources());
    let layer = |(index, (resource, secure)): (usize, (&Resource, &Secure))| {
        let uses: Vec<_> = rules.iter().filter_map(|rule| rule.dpop_of(index)).collect();
        let mut described = Rules::default();
        described.dpop = match uses.as_slice() {
            [] => DpopUse::Off,
            uses if uses.iter().all(|used| *used == DpopUse::Required) => DpopUse::Required,
            uses if uses.iter().all(|used| *used == DpopUse::Off) => DpopUse::Off,
            _ => DpopUse::Allowed,
        };
        proofs.of(resource).and_then(|dpop| secure.clone().dpop(dpop).rules(described)).map_err(|error| refused(&error))
    };
    resources.enumerate().map(layer).collect()
}

fn refused(error: &ConfigurationError) -> BuildError {
    BuildError { issuer: None, problem: error.to_string() }
}

/// Returns false if no request is under both the route and the resource: the metadata of a resource name the scope of its
/// own routes alone.
fn meet(route: &Route, earlier: &[Route], resource: &Resource, config: &Config) -> bool {
    // A route without a path may be chosen for any request.
    let (Some(own), paths) = (&route.pattern, &resource.paths) else { return true };
    let common = match (own.covers(paths), paths.covers(own)) {
        (true, _) => paths,
        (false, true) => own,
        // With `*` they may cross: some paths are under both.
        (false, false) => return own.meets(paths),
    };
    let covers = |route: &Route, path| {
        route.hosts.are_unnamed() && route.pattern.as_ref().is_some_and(|pattern| pattern.covers(path))
    };
    let is_earlier = earlier.iter().any(|route| route.methods.is_empty() && covers(route, common));
    let is_within = config.resources.iter().any(|other| {
        other.host == resource.host && other.paths != *paths && paths.covers(&other.paths) && other.paths.covers(common)
    });
    !is_earlier && !is_within
}
