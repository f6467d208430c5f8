//! Why the demo cannot run, told in one line.

use std::{fmt, io};

use portcullis::ConfigurationError;

/// Why the demo cannot run.
#[derive(Debug)]
pub(crate) enum Error {
    /// An address cannot be listened on.
    Listen { address: String, flag: &'static str, source: io::Error },
    /// The verifier cannot be built as the flags ask.
    Configuration(ConfigurationError),
    /// The system does not let us serve.
    Io(io::Error),
}

impl Error {
    /// Prints it to stderr.
    #[expect(clippy::print_stderr, reason = "the last words of a program; the log may be filtered")]
    pub(crate) fn print(&self) {
        eprintln!("portcullis-demo: {self}");
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen { address, flag, source } => {
                write!(f, "cannot listen on {address}: {source}; choose another address with {flag} ADDR")
            }
            Self::Configuration(error) => error.fmt(f),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl From<ConfigurationError> for Error {
    fn from(error: ConfigurationError) -> Self {
        Self::Configuration(error)
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
