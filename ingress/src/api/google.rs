//! A shop's Google account: connecting it in a browser, which calendar appointments go into, disconnecting. Codes come in by the browser, are sealed
//! before they leave this process, and a worker exchanges them.

use chrono::{DateTime, Utc};
use frontdesk_core::db::{DbError, TxKind, integrations};
use frontdesk_core::google::{ATTEMPT_SECONDS, Attempt, SCOPES, redirect_uri};
use frontdesk_core::jobs::{self, Answer, ConnectGoogle, RequestKey};
use frontdesk_core::queue::{From as Origin, Push, Waited};
use frontdesk_core::secrets::SealContext;
use frontdesk_core::signatures::same_secret;
use hyper::header::{ACCEPT, SET_COOKIE};
use secrecy::SecretString;
use url::Url;
use utoipa::ToSchema;

use crate::call::{CommandCx, PublicCx, StaffCx};
use crate::command::{Asked, fingerprint};
use crate::form::{Form, Request};
use crate::gate;
use crate::reply::{HttpError, Reply};

/// Where the dashboard shows how the connecting ended.
const SETTINGS: &str = "/settings/integrations";
/// Longer codes and states are none of Google's.
const LONGEST: usize = 2048;

/// Where to say yes.
#[derive(ToSchema)]
pub struct GoogleConsent {
    /// Google's consent screen, to be opened in the browser that got this answer; it brings that browser back here.
    #[schema(example = "https://accounts.google.com/o/oauth2/v2/auth?client_id=…")]
    pub url: String,
}

/// How the Google account stands.
#[derive(ToSchema)]
pub struct GoogleIntegration {
    /// `absent`, `connected` or `broken`: Google takes its permission no more, and no free times are offered.
    #[schema(example = "connected")]
    pub state: String,
    /// The account's e-mail.
    #[schema(required = false)]
    pub account: String,
    /// What was granted, as Google names it.
    #[schema(required = false)]
    pub scopes: String,
    /// The calendar into which appointments go.
    #[schema(required = false)]
    pub calendar_id: Option<String>,
    /// What it is called.
    #[schema(required = false)]
    pub calendar_name: String,
    /// Whether customers are told when an appointment is moved or deleted in the calendar.
    #[schema(required = false)]
    pub tell_customers: bool,
    /// When its changes were last read.
    #[schema(required = false)]
    pub last_sync_at: Option<DateTime<Utc>>,
    /// Why it is broken, or why the last look failed, in one word.
    #[schema(required = false)]
    pub error: Option<String>,
    /// When it was connected first.
    #[schema(required = false)]
    pub created_at: DateTime<Utc>,
}

/// Calendars that can be picked.
#[derive(ToSchema)]
pub struct GoogleCalendars {
    /// The calendars.
    pub items: Vec<GoogleCalendar>,
}

/// A calendar that can be picked.
#[derive(ToSchema)]
pub struct GoogleCalendar {
    /// Google's id.
    pub id: String,
    /// What it is called there.
    pub name: String,
    /// Whether it is the account's own.
    pub primary: bool,
}

/// Which calendar appointments go into.
#[derive(ToSchema)]
pub struct PickCalendar {
    /// One of `GET /integrations/google/calendars`.
    #[schema(example = "owner@shop.example")]
    pub calendar_id: String,
    /// Whether customers are told when an appointment is moved or deleted in the calendar; when absent, they are.
    #[schema(required = false)]
    pub tell_customers: bool,
}

impl Request for PickCalendar {
    fn read(form: &mut Form) -> Option<Self> {
        let calendar_id = form.text("calendar_id", 1..=300);
        let tell_customers = form.maybe_bool("tell_customers").unwrap_or(true);
        Some(Self { calendar_id: calendar_id?, tell_customers })
    }
}

/// Begins a connecting. The state goes to Google and into a cookie of this browser: who is sent here by somebody else's link has another cookie, or none.
pub(crate) async fn connect(cx: StaffCx) -> Result<Reply, HttpError> {
    let client = cx.app.config.google_client_id.as_deref().ok_or_else(HttpError::google_not_configured)?;
    let attempt = Attempt::new(&cx.scope, cx.user);
    let state = cx.app.attempts.begin(&cx.app.sealer, &attempt).await.map_err(HttpError::unavailable)?;
    let mut url = Url::parse(&format!("{}/o/oauth2/v2/auth", cx.app.config.google_oauth_url)).map_err(HttpError::internal)?;
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", client)
        .append_pair("redirect_uri", &redirect_uri(&cx.app.config.public_url))
        .append_pair("scope", &SCOPES.join(" "))
        .append_pair("state", &state)
        .append_pair("access_type", "offline")
        .append_pair("prompt", "consent")
        .append_pair("code_challenge", &attempt.challenge())
        .append_pair("code_challenge_method", "S256");
    let wants_page = cx.header(ACCEPT.as_str()).is_some_and(|accept| accept.contains("text/html"));
    let reply = if wants_page { Reply::found(url.as_str()) } else { Reply::ok(serde_json::json!({"url": url.as_str()}))? };
    Ok(reply.with(SET_COOKIE, &gate::set_google_cookie(&state, ATTEMPT_SECONDS, cx.app.config.secure_cookie())))
}

/// Google sends the browser back. Whatever comes of it, the browser goes on to the settings, which say so.
pub(crate) async fn callback(cx: PublicCx) -> Result<Reply, HttpError> {
    let (mut code, mut state, mut refused) = (None, None, false);
    for (name, value) in url::form_urlencoded::parse(cx.query.as_bytes()).filter(|(_, value)| value.len() <= LONGEST) {
        match name.as_ref() {
            "code" => code = Some(value.into_owned()),
            "state" => state = Some(value.into_owned()),
            "error" => refused = true,
            _ => {}
        }
    }
    let outcome = match state.filter(|state| began_here(&cx, state)) {
        Some(state) => finish(&cx, &state, code.filter(|_| !refused)).await?,
        None => "google_state".to_owned(),
    };
    let settings = format!("{}{SETTINGS}?google={outcome}", cx.app.config.public_url.as_str().trim_end_matches('/'));
    Ok(Reply::found(&settings).with(SET_COOKIE, &gate::set_google_cookie("", 0, cx.app.config.secure_cookie())))
}

/// Whether this browser began it; compared in constant time.
fn began_here(cx: &PublicCx, state: &str) -> bool {
    gate::google_cookie(&cx.call).is_some_and(|kept| same_secret(&kept.to_owned().into(), state.as_bytes()))
}

/// Uses the attempt up, and has a worker exchange the code; in one word, what came of it.
async fn finish(cx: &PublicCx, state: &str, code: Option<String>) -> Result<String, HttpError> {
    let Some(attempt) = cx.app.attempts.take(&cx.app.sealer, state).await.map_err(HttpError::unavailable)? else {
        return Ok("google_state".to_owned());
    };
    let Some(code) = code else { return Ok("google_denied".to_owned()) };
    let scope = attempt.scope();
    let seal =
        |secret: SecretString, what| cx.app.sealer.seal(&secret, &SealContext::google_grant(&scope, what)).map_err(HttpError::internal);
    let key = fingerprint(&["connect_google", state], b"");
    let request = RequestKey { fingerprint: key.clone(), key: format!("google:{key}"), user: Some(attempt.user) };
    let job = ConnectGoogle { request, sealed_code: seal(code.into(), "code")?, sealed_verifier: seal(attempt.verifier(), "verifier")? };
    let push = Push { key: Some(key), wait: true, trace: Some(cx.trace.to_string()), ..Push::default() };
    let waited = cx.app.queue.push_and_wait(Origin::Shop(&scope), &job, push, cx.app.config.api_wait).await;
    Ok(match waited.map_err(HttpError::unavailable)? {
        Waited::Done(Answer::Refused(refusal)) => refusal.code,
        Waited::Done(_) => "connected".to_owned(),
        Waited::Failed { .. } => "google_failed".to_owned(),
        Waited::StillRunning(_) => "pending".to_owned(),
    })
}

pub(crate) async fn read(cx: StaffCx) -> Result<Reply, HttpError> {
    let read = async move |mut tx| integrations::shown(&mut tx).await.map_err(|error: DbError| error);
    match cx.app.db.shop_tx(&cx.scope, TxKind::Read, read).await? {
        Some(standing) => Reply::ok(standing),
        None if cx.app.config.google_client_id.is_none() => Err(HttpError::google_not_configured()),
        None => Reply::ok(serde_json::json!({"state": "absent"})),
    }
}

pub(crate) async fn calendars(cx: StaffCx) -> Result<Reply, HttpError> {
    let read = async move |mut tx| integrations::calendars(&mut tx).await.map_err(|error: DbError| error);
    let items = cx.app.db.shop_tx(&cx.scope, TxKind::Read, read).await?;
    Reply::ok(serde_json::json!({"items": items.unwrap_or_default()}))
}

pub(crate) async fn save(cx: CommandCx) -> Result<Asked, HttpError> {
    let PickCalendar { calendar_id, tell_customers } = cx.json()?;
    Asked::job(jobs::SaveIntegration { request: cx.request, calendar_id, tell_customers })
}

pub(crate) async fn disconnect(cx: CommandCx) -> Result<Asked, HttpError> {
    Asked::job(jobs::DisconnectGoogle { request: cx.request })
}
