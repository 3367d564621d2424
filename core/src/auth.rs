//! Who somebody is and what they may do: passwords, session tokens, roles.

mod passwords;
mod revocations;
mod roles;
mod throttle;
mod tokens;

pub use passwords::{MAX_PASSWORD_BYTES, MIN_PASSWORD_CHARS, PasswordError, Passwords};
pub use revocations::{Revocations, RevocationsError};
pub use roles::{Permission, Role};
pub use throttle::{Throttle, Throttled};
pub use tokens::{Session, SessionError, Tokens, Who};
