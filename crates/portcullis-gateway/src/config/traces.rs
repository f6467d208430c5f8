//! `[traces]`: the collector of spans, and the share that it gets.

use url::Url;

use super::{
    Traces,
    file::{Read, Table, Value},
};

const EXAMPLE: &str = "write it as in \"http://127.0.0.1:4318/v1/traces\"";

pub(super) fn traces(root: &Table<'_>) -> Option<Traces> {
    let table = root.table("traces")?;
    let endpoint = table.require("endpoint", EXAMPLE, endpoint);
    let sample = table.get("sample", Value::ratio).unwrap_or(1.0);
    let service_name = table.get("service_name", Value::string).unwrap_or_else(|| "portcullis".to_owned());
    table.finish();
    Some(Traces { endpoint: endpoint?, sample, service_name })
}

fn endpoint(value: &Value<'_>) -> Read<Url> {
    // The text is not repeated: it may have a key.
    let wrong =
        |got: &str| value.problem(format!("expected the URL of a collector (OTLP over HTTP), {got}")).help(EXAMPLE);
    let url = Url::parse(value.text()?).map_err(|_| wrong("got something else"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("got something else"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let problem = value.problem("expected a URL without user and password, got one with them");
        return Err(problem.help("put credentials into the environment, as OTEL_EXPORTER_OTLP_HEADERS"));
    }
    if url.path() == "/" {
        return Err(wrong("got one without a path"));
    }
    Ok(url)
}
