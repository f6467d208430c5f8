//! Commands that people copy into a shell.

/// Returns true for a URL without a character that a shell reads in its own way.
pub(crate) fn is_plain_url(url: &str) -> bool {
    (url.starts_with("https://") || url.starts_with("http://")) && url.len() <= 256 && is_plain(url)
}

/// Returns an argument as a POSIX shell reads it.
pub(crate) fn quoted(argument: &str) -> String {
    match !argument.is_empty() && is_plain(argument) {
        true => argument.to_owned(),
        false => format!("'{}'", argument.replace('\'', r"'\''")),
    }
}

fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/@%+=,".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_suggested_for_a_plain_url_alone() {
        for (url, plain) in [
            ("https://as.example.com/realms/shop", true),
            ("http://127.0.0.1:8080/a%20b/", true),
            ("https://as.example.com/$(id)", false),
            ("https://as.example.com/`id`", false),
            ("https://as.example.com/;id", false),
            ("https://as.example.com/ --output /etc/passwd", false),
            ("https://as.example.com/\n", false),
            ("https://as.example.com/\u{e9}", false),
            ("--output=x", false),
            (&format!("https://{}", "a".repeat(300)), false),
        ] {
            assert_eq!(is_plain_url(url), plain, "{url}");
        }
    }

    #[test]
    fn an_argument_stays_one_word_in_a_shell() {
        for (argument, expected) in [
            ("https://api.example.com", "https://api.example.com"),
            ("", "''"),
            ("my api", "'my api'"),
            ("$(id)", "'$(id)'"),
            ("it's", r"'it'\''s'"),
        ] {
            assert_eq!(quoted(argument), expected);
        }
    }
}
