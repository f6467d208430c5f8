//! The page, rendered on the server except for the parts that scripts fill in; the binary contains all of it.

use axum::{
    extract::State,
    http::header::CONTENT_TYPE,
    response::{Html, IntoResponse},
};

use super::{Shared, tamperings::GROUPS};
use crate::authorization::ALGORITHMS;

const PAGE: &str = include_str!("page.html");

pub(super) async fn html(State(playground): Shared) -> Html<String> {
    let page = PAGE
        .replace("{{algorithms}}", &algorithms())
        .replace("{{tamperings}}", &tamperings())
        .replace("{{issuer}}", &escaped(playground.server.issuer()));
    Html(page)
}

pub(super) async fn script() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], include_str!("page.js"))
}

pub(super) async fn client() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], include_str!("client.mjs"))
}

pub(super) async fn style() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("style.css"))
}

pub(super) async fn icon() -> impl IntoResponse {
    ([(CONTENT_TYPE, "image/svg+xml")], include_str!("icon.svg"))
}

fn algorithms() -> String {
    ALGORITHMS.iter().map(|algorithm| option(algorithm.name(), algorithm.name())).collect()
}

fn tamperings() -> String {
    let group = |group: &super::tamperings::Group| {
        let rows: String = group.rows.iter().map(|(attack, label)| option(attack.name(), label)).collect();
        format!("<optgroup label=\"{}\">{rows}</optgroup>", escaped(group.title))
    };
    GROUPS.iter().map(group).collect()
}

fn option(value: &str, label: &str) -> String {
    format!("<option value=\"{}\">{}</option>", escaped(value), escaped(label))
}

/// Escapes text for content and quoted attributes.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        assert_eq!(escaped("<b title=\"a'b\">&"), "&lt;b title=&quot;a&#39;b&quot;&gt;&amp;");
    }

    #[test]
    fn every_place_in_the_page_is_filled() {
        let places: Vec<_> = PAGE.match_indices("{{").collect();
        assert_eq!(places.len(), 4, "algorithms, tamperings, and the issuer twice");
    }
}
