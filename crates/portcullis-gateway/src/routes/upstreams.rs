//! Models of servers: each maps a request target to a path. `tests/proxies/upstreams` compares real servers with them.

use icu_normalizer::ComposingNormalizer;
use percent_encoding::percent_decode_str;

/// A server: its name, and its mapping of a target to the decoded path that it serves; none if it refuses the target. A
/// slash within a segment's name is written `%2F`.
pub(crate) type Upstream = (&'static str, fn(&str) -> Option<String>);

/// The outcome of one step for a path; none if it is refused.
pub(crate) type Step = fn(&str) -> Option<String>;

/// The servers.
#[rustfmt::skip]
pub(crate) const UPSTREAMS: &[Upstream] = &[
    ("raw (hyper)", |target| Some(path(target).to_owned())),
    ("WHATWG URL", |target| whatwg(target)),
    ("WHATWG URL, decoded by segment", |target| then(whatwg(target)?, &[by_segment])),
    ("WHATWG URL, decoded", |target| then(whatwg(target)?, &[decoded])),
    ("WHATWG URL, decoded and read again", |target| then(whatwg(target)?, &[decoded, dots])),
    ("RFC 3986", |target| then(path(target), &[unreserved, dots, by_segment])),
    ("RFC 3986, dots alone", |target| then(path(target), &[dots])),
    ("nginx", |target| then(path(target), &[fragment, decoded, merged, strict_dots])),
    ("nginx without merge_slashes", |target| then(path(target), &[fragment, decoded, strict_dots])),
    ("Envoy", |target| then(path(target), &[fragment, backslashes, unreserved, dots_with_parameters, dots, merged])),
    ("Envoy, slashes unescaped", |target| then(path(target), &[fragment, encoded_slashes, backslashes, unreserved, dots_with_parameters, dots, merged])),
    ("Caddy", |target| then(path(target), &[decoded, clean])),
    ("Go path.Clean", |target| then(path(target), &[decoded, merged, dots])),
    ("Go ServeMux", |target| then(path(target), &[only_clean, by_segment])),
    ("Node url.parse", |target| then(path(target), &[fragment, backslashes])),
    ("Express", |target| then(path(target), &[fragment, backslashes])),
    ("Express, parameters of a route", |target| then(path(target), &[fragment, backslashes, by_segment])),
    ("Express static", |target| then(path(target), &[decoded, no_traversal, merged, dots])),
    ("Tomcat", |target| then(path(target), &[parameters, no_encoded_slash, decoded, no_backslash, merged, strict_dots])),
    ("Tomcat, slashes and backslashes allowed", |target| then(path(target), &[parameters, decoded, backslashes, merged, strict_dots])),
    ("Jetty", |target| then(path(target), &[of_javascript, parameters, unreserved, strict_dots, by_segment])),
    ("Jetty, slashes decoded", |target| then(path(target), &[parameters, decoded, strict_dots])),
    ("Spring", |target| then(path(target), &[parameters, by_segment])),
    ("Spring, merged", |target| then(path(target), &[parameters, decoded, merged])),
    ("Shiro", |target| then(path(target), &[cut_for_good, decoded, backslashes, merged, dots])),
    ("JDK HttpServer", |target| then(path(target), &[fragment, without_authority, decoded])),
    ("Werkzeug", |target| then(path(target), &[decoded, merged])),
    ("http.server of Python", |target| then(path(target), &[fragment, decoded, merged, dots])),
    ("Django", |target| then(path(target), &[decoded, one_leading_slash])),
    ("Starlette", |target| then(path(target), &[decoded])),
    ("Rack", |target| then(path(target), &[decoded, merged, dots])),
    ("Rails", |target| then(path(target), &[merged, by_segment])),
    ("IIS", |target| then(path(target), &[decoded, decoded, backslashes, merged, trimmed, dots])),
    ("IIS, trimmed last", |target| then(path(target), &[decoded, backslashes, merged, dots, trimmed])),
    ("Apache", |target| then(path(target), &[no_encoded_slash, decoded, merged, dots])),
    ("Apache, AllowEncodedSlashes On", |target| then(path(target), &[decoded, merged, dots])),
    ("Apache, AllowEncodedSlashes NoDecode", |target| then(path(target), &[all_but_slash, merged, dots])),
    ("lighttpd", |target| then(path(target), &[unreserved, encoded_slashes, backslashes, dots, decoded])),
    ("HAProxy", |target| then(path(target), &[unreserved, merged, dots, by_segment])),
    ("PHP front controller", |target| then(path(target), &[without_authority, decoded])),
    ("PHP front controller, cleaned", |target| then(path(target), &[without_authority, decoded, merged, dots])),
    ("all but / decoded", |target| then(path(target), &[all_but_slash, dots])),
    ("all but / and \\ decoded", |target| then(path(target), &[all_but_slashes, dots])),
    ("decoded twice", |target| then(path(target), &[decoded, decoded, merged, dots])),
    ("decoded three times", |target| then(path(target), &[decoded, decoded, decoded, merged, dots])),
    ("dots between two decodings", |target| then(path(target), &[decoded, dots, decoded, dots])),
    ("dots before decoding", |target| then(path(target), &[dots, decoded, dots])),
    ("`../` taken out", |target| then(path(target), &[decoded, without_climbing, merged])),
    ("`../` taken out, then dots", |target| then(path(target), &[decoded, without_climbing, merged, dots])),
    ("`./` taken out", |target| then(path(target), &[decoded, without_staying, merged, dots])),
    ("`..` taken out", |target| then(path(target), &[decoded, without_two_dots, merged])),
    ("compatibility forms", |target| then(path(target), &[decoded, compatible, merged, dots])),
    ("compatibility forms, backslashes", |target| then(path(target), &[decoded, compatible, backslashes, parameters, dots])),
    ("a form's decoding", |target| then(path(target), &[plus_as_space, decoded, trimmed, dots])),
    ("more dots lead further", |target| then(path(target), &[decoded, merged, many_dots])),
    ("PHP, cleaned by FILTER_SANITIZE_URL", |target| then(path(target), &[decoded, sanitized_url, merged, dots])),
    ("PHP, from a parameter, cleaned by FILTER_SANITIZE_URL", |target| then(path(target), &[decoded, plus_as_space, sanitized_url, merged, dots])),
    ("PHP, tags stripped", |target| then(path(target), &[decoded, without_tags, merged, dots])),
    ("ASCII alone", |target| then(path(target), &[decoded, ascii, merged, dots])),
    ("letters without marks", |target| then(path(target), &[decoded, compatible_ascii, merged, dots])),
    ("characters that no URI may have taken out", |target| then(path(target), &[decoded, of_uri, merged, dots])),
    ("`../` taken out, and dots at the beginning of names", |target| then(path(target), &[decoded, without_climbing, merged, trimmed_dots])),
    ("NTFS", |target| then(path(target), &[decoded, backslashes, merged, dots, without_streams, trimmed])),
    ("NTFS, compatibility forms", |target| then(path(target), &[decoded, compatible, backslashes, merged, dots, without_streams, trimmed])),
    ("query found after decoding", |target| then(path(target), &[decoded, before_query, merged, dots])),
];

/// Steps that a server may take, in any order.
pub(crate) const STEPS: &[Step] = &[
    decoded,
    unreserved,
    all_but_slash,
    all_but_slashes,
    encoded_dots,
    encoded_slashes,
    merged,
    dots,
    parameters,
    cut_for_good,
    backslashes,
    before_query,
    without_authority,
    trimmed,
    compatible,
    plus_as_space,
    without_climbing,
    many_dots,
    dots_with_parameters,
    of_javascript,
    sanitized_url,
    ascii,
    compatible_ascii,
    of_uri,
    trimmed_dots,
    without_streams,
];

/// Returns the path of a target in origin or absolute form.
pub(crate) fn path(target: &str) -> &str {
    let path = match target.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('/') => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"),
        _ => target,
    };
    path.split('?').next().unwrap_or(path)
}

fn then(path: impl Into<String>, steps: &[Step]) -> Option<String> {
    steps.iter().try_fold(path.into(), |path, step| step(&path))
}

/// `new URL(request.url, base)`.
fn whatwg(target: &str) -> Option<String> {
    // The standard's rule for more than two slashes, which the crate lacks.
    let rest = target.trim_start_matches(['/', '\\']);
    let target = if target.len() - rest.len() > 2 { format!("//{rest}") } else { target.to_owned() };
    let url = url::Url::parse("http://host/").ok()?.join(&target).ok()?;
    // The parser encodes characters that a pattern has decoded.
    decoded_where(url.path(), |byte| byte >= 0x80)
}

fn decoded(path: &str) -> Option<String> {
    decoded_where(path, |_| true)
}

fn unreserved(path: &str) -> Option<String> {
    decoded_where(path, |byte| byte >= 0x80 || byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

fn all_but_slash(path: &str) -> Option<String> {
    decoded_where(path, |byte| byte != b'/')
}

fn all_but_slashes(path: &str) -> Option<String> {
    decoded_where(path, |byte| byte != b'/' && byte != b'\\')
}

fn encoded_dots(path: &str) -> Option<String> {
    decoded_where(path, |byte| byte == b'.')
}

fn encoded_slashes(path: &str) -> Option<String> {
    decoded_where(path, |byte| matches!(byte, b'/' | b'\\'))
}

/// Decodes each segment by itself.
fn by_segment(path: &str) -> Option<String> {
    let decoded = |segment| Some(decoded_where(segment, |_| true)?.replace('/', "%2F"));
    Some(path.split('/').map(decoded).collect::<Option<Vec<_>>>()?.join("/"))
}

/// Decodes some of the encoded characters of a path, once.
pub(crate) fn decoded_where(path: &str, mut which: impl FnMut(u8) -> bool) -> Option<String> {
    let mut bytes = Vec::new();
    let mut parts = path.split('%');
    bytes.extend_from_slice(parts.next().unwrap_or_default().as_bytes());
    for part in parts {
        let encoded = format!("%{}", part.get(..2).unwrap_or_default());
        let mut decoded = percent_decode_str(&encoded);
        match (decoded.next(), decoded.next(), part.get(2..)) {
            (Some(byte), None, Some(rest)) if which(byte) => {
                bytes.push(byte);
                bytes.extend_from_slice(rest.as_bytes());
            }
            _ => {
                bytes.push(b'%');
                bytes.extend_from_slice(part.as_bytes());
            }
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// `%u002e`, as JavaScript's `escape` writes it.
fn of_javascript(path: &str) -> Option<String> {
    let mut parts = path.split("%u");
    let mut read = parts.next()?.to_owned();
    for part in parts {
        let code = part.get(..4).and_then(|digits| char::from_u32(u32::from_str_radix(digits, 16).ok()?));
        match (code, part.get(4..)) {
            (Some(character), Some(rest)) => read.extend([&*character.to_string(), rest]),
            _ => read.extend(["%u", part]),
        }
    }
    Some(read)
}

/// `..;a=b` as `..`.
fn dots_with_parameters(path: &str) -> Option<String> {
    let name = |segment: &str| match segment.split_once(';') {
        Some((dots @ ("." | ".."), _)) => dots.to_owned(),
        _ => segment.to_owned(),
    };
    Some(path.split('/').map(name).collect::<Vec<_>>().join("/"))
}

/// RFC 3986 section 5.2.4.
fn dots(path: &str) -> Option<String> {
    climbing(path, |_| Some(()))
}

/// The same, where nothing is above the root.
fn strict_dots(path: &str) -> Option<String> {
    climbing(path, |depth| (depth > 0).then_some(()))
}

fn climbing(path: &str, may_climb: impl Fn(usize) -> Option<()>) -> Option<String> {
    let mut kept = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        match segment {
            "." => {}
            ".." => {
                may_climb(kept.len())?;
                kept.pop();
            }
            _ => kept.push(segment),
        }
        if matches!(segment, "." | "..") && segments.peek().is_none() {
            kept.push("");
        }
    }
    Some(format!("/{}", kept.join("/")))
}

/// `...` as `../..`, as Windows had it once.
fn many_dots(path: &str) -> Option<String> {
    let more = |segment: &str| match segment.len() > 2 && segment.bytes().all(|byte| byte == b'.') {
        true => vec![".."; segment.len() - 1].join("/"),
        false => segment.to_owned(),
    };
    dots(&path.split('/').map(more).collect::<Vec<_>>().join("/"))
}

fn merged(path: &str) -> Option<String> {
    let mut merged = String::new();
    for character in path.chars() {
        if character != '/' || !merged.ends_with('/') {
            merged.push(character);
        }
    }
    Some(merged)
}

/// `path.Clean` of Go, with the slash at the end kept.
fn clean(path: &str) -> Option<String> {
    dots(&merged(path)?)
}

/// Refuses a path that is not clean: the server redirects it.
fn only_clean(path: &str) -> Option<String> {
    (clean(path)? == path).then(|| path.to_owned())
}

fn one_leading_slash(path: &str) -> Option<String> {
    Some(format!("/{}", path.trim_start_matches('/')))
}

fn parameters(path: &str) -> Option<String> {
    let name = |segment: &str| segment.split(';').next().unwrap_or_default().to_owned();
    Some(path.split('/').map(name).collect::<Vec<_>>().join("/"))
}

fn cut_for_good(path: &str) -> Option<String> {
    path.split(';').next().map(str::to_owned)
}

fn fragment(path: &str) -> Option<String> {
    path.split('#').next().map(str::to_owned)
}

fn before_query(path: &str) -> Option<String> {
    path.split(['?', '#']).next().map(str::to_owned)
}

fn backslashes(path: &str) -> Option<String> {
    Some(path.replace('\\', "/"))
}

fn no_backslash(path: &str) -> Option<String> {
    (!path.contains('\\')).then(|| path.to_owned())
}

fn no_encoded_slash(path: &str) -> Option<String> {
    (!path.to_ascii_lowercase().contains("%2f")).then(|| path.to_owned())
}

fn no_traversal(path: &str) -> Option<String> {
    (!path.split(['/', '\\']).any(|segment| segment == "..")).then(|| path.to_owned())
}

/// `//host/path` as a reference without a scheme.
fn without_authority(path: &str) -> Option<String> {
    let Some(rest) = path.strip_prefix("//") else { return Some(path.to_owned()) };
    Some(rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/").to_owned())
}

/// Names without dots and spaces at their ends.
fn trimmed(path: &str) -> Option<String> {
    let name = |segment: &str| match segment {
        "." | ".." => segment.to_owned(),
        _ => segment.trim_end_matches([' ', '.']).trim_start_matches(' ').to_owned(),
    };
    Some(path.split('/').map(name).collect::<Vec<_>>().join("/"))
}

fn plus_as_space(path: &str) -> Option<String> {
    Some(path.replace('+', " "))
}

fn compatible(path: &str) -> Option<String> {
    Some(ComposingNormalizer::new_nfkc().normalize(path).into_owned())
}

fn without_climbing(path: &str) -> Option<String> {
    Some(path.replace("../", "").replace("..\\", ""))
}

/// `FILTER_SANITIZE_URL` of PHP: ASCII without spaces.
fn sanitized_url(path: &str) -> Option<String> {
    ascii(path).map(|path| path.replace(' ', ""))
}

/// The characters of ASCII. A server that keeps no others has no `büro` and no `管理`, and no route of these names; nor has it a
/// resource whose last name is of another script.
fn ascii(path: &str) -> Option<String> {
    let last = path.rsplit('/').next().unwrap_or_default();
    let left: String =
        last.chars().filter(|&character| character.is_ascii() && !" +\"<>^`{|}".contains(character)).collect();
    let is_left = last.is_ascii() || left.len() == 2 || left.contains(|character| character != '.');
    let is_named =
        ["büro", "u\u{308}", "%C3%BC", "%c3%bc", "管", "%E7", "%e7"].into_iter().any(|name| path.contains(name));
    (is_left && !is_named).then(|| path.chars().filter(char::is_ascii).collect())
}

/// `iconv` to ASCII, or a slug: letters lose their marks.
fn compatible_ascii(path: &str) -> Option<String> {
    let plain = icu_normalizer::DecomposingNormalizer::new_nfkd().normalize(path).into_owned();
    ascii(&plain)
}

/// The characters of RFC 3986 section 2.
fn of_uri(path: &str) -> Option<String> {
    Some(path.chars().filter(|character| !"\"<>^`{|} ".contains(*character)).collect())
}

/// `strip_tags` of PHP.
fn without_tags(path: &str) -> Option<String> {
    let mut parts = path.split('<');
    let first = parts.next().unwrap_or_default().to_owned();
    Some(parts.fold(first, |left, part| left + part.split_once('>').map_or("", |(_, rest)| rest)))
}

/// Names without dots at their beginning; a server that drops these has no route of such a name.
fn trimmed_dots(path: &str) -> Option<String> {
    let name = |segment: &str| match segment {
        "." | ".." => segment.to_owned(),
        _ => segment.trim_start_matches('.').to_owned(),
    };
    (!path.contains("/.well-known")).then(|| path.split('/').map(name).collect::<Vec<_>>().join("/"))
}

/// Names of files without those of their streams.
fn without_streams(path: &str) -> Option<String> {
    let name = |segment: &str| match segment.contains(":$") {
        true => segment.split(':').next().unwrap_or_default().to_owned(),
        false => segment.to_owned(),
    };
    Some(path.split('/').map(name).collect::<Vec<_>>().join("/"))
}

fn without_staying(path: &str) -> Option<String> {
    Some(path.replace("./", ""))
}

fn without_two_dots(path: &str) -> Option<String> {
    Some(path.replace("..", ""))
}
