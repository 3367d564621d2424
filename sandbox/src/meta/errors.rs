//! Graph API errors, in Meta's shape and words (PROVIDERS 3).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::ids;
use crate::records::Refusal;

/// An error as Graph answers it.
#[derive(Clone, Debug)]
pub(crate) struct MetaError {
    pub(crate) status: u16,
    pub(crate) code: i64,
    pub(crate) subcode: Option<i64>,
    pub(crate) kind: &'static str,
    pub(crate) message: String,
    /// `error_data.details`, WhatsApp's own explanation.
    pub(crate) details: Option<String>,
    pub(crate) transient: bool,
}

impl MetaError {
    pub(crate) fn new(code: i64, message: impl Into<String>) -> Self {
        Self {
            status: documented_status(code),
            code,
            subcode: None,
            kind: "OAuthException",
            message: message.into(),
            details: None,
            transient: matches!(code, 1 | 2 | 4 | 17 | 32 | 613),
        }
    }

    /// `(#code) title` with WhatsApp's details.
    pub(crate) fn whatsapp(code: i64, details: impl Into<String>) -> Self {
        let mut error = Self::new(code, format!("(#{code}) {}", title(code)));
        error.details = Some(details.into());
        error
    }

    pub(crate) fn subcode(mut self, subcode: i64) -> Self {
        self.subcode = Some(subcode);
        self
    }

    pub(crate) fn kind(mut self, kind: &'static str) -> Self {
        self.kind = kind;
        self
    }

    /// 100: a parameter is wrong.
    pub(crate) fn parameter(message: impl Into<String>) -> Self {
        Self::new(100, format!("(#100) {}", message.into()))
    }

    pub(crate) fn no_such_object(id: &str) -> Self {
        Self::new(
            100,
            format!(
                "Unsupported post request. Object with ID '{id}' does not exist, cannot be loaded due to missing \
                 permissions, or does not support this operation. Please read the Graph API documentation at \
                 https://developers.facebook.com/docs/graph-api"
            ),
        )
        .subcode(33)
        .kind("GraphMethodException")
    }

    pub(crate) fn body(&self) -> Value {
        let mut error = json!({ "message": self.message, "type": self.kind, "code": self.code });
        if let Some(subcode) = self.subcode {
            error["error_subcode"] = subcode.into();
        }
        if let Some(details) = &self.details {
            error["error_data"] = json!({ "messaging_product": "whatsapp", "details": details });
        }
        if self.transient {
            error["is_transient"] = true.into();
        }
        error["fbtrace_id"] = ids::fbtrace_id().into();
        json!({ "error": error })
    }

    pub(crate) fn refusal(&self) -> Refusal {
        Refusal { status: self.status, code: self.code, subcode: self.subcode, message: self.message.clone() }
    }
}

impl IntoResponse for MetaError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        let mut response = (status, axum::Json(self.body())).into_response();
        if self.code == 190 {
            let value = HeaderValue::from_static("OAuth \"Facebook Platform\" \"invalid_token\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
        }
        response
    }
}

/// The HTTP status Meta documents for a code.
pub(crate) fn documented_status(code: i64) -> u16 {
    match code {
        0 | 190 => 401,
        2 | 133_004 => 503,
        3 | 131_000 | 131_016 | 131_045 | 131_057 => 500,
        10 | 200..=299 | 131_005 | 368 | 131_031 | 130_497 => 403,
        132_001 => 404,
        _ => 400,
    }
}

/// The title of a code, as in status webhooks and messages.
pub(crate) fn title(code: i64) -> &'static str {
    match code {
        1 => "An unknown error occurred",
        2 => "Service temporarily unavailable",
        4 => "Application request limit reached",
        10 => "Application does not have permission for this action",
        33 => "Parameter value is not valid",
        100 => "Invalid parameter",
        368 => "Temporarily blocked for policies violations",
        613 => "Calls to this api have exceeded the rate limit.",
        80_007 => "Rate limit issues",
        130_429 => "Rate limit hit",
        130_472 => "User's number is part of an experiment",
        131_000 => "Something went wrong",
        131_005 => "Access denied",
        131_008 => "Required parameter is missing",
        131_009 => "Parameter value is not valid",
        131_016 => "Service unavailable",
        131_021 => "Recipient cannot be sender",
        131_026 => "Message undeliverable",
        131_031 => "Account has been locked",
        131_042 => "Business eligibility payment issue",
        131_047 => "Re-engagement message",
        131_048 => "Spam rate limit hit",
        131_049 => "This message was not delivered to maintain healthy ecosystem engagement.",
        131_051 => "Unsupported message type",
        131_052 => "Media download error",
        131_053 => "Media upload error",
        131_056 => "(Business Account, Consumer Account) pair rate limit hit",
        131_057 => "Account in maintenance mode",
        131_062 => "Business-scoped user id not allowed for this message",
        132_000 => "Number of parameters does not match the expected number of params",
        132_001 => "Template name does not exist in the translation",
        132_012 => "Parameter format does not match format in the created template",
        133_004 => "Server Temporarily Unavailable",
        190 => "Invalid OAuth 2.0 Access Token",
        _ => "Error",
    }
}
