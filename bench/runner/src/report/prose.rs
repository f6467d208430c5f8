//! What the report says in words.

use super::Scope;
use crate::plan::Plan;

/// How it begins.
pub(crate) fn introduction(scope: Scope) -> String {
    let (title, asked) = match scope {
        Scope::Library => ("Benchmarks", "library"),
        Scope::Express => ("Benchmarks: Express", "express"),
        Scope::Gateway => ("Benchmarks: the gateway", "gateway"),
    };
    format!(
        "\
# {title}

Written by `cargo xtask bench {asked}`, which builds and runs everything side by side on one machine. Compare figures
within this page only: another machine gives other ones. [bench/README.md](../bench/README.md) tells how to read it,
how each peer is set up and why; [profile.md](profile.md) tells where the time goes."
    )
}

/// Tables that belong together.
#[derive(Debug)]
pub(crate) struct Kind {
    /// What the names of its tables begin with.
    pub(crate) prefix: &'static str,
    /// The section's heading.
    pub(crate) title: &'static str,
    /// What its tables have in common.
    pub(crate) text: &'static str,
}

/// All kinds; the last one takes what no other does.
pub(crate) const KINDS: &[Kind] = &[
    Kind {
        prefix: "http",
        title: "HTTP over loopback",
        text: "One route, a token of about 1,070 bytes signed with RS256, issuer and audience checked, typed claims. \
               Bare axum gets the same requests. `of bare` is a server's requests per second over those of bare axum \
               in the same round. `CPU` is the share of the window in which the server had its core, `CPU per request` \
               that time over its requests, `of bare, by CPU` the same ratio in these terms, which other work on the \
               machine disturbs less, and `memory` what the server had in RAM after the window. `bare axum, signature \
               alone` verifies the signature with a key parsed once and looks at nothing else: the least that a new \
               token can cost a server. A slow server's client sleeps between answers, and to wake it costs the server \
               time that `1/(bare + raw verify)` knows nothing of.",
    },
    Kind {
        prefix: "express",
        title: "Express over loopback",
        text: "The npm package and its peers. One route, a token of about 1,070 bytes signed with RS256, issuer and \
               audience checked; the handler answers the subject as JSON, and bare Express a constant of the same length. \
               `of bare` is a server's requests per second over those of bare Express in the same round. `CPU` is the \
               share of the window in which the server had its core, `CPU per request` that time over its requests, `of \
               bare, by CPU` the same ratio in these terms, which other work on the machine disturbs less, and `memory` \
               what the server had in RAM after the window. `event-loop delay p99` is what \
               `perf_hooks.monitorEventLoopDelay` tells with a resolution of 1 ms, which is in it: an idle server has \
               about 1.2 ms. `portcullis / this` is what the npm package reaches, over what the row's server reaches, \
               in the same round: requests per second, and for `delay` the event loop's, where less is better. The \
               whole process is on one core, libuv's pool and the garbage collector's threads included.\n\n\
               `All at once` has the servers that look a known token up share one core, each with a client of its own, and \
               compares the CPU time of their requests in the same seconds: what else goes on in a machine makes windows \
               that come one after the other differ by more than what is to be compared. A server that has its core for \
               itself answers as many requests as fit in its time.\n\n\
               At full load each server gets the next request as soon as it has answered one: those that answer more also \
               do more in a turn of the event loop. So the delays are compared where all get the same requests at the \
               same times: at one pace, two fifths of what bare Express answers at full load, and at random intervals, \
               as from many users. Whoever answers fewer cannot keep that pace.",
    },
    Kind {
        prefix: "gateway",
        title: "The gateway",
        text: "`portcullis serve` with one issuer, one route and one header field for the upstream, on one core. It is \
               compared with servers of the same kind that say yes to everything. wrk asks at forward-auth, as Traefik \
               and Caddy do, by 32 connections; h2load asks by gRPC, as Envoy does, by 4 connections with 8 requests under \
               way on each, and keeps the pace of half the load. The opaque token stands for a JWT with the same claims, \
               which the upstream gets in its place. Envoy answers by itself where a request passes, on one thread; what \
               it asks shares its core, and `CPU` and `memory` are of both. Its jwt_authn has keys at hand and its cache \
               of tokens on.",
    },
    Kind {
        prefix: "storm",
        title: "Storms",
        text: "The authorization server takes 20 ms to answer with its keys. The 1,000 forged tokens are well-formed, \
               each under another key id that nobody published; they come on 16 connections at 500 a second, while \
               good requests go on. These are measured in quiet, and then by turns of a quarter of a second beside \
               1,000 good requests and beside the forged ones at the same pace.",
    },
    Kind {
        prefix: "whole verification",
        title: "Whole verification",
        text: "From the token's text to ten typed claims: signature, times, issuer and audience, on one core, without HTTP \
               and without a cache. Each library has a program of its own.",
    },
    Kind {
        prefix: "",
        title: "Inside",
        text: "Stages, algorithms and growth, on one core unless a table says so. Typed claims are three: `sub`, \
               `client_id` and `scope`, as the handlers over HTTP read them.",
    },
];

/// The kind that a table is of.
pub(crate) fn kind_of(table: &str) -> &'static Kind {
    let last = KINDS.len() - 1;
    KINDS.iter().find(|kind| table.starts_with(kind.prefix)).unwrap_or(&KINDS[last])
}

/// How it was measured.
pub(crate) fn method(scope: Scope, plan: &Plan) -> String {
    let Plan { rounds, seconds, warm_up, connections, rotating, storms, gateway, .. } = plan;
    let rounds = if scope == Scope::Gateway { gateway } else { rounds };
    let until_kept = match scope {
        Scope::Gateway => String::new(),
        Scope::Library | Scope::Express => format!(
            ", and again for longer until one go has {rotating} requests: what can be kept
  of the tokens is kept then"
        ),
    };
    let fresh = match scope {
        Scope::Gateway => "",
        Scope::Library => "- Where every token is new, each window has a fresh server, warmed up with other tokens.\n",
        Scope::Express => {
            "- Where every token is new, each window has a fresh server, warmed up with other tokens. At full load with known
  tokens it has one, too, since what V8 makes of the same program differs from one process to the next.
- All at once, a window is longer by as many times as there are servers, and begins when all of them are warm.\n"
        }
    };
    let storms = if scope == Scope::Library {
        format!("- Storms are repeated {storms} times, also in turns.\n")
    } else {
        String::new()
    };
    format!(
        "## How it was measured

- Each server is a process of its own, on one core and, in Rust, on one thread; wrk asks from another core, on
  {connections} connections.
- A window is {seconds} s. The servers take turns, window by window, for {rounds} rounds, and go in the other order
  every second round: a machine that slows down slows all of them.
- A server is warmed up for {warm_up} s{until_kept}.
{fresh}- Each figure is the median of its windows, with the lowest and the highest beside it. Ratios are taken within a
  round, before the median.
- A window in which any request failed is no measurement; it is told above.
{storms}- All in Rust are built with the same profile: optimised, thin LTO, one codegen unit; so is the npm package's addon."
    )
}
