//! What is not a session, however much it looks like one (FAULTS F12).

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::*;
use crate::clock::FixedClock;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn clock() -> Arc<FixedClock> {
    Arc::new(FixedClock::at(DateTime::from_timestamp(1_795_341_600, 0).unwrap()))
}

fn tokens(secrets: &[&str], clock: &Arc<FixedClock>) -> Tokens {
    let secrets: Vec<SecretString> = secrets.iter().map(|secret| SecretString::from(*secret)).collect();
    Tokens::new(&secrets, clock.clone()).unwrap()
}

fn owner() -> Who {
    Who::User { id: UserId(7), shop: ShopId(3), role: Role::Owner }
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// Signs any claims under any header with any key, by hand.
fn forge(header: &Value, claims: &Value, key: &[u8]) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let signed = format!("{}.{}", part(header), part(claims));
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key).unwrap();
    mac.update(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

fn claims() -> Value {
    json!({"iss": "frontdesk", "aud": "frontdesk-api", "sub": "user:7", "shop": 3, "role": "owner", "jti": Uuid::new_v4(), "iat": 1_795_341_600,
           "exp": 1_795_341_600 + 3600})
}

fn changed(name: &str, value: Value) -> Value {
    let mut claims = claims();
    if value.is_null() {
        claims.as_object_mut().unwrap().remove(name);
    } else {
        claims[name] = value;
    }
    claims
}

#[test]
fn a_token_leads_back_to_who_it_was_made_for() {
    let clock = clock();
    let tokens = tokens(&[SECRET], &clock);
    for who in [owner(), Who::Admin { id: AdminId(1) }] {
        let (token, expires_at) = tokens.issue(who).unwrap();
        let session = tokens.verify(token.expose_secret()).unwrap();
        assert_eq!((session.who(), session.expires_at()), (who, expires_at));
    }
    let session = tokens.verify(&forge(&json!({"alg": "HS256", "typ": "JWT"}), &claims(), SECRET.as_bytes())).unwrap();
    assert_eq!(session.who(), owner());
}

#[test]
fn a_token_ends_on_the_second() {
    let clock = clock();
    let tokens = tokens(&[SECRET], &clock);
    let (token, _) = tokens.issue(owner()).unwrap();
    clock.advance(LIFETIME - TimeDelta::seconds(1));
    assert!(tokens.verify(token.expose_secret()).is_ok());
    clock.advance(TimeDelta::seconds(1));
    assert_eq!(tokens.verify(token.expose_secret()), Err(SessionError::Expired));
}

#[test]
fn a_rotated_secret_still_verifies_and_a_dropped_one_does_not() {
    let clock = clock();
    let (old, new) = (SECRET, "fedcba9876543210fedcba9876543210");
    let (token, _) = tokens(&[old], &clock).issue(owner()).unwrap();
    assert!(tokens(&[new, old], &clock).verify(token.expose_secret()).is_ok());
    assert_eq!(tokens(&[new], &clock).verify(token.expose_secret()), Err(SessionError::Invalid));
}

#[test]
fn no_algorithm_but_hs256_is_believed() {
    let tokens = tokens(&[SECRET], &clock());
    for algorithm in ["none", "None", "NONE", "", "HS384", "HS512", "RS256", "ES256", "PS256", "EdDSA", "hs256"] {
        let forged = forge(&json!({"alg": algorithm, "typ": "JWT"}), &claims(), SECRET.as_bytes());
        assert_eq!(tokens.verify(&forged), Err(SessionError::Invalid), "{algorithm}");
    }
    let unsigned = format!("{}.{}.", part(&json!({"alg": "none"})), part(&claims()));
    assert_eq!(tokens.verify(&unsigned), Err(SessionError::Invalid));
    let headless = forge(&json!({"typ": "JWT"}), &claims(), SECRET.as_bytes());
    assert_eq!(tokens.verify(&headless), Err(SessionError::Invalid));
}

#[test]
fn a_key_named_in_the_header_is_never_used() {
    let tokens = tokens(&[SECRET], &clock());
    let theirs = b"an attacker's own key, long enough";
    for header in [
        json!({"alg": "HS256", "kid": "../../../../dev/null"}),
        json!({"alg": "HS256", "kid": "' UNION SELECT 'x"}),
        json!({"alg": "HS256", "jku": "https://evil.example/keys.json"}),
        json!({"alg": "HS256", "jwk": {"kty": "oct", "k": URL_SAFE_NO_PAD.encode(theirs)}}),
    ] {
        assert_eq!(tokens.verify(&forge(&header, &claims(), theirs)), Err(SessionError::Invalid));
        assert_eq!(tokens.verify(&forge(&header, &claims(), b"")), Err(SessionError::Invalid));
    }
}

#[test]
fn a_changed_claim_breaks_the_signature() {
    let clock = clock();
    let tokens = tokens(&[SECRET], &clock);
    let (token, _) = tokens.issue(Who::User { id: UserId(7), shop: ShopId(3), role: Role::Accountant }).unwrap();
    let mut parts: Vec<String> = token.expose_secret().split('.').map(str::to_owned).collect();
    let mut body: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(&parts[1]).unwrap()).unwrap();
    for (name, value) in [("role", json!("owner")), ("shop", json!(4)), ("sub", json!("admin:1")), ("exp", json!(9_999_999_999_i64))] {
        let before = body[name].clone();
        body[name] = value;
        parts[1] = part(&body);
        assert_eq!(tokens.verify(&parts.join(".")), Err(SessionError::Invalid), "{name}");
        body[name] = before;
    }
}

#[test]
fn claims_must_make_sense_even_when_signed() {
    let tokens = tokens(&[SECRET], &clock());
    let signed = |claims: &Value| tokens.verify(&forge(&json!({"alg": "HS256"}), claims, SECRET.as_bytes()));
    assert!(signed(&claims()).is_ok());
    for (name, value) in [
        ("iss", json!("somebody")),
        ("iss", Value::Null),
        ("aud", json!("other-api")),
        ("aud", Value::Null),
        ("sub", json!("7")),
        ("sub", json!("user:x")),
        ("sub", json!("admin:7")),
        ("sub", Value::Null),
        ("shop", Value::Null),
        ("shop", json!("3")),
        ("role", json!("admin")),
        ("role", Value::Null),
        ("jti", Value::Null),
        ("jti", json!("x")),
        ("exp", Value::Null),
        ("exp", json!("tomorrow")),
        ("exp", json!(i64::MAX)),
        ("iat", json!(1_795_341_600 + 3000)),
        ("iat", Value::Null),
        ("nbf", json!(1_795_341_600 + 3000)),
        ("extra", json!(true)),
    ] {
        assert_eq!(signed(&changed(name, value.clone())), Err(SessionError::Invalid), "{name} = {value}");
    }
    assert_eq!(signed(&changed("exp", json!(1_795_341_600))), Err(SessionError::Expired));
}

#[test]
fn garbage_is_not_a_token() {
    let tokens = tokens(&[SECRET], &clock());
    for garbage in ["", ".", "..", "...", "a.b.c", "Bearer x", "é.é.é", &"x".repeat(100_000), &format!("{}.", "a.".repeat(5000))] {
        assert_eq!(tokens.verify(garbage), Err(SessionError::Invalid));
    }
}
