//! The examples of RFC 7515 appendix A and RFC 8037 appendix A.4, each by the key that the RFC prints.

use super::*;
use crate::crypto::KeyMaterial;

const PAYLOAD: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

const HS256: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const RS256: &str = concat!(
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CU",
    "Ar7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO",
    "--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN",
    "_IoypGlUPQGe77Rw"
);
const ES256: &str = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
const ES512: &str = concat!(
    "AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZC",
    "PEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn"
);
const ED25519: &str = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

const MODULUS: &str = concat!(
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pC",
    "gNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg6",
    "65xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRW",
    "yuXpoQ"
);

fn decode(text: &str) -> Vec<u8> {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

fn point(key_type: KeyType, x: &str, y: &str) -> KeyMaterial {
    let point = [vec![4], decode(x), decode(y)].concat();
    KeyMaterial::bare(&point, key_type, &Algorithm::of(key_type)).unwrap()
}

/// The algorithm; header, payload and signature as they are printed; the key, for all that its type can do.
fn vectors() -> [(Algorithm, &'static str, &'static str, &'static str, KeyMaterial); 5] {
    let secret = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    let secret = KeyMaterial::secret(&decode(secret), &Algorithm::of(KeyType::Secret)).unwrap();
    let rsa = KeyMaterial::rsa(&decode(MODULUS), &decode("AQAB"), &Algorithm::of(KeyType::Rsa)).unwrap();
    let p256 = point(
        KeyType::P256,
        "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    );
    let p521 = point(
        KeyType::P521,
        "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk",
        "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2",
    );
    let ed25519 = decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    let ed25519 = KeyMaterial::bare(&ed25519, KeyType::Ed25519, &[Algorithm::EdDSA]).unwrap();
    [
        (Algorithm::HS256, "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9", PAYLOAD, HS256, secret),
        (Algorithm::RS256, "eyJhbGciOiJSUzI1NiJ9", PAYLOAD, RS256, rsa),
        (Algorithm::ES256, "eyJhbGciOiJFUzI1NiJ9", PAYLOAD, ES256, p256),
        // The payloads of these two are words and no claims: the parser would refuse them.
        (Algorithm::ES512, "eyJhbGciOiJFUzUxMiJ9", "UGF5bG9hZA", ES512, p521),
        (Algorithm::EdDSA, "eyJhbGciOiJFZERTQSJ9", "RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc", ED25519, ed25519),
    ]
}

#[test]
fn the_examples_of_the_rfcs_verify_and_nothing_near_them_does() {
    for (algorithm, header, payload, signature, key) in vectors() {
        let signature = decode(signature);
        let input = format!("{header}.{payload}");
        let verifies = |input: &str, signature: &[u8]| key.verify(algorithm, input.as_bytes(), signature).is_some();

        assert!(verifies(&input, &signature), "{algorithm}");
        assert!(!verifies(&input[1..], &signature), "{algorithm}: another input");
        assert!(!verifies(&input, &signature[1..]), "{algorithm}: cut in front");
        assert!(!verifies(&input, &signature[..signature.len() - 1]), "{algorithm}: cut at the end");
        assert!(!verifies(&input, &[signature.as_slice(), &[0]].concat()), "{algorithm}: longer");
        assert!(!verifies(&input, &[]), "{algorithm}: empty");
        // CVE-2022-21449: r and s of zero.
        assert!(!verifies(&input, &vec![0; signature.len()]), "{algorithm}: zeros");
        for other in Algorithm::ASYMMETRIC.iter().chain(&Algorithm::of(KeyType::Secret)) {
            let verified = key.verify(*other, input.as_bytes(), &signature).is_some();
            assert_eq!(verified, *other == algorithm, "{algorithm} as {other}");
        }
    }
}
