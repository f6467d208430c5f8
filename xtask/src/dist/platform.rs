//! The platforms that binaries are built for here.

use clap::ValueEnum;

/// An operating system, a processor and a C library. Its name is the one of npm's packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Platform {
    #[value(name = "linux-x64-gnu")]
    X64Gnu,
    #[value(name = "linux-x64-musl")]
    X64Musl,
    #[value(name = "linux-arm64-gnu")]
    Arm64Gnu,
    #[value(name = "linux-arm64-musl")]
    Arm64Musl,
}

impl Platform {
    pub(crate) const ALL: [Self; 4] = [Self::X64Gnu, Self::X64Musl, Self::Arm64Gnu, Self::Arm64Musl];

    /// The name of Rust's target.
    pub(crate) fn target(self) -> &'static str {
        match self {
            Self::X64Gnu => "x86_64-unknown-linux-gnu",
            Self::X64Musl => "x86_64-unknown-linux-musl",
            Self::Arm64Gnu => "aarch64-unknown-linux-gnu",
            Self::Arm64Musl => "aarch64-unknown-linux-musl",
        }
    }

    /// The processor's name in Node and npm.
    pub(crate) fn cpu(self) -> &'static str {
        if self.is_x64() { "x64" } else { "arm64" }
    }

    /// The processor's name in Debian and in container images.
    pub(crate) fn architecture(self) -> &'static str {
        if self.is_x64() { "amd64" } else { "arm64" }
    }

    /// The C library's name in npm.
    pub(crate) fn libc(self) -> &'static str {
        if self.is_musl() { "musl" } else { "glibc" }
    }

    pub(crate) fn is_x64(self) -> bool {
        matches!(self, Self::X64Gnu | Self::X64Musl)
    }

    pub(crate) fn is_musl(self) -> bool {
        matches!(self, Self::X64Musl | Self::Arm64Musl)
    }
}

impl std::fmt::Display for Platform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let libc = if self.is_musl() { "musl" } else { "gnu" };
        write!(f, "linux-{}-{libc}", self.cpu())
    }
}
