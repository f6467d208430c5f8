//! The options for an issuer and the rules for its tokens: one for each field of the library's rules.
//!
//! A new field of the rules becomes an option by itself; the list below has the form and the help of some. Values are
//! written down as in portcullis.toml, and read as such.

use std::path::Path;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use miette::Report;
use portcullis::{IssuerRules, Rules};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::written::Written;
use crate::config::{self, Kind, line};

/// The fields without an option: the report about one token does not depend on them.
const NOT_HERE: [&str; 6] = [
    // One token is judged once.
    "token_cache",
    // A verdict on the given token is wanted.
    "optional",
    "report_only",
    // They are about the response, which a report does not have.
    "realm",
    "invalid_token_status",
    "problem_json",
];

/// Options by field: the name if it differs, the form, the placeholder, and the help.
const KNOWN: [(&str, &str, Written, &str, &str); 21] = [
    ("issuer", "issuer", Written::Whole, "URL", "The issuer; its metadata name its keys, unless they are named here"),
    (
        "tenant_claim",
        "tenant-claim",
        Written::Whole,
        "NAME",
        "The claim that has the tenant, for an issuer with a placeholder as in `https://login.example.com/{tenant}`",
    ),
    ("tenants", "tenant", Written::Whole, "TENANT", "A tenant that is accepted, instead of all; several: any of them"),
    ("trust_domain", "trust-domain", Written::Whole, "DOMAIN", "A SPIFFE trust domain, in place of an issuer"),
    ("audience", "audience", Written::Whole, "AUDIENCE", "The audience of the token; several: any of them"),
    ("algorithms", "algorithm", Written::Split(','), "ALG", "An allowed algorithm, instead of all with public keys"),
    (
        "types",
        "type",
        Written::Split(','),
        "TYPE",
        "An accepted type of token (`typ`), instead of `JWT`, `at+jwt` and none; several: any of them",
    ),
    ("or_no_type", "or-no-type", Written::Whole, "", "Accept tokens without a type, too"),
    ("rfc9068", "rfc9068", Written::Whole, "", "Judge strictly by RFC 9068"),
    ("leeway", "leeway", Written::Whole, "TIME", "The allowed difference of clocks, as in `30s`; 5 s by default"),
    ("max_token_bytes", "max-token-bytes", Written::Whole, "BYTES", "The length limit of the token; 16KiB by default"),
    (
        "scope_claims",
        "scope-claim",
        Written::Whole,
        "NAME",
        "A claim that may be the scope, instead of `scope` and `scp`; several: the first that is present",
    ),
    (
        "max_token_lifetime",
        "max-token-lifetime",
        Written::Whole,
        "TIME",
        "The longest time from `iat` to `exp`, as in `1h`",
    ),
    (
        "max_key_attempts",
        "max-key-attempts",
        Written::Whole,
        "NUMBER",
        "The number of keys to try for a token that names none; 16 by default",
    ),
    (
        "dangerously_accept_tokens_without_expiry",
        "dangerously-accept-tokens-without-expiry",
        Written::Whole,
        "",
        "Accept tokens without `exp`",
    ),
    (
        "dangerously_accept_sender_constrained_tokens",
        "dangerously-accept-sender-constrained-tokens",
        Written::Whole,
        "",
        "Accept sender-constrained tokens without a proof of the key",
    ),
    (
        "dpop",
        "dpop-use",
        Written::Whole,
        "USE",
        "The use of DPoP: `off`, `allowed` or `required`; `allowed` beside a proof, else `off`",
    ),
    ("scope", "scope", Written::Split(' '), "SCOPE", "A required scope value; several: all of them"),
    (
        "any_scope",
        "any-scope",
        Written::Group(' '),
        "SCOPE",
        "Scope values, one of which is required, as in `read write`",
    ),
    (
        "implied_scopes",
        "implied-scopes",
        Written::Whole,
        "JSON",
        "Scope values that others imply, as in `{\"write\": [\"read\"]}`",
    ),
    (
        "claims",
        "claim",
        Written::Claim,
        "NAME[=VALUE]",
        "A required claim, or its value: JSON if it is valid, else text; `/a/b` is a JSON Pointer. Or any rule \
         of portcullis.toml, as in `{\"name\": \"sub\", \"matches\": \"repo:my-org/*\"}`",
    ),
];

/// An option, and its field.
struct Field {
    name: &'static str,
    kind: Kind,
    option: String,
    written: Written,
    placeholder: &'static str,
    help: String,
}

/// The given options.
pub(crate) struct Named(Vec<(Field, Vec<String>)>);

impl Named {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns true if the option of this field is given.
    pub(super) fn has(&self, field: &str) -> bool {
        self.0.iter().any(|(given, _)| given.name == field)
    }

    /// Reads the rules of the options. With keys from a file, more algorithms are allowed.
    ///
    /// # Errors
    ///
    /// A report of every mistake in them.
    pub(super) fn read(&self, jwks_file: Option<&Path>) -> Result<(IssuerRules, Rules), Report> {
        let given = self.0.iter().map(|(field, values)| line(field.name, &field.value(values)));
        // Some rules depend on it.
        let file = jwks_file.map(|file| line("jwks_file", &file.to_string_lossy().into()));
        config::named(&given.chain(file).collect::<String>(), "the command line, as in portcullis.toml")
    }
}

impl Field {
    fn of<T: DeserializeOwned>(name: &'static str) -> Self {
        let kind = config::kind::<T>(name);
        match KNOWN.into_iter().find(|(known, ..)| *known == name) {
            Some((_, option, written, placeholder, help)) => {
                Self { name, kind, option: option.to_owned(), written, placeholder, help: help.to_owned() }
            }
            None => {
                let (option, help) = (name.replace('_', "-"), format!("As `{name}` in portcullis.toml"));
                Self { name, kind, option, written: Written::Whole, placeholder: "VALUE", help }
            }
        }
    }

    fn all() -> impl Iterator<Item = Self> {
        let of_issuer = config::fields::<IssuerRules>();
        let of_rules = config::fields::<Rules>().iter().filter(|name| !of_issuer.contains(name));
        let fields = of_issuer.iter().map(|name| Self::of::<IssuerRules>(name));
        fields.chain(of_rules.map(|name| Self::of::<Rules>(name))).filter(|field| !NOT_HERE.contains(&field.name))
    }

    fn argument(&self) -> Arg {
        let argument = Arg::new(self.name).long(self.option.clone()).help(self.help.clone());
        match self.kind {
            Kind::Flag => argument.action(ArgAction::SetTrue),
            Kind::List => argument.action(ArgAction::Append).value_name(self.placeholder),
            Kind::Text | Kind::Other => argument.action(ArgAction::Set).value_name(self.placeholder),
        }
    }

    /// Returns the values of an option, if it was given.
    fn given(&self, matches: &ArgMatches) -> Option<Vec<String>> {
        match self.kind {
            Kind::Flag => matches.get_flag(self.name).then(Vec::new),
            _ => matches.get_many::<String>(self.name).map(|values| values.cloned().collect()),
        }
    }

    fn value(&self, given: &[String]) -> Value {
        let mut values = given.iter().flat_map(|value| self.written.read(value, self.kind));
        match self.kind {
            Kind::Flag => true.into(),
            Kind::List => values.collect(),
            Kind::Text | Kind::Other => values.next().unwrap_or_default(),
        }
    }
}

/// Returns the options that conflict with a configuration, which has rules of its own.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    Field::all().map(|field| field.name).chain(["jwks_uri", "jwks_file"])
}

impl Args for Named {
    fn augment_args(command: Command) -> Command {
        Field::all().fold(command, |command, field| command.arg(field.argument()))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Named {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self(Field::all().filter_map(|field| field.given(matches).map(|values| (field, values))).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_is_an_option() {
        let options: Vec<_> = Field::all().map(|field| field.name).collect();
        let fields = config::fields::<IssuerRules>().iter().chain(config::fields::<Rules>());
        for field in fields.filter(|field| !NOT_HERE.contains(field)) {
            assert!(options.contains(field), "{field}");
        }
        for (known, ..) in KNOWN {
            assert!(options.contains(&known), "{known}");
        }
    }
}
