//! Many products from a CSV file.

use frontdesk_core::jobs::{self, JobName};
use hyper::header::CONTENT_TYPE;
use utoipa::ToSchema;

use crate::call::CommandCx;
use crate::command::Asked;
use crate::form::{Form, Request};
use crate::reply::HttpError;

/// The largest file.
pub(crate) const FILE_BYTES: usize = 5 * 1024 * 1024;
/// Files that may wait for a worker, of all shops: each is held in Redis until it is done.
const WAITING: u64 = 20;

/// The file, for the API's description.
pub(crate) const FILE: &str = "UTF-8, cells separated by `,`, `;` or tab. The first line names the columns, in any order: `sku`, `name`, `price`, `cost` and, if wanted, \
     `stock`, `description`, `image_url`, `low_stock_at`. A product is found by its sku: one that is there is changed, any other is added. What a column that the file \
     does not have would say stays as it is. At most 10,000 rows and 5 MiB.";

/// How to import.
#[derive(ToSchema)]
pub struct ImportMode {
    /// `true`: say what would be done and what is wrong, and change nothing.
    #[schema(required = false)]
    pub dry_run: bool,
}

impl Request for ImportMode {
    fn read(form: &mut Form) -> Option<Self> {
        Some(Self { dry_run: form.maybe_one_of("dry_run", &["true", "false"]) == Some("true") })
    }
}

/// What an import did, or would do.
#[derive(ToSchema)]
pub struct ImportReport {
    /// Whether nothing was changed.
    pub dry_run: bool,
    /// Products that are new.
    pub added: usize,
    /// Products that are changed.
    pub changed: usize,
    /// Products that are already so.
    pub unchanged: usize,
    /// Rows that are wrong; an import with one changes nothing.
    pub bad_rows: usize,
    /// The first hundred mistakes.
    pub errors: Vec<ImportError>,
}

/// A mistake in a file.
#[derive(ToSchema)]
pub struct ImportError {
    /// The line, from one.
    pub line: usize,
    /// The column; absent where the whole line is meant.
    #[schema(required = false)]
    pub column: String,
    /// What is wrong and how to mend it.
    pub message: String,
}

pub(crate) async fn import(cx: CommandCx) -> Result<Asked, HttpError> {
    let ImportMode { dry_run } = cx.query()?;
    let kind = cx.header(CONTENT_TYPE.as_str()).unwrap_or_default().split(';').next().unwrap_or_default().trim().to_owned();
    if !kind.eq_ignore_ascii_case("text/csv") {
        return Err(HttpError::not_csv());
    }
    let csv = std::str::from_utf8(cx.body()).map_err(|_| HttpError::malformed("The file is not UTF-8. Save it as CSV UTF-8."))?.to_owned();
    // A NUL has no place in text, and Postgres takes none.
    if csv.contains('\0') {
        return Err(HttpError::malformed("The file is not text. Save it as CSV UTF-8."));
    }
    let waiting = cx.app.queue.stats(JobName::ImportProducts).await.map_err(HttpError::unavailable)?.ready;
    if waiting >= WAITING {
        return Err(HttpError::overloaded());
    }
    Asked::job(jobs::ImportProducts { request: cx.request, csv, dry_run })
}
