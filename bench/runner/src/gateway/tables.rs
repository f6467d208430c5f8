//! The tables of requests per second: the contenders that take turns, and their comparisons.

use std::net::SocketAddr;

use harness::{Result, Server};

use super::{
    AXUM, Bench, ENVOY, ENVOY_ALONE, ENVOY_AND_OURS, ENVOY_AND_TONIC, ENVOY_JWT_AUTHN, EXT_AUTHZ, FORWARD_AUTH, HALF,
    HALF_EXT_AUTHZ, HALF_FORWARD_AUTH, JWT, OAUTH2_PROXY, OF_ENVOY, OF_JWT, OF_OAUTH2_PROXY, OF_OK, PHANTOM, ROTATING,
    TONIC,
    envoy::{Envoy, Filter},
    oauth2_proxy,
    question::{self, ORDER, about},
    servers::{self, AUTH, DESCRIPTION, Gateway, until_it_passes},
    turns::{Answered, Contender, take},
};
use crate::{http::wrk::Question, programs::Build, results::Results};

/// The path that Envoy's clients request.
const ORDERS: &str = "/orders/1";

/// The three tables of the gateway's own doors.
pub(super) fn doors(bench: &Bench<'_>, results: &mut Results) -> Result {
    let gateways = bench.programs.builds().into_iter().map(|build| Gateway::start(bench, build));
    let gateways = gateways.collect::<Result<Vec<_>>>()?;
    let (axum, tonic) = (bench.says_yes("server-auth-ok")?, bench.says_yes("server-ext-authz-ok")?);
    until_it_passes(axum.address(), AUTH, &DESCRIPTION, &bench.tokens.jwt)?;
    question::until_it_passes(bench, tonic.address(), &about(&ORDER, &bench.tokens.jwt))?;
    forward_auth(bench, &gateways, &axum, results)?;
    ext_authz(bench, &gateways, &tonic, results);
    half(bench, &gateways, &axum, &tonic, results)
}

fn forward_auth(bench: &Bench<'_>, gateways: &[Gateway], axum: &Server, results: &mut Results) -> Result {
    let tokens = &bench.tokens;
    // A comparison of builds has no peers.
    let peer = (!bench.programs.compares()).then(|| oauth2_proxy::start(bench)).transpose()?;
    let asking = |address, file| move |seconds| bench.by_wrk(address, &servers::forward_auth(file), seconds);
    let mut contenders = vec![Contender::new(AXUM, [axum], asking(axum.address(), &tokens.jwt_file))];
    for (name, file) in [(JWT, &tokens.jwt_file), (PHANTOM, &tokens.opaque_file), (ROTATING, &tokens.rotating)] {
        contenders.extend(gateways.iter().map(|gateway| gateway.contender(name, asking(gateway.forward_auth, file))));
    }
    if let Some(peer) = &peer {
        until_it_passes(peer.address(), oauth2_proxy::AUTH, &DESCRIPTION, &tokens.jwt)?;
        let question = Question { path: oauth2_proxy::AUTH, ..servers::forward_auth(&tokens.jwt_file) };
        let address = peer.address();
        contenders.push(Contender::new(OAUTH2_PROXY, [peer], move |seconds| bench.by_wrk(address, &question, seconds)));
    }
    let compared = [
        (JWT, OF_OK, AXUM),
        (PHANTOM, OF_OK, AXUM),
        (ROTATING, OF_OK, AXUM),
        (PHANTOM, OF_JWT, JWT),
        (ROTATING, OF_JWT, JWT),
        (OAUTH2_PROXY, OF_OK, AXUM),
        (JWT, OF_OAUTH2_PROXY, OAUTH2_PROXY),
    ];
    take(bench, FORWARD_AUTH, contenders, &compared, results);
    Ok(())
}

fn ext_authz(bench: &Bench<'_>, gateways: &[Gateway], tonic: &Server, results: &mut Results) {
    let tokens = &bench.tokens;
    let asking = |address, token: &str| {
        let asked = about(&ORDER, token);
        move |seconds| bench.h2load.ask(address, &asked, seconds)
    };
    let mut contenders = vec![Contender::new(TONIC, [tonic], asking(tonic.address(), &tokens.jwt))];
    for (name, token) in [(JWT, &tokens.jwt), (PHANTOM, &tokens.opaque)] {
        contenders.extend(gateways.iter().map(|gateway| gateway.contender(name, asking(gateway.ext_authz, token))));
    }
    let compared = [(JWT, OF_OK, TONIC), (PHANTOM, OF_OK, TONIC), (PHANTOM, OF_JWT, JWT)];
    take(bench, EXT_AUTHZ, contenders, &compared, results);
}

/// Measures at half of the gateway's load before; the other servers get the same pace.
fn half(bench: &Bench<'_>, gateways: &[Gateway], axum: &Server, tonic: &Server, results: &mut Results) -> Result {
    let token = &bench.tokens.jwt;
    let half = |table| {
        let rate = results.get(table, JWT, "requests/s").map(|figure| figure.median / 2.0);
        rate.ok_or_else(|| format!("expected a measured load to halve in {table}, got none"))
    };
    let (http1, grpc) = (half(FORWARD_AUTH)?, half(EXT_AUTHZ)?);
    let forward_auth = |address| move |seconds| bench.h2load.forward_auth_at_pace(address, token, http1, seconds);
    let asked = about(&ORDER, token);
    let ext_authz = |address| {
        let asked = &asked;
        move |seconds| bench.h2load.ask_at_pace(address, asked, grpc, seconds)
    };
    let by_http1 = |gateway| Gateway::contender(gateway, HALF_FORWARD_AUTH, forward_auth(gateway.forward_auth));
    let by_grpc = |gateway| Gateway::contender(gateway, HALF_EXT_AUTHZ, ext_authz(gateway.ext_authz));
    let mut contenders = vec![Contender::new(AXUM, [axum], forward_auth(axum.address()))];
    contenders.extend(gateways.iter().map(by_http1));
    contenders.push(Contender::new(TONIC, [tonic], ext_authz(tonic.address())));
    contenders.extend(gateways.iter().map(by_grpc));
    take(bench, HALF, contenders, &[], results);
    Ok(())
}

/// Measures requests through Envoy, which shares a core with the server that it asks.
pub(super) fn behind_envoy(bench: &Bench<'_>, results: &mut Results) -> Result {
    let gateway = Gateway::start(bench, Build::This)?;
    let tonic = bench.says_yes("server-ext-authz-ok")?;
    let start = |name, filter| Envoy::start(bench, name, filter);
    let alone = start("alone", Filter::None)?;
    let ours = start("ours", Filter::ExtAuthz(gateway.ext_authz))?;
    let yes = start("yes", Filter::ExtAuthz(tonic.address()))?;
    let jwt_authn = start("jwt-authn", Filter::JwtAuthn)?;
    for envoy in [&alone, &ours, &yes, &jwt_authn] {
        until_it_passes(envoy.address(), ORDERS, &[], &bench.tokens.jwt)?;
    }
    let asking = |envoy: &Server| {
        let address = envoy.address();
        let question = Question { path: ORDERS, ..Question::with(&bench.tokens.jwt_file) };
        move |seconds| bench.by_wrk(address, &question, seconds)
    };
    let contenders = vec![
        Contender::new(ENVOY_ALONE, [&alone], asking(&alone)),
        Contender::new(ENVOY_AND_TONIC, [&yes, &tonic], asking(&yes)),
        Contender::new(ENVOY_AND_OURS, [&ours, &gateway.server], asking(&ours)),
        Contender::new(ENVOY_JWT_AUTHN, [&jwt_authn], asking(&jwt_authn)),
    ];
    let compared = [
        (ENVOY_AND_TONIC, OF_ENVOY, ENVOY_ALONE),
        (ENVOY_AND_OURS, OF_ENVOY, ENVOY_ALONE),
        (ENVOY_JWT_AUTHN, OF_ENVOY, ENVOY_ALONE),
        (ENVOY_AND_OURS, OF_OK, ENVOY_AND_TONIC),
    ];
    take(bench, ENVOY, contenders, &compared, results);
    Ok(())
}

impl Gateway {
    /// This gateway with one kind of request; the row's name has the build.
    pub(super) fn contender<'a>(&'a self, name: &str, ask: impl Fn(usize) -> Result<Answered> + 'a) -> Contender<'a> {
        Contender::new(format!("{name}{}", self.build.suffix()), [&self.server], ask)
    }
}

impl Bench<'_> {
    /// A server that lets every request pass.
    fn says_yes(&self, program: &str) -> Result<Server> {
        Server::start(self.cores.for_server(&self.programs.path(Build::This, program)), &self.tokens.issuer)
            .map_err(|reason| format!("{program}: {reason}"))
    }

    pub(super) fn by_wrk(&self, server: SocketAddr, question: &Question<'_>, seconds: usize) -> Result<Answered> {
        Ok(Answered::by_wrk(&self.wrk.ask(server, question, seconds)?))
    }
}
