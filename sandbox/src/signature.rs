//! Meta's body escaping, its webhook signature and the appsecret_proof (PROVIDERS 1.2 and 2); Stripe's signature (9.1).

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

fn hmac_hex(key: &str, message: &[u8]) -> String {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("any key length");
    mac.update(message);
    hex::encode(mac.finalize().into_bytes())
}

/// The value of `X-Hub-Signature-256` for these exact bytes: `sha256=` and 64 lower-case hex digits.
pub fn hub_signature(app_secret: &str, body: &[u8]) -> String {
    format!("sha256={}", hmac_hex(app_secret, body))
}

/// The `appsecret_proof` of an access token: 64 lower-case hex digits.
pub fn appsecret_proof(app_secret: &str, access_token: &str) -> String {
    hmac_hex(app_secret, access_token.as_bytes())
}

/// The value of `Stripe-Signature` for these exact bytes at `at`, Unix seconds: one `v1` per secret.
pub fn stripe_signature(secrets: &[String], at: i64, body: &[u8]) -> String {
    let message = [format!("{at}.").as_bytes(), body].concat();
    secrets.iter().fold(format!("t={at}"), |header, secret| format!("{header},v1={}", hmac_hex(secret, &message)))
}

/// JSON text as Meta puts it on the wire: non-ASCII as lower-case `\uXXXX` (surrogate pairs for astral
/// characters) and `/` as `\/`. The input must be JSON, where both occur inside strings only.
pub fn escape_like_meta(json: &str) -> String {
    let mut out = String::with_capacity(json.len() + json.len() / 4);
    let mut units = [0u16; 2];
    for c in json.chars() {
        match c {
            '/' => out.push_str("\\/"),
            c if c.is_ascii() => out.push(c),
            c => {
                for unit in c.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hub_signature_matches_the_documented_vector() {
        let body = r#"{"object":"page","entry":[{"id":"1","time":1,"messaging":[{"sender":{"id":"2"},"recipient":{"id":"1"},"timestamp":1,"message":{"mid":"m","text":"\u00e4\u00f6\u00e5 \ud83d\udc4d https:\/\/x.y"}}]}]}"#;
        assert_eq!(
            hub_signature("app_secret_for_docs", body.as_bytes()),
            "sha256=ba366853a674f3a59887ac6083d1041d93d86eafe4e96fa140538c9503656bad"
        );
    }

    #[test]
    fn appsecret_proof_matches_the_documented_vector() {
        assert_eq!(
            appsecret_proof("app_secret_for_docs", "EAAB_token"),
            "a3a09f4348dcaba3e9e1844d4f8fe3fa5b1c55c67c1ccabb0258407b5c67597b"
        );
    }

    #[test]
    fn stripe_signature_matches_the_documented_vector() {
        let secrets = ["whsec_docs_only".to_owned(), "whsec_next".to_owned()];
        let header = stripe_signature(&secrets, 1_795_342_361, br#"{"id":"evt_1","object":"event"}"#);
        let parts: Vec<&str> = header.split(',').collect();
        assert_eq!(parts[..2], ["t=1795342361", "v1=0d93f8dabebd0db5f50a02dd4aef9e95151da46cf2a6ffcad9c2b9c557566b8a"]);
        assert!(parts.len() == 3 && parts[2].starts_with("v1="));
    }

    #[test]
    fn accents_emoji_and_slashes_are_escaped_as_in_the_documented_body() {
        assert_eq!(escape_like_meta(r#"{"t":"äöå 👍 https://x.y"}"#), r#"{"t":"\u00e4\u00f6\u00e5 \ud83d\udc4d https:\/\/x.y"}"#);
    }

    proptest::proptest! {
        #[test]
        fn escaped_json_is_ascii_and_means_the_same(text in ".*") {
            let plain = serde_json::json!({ "t": text }).to_string();
            let escaped = escape_like_meta(&plain);
            proptest::prop_assert!(escaped.is_ascii());
            let back: serde_json::Value = serde_json::from_str(&escaped).unwrap();
            proptest::prop_assert_eq!(&back["t"], &serde_json::Value::from(text));
        }
    }
}
