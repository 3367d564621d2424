//! Google's answers: the old form of errors (Calendar), the newer one (Sheets) and OAuth's.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::faults::GoogleFailure;

enum Content {
    Json(Value),
    Html(String),
    Nothing,
}

/// An answer on its way out.
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(header::HeaderName, String)>,
    content: Content,
}

impl Reply {
    pub(crate) fn json(body: Value) -> Self {
        Self::status(200, body)
    }

    pub(crate) fn status(status: u16, body: Value) -> Self {
        Self { status, headers: Vec::new(), content: Content::Json(body) }
    }

    pub(crate) fn html(status: u16, page: String) -> Self {
        Self { status, headers: Vec::new(), content: Content::Html(page) }
    }

    pub(crate) fn nothing() -> Self {
        Self { status: 204, headers: Vec::new(), content: Content::Nothing }
    }

    pub(crate) fn found(location: String) -> Self {
        Self { status: 302, headers: vec![(header::LOCATION, location)], content: Content::Nothing }
    }

    pub(crate) fn with_header(mut self, name: header::HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn text(&self) -> String {
        match &self.content {
            Content::Json(body) => body.to_string(),
            Content::Html(page) => page.clone(),
            Content::Nothing => String::new(),
        }
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let kind = match &self.content {
            Content::Json(_) => Some("application/json; charset=UTF-8"),
            Content::Html(_) => Some("text/html; charset=utf-8"),
            Content::Nothing => None,
        };
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, self.text()).into_response();
        let headers = response.headers_mut();
        headers.remove(header::CONTENT_TYPE);
        let kind = kind.map(|kind| (header::CONTENT_TYPE, kind.to_owned()));
        for (name, value) in self.headers.into_iter().chain(kind) {
            if let Ok(value) = value.parse() {
                headers.insert(name, value);
            }
        }
        response
    }
}

/// Why Google refuses.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    status: u16,
    pub(crate) reason: String,
    message: String,
    domain: &'static str,
    location: Option<(&'static str, Box<str>)>,
    retry_after_s: Option<u64>,
}

impl Refused {
    pub(crate) fn new(status: u16, reason: &str, message: impl Into<String>) -> Self {
        Self { status, reason: reason.to_owned(), message: message.into(), domain: "global", location: None, retry_after_s: None }
    }

    pub(crate) fn domain(mut self, domain: &'static str) -> Self {
        self.domain = domain;
        self
    }

    pub(crate) fn parameter(mut self, name: &str) -> Self {
        self.location = Some(("parameter", name.into()));
        self
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "invalid", message)
    }

    pub(crate) fn required(message: impl Into<String>) -> Self {
        Self::new(400, "required", message)
    }

    pub(crate) fn not_found() -> Self {
        Self::new(404, "notFound", "Not Found")
    }

    pub(crate) fn login_required() -> Self {
        let mut refused = Self::new(401, "required", "Login Required.");
        refused.location = Some(("header", "Authorization".into()));
        refused
    }

    pub(crate) fn invalid_credentials() -> Self {
        let mut refused = Self::new(401, "authError", "Invalid Credentials");
        refused.location = Some(("header", "Authorization".into()));
        refused
    }

    pub(crate) fn insufficient_scopes() -> Self {
        Self::new(403, "insufficientPermissions", "Request had insufficient authentication scopes.")
    }

    /// The answer a fault demands; `None` for those that are no answer.
    pub(crate) fn by_fault(failure: &GoogleFailure) -> Option<Self> {
        Some(match failure {
            GoogleFailure::Error { status, reason, message } => {
                let (usual, text) = usual_reason(*status);
                Self::new(*status, reason.as_deref().unwrap_or(usual), message.as_deref().unwrap_or(text))
            }
            GoogleFailure::RateLimit { retry_after_s } => {
                let mut refused = Self::new(429, "rateLimitExceeded", "Rate Limit Exceeded").domain("usageLimits");
                refused.retry_after_s = *retry_after_s;
                refused
            }
            GoogleFailure::UserRateLimit => Self::new(403, "userRateLimitExceeded", "User Rate Limit Exceeded").domain("usageLimits"),
            GoogleFailure::QuotaExceeded => Self::new(403, "quotaExceeded", "Calendar usage limits exceeded.").domain("usageLimits"),
            GoogleFailure::Internal => Self::new(500, "backendError", "Backend Error"),
            GoogleFailure::Unavailable => Self::new(503, "backendError", "Backend Error"),
            GoogleFailure::InvalidGrant => Self::new(400, "invalid_grant", "Token has been expired or revoked."),
            GoogleFailure::Hang | GoogleFailure::HangAfterWork | GoogleFailure::Cut | GoogleFailure::CutAfterWork => return None,
        })
    }

    pub(crate) fn reply(self, service: &str) -> Reply {
        let body = match service {
            "oauth" | "token" => json!({ "error": self.oauth_error(), "error_description": self.message }),
            "sheets" => {
                json!({ "error": { "code": self.status, "message": self.message, "status": canonical(self.status, &self.reason) } })
            }
            _ => self.old_form(),
        };
        let reply = Reply::status(self.status, body);
        match self.retry_after_s {
            Some(seconds) => reply.with_header(header::RETRY_AFTER, seconds.to_string()),
            None => reply,
        }
    }

    /// `{"error":{"errors":[…],"code","message"}}`.
    fn old_form(&self) -> Value {
        // For two refusals the list says it shorter than the whole.
        let (message, listed) = match self.reason.as_str() {
            "authError" => (
                "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid \
                 authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
                "Invalid Credentials",
            ),
            "insufficientPermissions" => (self.message.as_str(), "Insufficient Permission"),
            _ => (self.message.as_str(), self.message.as_str()),
        };
        let mut item = json!({ "domain": self.domain, "reason": self.reason, "message": listed });
        if let Some((kind, place)) = &self.location {
            item["locationType"] = (*kind).into();
            item["location"] = Value::from(&**place);
        }
        let mut error = json!({ "errors": [item], "code": self.status, "message": message });
        match self.reason.as_str() {
            "authError" => error["status"] = "UNAUTHENTICATED".into(),
            "insufficientPermissions" => {
                error["status"] = "PERMISSION_DENIED".into();
                error["details"] = json!([{
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
                    "domain": "googleapis.com",
                }]);
            }
            _ => {}
        }
        json!({ "error": error })
    }

    fn oauth_error(&self) -> &str {
        match (self.status, self.reason.as_str()) {
            (_, reason) if reason.starts_with("invalid_") => reason,
            (429, _) => "rate_limit_exceeded",
            (503, _) => "temporarily_unavailable",
            (500.., _) => "internal_failure",
            (_, reason) => reason,
        }
    }
}

fn usual_reason(status: u16) -> (&'static str, &'static str) {
    match status {
        401 => ("authError", "Invalid Credentials"),
        403 => ("forbidden", "Forbidden"),
        404 => ("notFound", "Not Found"),
        409 => ("duplicate", "The requested identifier already exists."),
        410 => ("deleted", "Resource has been deleted"),
        412 => ("conditionNotMet", "Precondition Failed"),
        429 => ("rateLimitExceeded", "Rate Limit Exceeded"),
        500.. => ("backendError", "Backend Error"),
        _ => ("badRequest", "Bad Request"),
    }
}

/// `google.rpc.Code` of the newer form.
fn canonical(status: u16, reason: &str) -> &'static str {
    match status {
        400 if reason == "failedPrecondition" => "FAILED_PRECONDITION",
        400 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        409 => "ALREADY_EXISTS",
        429 => "RESOURCE_EXHAUSTED",
        503 => "UNAVAILABLE",
        _ => "INTERNAL",
    }
}
