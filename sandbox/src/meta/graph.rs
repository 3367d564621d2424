//! What all Graph calls share (token, proof, account), and the small calls beside sending.

use std::sync::Arc;

use axum::extract::{Path, Query, State as AxumState};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

use super::errors::MetaError;
use super::media;
use crate::accounts::{Account, Login, Platform, TokenState};
use crate::signature::appsecret_proof;
use crate::state::State;

/// Query parameters of Graph calls.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct GraphQuery {
    pub(crate) access_token: Option<String>,
    pub(crate) appsecret_proof: Option<String>,
    pub(crate) fields: Option<String>,
    pub(crate) signature: Option<String>,
    pub(crate) ext: Option<i64>,
    pub(crate) hash: Option<String>,
}

/// Which host was called.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Host {
    Facebook,
    Instagram,
}

pub(crate) fn access_token(headers: &HeaderMap, query: &GraphQuery) -> Option<String> {
    let header = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
    let bearer = header.and_then(|v| v.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    bearer.map(|(_, token)| token.trim().to_owned()).or_else(|| query.access_token.clone()).filter(|t| !t.is_empty())
}

/// Checks version, token, proof and object, in the order Meta does, and gives the account called.
pub(crate) fn authorize(
    state: &State,
    host: Host,
    version: &str,
    id: &str,
    headers: &HeaderMap,
    query: &GraphQuery,
) -> Result<Arc<Account>, MetaError> {
    let numbers = version.strip_prefix('v').and_then(|v| v.split_once('.'));
    let is_version = numbers.is_some_and(|(a, b)| a.parse::<u16>().is_ok() && b.parse::<u16>().is_ok());
    if !is_version {
        return Err(MetaError::new(2500, format!("Unknown path components: /{version}")));
    }
    let token = access_token(headers, query).ok_or_else(|| {
        let message = "An active access token must be used to query information about the current user.";
        let mut error = MetaError::new(2500, message);
        error.status = 401;
        error
    })?;
    let (known, account) = state.with_accounts(|t| {
        let account = if id == "me" { t.me(&token) } else { t.get(id) };
        (t.token_state(&token), account)
    });
    match known {
        TokenState::Valid => {}
        TokenState::Revoked => {
            let message = "Error validating access token: The session has been invalidated because the user changed \
                           their password or Facebook has changed the session for security reasons.";
            return Err(MetaError::new(190, message).subcode(460));
        }
        TokenState::Expired => return Err(MetaError::new(190, "Error validating access token: Session has expired.").subcode(463)),
        TokenState::Unknown => {
            return Err(MetaError::new(190, "Invalid OAuth access token - Cannot parse access token"));
        }
    }
    check_proof(state, host, id, &token, query)?;
    let account = account.filter(|a| a.token == token && reachable(a, host));
    account.ok_or_else(|| MetaError::no_such_object(id))
}

fn reachable(account: &Account, host: Host) -> bool {
    match host {
        Host::Instagram => account.platform == Platform::Instagram && account.login == Login::Instagram,
        Host::Facebook => account.platform != Platform::Instagram || account.login == Login::Facebook,
    }
}

/// A proof that is given must be right, also where none is needed.
fn check_proof(state: &State, host: Host, id: &str, token: &str, query: &GraphQuery) -> Result<(), MetaError> {
    let refused = |message: &str| Err(MetaError::new(100, message).kind("GraphMethodException"));
    let Some(given) = &query.appsecret_proof else {
        return if state.faults.meta_now(id).require_appsecret_proof {
            refused("API calls from the server require an appsecret_proof argument")
        } else {
            Ok(())
        };
    };
    let mut secrets = vec![state.config.app_secret.as_str()];
    if host == Host::Instagram {
        // Which of the two Instagram Login wants is not documented; both are right here.
        secrets.push(&state.config.instagram_app_secret);
    }
    let right = secrets.iter().any(|s| appsecret_proof(s, token).as_bytes().ct_eq(given.as_bytes()).into());
    if right { Ok(()) } else { refused("Invalid appsecret_proof provided in the API argument") }
}

fn describe(account: &Account, fields: Option<&str>) -> Value {
    let mut all = json!({ "id": account.id, "name": account.shop });
    match account.platform {
        Platform::Whatsapp => {
            all = json!({
                "id": account.id,
                "verified_name": account.shop,
                "display_phone_number": account.display_phone.as_ref().map(|p| format!("+{p}")),
                "quality_rating": "GREEN",
                "code_verification_status": "VERIFIED",
                "platform_type": "CLOUD_API",
                "throughput": { "level": "STANDARD" },
            });
        }
        Platform::Instagram => {
            all["user_id"] = account.id.clone().into();
            all["username"] = account.shop.to_lowercase().replace(' ', "_").into();
            all["account_type"] = "BUSINESS".into();
        }
        Platform::Messenger => {}
    }
    if let (Some(fields), Some(object)) = (fields, all.as_object_mut()) {
        let wanted: Vec<&str> = fields.split(',').map(str::trim).collect();
        object.retain(|key, _| key == "id" || wanted.contains(&key.as_str()));
    }
    all
}

/// `GET /graph/{version}/{id}`: a phone number, Page or media id.
pub(crate) async fn node(
    AxumState(state): AxumState<Arc<State>>,
    Path((version, id)): Path<(String, String)>,
    Query(query): Query<GraphQuery>,
    headers: HeaderMap,
) -> Response {
    if let Some(media) = media::describe(&state, &id) {
        // A media id belongs to no account here; any valid token may read it.
        return match authorize(&state, Host::Facebook, &version, "me", &headers, &query) {
            Ok(_) => axum::Json(media).into_response(),
            Err(error) => error.into_response(),
        };
    }
    answer(&state, Host::Facebook, &version, &id, &headers, &query)
}

/// Query parameters of `debug_token`.
#[derive(Deserialize)]
pub(crate) struct DebugQuery {
    input_token: Option<String>,
}

/// `GET /graph/{version}/debug_token`: asked in the name of the app, whose token is its id and secret (Graph API reference, Debug-Token).
pub(crate) async fn debug_token(
    AxumState(state): AxumState<Arc<State>>,
    Query(query): Query<GraphQuery>,
    Query(asked): Query<DebugQuery>,
    headers: HeaderMap,
) -> Response {
    let app_token = format!("{}|{}", state.config.app_id, state.config.app_secret);
    if access_token(&headers, &query).as_deref() != Some(app_token.as_str()) {
        return MetaError::new(190, "Invalid OAuth access token - Cannot parse access token").into_response();
    }
    let Some(token) = asked.input_token else {
        return MetaError::new(100, "(#100) You must provide an input token").into_response();
    };
    let (known, end) = state.with_accounts(|t| (t.token_state(&token), t.end_of(&token)));
    let mut data = json!({ "app_id": state.config.app_id, "type": "SYSTEM_USER", "is_valid": matches!(known, TokenState::Valid) });
    if !matches!(known, TokenState::Unknown) {
        data["expires_at"] = end.into();
        data["data_access_expires_at"] = 0.into();
        data["scopes"] = json!(["whatsapp_business_messaging", "pages_messaging"]);
    }
    axum::Json(json!({ "data": data })).into_response()
}

/// `GET /instagram/{version}/{id|me}`.
pub(crate) async fn instagram_node(
    AxumState(state): AxumState<Arc<State>>,
    Path((version, id)): Path<(String, String)>,
    Query(query): Query<GraphQuery>,
    headers: HeaderMap,
) -> Response {
    answer(&state, Host::Instagram, &version, &id, &headers, &query)
}

fn answer(state: &State, host: Host, version: &str, id: &str, headers: &HeaderMap, query: &GraphQuery) -> Response {
    match authorize(state, host, version, id, headers, query) {
        Ok(account) => axum::Json(describe(&account, query.fields.as_deref())).into_response(),
        Err(error) => error.into_response(),
    }
}

/// `POST /graph/{version}/{id}/subscribed_apps`: webhooks of this account come (again).
pub(crate) async fn subscribe(
    AxumState(state): AxumState<Arc<State>>,
    Path((version, id)): Path<(String, String)>,
    Query(query): Query<GraphQuery>,
    headers: HeaderMap,
) -> Response {
    subscribe_to(&state, Host::Facebook, &version, &id, &headers, &query)
}

/// `POST /instagram/{version}/{id}/subscribed_apps`.
pub(crate) async fn subscribe_instagram(
    AxumState(state): AxumState<Arc<State>>,
    Path((version, id)): Path<(String, String)>,
    Query(query): Query<GraphQuery>,
    headers: HeaderMap,
) -> Response {
    subscribe_to(&state, Host::Instagram, &version, &id, &headers, &query)
}

fn subscribe_to(state: &State, host: Host, version: &str, id: &str, headers: &HeaderMap, query: &GraphQuery) -> Response {
    // WhatsApp subscribes a WABA; any of its numbers' tokens may.
    let waba = state.accounts().into_iter().find(|a| a.waba_id.as_deref() == Some(id));
    let target = waba.map_or_else(|| id.to_owned(), |a| a.id.clone());
    match authorize(state, host, version, &target, headers, query) {
        Ok(account) => {
            state.change_accounts(|t| t.subscribe(&account.id));
            axum::Json(json!({ "success": true })).into_response()
        }
        Err(error) => error.into_response(),
    }
}

/// `GET /graph/{version}/{id}/subscribed_apps`.
pub(crate) async fn subscriptions(
    AxumState(state): AxumState<Arc<State>>,
    Path((version, id)): Path<(String, String)>,
    Query(query): Query<GraphQuery>,
    headers: HeaderMap,
) -> Response {
    match authorize(&state, Host::Facebook, &version, &id, &headers, &query) {
        Ok(account) if state.with_accounts(|t| t.is_subscribed(&account.id)) => {
            axum::Json(json!({ "data": [{ "id": state.config.app_id, "subscribed_fields": ["messages"] }] })).into_response()
        }
        Ok(_) => axum::Json(json!({ "data": [] })).into_response(),
        Err(error) => error.into_response(),
    }
}
