//! Stripe's refusals.

use serde_json::{Value, json};

use super::render::failure_message;
use crate::faults::StripeFailure;

/// Why Stripe refuses.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    pub(crate) status: u16,
    kind: &'static str,
    code: Option<String>,
    message: String,
    param: Option<String>,
    decline_code: Option<&'static str>,
    /// Whether the answer is kept under the call's idempotency key.
    pub(crate) kept: bool,
}

impl Refused {
    fn new(status: u16, kind: &'static str, message: impl Into<String>) -> Self {
        Self { status, kind, code: None, message: message.into(), param: None, decline_code: None, kept: false }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "invalid_request_error", message)
    }

    pub(crate) fn code(mut self, code: &str) -> Self {
        self.code = Some(code.to_owned());
        self
    }

    pub(crate) fn param(mut self, param: &str) -> Self {
        self.param = Some(param.to_owned());
        self
    }

    pub(crate) fn unknown_parameter(key: &str) -> Self {
        Self::invalid(format!("Received unknown parameter: {key}")).code("parameter_unknown").param(key)
    }

    pub(crate) fn missing_parameter(key: &str) -> Self {
        Self::invalid(format!("Missing required param: {key}.")).code("parameter_missing").param(key)
    }

    pub(crate) fn missing_object(kind: &str, id: &str, param: &str) -> Self {
        let mut refused = Self::invalid(format!("No such {kind}: '{id}'")).code("resource_missing").param(param);
        refused.status = 404;
        refused
    }

    /// An object named in a parameter is not there: 400, unlike one named in the path.
    pub(crate) fn missing_reference(kind: &str, id: &str, param: &str) -> Self {
        Self { status: 400, ..Self::missing_object(kind, id, param) }
    }

    pub(crate) fn no_key() -> Self {
        let why = "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth \
                   (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').";
        Self::new(401, "invalid_request_error", why)
    }

    pub(crate) fn wrong_key(key: &str) -> Self {
        let tail: String = key.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect();
        Self::new(401, "invalid_request_error", format!("Invalid API Key provided: ****{tail}"))
    }

    pub(crate) fn no_route(method: &str, path: &str) -> Self {
        let mut refused = Self::invalid(format!("Unrecognized request URL ({method}: /{path})."));
        refused.status = 404;
        refused
    }

    pub(crate) fn card(code: &'static str) -> Self {
        let mut refused = Self::new(402, "card_error", failure_message(code)).code(code);
        refused.decline_code = Some(if code == "card_declined" { "generic_decline" } else { "authentication_required" });
        refused.kept = true;
        refused
    }

    pub(crate) fn other_parameters(key: &str) -> Self {
        let why = format!(
            "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other \
             than '{key}' if you meant to execute a different request."
        );
        Self::new(400, "idempotency_error", why)
    }

    pub(crate) fn still_running(key: &str) -> Self {
        let why = format!("There is currently another in-progress request using this Idempotent Key '{key}'. Please try again later.");
        Self::new(409, "idempotency_error", why).code("idempotency_key_in_use")
    }

    /// The answer a fault demands; `None` for those that are no answer.
    pub(crate) fn by_fault(failure: &StripeFailure) -> Option<Self> {
        Some(match failure {
            StripeFailure::Error { status, code, message } => {
                let kind = match status {
                    402 => "card_error",
                    500.. => "api_error",
                    _ => "invalid_request_error",
                };
                let mut refused = Self::new(*status, kind, message.as_deref().unwrap_or("Refused on command."));
                refused.code = code.clone();
                refused
            }
            StripeFailure::RateLimit => {
                let why = "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.";
                Self::new(429, "invalid_request_error", why).code("rate_limit")
            }
            StripeFailure::Internal => {
                let mut refused = Self::new(500, "api_error", "An unknown error occurred");
                refused.kept = true;
                refused
            }
            StripeFailure::Unavailable => Self::new(503, "api_error", "The server is temporarily unable to answer."),
            StripeFailure::CardError => Self::card("card_declined"),
            StripeFailure::Hang | StripeFailure::HangAfterWork | StripeFailure::Cut | StripeFailure::CutAfterWork => return None,
        })
    }

    pub(crate) fn reason(&self) -> String {
        self.code.clone().unwrap_or_else(|| self.kind.to_owned())
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn body(&self) -> Value {
        let mut error = json!({ "type": self.kind, "message": self.message });
        if let Some(code) = &self.code {
            error["code"] = code.clone().into();
            error["doc_url"] = format!("https://stripe.com/docs/error-codes/{}", code.replace('_', "-")).into();
        }
        if let Some(param) = &self.param {
            error["param"] = param.clone().into();
        }
        if let Some(code) = self.decline_code {
            error["decline_code"] = code.into();
        }
        json!({ "error": error })
    }
}
