//! The issuer of a key in a set that several issuers share, as Microsoft Entra publishes it.

use crate::issuer_template::IssuerTemplate;

/// The issuers of Entra's tokens of version 1 and 2, each up to the tenant. Sets of keys name only those of version 2.
const ENTRA: [(&str, &str); 3] = [
    ("https://sts.windows.net/", "https://login.microsoftonline.com/"),
    ("https://sts.windows.net/", "https://login.microsoftonline.us/"),
    ("https://sts.chinacloudapi.cn/", "https://login.partner.microsoftonline.cn/"),
];

/// The only issuer, or template of issuers, whose tokens a key verifies.
#[derive(Debug, Clone)]
pub(crate) struct KeyIssuer(Box<str>);

impl KeyIssuer {
    /// Reads the member; none if it is no URL, so that it cannot be meant as an issuer.
    pub(super) fn of(text: &str) -> Option<Self> {
        text.contains("://").then(|| Self(text.into()))
    }

    /// Tells whether this is the issuer of tokens with this `iss`.
    pub(super) fn is(&self, iss: &str) -> bool {
        let of_version_2 = ENTRA.iter().filter_map(|(version_1, version_2)| {
            let tenant = iss.strip_prefix(version_1)?.strip_suffix('/')?;
            Some(format!("{version_2}{tenant}/v2.0"))
        });
        self.is_exactly(iss) || of_version_2.into_iter().any(|iss| self.is_exactly(&iss))
    }

    fn is_exactly(&self, iss: &str) -> bool {
        match IssuerTemplate::of(&self.0) {
            Some(template) => template.tenant(iss).is_some(),
            None => *self.0 == *iss,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_of_one_issuer_or_of_those_of_a_template() {
        let (common, one) =
            ("https://login.microsoftonline.com/{tenantid}/v2.0", "https://login.microsoftonline.com/t1/v2.0");
        let table = [
            (common, "https://login.microsoftonline.com/t1/v2.0", true),
            (common, "https://sts.windows.net/t1/", true),
            (common, "https://sts.windows.net/t1", false),
            (common, "https://sts.windows.net//", false),
            (common, "https://sts.windows.net/t1/../t2/", false),
            (common, "https://login.microsoftonline.us/t1/v2.0", false),
            (common, "https://evil.example/t1/v2.0", false),
            (common, common, false),
            (one, "https://login.microsoftonline.com/t1/v2.0", true),
            (one, "https://sts.windows.net/t1/", true),
            (one, "https://login.microsoftonline.com/t2/v2.0", false),
            (one, "https://sts.windows.net/t2/", false),
            (one, "", false),
        ];
        for (issuer, iss, expected) in table {
            assert_eq!(KeyIssuer::of(issuer).unwrap().is(iss), expected, "{issuer} {iss}");
        }
        assert!(KeyIssuer::of("CN=An authority").is_none());
    }
}
