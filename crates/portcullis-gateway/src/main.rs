//! `portcullis`: the gateway beside nginx, Envoy, Traefik and Caddy.
//!
//! A proxy carries the traffic and asks, for each request, whether it may pass. The answer is the library's: the
//! gateway reads the original request out of the question, finds the route, has the token judged, and tells the
//! proxy which header fields the upstream gets.
//!
//! ```text
//! forward_auth/  ext_authz/      how a proxy asks, and how it is told
//!        └────┬────┘
//!         decision/              original request -> route -> verdict of the library -> decision
//!        routes/                 which rules a path is under, however it is spelled
//!         config/                portcullis.toml, with each mistake shown on its line
//!   listener/  admin/  store/    sockets and limits; health, metrics, status; Redis
//! ```

mod decision;

fn main() {}
