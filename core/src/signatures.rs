//! Signatures: of Meta's and Stripe's webhooks, on the raw body, and of our own calls to Meta (`appsecret_proof`).

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// The only header that counts; the SHA-1 one (`X-Hub-Signature`) is legacy and never looked at.
pub const META_SIGNATURE_HEADER: &str = "x-hub-signature-256";

/// Whether `header` (`sha256=` and 64 lower-case hex digits) signs these very bytes with one of `secrets`.
///
/// Meta signs the body as it sends it, with non-ASCII escaped, so parsing and writing it anew would break the signature (PROVIDERS 1.2).
/// Accounts connected with Instagram Login sign with the Instagram app's secret: hence a list.
#[must_use]
pub fn meta_webhook_is_signed(secrets: &[SecretString], body: &[u8], header: &[u8]) -> bool {
    let Some(digits) = header.strip_prefix(b"sha256=") else { return false };
    if digits.len() != 64 || digits.iter().any(u8::is_ascii_uppercase) {
        return false;
    }
    let mut given = [0_u8; 32];
    if hex::decode_to_slice(digits, &mut given).is_err() {
        return false;
    }
    // Every secret is tried, whichever fits, so that the time taken tells nothing.
    secrets.iter().fold(false, |signed, secret| signed | bool::from(hmac(secret, body).ct_eq(&given)))
}

/// Stripe's header: `t=<Unix seconds>,v1=<hex>[,v1=<hex>…]`, other schemes beside it (PROVIDERS 9.1).
pub const STRIPE_SIGNATURE_HEADER: &str = "stripe-signature";
/// An older signature is a delivery that somebody recorded; Stripe signs each attempt anew.
const STRIPE_TOLERANCE_SECONDS: i64 = 300;
/// While a secret is exchanged Stripe signs with both; more than a few are no signatures of Stripe's.
const STRIPE_SIGNATURES: usize = 8;

/// Whether `header` signs these very bytes, not long before `now`, with one of `secrets`: any of its `v1` will do.
#[must_use]
pub fn stripe_webhook_is_signed(secrets: &[SecretString], body: &[u8], header: &[u8], now: DateTime<Utc>) -> bool {
    let Ok(header) = std::str::from_utf8(header) else { return false };
    let parts = || header.split(',').filter_map(|part| part.trim().split_once('='));
    let mut times = parts().filter(|(name, _)| *name == "t").map(|(_, value)| value);
    let (Some(time), None) = (times.next(), times.next()) else { return false };
    let Ok(at) = time.parse::<i64>() else { return false };
    if at < now.timestamp().saturating_sub(STRIPE_TOLERANCE_SECONDS) {
        return false;
    }
    let message = [time.as_bytes(), b".", body].concat();
    let given: Vec<[u8; 32]> = parts()
        .filter(|(name, digits)| *name == "v1" && !digits.bytes().any(|byte| byte.is_ascii_uppercase()))
        .take(STRIPE_SIGNATURES)
        .filter_map(|(_, digits)| {
            let mut bytes = [0_u8; 32];
            hex::decode_to_slice(digits, &mut bytes).ok().map(|()| bytes)
        })
        .collect();
    // As above: all are tried.
    secrets.iter().fold(false, |signed, secret| {
        let ours = hmac(secret, &message);
        given.iter().fold(signed, |signed, given| signed | bool::from(ours.ct_eq(given)))
    })
}

/// The header's value for `body`, as Meta makes it.
#[must_use]
pub fn meta_webhook_signature(secret: &SecretString, body: &[u8]) -> String {
    format!("sha256={}", hex::encode(hmac(secret, body)))
}

/// What Meta wants beside an access token when the app has "Require App Secret" on.
#[must_use]
pub fn appsecret_proof(secret: &SecretString, access_token: &SecretString) -> String {
    hex::encode(hmac(secret, access_token.expose_secret().as_bytes()))
}

/// A stamp over parts, 32 hex digits: what carries it came from us.
#[must_use]
pub fn sign_parts(secret: &SecretString, parts: &[&str]) -> String {
    let mut digits = hex::encode(hmac(secret, &framed(parts)));
    digits.truncate(32);
    digits
}

/// Whether `stamp` was made by [`sign_parts`] over the same parts with one of `secrets`.
#[must_use]
pub fn parts_are_signed(secrets: &[SecretString], parts: &[&str], stamp: &str) -> bool {
    secrets.iter().fold(false, |signed, secret| signed | bool::from(sign_parts(secret, parts).as_bytes().ct_eq(stamp.as_bytes())))
}

/// Lengths before parts: no two lists are written alike.
fn framed(parts: &[&str]) -> Vec<u8> {
    parts.iter().flat_map(|part| [part.len().to_string().as_bytes(), b":", part.as_bytes()].concat()).collect()
}

/// Whether two secrets are equal, in a time that depends on their lengths alone.
#[must_use]
pub fn same_secret(ours: &SecretString, given: &[u8]) -> bool {
    ours.expose_secret().as_bytes().ct_eq(given).into()
}

fn hmac(secret: &SecretString, message: &[u8]) -> [u8; 32] {
    // HMAC takes keys of any length, so the error cannot be; an impossible digest would sign nothing.
    Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()).map_or([0; 32], |mut mac| {
        mac.update(message);
        mac.finalize().into_bytes().into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PROVIDERS 1.2: the backslashes are bytes of the body.
    const BODY: &[u8] = br#"{"object":"page","entry":[{"id":"1","time":1,"messaging":[{"sender":{"id":"2"},"recipient":{"id":"1"},"timestamp":1,"message":{"mid":"m","text":"\u00e4\u00f6\u00e5 \ud83d\udc4d https:\/\/x.y"}}]}]}"#;
    const DIGITS: &str = "ba366853a674f3a59887ac6083d1041d93d86eafe4e96fa140538c9503656bad";

    fn secrets(list: &[&str]) -> Vec<SecretString> {
        list.iter().map(|secret| SecretString::from(*secret)).collect()
    }

    fn signed(header: &str) -> bool {
        meta_webhook_is_signed(&secrets(&["app_secret_for_docs"]), BODY, header.as_bytes())
    }

    #[test]
    fn metas_own_vector_is_accepted() {
        assert!(signed(&format!("sha256={DIGITS}")));
        assert_eq!(meta_webhook_signature(&SecretString::from("app_secret_for_docs"), BODY), format!("sha256={DIGITS}"));
    }

    #[test]
    fn any_secret_of_the_list_will_do_and_no_other() {
        let header = format!("sha256={DIGITS}");
        assert!(meta_webhook_is_signed(&secrets(&["instagram", "app_secret_for_docs", "old"]), BODY, header.as_bytes()));
        assert!(!meta_webhook_is_signed(&secrets(&["instagram", "old"]), BODY, header.as_bytes()));
        assert!(!meta_webhook_is_signed(&[], BODY, header.as_bytes()));
    }

    #[test]
    fn any_other_form_of_the_header_is_refused() {
        for header in [
            String::new(),
            DIGITS.to_owned(),
            format!("SHA256={DIGITS}"),
            format!("sha1={DIGITS}"),
            "sha1=5f2c0a6d8f8a4d0c0b9a0a5b8b0e7f3c7b9d6e1a".to_owned(),
            format!("sha256={}", DIGITS.to_uppercase()),
            format!("sha256={}", &DIGITS[1..]),
            format!("sha256={DIGITS}0"),
            format!("sha256={DIGITS} "),
            format!(" sha256={DIGITS}"),
            format!("sha256={DIGITS},sha256={DIGITS}"),
            format!("sha256=zz{}", &DIGITS[2..]),
            format!("sha256=0{}", &DIGITS[1..]),
        ] {
            assert!(!signed(&header), "{header}");
        }
    }

    #[test]
    fn a_body_written_anew_is_refused() {
        let value: serde_json::Value = serde_json::from_slice(BODY).unwrap();
        let anew = serde_json::to_vec(&value).unwrap();
        assert!(!meta_webhook_is_signed(&secrets(&["app_secret_for_docs"]), &anew, format!("sha256={DIGITS}").as_bytes()));
    }

    #[test]
    fn every_changed_byte_breaks_the_signature() {
        for at in 0..BODY.len() {
            let mut body = BODY.to_vec();
            body[at] ^= 1;
            assert!(!meta_webhook_is_signed(&secrets(&["app_secret_for_docs"]), &body, format!("sha256={DIGITS}").as_bytes()), "byte {at}");
        }
    }

    #[test]
    fn appsecret_proof_is_the_documented_one() {
        let proof = appsecret_proof(&SecretString::from("app_secret_for_docs"), &SecretString::from("EAAB_token"));
        assert_eq!(proof, "a3a09f4348dcaba3e9e1844d4f8fe3fa5b1c55c67c1ccabb0258407b5c67597b");
    }

    /// PROVIDERS 9.1.
    const EVENT: &[u8] = br#"{"id":"evt_1","object":"event"}"#;
    const EVENT_DIGITS: &str = "0d93f8dabebd0db5f50a02dd4aef9e95151da46cf2a6ffcad9c2b9c557566b8a";
    const EVENT_AT: i64 = 1_795_342_361;

    fn stripe_signed(header: &str, secret: &[&str], later: i64) -> bool {
        let now = DateTime::from_timestamp(EVENT_AT + later, 0).unwrap();
        stripe_webhook_is_signed(&secrets(secret), EVENT, header.as_bytes(), now)
    }

    #[test]
    fn stripes_own_vector_is_accepted_for_five_minutes() {
        let header = format!("t={EVENT_AT},v1={EVENT_DIGITS}");
        assert!(stripe_signed(&header, &["whsec_docs_only"], 0));
        assert!(stripe_signed(&header, &["whsec_docs_only"], 300));
        assert!(!stripe_signed(&header, &["whsec_docs_only"], 301));
        // Clocks differ: what comes from a little ahead is taken, as by Stripe's own library.
        assert!(stripe_signed(&header, &["whsec_docs_only"], -60));
        assert!(!stripe_signed(&header, &["whsec_other"], 0));
        assert!(!stripe_signed(&header, &[], 0));
    }

    #[test]
    fn any_of_several_signatures_and_secrets_will_do() {
        let other = "0".repeat(64);
        assert!(stripe_signed(&format!("t={EVENT_AT},v1={other},v1={EVENT_DIGITS},v0=x"), &["whsec_docs_only"], 0));
        assert!(stripe_signed(&format!("t={EVENT_AT}, v1={EVENT_DIGITS}"), &["whsec_new", "whsec_docs_only"], 0));
        assert!(!stripe_signed(&format!("t={EVENT_AT},v0={EVENT_DIGITS}"), &["whsec_docs_only"], 0));
    }

    #[test]
    fn any_other_form_of_stripes_header_is_refused() {
        for header in [
            String::new(),
            format!("v1={EVENT_DIGITS}"),
            format!("t=,v1={EVENT_DIGITS}"),
            format!("t={},v1={EVENT_DIGITS}", EVENT_AT + 1),
            format!("t={EVENT_AT},t={EVENT_AT},v1={EVENT_DIGITS}"),
            format!("t={EVENT_AT},v1={}", &EVENT_DIGITS[1..]),
            format!("t={EVENT_AT},v1={}", EVENT_DIGITS.to_uppercase()),
            format!("t={EVENT_AT}"),
            format!("t={EVENT_AT};v1={EVENT_DIGITS}"),
            format!("t=99999999999999999999,v1={EVENT_DIGITS}"),
        ] {
            assert!(!stripe_signed(&header, &["whsec_docs_only"], 0), "{header}");
        }
    }

    #[test]
    fn a_stamp_fits_its_parts_and_no_others() {
        let (ours, theirs) = (secrets(&["new", "old"]), secrets(&["theirs"]));
        let stamp = sign_parts(&ours[1], &["a", "bc"]);
        assert!(parts_are_signed(&ours, &["a", "bc"], &stamp));
        assert!(!parts_are_signed(&ours, &["ab", "c"], &stamp) && !parts_are_signed(&theirs, &["a", "bc"], &stamp));
        assert!(!parts_are_signed(&ours, &["a", "bc"], "") && !parts_are_signed(&ours, &["a", "bc"], &stamp[1..]));
    }

    #[test]
    fn secrets_are_compared_whole() {
        let ours = SecretString::from("verify-me");
        assert!(same_secret(&ours, b"verify-me"));
        assert!(!same_secret(&ours, b"verify-m") && !same_secret(&ours, b"verify-me!") && !same_secret(&ours, b""));
    }
}
