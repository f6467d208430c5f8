//! The findings of `portcullis init`, and the next steps, for a person.

use std::path::Path;

use super::{Arguments, Found, OUTPUT};
use crate::config::without_secrets;

/// Tells the findings, and what to do next; `output` is the file that is written.
pub(super) fn of(found: &Found, arguments: &Arguments, output: Option<&Path>) -> String {
    let mut lines = vec![format!("Found {}:", found.metadata.issuer)];
    lines.extend(findings(found).into_iter().map(|finding| format!("  {finding}")));
    let file = output.map(|path| path.display().to_string());
    if let Some(file) = &file {
        lines.push(format!("Wrote {file}."));
    }
    lines.extend([String::new(), "Next:".to_owned()]);
    let steps = steps(arguments, file.as_deref());
    lines.extend(steps.iter().zip(1..).map(|(step, number)| format!("  {number}. {step}")));
    lines.push(String::new());
    lines.join("\n")
}

fn findings(found: &Found) -> Vec<String> {
    let count = |number: usize| if number == 1 { "1 key".to_owned() } else { format!("{number} keys") };
    let algorithms: Vec<_> = found.algorithms.iter().map(|algorithm| algorithm.name()).collect();
    let mut findings = vec![format!(
        "{} for {}, at {}",
        count(found.keys),
        algorithms.join(", "),
        without_secrets(&found.metadata.jwks_uri)
    )];
    findings.extend(found.skipped.iter().map(|reason| format!("not used: {reason}")));
    findings.push(match &found.metadata.introspection_endpoint {
        Some(endpoint) => {
            format!("introspection of opaque tokens, at {}: the file has the lines for it", without_secrets(endpoint))
        }
        None => "no introspection endpoint: opaque tokens are refused".to_owned(),
    });
    findings.extend(found.exchanges_tokens().then(|| "token exchange: the file has the lines for it".to_owned()));
    findings
}

fn steps(arguments: &Arguments, written: Option<&str>) -> Vec<String> {
    let file = written.unwrap_or(OUTPUT);
    let mut steps = Vec::new();
    if written.is_none() {
        steps.push(format!("Save the configuration as {file}."));
    }
    if arguments.audience.is_empty() {
        steps.push(format!(
            "Write the audience of your API into {file}: without it, tokens that the issuer made for other APIs pass, too."
        ));
    }
    steps.extend([
        format!("portcullis check-config --config {file}"),
        format!("portcullis serve --config {file}"),
        "Have your proxy ask it. For nginx: the lines of examples/nginx/nginx.conf; for others: docs/gateway.md."
            .to_owned(),
        format!("If a token is refused: portcullis explain --config {file} --path / < token.txt"),
        "The usual mistakes with each provider, and their remedies: docs/providers.".to_owned(),
    ]);
    steps
}
