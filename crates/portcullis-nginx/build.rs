//! The differences between versions of nginx, and the flags of the linker.

use std::env;

/// nginx keeps cookies in a list since this version, and in an array before.
const COOKIES_IN_A_LIST: u32 = 1_023_000;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let version = env::var("DEP_NGINX_VERSION_NUMBER").ok().and_then(|number| number.parse::<u32>().ok());
    if version.is_some_and(|version| version < COOKIES_IN_A_LIST) {
        println!("cargo::rustc-cfg=cookies_are_an_array");
    }
    // Threads of a worker run code of the module: it must stay in memory when nginx closes it, after a reload without it.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
}
