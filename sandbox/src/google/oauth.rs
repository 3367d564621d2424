//! Google's consent screen, token endpoint and revocation (PROVIDERS 6).

use std::collections::BTreeSet;

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::Asked;
use super::reply::Reply;
use super::world::ACCESS_MS;
use crate::clock::now_ms;
use crate::state::State;

/// Scopes the screen knows, and what it says about them.
const SCOPES: [(&str, &str); 14] = [
    ("https://www.googleapis.com/auth/calendar", "See, edit, share, and permanently delete all the calendars you can access"),
    ("https://www.googleapis.com/auth/calendar.readonly", "See and download any calendar you can access"),
    ("https://www.googleapis.com/auth/calendar.events", "View and edit events on all your calendars"),
    ("https://www.googleapis.com/auth/calendar.events.readonly", "View events on all your calendars"),
    ("https://www.googleapis.com/auth/calendar.freebusy", "View your availability in your calendars"),
    ("https://www.googleapis.com/auth/calendar.events.freebusy", "See the availability on Google calendars you have access to"),
    ("https://www.googleapis.com/auth/calendar.calendarlist.readonly", "See the list of Google calendars you're subscribed to"),
    ("https://www.googleapis.com/auth/calendar.calendars.readonly", "See the title, time zone and other properties of calendars"),
    ("https://www.googleapis.com/auth/calendar.app.created", "Make secondary calendars, and see, create and change events on them"),
    ("https://www.googleapis.com/auth/spreadsheets", "See, edit, create, and delete all your Google Sheets spreadsheets"),
    (
        "https://www.googleapis.com/auth/drive.file",
        "See, edit, create, and delete only the specific Google Drive files you use with this app",
    ),
    ("openid", "Associate you with your personal info on Google"),
    ("email", "See your primary Google Account email address"),
    ("https://www.googleapis.com/auth/userinfo.email", "See your primary Google Account email address"),
];

type Pairs = [(String, String)];

fn get<'a>(pairs: &'a Pairs, name: &str) -> Option<&'a str> {
    pairs.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The page Google shows instead of a consent screen: the caller's redirect is not to be trusted.
fn wrong(status: u16, error: &str, details: &str) -> Reply {
    Reply::html(
        status,
        format!(
            "<!doctype html><title>Error {status}: {error}</title><h1>Access blocked</h1><p>Error {status}: <b>{error}</b></p><p>{}</p>",
            escaped(details)
        ),
    )
}

/// Whether a redirect address is registered; with none registered, any on this machine or with TLS is.
fn registered(known: &[String], uri: &str) -> bool {
    if !known.is_empty() {
        return known.iter().any(|k| k == uri);
    }
    url::Url::parse(uri).is_ok_and(|parsed| {
        let loopback = matches!(parsed.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        parsed.fragment().is_none() && (parsed.scheme() == "https" || parsed.scheme() == "http" && loopback)
    })
}

fn back(redirect_uri: &str, pairs: &[(&str, &str)]) -> Reply {
    match url::Url::parse(redirect_uri) {
        Ok(mut url) => {
            url.query_pairs_mut().extend_pairs(pairs);
            Reply::found(url.into())
        }
        Err(_) => wrong(400, "redirect_uri_mismatch", redirect_uri),
    }
}

/// GET shows the consent screen, POST takes what was decided on it (`decision`, `account` and one `granted` per ticked scope).
pub(super) fn authorize(state: &State, asked: &Asked) -> Reply {
    let pairs = if asked.method == Method::POST { asked.form() } else { asked.query.clone() };
    for needed in ["client_id", "redirect_uri", "response_type", "scope"] {
        if get(&pairs, needed).is_none() {
            return wrong(400, "invalid_request", &format!("Required parameter is missing: {needed}"));
        }
    }
    if get(&pairs, "client_id") != Some(state.config.google_client_id.as_str()) {
        return wrong(401, "invalid_client", "The OAuth client was not found.");
    }
    let redirect_uri = get(&pairs, "redirect_uri").unwrap_or_default();
    if !state.google.with(|world| registered(&world.redirect_uris, redirect_uri)) {
        return wrong(400, "redirect_uri_mismatch", &format!("The redirect URI in the request, {redirect_uri}, is not registered."));
    }
    if get(&pairs, "response_type") != Some("code") {
        return wrong(400, "unsupported_response_type", "Only response_type=code is there.");
    }
    let wanted: Vec<&str> = get(&pairs, "scope").unwrap_or_default().split_whitespace().collect();
    let unknown: Vec<&str> = wanted.iter().copied().filter(|scope| !SCOPES.iter().any(|(known, _)| known == scope)).collect();
    if !unknown.is_empty() {
        return wrong(400, "invalid_scope", &format!("Some requested scopes were invalid: {}", unknown.join(" ")));
    }
    if !matches!(get(&pairs, "access_type"), None | Some("online" | "offline")) {
        return wrong(400, "invalid_request", "Invalid parameter value for access_type");
    }
    let method = get(&pairs, "code_challenge_method").unwrap_or("plain");
    if get(&pairs, "code_challenge").is_some() && !matches!(method, "S256" | "plain") {
        return wrong(400, "invalid_request", "Invalid code_challenge_method");
    }
    if asked.method != Method::POST {
        return consent_screen(state, &pairs, &wanted);
    }
    let passed_back = get(&pairs, "state").unwrap_or_default();
    if get(&pairs, "decision") != Some("allow") {
        return back(redirect_uri, &[("error", "access_denied"), ("state", passed_back)]);
    }
    let email = get(&pairs, "account").unwrap_or_default();
    if !state.google.with(|world| world.users.iter().any(|u| u.email == email)) {
        return wrong(400, "invalid_request", "There is no such Google account.");
    }
    let ticked: Vec<&str> = pairs.iter().filter(|(key, _)| key == "granted").map(|(_, scope)| scope.as_str()).collect();
    let granted: Vec<&str> = wanted.iter().copied().filter(|scope| ticked.contains(scope)).collect();
    if granted.is_empty() {
        return back(redirect_uri, &[("error", "access_denied"), ("state", passed_back)]);
    }
    let (code, scopes) = state.google.with(|world| {
        let mut scopes: BTreeSet<String> = granted.iter().map(|s| (*s).to_owned()).collect();
        if get(&pairs, "include_granted_scopes") == Some("true") {
            scopes.extend(world.granted(email));
        }
        let first = world.first_consent(email);
        let consent = get(&pairs, "prompt").is_some_and(|prompt| prompt.split_whitespace().any(|p| p == "consent"));
        let refreshable = get(&pairs, "access_type") == Some("offline") && (first || consent);
        let challenge = get(&pairs, "code_challenge").map(|c| (c.to_owned(), method == "S256"));
        let scopes: Vec<String> = scopes.into_iter().collect();
        (world.add_code(email, redirect_uri, scopes.clone(), challenge, refreshable), scopes.join(" "))
    });
    back(redirect_uri, &[("state", passed_back), ("code", &code), ("scope", &scopes)])
}

fn consent_screen(state: &State, pairs: &Pairs, wanted: &[&str]) -> Reply {
    let hidden: String = pairs
        .iter()
        .map(|(key, value)| format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">\n", escaped(key), escaped(value)))
        .collect();
    let hint = get(pairs, "login_hint").unwrap_or_default();
    let accounts: String = state.google.with(|world| {
        let option = |user: &super::world::User| {
            let chosen = if user.email == hint { " selected" } else { "" };
            let email = escaped(&user.email);
            format!("<option value=\"{email}\"{chosen}>{email}</option>")
        };
        world.users.iter().map(option).collect()
    });
    let scopes: String = wanted
        .iter()
        .map(|scope| {
            let words = SCOPES.iter().find(|(known, _)| known == scope).map_or("", |(_, words)| *words);
            let scope = escaped(scope);
            format!("<p><label><input type=\"checkbox\" name=\"granted\" value=\"{scope}\" checked> {words}</label><br><small>{scope}</small></p>\n")
        })
        .collect();
    let page = include_str!("../../phone/google-consent.html");
    Reply::html(200, page.replace("<!--hidden-->", &hidden).replace("<!--accounts-->", &accounts).replace("<!--scopes-->", &scopes))
}

fn error(status: u16, error: &str, description: &str) -> Reply {
    Reply::status(status, json!({ "error": error, "error_description": description }))
}

fn dead_grant() -> Reply {
    error(400, "invalid_grant", "Token has been expired or revoked.")
}

/// Client id and secret, from the form or the `Authorization` header.
fn client_fits(state: &State, asked: &Asked, form: &Pairs) -> Result<(), Reply> {
    let basic = asked.header("authorization").and_then(|h| h.strip_prefix("Basic ")).and_then(|h| {
        let text = String::from_utf8(STANDARD.decode(h).ok()?).ok()?;
        text.split_once(':').map(|(id, secret)| (id.to_owned(), secret.to_owned()))
    });
    let (id, secret) = basic.unwrap_or_else(|| {
        (get(form, "client_id").unwrap_or_default().to_owned(), get(form, "client_secret").unwrap_or_default().to_owned())
    });
    if id.is_empty() {
        return Err(error(400, "invalid_request", "Could not determine client ID from request."));
    }
    if id != state.config.google_client_id {
        return Err(error(401, "invalid_client", "The OAuth client was not found."));
    }
    if secret.is_empty() {
        return Err(error(400, "invalid_request", "client_secret is missing."));
    }
    if !bool::from(secret.as_bytes().ct_eq(state.config.google_client_secret.as_bytes())) {
        return Err(error(401, "invalid_client", "Unauthorized"));
    }
    Ok(())
}

/// `POST /token`.
pub(super) fn token(state: &State, asked: &Asked) -> Reply {
    let form = asked.form();
    if !asked.header("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded")) {
        return error(400, "invalid_request", "The body must be form-encoded.");
    }
    if let Err(refused) = client_fits(state, asked, &form) {
        return refused;
    }
    match get(&form, "grant_type") {
        Some("authorization_code") => exchange(state, &form),
        Some("refresh_token") => refresh(state, &form),
        Some(other) => error(400, "unsupported_grant_type", &format!("Invalid grant_type: {other}")),
        None => error(400, "invalid_request", "Required parameter is missing: grant_type"),
    }
}

fn answer(access: &str, lives_ms: i64, scopes: &[String], refresh_token: Option<&str>) -> Reply {
    let mut body: Value = json!({
        "access_token": access,
        "expires_in": (lives_ms / 1000 - 1).max(0),
        "scope": scopes.join(" "),
        "token_type": "Bearer",
    });
    if let Some(token) = refresh_token {
        body["refresh_token"] = token.into();
    }
    Reply::json(body)
}

/// How long tokens given out now live, ms.
fn lives_ms(state: &State) -> i64 {
    state.faults(|f| f.google.access_token_ms).unwrap_or(ACCESS_MS)
}

fn exchange(state: &State, form: &Pairs) -> Reply {
    let Some(code) = get(form, "code") else { return error(400, "invalid_request", "Missing required parameter: code") };
    let Some(redirect_uri) = get(form, "redirect_uri") else {
        return error(400, "invalid_request", "Missing parameter: redirect_uri");
    };
    let lives = lives_ms(state);
    state.google.with(|world| {
        let Some(found) = world.codes.get_mut(code) else { return error(400, "invalid_grant", "Malformed auth code.") };
        if found.used || found.expires_ms <= now_ms() {
            return error(400, "invalid_grant", "Bad Request");
        }
        if found.redirect_uri != redirect_uri {
            return error(400, "redirect_uri_mismatch", "Bad Request");
        }
        if let Some((challenge, hashed)) = &found.challenge {
            let Some(verifier) = get(form, "code_verifier") else { return error(400, "invalid_grant", "Missing code verifier.") };
            let made = if *hashed { URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())) } else { verifier.to_owned() };
            if made != *challenge {
                return error(400, "invalid_grant", "Invalid code verifier.");
            }
        }
        found.used = true;
        let (email, scopes, offline) = (found.email.clone(), found.scopes.clone(), found.offline);
        let grant = world.grant(&email, scopes.clone(), offline);
        let access = world.give_access(grant, lives);
        answer(&access, lives, &scopes, world.grants[grant].refresh_token.as_deref())
    })
}

fn refresh(state: &State, form: &Pairs) -> Reply {
    let Some(token) = get(form, "refresh_token") else { return error(400, "invalid_request", "Missing required parameter: refresh_token") };
    let lives = lives_ms(state);
    state.google.with(|world| {
        let Some(grant) = world.grants.iter().position(|g| g.refresh_token.as_deref() == Some(token)) else {
            return error(400, "invalid_grant", "Bad Request");
        };
        if world.grants[grant].revoked {
            return dead_grant();
        }
        let scopes = world.grants[grant].scopes.clone();
        let access = world.give_access(grant, lives);
        answer(&access, lives, &scopes, None)
    })
}

/// `POST /revoke`: `token` in the form or the query.
pub(super) fn revoke(state: &State, asked: &Asked) -> Reply {
    let form = asked.form();
    let Some(token) = get(&form, "token").or_else(|| asked.param("token")) else {
        return error(400, "invalid_request", "Missing required parameter: token");
    };
    state.google.with(|world| match world.owner_of_token(token) {
        Some(email) => {
            world.revoke(&email);
            Reply::json(json!({}))
        }
        None => error(400, "invalid_token", "Token expired or revoked"),
    })
}
