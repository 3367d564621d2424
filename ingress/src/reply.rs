//! What goes out: the only place that picks a status code. Errors are `application/problem+json` (RFC 9457) with a stable `code`.

use std::borrow::Cow;
use std::io;
use std::ops::Range;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use frontdesk_core::auth::Allowance;
use frontdesk_core::availability::Slot;
use frontdesk_core::jobs::{Answer, FieldError, Refusal, RefusalKind};
use frontdesk_core::problems;
use frontdesk_core::progress::Progress;
use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use hyper::header::{
    ACCEPT_RANGES, ALLOW, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderName, HeaderValue,
    LOCATION, RETRY_AFTER, WWW_AUTHENTICATE,
};
use hyper::{Response, StatusCode};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

/// An answer on its way out.
#[derive(Debug)]
pub struct Reply {
    status: StatusCode,
    content_type: &'static str,
    body: Body,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// JSON stays a value until the last moment, so that what a role may not see can be taken out.
#[derive(Debug)]
enum Body {
    None,
    Json(Value),
    Bytes(Bytes),
    Pages(mpsc::Receiver<io::Result<Bytes>>),
}

/// What hyper sends: bytes at once, or pages as they come.
pub type Outgoing = UnsyncBoxBody<Bytes, io::Error>;

impl Reply {
    fn new(status: StatusCode, content_type: &'static str, body: Body) -> Self {
        Self { status, content_type, body, headers: Vec::new() }
    }

    /// 200 with JSON.
    ///
    /// # Errors
    /// When `body` cannot be written as JSON, which is a fault of ours.
    pub fn ok(body: impl Serialize) -> Result<Self, HttpError> {
        let body = serde_json::to_value(body).map_err(HttpError::internal)?;
        Ok(Self::new(StatusCode::OK, "application/json", Body::Json(body)))
    }

    /// What a job answered.
    ///
    /// # Errors
    /// When the job refused.
    pub fn answer(answer: Answer) -> Result<Self, HttpError> {
        match answer {
            Answer::Created(body) => Ok(Self::new(StatusCode::CREATED, "application/json", Body::Json(body))),
            Answer::Done(body) => Ok(Self::new(StatusCode::OK, "application/json", Body::Json(body))),
            Answer::Empty => Ok(Self::empty()),
            Answer::Refused(refusal) => Err(refusal.into()),
        }
    }

    /// 204.
    #[must_use]
    pub fn empty() -> Self {
        Self::new(StatusCode::NO_CONTENT, "", Body::None)
    }

    /// 308: the same, there.
    #[must_use]
    pub fn moved(to: &str) -> Self {
        Self::new(StatusCode::PERMANENT_REDIRECT, "", Body::None).with(LOCATION, to)
    }

    /// 202: it will be done; the answer will be at `/jobs/{job}`.
    #[must_use]
    pub fn later(job: &str, progress: Option<Progress>) -> Self {
        let mut body = serde_json::json!({ "job": job, "status": "running" });
        if let Some(progress) = progress {
            body["progress"] = serde_json::json!(progress);
        }
        Self::new(StatusCode::ACCEPTED, "application/json", Body::Json(body)).with(LOCATION, &format!("/jobs/{job}"))
    }

    /// 200 with text as it is.
    #[must_use]
    pub fn text(body: impl Into<Bytes>) -> Self {
        Self::new(StatusCode::OK, "text/plain; charset=utf-8", Body::Bytes(body.into()))
    }

    /// 200 with a CSV file to save, sent page by page as they come; an error breaks it off.
    #[must_use]
    pub fn csv(name: &str, pages: mpsc::Receiver<io::Result<Bytes>>) -> Self {
        Self::new(StatusCode::OK, "text/csv; charset=utf-8", Body::Pages(pages))
            .with(CONTENT_DISPOSITION, &format!("attachment; filename=\"{name}\""))
    }

    /// 200 with a file, or 206 with a part of it, sent as it comes; nothing in it runs.
    #[must_use]
    pub fn file(mime: &'static str, cache: &str, size: u64, range: Range<u64>, pages: mpsc::Receiver<io::Result<Bytes>>) -> Self {
        let whole = range == (0..size);
        let status = if whole { StatusCode::OK } else { StatusCode::PARTIAL_CONTENT };
        let reply = Self::new(status, mime, Body::Pages(pages))
            .with(CACHE_CONTROL, cache)
            .with(ACCEPT_RANGES, "bytes")
            .with(CONTENT_LENGTH, &(range.end - range.start).to_string())
            .with(HeaderName::from_static("content-security-policy"), "sandbox; default-src 'none'");
        if whole { reply } else { reply.with(CONTENT_RANGE, &format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1))) }
    }

    /// 304: what the client has is right.
    #[must_use]
    pub fn not_modified(cache: &str) -> Self {
        Self::new(StatusCode::NOT_MODIFIED, "", Body::None).with(CACHE_CONTROL, cache)
    }

    /// To be saved under a name, and not shown (RFC 6266, the name as RFC 8187 writes it).
    #[must_use]
    pub fn to_save(self, name: &str) -> Self {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
        let coded: String = name.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect();
        self.with(CONTENT_DISPOSITION, &format!("attachment; filename*=UTF-8''{coded}"))
    }

    /// 200 with a page that loads nothing and runs nothing.
    #[must_use]
    pub fn page(html: impl Into<Bytes>) -> Self {
        Self::new(StatusCode::OK, "text/html; charset=utf-8", Body::Bytes(html.into())).with(
            HeaderName::from_static("content-security-policy"),
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
        )
    }

    /// 200 with a page that loads nothing, runs this script alone, and calls nobody but us.
    #[must_use]
    pub fn page_with_script(html: &str, script: &str) -> Self {
        let digest = STANDARD.encode(Sha256::digest(script.as_bytes()));
        Self::new(StatusCode::OK, "text/html; charset=utf-8", Body::Bytes(format!("{html}<script>{script}</script>\n").into())).with(
            HeaderName::from_static("content-security-policy"),
            &format!(
                "default-src 'none'; script-src 'sha256-{digest}'; connect-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; \
                 form-action 'none'; frame-ancestors 'none'"
            ),
        )
    }

    /// 101: the connection goes on as a WebSocket.
    #[must_use]
    pub fn switching(handshake: &hyper::HeaderMap) -> Self {
        let mut reply = Self::new(StatusCode::SWITCHING_PROTOCOLS, "", Body::None);
        reply.headers = handshake.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        reply
    }

    /// 302: the browser goes on there.
    #[must_use]
    pub fn found(location: &str) -> Self {
        Self::new(StatusCode::FOUND, "", Body::None).with(LOCATION, location)
    }

    /// Methods that a path knows.
    #[must_use]
    pub fn allow(methods: &str) -> Self {
        Self::empty().with(ALLOW, methods)
    }

    /// 201 instead of 200.
    #[must_use]
    pub fn created(self) -> Self {
        Self { status: StatusCode::CREATED, ..self }
    }

    /// Adds a header; a value that is no header is left out.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// Says what the shop may still ask.
    #[must_use]
    pub(crate) fn limited(self, allowance: Allowance) -> Self {
        rate_limit(allowance).into_iter().fold(self, |reply, (name, value)| reply.with(name, &value))
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Takes what only some roles may see out of the whole answer: absent, not null.
    #[must_use]
    pub fn without_profit(mut self) -> Self {
        if let Body::Json(body) = &mut self.body {
            remove_profit(body);
        }
        self
    }

    /// The answer as hyper sends it.
    #[must_use]
    pub fn into_response(self) -> Response<Outgoing> {
        let whole = |bytes: Bytes| Full::new(bytes).map_err(|never| match never {}).boxed_unsync();
        let body = match self.body {
            Body::None => whole(Bytes::new()),
            Body::Json(value) => whole(value.to_string().into()),
            Body::Bytes(bytes) => whole(bytes),
            Body::Pages(pages) => {
                let frames = stream::unfold(pages, async |mut pages| pages.recv().await.map(|page| (page.map(Frame::data), pages)));
                BodyExt::boxed_unsync(StreamBody::new(frames))
            }
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        if !self.content_type.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        }
        if !self.headers.iter().any(|(name, _)| *name == CACHE_CONTROL) {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        headers.insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
        headers.insert(HeaderName::from_static("referrer-policy"), HeaderValue::from_static("no-referrer"));
        headers.insert(HeaderName::from_static("x-frame-options"), HeaderValue::from_static("DENY"));
        headers.extend(self.headers);
        response
    }
}

/// As draft-ietf-httpapi-ratelimit-headers-06 names them, which is what clients know.
fn rate_limit(allowance: Allowance) -> [(HeaderName, String); 3] {
    [
        (HeaderName::from_static("ratelimit-limit"), allowance.limit.to_string()),
        (HeaderName::from_static("ratelimit-remaining"), allowance.remaining.unwrap_or_default().to_string()),
        (HeaderName::from_static("ratelimit-reset"), allowance.resets_in.as_secs().to_string()),
    ]
}

/// The words under which costs and profits appear anywhere in the API.
pub(crate) const PROFIT: &[&str] = &["cost", "profit", "total_cost", "total_profit"];

pub(crate) fn remove_profit(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(remove_profit),
        Value::Object(fields) => {
            fields.retain(|name, _| !PROFIT.contains(&name.as_str()));
            fields.values_mut().for_each(remove_profit);
        }
        _ => {}
    }
}

/// Why there is no answer. The cause is logged, not sent.
#[derive(Debug, thiserror::Error)]
#[error("{code}: {detail}")]
pub struct HttpError {
    status: StatusCode,
    code: Cow<'static, str>,
    detail: Cow<'static, str>,
    fields: Box<[FieldError]>,
    slots: Box<[Slot]>,
    headers: Vec<(HeaderName, String)>,
    #[source]
    cause: Option<anyhow::Error>,
}

impl HttpError {
    fn new(status: StatusCode, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            code: code.into(),
            detail: detail.into(),
            fields: Box::default(),
            slots: Box::default(),
            headers: Vec::new(),
            cause: None,
        }
    }

    fn header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn because(mut self, cause: impl Into<anyhow::Error>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// 400: the request cannot be read.
    #[must_use]
    pub fn malformed(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", detail)
    }

    /// 401: nobody is logged in.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "Log in first: POST /auth/login gives a token.")
            .header(WWW_AUTHENTICATE, "Bearer realm=\"frontdesk\"")
    }

    /// 401: the same for a wrong e-mail and a wrong password.
    #[must_use]
    pub fn wrong_login() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "wrong_login", "The e-mail or the password is wrong.")
            .header(WWW_AUTHENTICATE, "Bearer realm=\"frontdesk\"")
    }

    /// 401: a webhook that its provider did not sign.
    #[must_use]
    pub fn bad_signature() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "bad_signature", "The signature does not fit the body.")
    }

    /// 403: the role does not allow it.
    #[must_use]
    pub fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "Your role does not allow this. Ask the owner of the shop.")
    }

    /// 403: the webhook's verification brought another word than ours.
    #[must_use]
    pub fn wrong_verify_token() -> Self {
        Self::new(StatusCode::FORBIDDEN, "wrong_verify_token", "The verify token is not the configured one.")
    }

    /// 403: a browser was sent here by another site.
    #[must_use]
    pub fn cross_site() -> Self {
        Self::new(StatusCode::FORBIDDEN, "cross_site", "Another site sent this request. Use the dashboard, or a Bearer token.")
    }

    /// 403: a secret may have crossed the network in the clear; a redirect would hide that from a client that keeps doing it.
    #[must_use]
    pub fn https_required() -> Self {
        Self::new(StatusCode::FORBIDDEN, "https_required", "This came over plain http. Call the https address.")
    }

    /// 404: the same for what does not exist and what belongs to somebody else.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is nothing here.")
    }

    /// 405.
    #[must_use]
    pub fn method_not_allowed(allow: &str) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", format!("This path knows {allow}.")).header(ALLOW, allow)
    }

    /// 408: the body did not arrive in time.
    #[must_use]
    pub fn too_slow() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "too_slow", "The request did not arrive in time.").header(hyper::header::CONNECTION, "close")
    }

    /// 413.
    #[must_use]
    pub fn too_large(limit: usize) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", format!("The body may have {limit} bytes."))
            .header(hyper::header::CONNECTION, "close")
    }

    /// 415.
    #[must_use]
    pub fn not_json() -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", "Send the body as application/json.")
    }

    /// 415: the file is no CSV.
    #[must_use]
    pub fn not_csv() -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_csv", "Send the file as text/csv.")
    }

    /// 415: the file is no picture, or another than it says.
    #[must_use]
    pub fn not_a_picture() -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "not_a_picture",
            "Send a PNG, JPEG or WebP picture, as image/png, image/jpeg or image/webp.",
        )
    }

    /// 426: this path speaks WebSocket.
    #[must_use]
    pub fn upgrade_required() -> Self {
        Self::new(StatusCode::UPGRADE_REQUIRED, "upgrade_required", "Connect to this path as a WebSocket (RFC 6455).")
            .header(hyper::header::UPGRADE, "websocket")
            .header(hyper::header::CONNECTION, "upgrade")
    }

    /// 422: fields are wrong.
    #[must_use]
    pub fn invalid(fields: Vec<FieldError>) -> Self {
        Self { fields: fields.into(), ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "Some fields are wrong.") }
    }

    /// 422: one field is wrong.
    #[must_use]
    pub fn invalid_field(field: &str, message: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError { field: field.to_owned(), message: message.into() }])
    }

    /// 409: something already stands in the way.
    #[must_use]
    pub fn conflict(code: &'static str, detail: &'static str) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// 409: this installation has no OAuth client.
    #[must_use]
    pub fn google_not_configured() -> Self {
        Self::conflict(
            "google_not_configured",
            "This installation has no access to Google. Its operator sets GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET.",
        )
    }

    /// 429.
    #[must_use]
    pub fn too_many(retry_after: Duration) -> Self {
        let seconds = retry_after.as_secs().max(1).to_string();
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many", format!("Too many attempts. Try again in {seconds} seconds."))
            .header(RETRY_AFTER, seconds)
    }

    /// 429: the shop asks too much.
    #[must_use]
    pub(crate) fn rate_limited(allowance: Allowance) -> Self {
        let (limit, seconds) = (allowance.limit, allowance.resets_in.as_secs());
        let detail = format!("Your shop has made its {limit} requests of this minute. Go on in {seconds} seconds.");
        Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail).header(RETRY_AFTER, seconds.to_string()).limited(allowance)
    }

    /// Says what the shop may still ask.
    #[must_use]
    pub(crate) fn limited(self, allowance: Allowance) -> Self {
        rate_limit(allowance).into_iter().fold(self, |error, (name, value)| error.header(name, value))
    }

    /// 500: a fault of ours.
    #[must_use]
    pub fn internal(cause: impl Into<anyhow::Error>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something went wrong on our side. It has been recorded.").because(cause)
    }

    /// 503: something we need is away for a moment.
    #[must_use]
    pub fn unavailable(cause: impl Into<anyhow::Error>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "A part of the service is away. Try again in a moment.")
            .header(RETRY_AFTER, "1")
            .because(cause)
    }

    /// 503: too much to do.
    #[must_use]
    pub fn overloaded() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", "Too many requests at once. Try again in a moment.")
            .header(RETRY_AFTER, "1")
    }

    /// 503: the shop is still being opened.
    #[must_use]
    pub fn still_opening() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "still_opening", "The shop is still being opened. Log in in a moment.")
            .header(RETRY_AFTER, "2")
    }

    /// 500: a job ended without an answer, `code` says how.
    #[must_use]
    pub fn job_failed(code: String) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "job_failed", "The change could not be made. It has been recorded.")
            .because(anyhow::anyhow!("the job failed: {code}"))
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Writes the problem out; logs the cause, once, here.
    #[must_use]
    pub fn into_reply(self) -> Reply {
        if let Some(cause) = &self.cause {
            // Database and Redis errors hold no values of customers; `:#` keeps the chain on one line.
            if self.status == StatusCode::INTERNAL_SERVER_ERROR {
                tracing::error!(code = %self.code, cause = format!("{cause:#}"), "request failed");
            } else {
                tracing::warn!(code = %self.code, cause = format!("{cause:#}"), "request refused");
            }
        }
        debug_assert_eq!(
            problems::find(&self.code).map(|known| known.status),
            Some(self.status.as_u16()),
            "`{}` does not stand in the table of problems, with its status",
            self.code
        );
        let problem = Problem {
            problem_type: format!("/docs#problem-{}", self.code),
            title: self.status.canonical_reason().unwrap_or("Error").to_owned(),
            status: self.status.as_u16(),
            code: self.code.into_owned(),
            detail: self.detail.into_owned(),
            fields: self.fields.into_iter().map(|field| ProblemField { field: field.field, message: field.message }).collect(),
            slots: self
                .slots
                .into_iter()
                .map(|slot| ProblemSlot { starts_at: slot.starts_at, ends_at: slot.ends_at, staff_id: slot.staff.0 })
                .collect(),
        };
        let body = serde_json::to_value(problem).unwrap_or_default();
        let mut reply = Reply::new(self.status, "application/problem+json", Body::Json(body));
        for (name, value) in self.headers {
            reply = reply.with(name, &value);
        }
        reply
    }
}

impl From<Refusal> for HttpError {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal.kind {
            RefusalKind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            RefusalKind::NotFound => return Self::not_found(),
            RefusalKind::Conflict => StatusCode::CONFLICT,
            RefusalKind::Plan => StatusCode::PAYMENT_REQUIRED,
            RefusalKind::Forbidden => StatusCode::FORBIDDEN,
            RefusalKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        };
        let Refusal { code, detail, fields, slots, .. } = refusal;
        Self {
            status,
            code: code.into(),
            detail: detail.into(),
            fields: fields.into(),
            slots: slots.into(),
            headers: Vec::new(),
            cause: None,
        }
    }
}

/// An error (RFC 9457).
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// Where the code is explained.
    #[serde(rename = "type")]
    pub problem_type: String,
    /// The status in words.
    pub title: String,
    /// The status.
    pub status: u16,
    /// Stable, for programs.
    #[schema(example = "out_of_stock")]
    pub code: String,
    /// For people, with the remedy.
    pub detail: String,
    /// Which fields are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub fields: Vec<ProblemField>,
    /// What is free instead of a time that is not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub slots: Vec<ProblemSlot>,
}

/// A time that is free.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ProblemSlot {
    /// When it begins.
    pub starts_at: DateTime<Utc>,
    /// When it ends.
    pub ends_at: DateTime<Utc>,
    /// With whom.
    pub staff_id: i32,
}

/// One wrong field.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ProblemField {
    /// The field, as a path into the request.
    #[schema(example = "lines[0].quantity")]
    pub field: String,
    /// What is wrong and how to mend it.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_and_profits_leave_no_trace() {
        let reply = Reply::ok(
            serde_json::json!({"items": [{"name": "x", "cost": "1", "lines": [{"profit": null, "price": "2"}]}], "total_profit": "3"}),
        )
        .unwrap();
        let Body::Json(body) = reply.without_profit().body else { panic!("no JSON") };
        assert_eq!(body, serde_json::json!({"items": [{"name": "x", "lines": [{"price": "2"}]}]}));
    }

    #[test]
    fn what_is_not_there_reads_like_what_belongs_to_another() {
        let refusal = Refusal {
            kind: RefusalKind::NotFound,
            code: "order_not_found".to_owned(),
            detail: "order 7".to_owned(),
            fields: vec![],
            slots: vec![],
        };
        let (ours, theirs) = (HttpError::not_found().into_reply(), HttpError::from(refusal).into_reply());
        let text = |reply: Reply| match reply.body {
            Body::Json(value) => value.to_string(),
            _ => String::new(),
        };
        assert_eq!(text(ours), text(theirs));
    }
}
