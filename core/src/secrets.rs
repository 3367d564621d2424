//! What is encrypted at rest: AES-256-GCM, written as `v1.<key id>.<base64 of nonce and ciphertext>`. Each ciphertext is bound to its table, column,
//! shop and row, so that it opens nowhere else; the key's id in it makes rotation possible: the first key seals, all open.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};

use crate::inbound::ChannelKey;
use crate::tenancy::ShopScope;

const VERSION: &str = "v1";
/// NIST SP 800-38D: 96 bits. Random ones are safe for 2^32 seals under one key.
const NONCE_BYTES: usize = 12;

/// Why something was not sealed or opened. Says nothing of what was inside.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// `ENCRYPTION_KEYS` is not a list of `id:base64` with 32 bytes each.
    #[error("ENCRYPTION_KEYS is not a list of id:base64 with 32 bytes each and different ids")]
    Keys,
    /// Not a ciphertext of ours.
    #[error("not a sealed secret")]
    Form,
    /// The key that sealed it is not in `ENCRYPTION_KEYS`.
    #[error("sealed with key `{0}`, which is not in ENCRYPTION_KEYS")]
    UnknownKey(String),
    /// Another key under the same id, another place than it was sealed for, or altered.
    #[error("does not open here: wrong key, another row's, or altered")]
    Closed,
    /// The cipher refused; it does not for anything shorter than 64 GiB.
    #[error("cannot be sealed")]
    Unsealable,
}

/// The place a secret belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealContext(String);

impl SealContext {
    /// The access token of a channel (`channels.sealed_token`).
    #[must_use]
    pub fn channel_token(scope: &ShopScope, channel: &ChannelKey) -> Self {
        Self::new("channels", "sealed_token", scope, &[channel.platform.as_str(), &channel.external_id])
    }

    /// A link in an e-mail, which is stored nowhere.
    #[must_use]
    pub fn link() -> Self {
        Self("4:link;".to_owned())
    }

    /// A token of the shop's Google account (`integrations`): `sealed_refresh_token` or `sealed_access_token`.
    #[must_use]
    pub fn google_token(scope: &ShopScope, column: &str, connection: &str) -> Self {
        Self::new("integrations", column, scope, &["google", connection])
    }

    /// What Google handed to a browser, on its way to the worker that exchanges it: `code` or `verifier`.
    #[must_use]
    pub fn google_grant(scope: &ShopScope, what: &str) -> Self {
        Self::new("jobs", what, scope, &["connect_google"])
    }

    /// A connecting under way, in Redis.
    #[must_use]
    pub fn google_attempt() -> Self {
        Self("14:google_attempt;".to_owned())
    }

    /// What Google says with every notification of one watch channel.
    #[must_use]
    pub fn google_watch(channel: &str) -> Self {
        Self(format!("12:google_watch;{}:{channel};", channel.len()))
    }

    /// Lengths before parts: no two places are written alike.
    fn new(table: &str, column: &str, scope: &ShopScope, row: &[&str]) -> Self {
        let shop = scope.shop().to_string();
        let parts = [table, column, shop.as_str()].into_iter().chain(row.iter().copied());
        Self(parts.map(|part| format!("{}:{part};", part.len())).collect())
    }
}

struct Key {
    id: String,
    cipher: Aes256Gcm,
}

/// Seals and opens.
pub struct Sealer {
    keys: Vec<Key>,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|key| &key.id)).finish()
    }
}

impl Sealer {
    /// From `ENCRYPTION_KEYS`: a list of `id:base64`; the first seals, all open.
    ///
    /// # Errors
    /// [`SecretError::Keys`].
    pub fn new(keys: &SecretString) -> Result<Self, SecretError> {
        let mut known: Vec<Key> = Vec::new();
        for entry in keys.expose_secret().split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let (id, key) = entry.split_once(':').ok_or(SecretError::Keys)?;
            let key = STANDARD.decode(key).map_err(|_| SecretError::Keys)?;
            let cipher = Aes256Gcm::new_from_slice(&key).map_err(|_| SecretError::Keys)?;
            if id.is_empty() || id.contains('.') || known.iter().any(|other| other.id == id) {
                return Err(SecretError::Keys);
            }
            known.push(Key { id: id.to_owned(), cipher });
        }
        if known.is_empty() { Err(SecretError::Keys) } else { Ok(Self { keys: known }) }
    }

    /// Seals `secret` for one place.
    ///
    /// # Errors
    /// [`SecretError::Unsealable`].
    pub fn seal(&self, secret: &SecretString, context: &SealContext) -> Result<String, SecretError> {
        let key = self.keys.first().ok_or(SecretError::Keys)?;
        let nonce: [u8; NONCE_BYTES] = rand::random();
        let payload = Payload { msg: secret.expose_secret().as_bytes(), aad: &aad(&key.id, context) };
        let sealed = key.cipher.encrypt(&Nonce::from(nonce), payload).map_err(|_| SecretError::Unsealable)?;
        let mut bytes = nonce.to_vec();
        bytes.extend(sealed);
        Ok(format!("{VERSION}.{}.{}", key.id, URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Opens what was sealed for this very place.
    ///
    /// # Errors
    /// See [`SecretError`].
    pub fn open(&self, sealed: &str, context: &SealContext) -> Result<SecretString, SecretError> {
        let (id, bytes) = parts(sealed)?;
        let key = self.keys.iter().find(|key| key.id == id).ok_or_else(|| SecretError::UnknownKey(id.to_owned()))?;
        let bytes = URL_SAFE_NO_PAD.decode(bytes).map_err(|_| SecretError::Form)?;
        let (nonce, ciphertext) = bytes.split_first_chunk::<NONCE_BYTES>().ok_or(SecretError::Form)?;
        let payload = Payload { msg: ciphertext, aad: &aad(id, context) };
        let opened = key.cipher.decrypt(&Nonce::from(*nonce), payload).map_err(|_| SecretError::Closed)?;
        String::from_utf8(opened).map(SecretString::from).map_err(|_| SecretError::Closed)
    }

    /// Whether it was sealed by another key than the first, and should be sealed anew.
    #[must_use]
    pub fn is_stale(&self, sealed: &str) -> bool {
        parts(sealed).ok().map(|(id, _)| id) != self.keys.first().map(|key| key.id.as_str())
    }
}

/// The key's id is bound too: nobody can relabel a ciphertext.
fn aad(key: &str, context: &SealContext) -> Vec<u8> {
    format!("{VERSION};{}:{key};{}", key.len(), context.0).into_bytes()
}

fn parts(sealed: &str) -> Result<(&str, &str), SecretError> {
    let mut parts = sealed.splitn(3, '.');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(VERSION), Some(id), Some(bytes)) => Ok((id, bytes)),
        _ => Err(SecretError::Form),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ShopId;
    use crate::inbound::Platform;

    const OLD: &str = "old:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    const NEW: &str = "new:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

    fn sealer(keys: &str) -> Sealer {
        Sealer::new(&keys.into()).unwrap()
    }

    fn place(shop: i32, external_id: &str) -> SealContext {
        let channel = ChannelKey { platform: Platform::Whatsapp, external_id: external_id.to_owned() };
        SealContext::channel_token(&ShopScope::new(ShopId(shop)), &channel)
    }

    #[test]
    fn what_was_sealed_opens_again_and_never_looks_the_same() {
        let sealer = sealer(OLD);
        let sealed = sealer.seal(&"EAAG-token".into(), &place(1, "2044")).unwrap();
        assert!(sealed.starts_with("v1.old.") && !sealed.contains("EAAG"));
        assert_eq!(sealer.open(&sealed, &place(1, "2044")).unwrap().expose_secret(), "EAAG-token");
        assert_ne!(sealed, sealer.seal(&"EAAG-token".into(), &place(1, "2044")).unwrap());
    }

    #[test]
    fn it_opens_nowhere_else() {
        let sealer = sealer(OLD);
        let sealed = sealer.seal(&"token".into(), &place(1, "2044")).unwrap();
        assert_eq!(sealer.open(&sealed, &place(2, "2044")).unwrap_err(), SecretError::Closed);
        assert_eq!(sealer.open(&sealed, &place(1, "2045")).unwrap_err(), SecretError::Closed);
        let elsewhere = SealContext::new("channels", "sealed_token", &ShopScope::new(ShopId(1)), &["whatsapp2", "044"]);
        assert_eq!(sealer.open(&sealed, &elsewhere).unwrap_err(), SecretError::Closed);
    }

    #[test]
    fn an_altered_or_relabelled_ciphertext_does_not_open() {
        let sealer = sealer(&format!("{OLD},{NEW}"));
        let sealed = sealer.seal(&"token".into(), &place(1, "2044")).unwrap();
        let mut altered = sealed.clone().into_bytes();
        altered[20] = if altered[20] == b'A' { b'B' } else { b'A' };
        let altered = String::from_utf8(altered).unwrap();
        assert_eq!(sealer.open(&altered, &place(1, "2044")).unwrap_err(), SecretError::Closed);
        assert_eq!(sealer.open(&sealed.replace(".old.", ".new."), &place(1, "2044")).unwrap_err(), SecretError::Closed);
        for garbage in ["", "v1", "v1.old.", "v1.old.!!", "v2.old.AAAA", "token"] {
            assert!(sealer.open(garbage, &place(1, "2044")).is_err(), "{garbage}");
        }
    }

    #[test]
    fn keys_rotate_without_losing_what_the_old_one_sealed() {
        let sealed = sealer(OLD).seal(&"token".into(), &place(1, "2044")).unwrap();
        let both = sealer(&format!("{NEW},{OLD}"));
        assert!(both.is_stale(&sealed));
        let opened = both.open(&sealed, &place(1, "2044")).unwrap();
        let anew = both.seal(&opened, &place(1, "2044")).unwrap();
        assert!(!both.is_stale(&anew));
        assert_eq!(sealer(NEW).open(&anew, &place(1, "2044")).unwrap().expose_secret(), "token");
        assert_eq!(sealer(NEW).open(&sealed, &place(1, "2044")).unwrap_err(), SecretError::UnknownKey("old".to_owned()));
    }

    #[test]
    fn bad_keys_are_refused() {
        for keys in ["", "old", "old:AAAA", &format!("{OLD},{OLD}"), "a.b:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="] {
            assert_eq!(Sealer::new(&keys.into()).unwrap_err(), SecretError::Keys);
        }
    }
}
