//! bcrypt, off the runtime's threads and bounded: a flood of log-ins must not starve webhooks.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

/// bcrypt reads 72 bytes and silently drops the rest.
pub const MAX_PASSWORD_BYTES: usize = 72;
/// NIST SP 800-63B and OWASP ASVS 5.0 6.2.1.
pub const MIN_PASSWORD_CHARS: usize = 8;
/// About a tenth of a second on one core of 2020; OWASP asks for 10 or more.
const COST: u32 = 11;
/// Half of the smallest machine's cores.
const AT_ONCE: usize = 1;
/// Beyond this many waiting the caller is told to come back: at a tenth of a second each, the last waits about three seconds.
const WAITING: usize = 32;

/// Why a password was not hashed or checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// More than [`MAX_PASSWORD_BYTES`].
    #[error("a password has at most {MAX_PASSWORD_BYTES} bytes")]
    TooLong,
    /// Less than [`MIN_PASSWORD_CHARS`].
    #[error("a password has at least {MIN_PASSWORD_CHARS} characters")]
    TooShort,
    /// It holds a NUL, at which other implementations stop reading.
    #[error("a password holds no NUL character")]
    Nul,
    /// Too many are being checked.
    #[error("too many log-ins at once")]
    Busy,
    /// bcrypt failed, which it does not for passwords of a proper length.
    #[error("the password could not be hashed")]
    Failed,
}

/// Hashes and checks passwords.
#[derive(Clone)]
pub struct Passwords {
    cost: u32,
    slots: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    nobody: Arc<str>,
}

impl std::fmt::Debug for Passwords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passwords").field("cost", &self.cost).finish_non_exhaustive()
    }
}

impl Passwords {
    /// With the production's cost. Takes one hash's time: the hash against which unknown users are checked is made here.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn new() -> Result<Self, PasswordError> {
        Self::with_cost(COST)
    }

    /// With another cost, for tests.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_cost(cost: u32) -> Result<Self, PasswordError> {
        let nobody = bcrypt::hash(uuid::Uuid::new_v4().as_bytes(), cost).map_err(|_| PasswordError::Failed)?;
        Ok(Self { cost, slots: Arc::new(Semaphore::new(AT_ONCE)), waiting: Arc::default(), nobody: nobody.into() })
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// When it is too short, too long, or too many are at it.
    pub async fn hash(&self, password: SecretString) -> Result<String, PasswordError> {
        check_form(&password)?;
        if password.expose_secret().chars().count() < MIN_PASSWORD_CHARS {
            return Err(PasswordError::TooShort);
        }
        let cost = self.cost;
        self.run(move || bcrypt::hash(password.expose_secret(), cost).map_err(|_| PasswordError::Failed)).await
    }

    /// Whether `password` is the one behind `hash`. Without a hash (an unknown user) it takes as long, and says no.
    ///
    /// # Errors
    /// When it is too long, or too many are at it.
    pub async fn verify(&self, password: SecretString, hash: Option<String>) -> Result<bool, PasswordError> {
        check_form(&password)?;
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.nobody.to_string());
        self.run(move || Ok(bcrypt::verify(password.expose_secret(), &hash).unwrap_or(false) && known)).await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static) -> Result<T, PasswordError> {
        let _waiting = Waiting::enter(&self.waiting)?;
        let slot = self.slots.clone().acquire_owned().await.map_err(|_| PasswordError::Busy)?;
        tokio::task::spawn_blocking(move || {
            // Held by the work itself: a caller who hangs up does not free the slot before its time.
            let _slot = slot;
            work()
        })
        .await
        .map_err(|_| PasswordError::Failed)?
    }
}

fn check_form(password: &SecretString) -> Result<(), PasswordError> {
    let password = password.expose_secret();
    if password.len() > MAX_PASSWORD_BYTES {
        Err(PasswordError::TooLong)
    } else if password.contains('\0') {
        Err(PasswordError::Nul)
    } else {
        Ok(())
    }
}

/// One who waits; counted until dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn enter(count: &'a AtomicUsize) -> Result<Self, PasswordError> {
        let waiting = Self(count);
        if count.fetch_add(1, Ordering::Relaxed) >= WAITING { Err(PasswordError::Busy) } else { Ok(waiting) }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cheap() -> Passwords {
        Passwords::with_cost(4).unwrap()
    }

    #[tokio::test]
    async fn a_password_is_known_again() {
        let passwords = cheap();
        let hash = passwords.hash("correct horse".into()).await.unwrap();
        assert!(passwords.verify("correct horse".into(), Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify("correct hors".into(), Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify("correct horse".into(), None).await.unwrap());
        assert!(!passwords.verify("correct horse".into(), Some("not a hash".to_owned())).await.unwrap());
    }

    #[tokio::test]
    async fn what_bcrypt_would_cut_off_is_refused() {
        let passwords = cheap();
        let longest = "x".repeat(72);
        let hash = passwords.hash(longest.clone().into()).await.unwrap();
        assert!(passwords.verify(longest.clone().into(), Some(hash.clone())).await.unwrap());
        assert_eq!(passwords.verify(format!("{longest}y").into(), Some(hash)).await, Err(PasswordError::TooLong));
        assert_eq!(passwords.hash("é".repeat(37).into()).await, Err(PasswordError::TooLong));
        assert_eq!(passwords.hash("short".into()).await, Err(PasswordError::TooShort));
        assert_eq!(passwords.hash("long enough\0but".into()).await, Err(PasswordError::Nul));
    }

    #[tokio::test]
    async fn a_flood_is_turned_away_and_not_queued_for_ever() {
        let passwords = Passwords::with_cost(6).unwrap();
        let hash = passwords.hash("correct horse".into()).await.unwrap();
        let answers =
            futures_util::future::join_all((0..WAITING + 20).map(|_| passwords.verify("wrong horse".into(), Some(hash.clone())))).await;
        let busy = answers.iter().filter(|answer| **answer == Err(PasswordError::Busy)).count();
        assert_eq!(busy, 20);
        assert!(passwords.verify("correct horse".into(), Some(hash)).await.unwrap());
    }
}
