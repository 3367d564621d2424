//! What can go wrong with a query, by what the caller does about it.

use diesel::result::{DatabaseErrorKind, Error};
use diesel_async::pooled_connection::deadpool::PoolError;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// Postgres is away, shutting down, or takes no more connections: try again later.
    #[error("Postgres is unavailable: {0}")]
    Unavailable(String),
    /// All our connections were in use for too long: try again a little later.
    #[error("no connection to Postgres became free in time")]
    Busy,
    /// A statement, a lock or the whole transaction took longer than its kind may: try again, perhaps later.
    #[error("Postgres took too long: {0}")]
    Timeout(String),
    /// Another transaction was in the way (deadlock, serialization): try again at once.
    #[error("another transaction was in the way")]
    Conflict,
    /// A row with the same key stands; the constraint says which.
    #[error("unique constraint {0}")]
    Unique(String),
    /// The thing, or what it refers to, is not there (in this shop).
    #[error("not found")]
    NotFound,
    /// Anything else; trying again will not help.
    #[error("query failed")]
    Other(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl DbError {
    /// Whether the same transaction may succeed when run again.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Busy | Self::Timeout(_) | Self::Conflict)
    }

    /// Whether the violated unique constraint is `name`.
    #[must_use]
    pub fn is_unique(&self, name: &str) -> bool {
        matches!(self, Self::Unique(constraint) if constraint == name)
    }

    /// A value that our own code wrote, or was about to write, makes no sense.
    pub(crate) fn odd(what: impl std::fmt::Display) -> Self {
        Self::Other(what.to_string().into())
    }
}

/// diesel-async keeps the SQLSTATE to itself, so these are told apart by Postgres's words.
fn by_message(message: &str) -> Option<DbError> {
    let any = |parts: &[&str]| parts.iter().any(|part| message.contains(part));
    // An aborted transaction is one whose failed statement its caller took for an answer; run anew, it will meet the cause earlier.
    if any(&["deadlock detected", "could not serialize access", "current transaction is aborted"]) {
        Some(DbError::Conflict)
    } else if any(&["statement timeout", "lock timeout", "idle-in-transaction timeout"]) {
        Some(DbError::Timeout(message.to_owned()))
    } else if any(&[
        "terminating connection",
        "the database system is",
        "too many clients",
        "remaining connection slots",
        "connection closed",
        "error communicating with the server",
        "conflict with recovery",
        "too many connections",
    ]) {
        Some(DbError::Unavailable(message.to_owned()))
    } else {
        None
    }
}

impl From<Error> for DbError {
    fn from(error: Error) -> Self {
        match &error {
            Error::NotFound => Self::NotFound,
            Error::BrokenTransactionManager => Self::Unavailable("the connection broke".to_owned()),
            Error::DatabaseError(kind, info) => match kind {
                DatabaseErrorKind::UniqueViolation => Self::Unique(info.constraint_name().unwrap_or_default().to_owned()),
                // Of two that want the same time one stands, and the other will see it when run anew.
                DatabaseErrorKind::SerializationFailure | DatabaseErrorKind::ExclusionViolation => Self::Conflict,
                DatabaseErrorKind::ForeignKeyViolation => Self::NotFound,
                DatabaseErrorKind::ClosedConnection => Self::Unavailable(info.message().to_owned()),
                // Without an SQLSTATE it is the connection that failed, not the statement.
                DatabaseErrorKind::UnableToSendCommand => {
                    by_message(info.message()).unwrap_or_else(|| Self::Unavailable(info.message().to_owned()))
                }
                _ => by_message(info.message()).unwrap_or_else(|| Self::Other(Box::new(error))),
            },
            _ => Self::Other(Box::new(error)),
        }
    }
}

impl From<PoolError> for DbError {
    fn from(error: PoolError) -> Self {
        Self::Unavailable(match error {
            PoolError::Timeout(step) => format!("no connection in time ({step:?})"),
            PoolError::Backend(cause) => cause.to_string(),
            other => other.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postgres_words_are_told_apart() {
        assert!(matches!(by_message("canceling statement due to lock timeout"), Some(DbError::Timeout(_))));
        assert!(matches!(by_message("deadlock detected"), Some(DbError::Conflict)));
        assert!(matches!(by_message("terminating connection due to administrator command"), Some(DbError::Unavailable(_))));
        assert!(by_message("division by zero").is_none());
    }
}
