//! The handlers, one file per subject: parse, then one read or one job, then the reply.

pub mod admin;
pub mod auth;
pub mod channels;
pub mod conversations;
pub mod jobs;
pub mod ops;
pub mod orders;
pub mod products;

use frontdesk_core::db::DbError;
use serde::Serialize;

use crate::form::Form;
use crate::reply::HttpError;

/// Entries of a page when the client names no number.
const PAGE: i64 = 50;
/// Entries of a page at most.
const LARGEST_PAGE: i64 = 100;

/// A page of a list: `{items, next_cursor}`; the cursor is absent on the last one.
#[derive(Serialize)]
struct Page<T> {
    items: Vec<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// From one entry more than was asked for; `cursor` names where the next page begins after an entry.
    fn of(mut items: Vec<T>, limit: i64, cursor: impl FnOnce(&T) -> String) -> Self {
        let limit = usize::try_from(limit).unwrap_or_default();
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = if more { items.last().map(cursor) } else { None };
        Self { items, next_cursor }
    }
}

/// `limit`, as every list takes it.
fn limit(form: &mut Form) -> i64 {
    form.maybe_integer("limit", 1..=LARGEST_PAGE).unwrap_or(PAGE)
}

/// `cursor`, as every list takes it.
fn cursor<T: TryFrom<i64>>(form: &mut Form) -> Option<T> {
    form.maybe_parsed("cursor", "must be the `next_cursor` of the page before", |text| {
        text.parse::<i64>().ok().filter(|at| *at >= 0)?.try_into().ok()
    })
}

impl From<DbError> for HttpError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::NotFound => Self::not_found(),
            error if error.is_transient() => Self::unavailable(error),
            error => Self::internal(error),
        }
    }
}
