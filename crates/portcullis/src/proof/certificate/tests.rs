//! Each notation as its proxy writes it, and everything that is none.

use base64_simd::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;

use super::{fields::MAX_BYTES, *};

const LEAF: &str = include_str!("leaf.pem");
const OTHER: &str = include_str!("other.pem");

/// By `openssl x509 -in leaf.pem -outform der | sha256sum`; and of `other.pem`.
const LEAF_SHA256: &str = "488d40ab139160d67b184e91c2ddff4fa0ace02b0333478bc8b969dfe577b955";
const OTHER_SHA256: &str = "f1f727e8dbced73595ffaffd274b969f94b3069336cb99931ac158fd768955be";

/// All that nginx encodes (`NGX_ESCAPE_URI_COMPONENT`).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

type Notation = fn(&[u8]) -> Result<ClientCertificate, MalformedClientCertificate>;

fn leaf() -> ClientCertificate {
    ClientCertificate::from_pem(LEAF).unwrap()
}

fn der(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

fn base64(pem: &str) -> String {
    STANDARD.encode_to_string(der(pem))
}

fn escaped(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Checks that texts are the leaf, or malformed.
fn reads(notation: Notation, good: &[&str], bad: &[&str]) {
    for text in good {
        assert_eq!(notation(text.as_bytes()), Ok(leaf()), "{text}");
    }
    for text in bad.iter().copied().chain(["", " ", "\0", "(null)", "-"]) {
        assert!(notation(text.as_bytes()).is_err(), "{text}");
    }
    assert!(notation(b"\xff").is_err());
    let large = vec![b'A'; MAX_BYTES + 1];
    assert_eq!(notation(&large).unwrap_err().expected, "a field of at most 64 KiB");
}

#[test]
fn the_thumbprint_is_that_of_the_der() {
    let certificate = leaf();
    assert_eq!(certificate, ClientCertificate::from_der(&der(LEAF)));
    assert_eq!(certificate.sha256, sha256(&der(LEAF)));
    assert_eq!(certificate, ClientCertificate::with_sha256(certificate.sha256));
    assert_eq!(certificate.thumbprint(), "SI1AqxORYNZ7GE6Rwt3_T6Cs4CsDM0eLyLlp3-V3uVU");
    assert_ne!(certificate, ClientCertificate::from_pem(OTHER).unwrap());
    assert_eq!(format!("{certificate:?}"), "ClientCertificate { .. }");
}

#[test]
fn pem_begins_with_the_clients_certificate() {
    let joined = LEAF.lines().collect::<String>();
    for (pem, is_good) in [
        (LEAF.to_owned(), true),
        (LEAF.replace('\n', "\r\n"), true),
        (LEAF.trim_end().to_owned(), true),
        (format!("{LEAF}{OTHER}"), true),
        (format!("text\n{LEAF}"), false),
        (format!("{LEAF}text\n{OTHER}"), false),
        (format!("{LEAF}{OTHER}text"), false),
        (format!("{LEAF},{OTHER}"), false),
        (format!("{LEAF}-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"), false),
        (LEAF.replace("CERTIFICATE", "PUBLIC KEY"), false),
        (LEAF.replace("MII", "M!I"), false),
        (LEAF.replace("-----END CERTIFICATE-----\n", ""), false),
        ("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n".to_owned(), false),
        (joined, false),
        (String::new(), false),
    ] {
        assert_eq!(ClientCertificate::from_pem(&pem).ok(), is_good.then(leaf), "{pem:?}");
    }
}

#[test]
fn rfc_9440_is_one_byte_sequence() {
    let text = base64(LEAF);
    let (good, other) = (format!(":{text}:"), format!(":{}:", base64(OTHER)));
    reads(
        ClientCertificate::from_rfc9440,
        &[&good],
        &[
            &text,
            ":",
            "::",
            ":AAAA:",
            &format!("{good}, {other}"),
            &format!("{good},{other}"),
            &format!("{good};a=1"),
            &format!("{good} "),
            &format!(" {good}"),
            &good.replace('=', ""),
            &good.replace('+', "-").replace('/', "_"),
            &good.replacen('I', "I ", 1),
            &format!("\"{text}\""),
            &format!(":{}:", escaped(LEAF)),
        ],
    );
}

#[test]
fn escaped_pem_is_percent_encoded() {
    let nginx = escaped(LEAF);
    // Envoy and AWS, each with characters of its own.
    let by = |pairs: &[(&str, &str)]| pairs.iter().fold(LEAF.to_owned(), |text, (old, new)| text.replace(old, new));
    let envoy = by(&[("\n", "%0A"), (" ", "%20"), ("+", "%2B"), ("/", "%2F"), ("=", "%3D")]);
    let aws = by(&[("\n", "%0A"), (" ", "%20")]);
    let other = escaped(OTHER);
    reads(
        ClientCertificate::from_escaped_pem,
        &[&nginx, &envoy, &aws, &format!("{nginx}{other}")],
        &[
            LEAF,
            &LEAF.replace('\n', " "),
            &LEAF.replace('\n', "\t"),
            &nginx.replace("%20", "+"),
            &format!("{other},{nginx}"),
            &format!("{nginx},{other}"),
            &format!("{nginx}, {other}"),
            &format!("{nginx}%2C{other}"),
            &format!("x{nginx}"),
            &nginx.replace("%0A", "%0"),
            &nginx.replace("%0A", "%zz"),
            &nginx.replace("%20", "%2520"),
            &format!("{nginx}%FF"),
            &base64(LEAF),
        ],
    );
}

#[test]
fn base64_begins_with_the_clients_certificate() {
    let (text, other) = (base64(LEAF), base64(OTHER));
    reads(
        ClientCertificate::from_base64_der,
        &[&text, &escaped(&text), &format!("{text},{other}"), &format!("{},{}", escaped(&text), escaped(&other))],
        &[
            &format!("{text}, {other}"),
            &format!("{text},"),
            &format!(",{text}"),
            &format!("{text};{other}"),
            &text.replace('=', ""),
            &text.replace('+', "-").replace('/', "_"),
            &format!("{text}\n"),
            &format!(":{text}:"),
            "AAAA",
            "{http.request.tls.client.certificate_der_base64}",
            &STANDARD.encode_to_string(LEAF),
        ],
    );
}

#[test]
fn xfcc_is_one_element_with_one_hash() {
    let (hash, pem, other) = (format!("Hash={LEAF_SHA256}"), escaped(LEAF), escaped(OTHER));
    let upper = format!("HASH={}", LEAF_SHA256.to_uppercase());
    let envoys = [
        hash.clone(),
        upper,
        format!("By=spiffe://a/b;{hash}"),
        format!("By=spiffe://a/b;{hash};Subject=\"\";URI=spiffe://a/c;DNS=a.example;DNS=b.example"),
        format!("{hash};Subject=\"CN=app,O=\\\"a;b\\\",OU=c\\\\\";URI=https://a.example/?x=1"),
        format!("{hash};Cert=\"{pem}\""),
        format!("{hash};Cert={pem};Chain=\"{pem}{other}\""),
        format!("Cert=\"{pem}\";hash=\"{LEAF_SHA256}\""),
    ];
    let forged = format!("Hash={OTHER_SHA256}");
    let bad = [
        format!("{hash},{forged}"),
        format!("{forged},{hash}"),
        format!("{hash},By=x"),
        format!("By=x,{hash}"),
        format!("{hash},"),
        format!("{hash};{forged}"),
        format!("{hash};{hash}"),
        // An open quotation of the client's swallows the element that Envoy appends.
        format!("{hash};Subject=\",By=x;{forged}\""),
        format!("{hash};Subject=\",By=x;{forged};URI=x\""),
        format!("Cert=\"{pem}\";Subject=\",By=x;{forged};URI=x\""),
        // Names in a certificate of the client's own making.
        format!("{forged};URI=x;{hash}"),
        format!("{forged};URI=x,{hash}"),
        format!("{forged};Subject=\"CN=\";{hash}\""),
        format!("{hash};URI=a\"b"),
        format!("{hash};Cert=\"{other}\""),
        format!("{hash};Cert=\"{pem}\";Cert=\"{pem}\""),
        format!("{hash};Cert=\"\""),
        format!("{hash};Cert=\"{LEAF}\""),
        format!("Cert=\"{pem}\""),
        format!("{hash}0"),
        format!("{hash};Subject=\"CN=app"),
        format!("{hash};Subject=\"CN=app\\\""),
        format!("{hash};Subject=\"CN=app\"x"),
        format!("{hash};Subject"),
        format!("{hash};;"),
        format!("{hash};"),
        format!(";{hash}"),
        format!("{hash};=x"),
        format!(" {hash}"),
        format!("{hash}; By=x"),
        "Hash=".to_owned(),
        "Hash=\"\"".to_owned(),
        format!("Hash=+{}", LEAF_SHA256.get(1..).unwrap()),
        LEAF_SHA256.to_owned(),
        pem,
    ];
    let good: Vec<_> = envoys.iter().map(String::as_str).collect();
    let bad: Vec<_> = bad.iter().map(String::as_str).collect();
    reads(ClientCertificate::from_xfcc, &good, &bad);
}

#[test]
fn a_problem_shows_nothing_of_the_text() {
    let problem = ClientCertificate::from_rfc9440(b":secret:").unwrap_err();
    assert_eq!(
        problem.to_string(),
        "expected `:`, a certificate in base64 and `:` (RFC 9440 section 2.2), got something else"
    );
}

proptest! {
    /// No text of a client's before the element that Envoy appends makes another certificate of it.
    #[test]
    fn nothing_before_an_element_of_envoys_is_chosen(before in "[a-zA-Z=;,\"\\\\ 0-9]{0,60}", hash in proptest::bool::ANY) {
        let before = if hash { format!("Hash={OTHER_SHA256}{before}") } else { before };
        let field = format!("{before},By=spiffe://a;Hash={LEAF_SHA256};URI=x\"");
        let read = ClientCertificate::from_xfcc(field.as_bytes());
        prop_assert!(read.is_err() || read == Ok(leaf()), "{field}");
    }

    #[test]
    fn no_bytes_are_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for notation in [
            ClientCertificate::from_rfc9440 as Notation,
            ClientCertificate::from_escaped_pem,
            ClientCertificate::from_base64_der,
            ClientCertificate::from_xfcc,
        ] {
            prop_assert!(notation(&bytes).is_err());
        }
    }
}
