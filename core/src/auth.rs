//! Who somebody is and what they may do: passwords, session tokens, roles.

mod links;
mod passwords;
mod revocations;
mod roles;
mod sessions;
mod throttle;
mod tokens;

pub use links::{Link, LinkPurpose};
pub use passwords::{MAX_PASSWORD_BYTES, MIN_PASSWORD_CHARS, PasswordError, Passwords};
pub use revocations::{Revocations, RevocationsError};
pub use roles::{Permission, Role};
pub use sessions::{ListedSession, SessionList};
pub use throttle::{Allowance, Throttle, Throttled};
pub use tokens::{Session, SessionError, Tokens, Who};
