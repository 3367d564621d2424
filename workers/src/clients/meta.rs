//! Meta's send calls for WhatsApp, Messenger and Instagram (PROVIDERS 2 and 3). None of them takes an idempotency key: the caller keeps track.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use frontdesk_core::inbound::{Alias, AliasKind, Platform};
use frontdesk_core::jobs::Template;
use frontdesk_core::signatures::appsecret_proof;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::{Value, json};
use unicode_segmentation::UnicodeSegmentation;

use super::{ClientError, exchange};

const NAME: &str = "meta";
/// Meta answers a send within a second or so; longer means that we do not know.
const SEND_LIMIT: Duration = Duration::from_secs(8);
/// Marking read and typing are decoration.
const SIGNAL_LIMIT: Duration = Duration::from_secs(3);
/// Somebody waits for a look at an account.
const CHECK_LIMIT: Duration = Duration::from_secs(8);

/// Where a send goes out from.
#[derive(Debug, Clone)]
pub struct Account {
    /// The platform.
    pub platform: Platform,
    /// `phone_number_id`, page id or Instagram account id.
    pub external_id: String,
    /// Instagram connected by Instagram's own login: another host.
    pub instagram_login: bool,
    /// The channel's token.
    pub token: SecretString,
}

/// A button under a message; its id comes back when the customer taps it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Button {
    /// At most 256 characters.
    pub id: String,
    /// At most 20 characters, unique in the message.
    pub title: String,
}

/// What is sent.
#[derive(Debug, Clone)]
pub struct Outgoing<'a> {
    /// The customer's ids on this channel, any order.
    pub to: &'a [Alias],
    /// At most [`text_limit`] long.
    pub text: &'a str,
    /// At most three.
    pub buttons: &'a [Button],
    /// A person's answer after the 24-hour window (Messenger, Instagram).
    pub human_agent: bool,
    /// Comes back in status webhooks (WhatsApp) and echoes (Messenger).
    pub send_key: &'a str,
}

/// How a send ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// Meta took it; its id.
    Accepted(String),
    /// Meta did not; what to do about it.
    Refused {
        /// Meta's `error.code`.
        code: i64,
        /// What to do.
        action: Action,
    },
    /// It never left.
    NotSent,
    /// It left, and no answer came.
    Unknown,
}

/// What an error code asks for (the table of PROVIDERS 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Try again soon, few times.
    Retry,
    /// The number, the account or the app is throttled: wait longer.
    SlowDown,
    /// One number to one user: 4ⁿ seconds.
    PairLimit,
    /// The token is dead: the channel is disconnected.
    Disconnected,
    /// A permission or the account itself is blocked: staff must act.
    Blocked,
    /// Outside the 24-hour window.
    WindowClosed,
    /// This message will never go out.
    Give,
}

/// What a look at an account found.
#[derive(Debug, Clone)]
pub struct Checked {
    /// What Meta calls it, if it tells.
    pub name: Option<String>,
    /// What was looked at.
    pub findings: Vec<Finding>,
    /// Meta's code, if it refuses the token.
    pub dead_token: Option<i64>,
    /// When the token ends.
    pub token_end: TokenEnd,
}

/// When a token ends, as Meta says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenEnd {
    /// It does not.
    Never,
    /// Then.
    At(DateTime<Utc>),
    /// Meta cannot be asked, or did not say.
    Untold,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// `token`, `expiry`, `permission`, `account`, `number`, `quality` or `subscription`.
    pub check: &'static str,
    /// Whether it is as it must be.
    pub ok: bool,
    /// What is wrong and what to do about it; empty if it is well.
    pub remedy: String,
}

impl Finding {
    pub(crate) const fn right(check: &'static str) -> Self {
        Self { check, ok: true, remedy: String::new() }
    }

    pub(crate) fn wrong(check: &'static str, remedy: &str) -> Self {
        Self { check, ok: false, remedy: remedy.to_owned() }
    }
}

/// Why Meta does not show an account.
struct Refusal {
    code: i64,
    action: Action,
}

impl From<Refusal> for Checked {
    fn from(Refusal { code, action }: Refusal) -> Self {
        let token = || Finding::wrong("token", "Meta refuses the token: it has expired, or was withdrawn. Paste a new one.");
        let permission =
            |remedy: &str| vec![Finding::right("token"), Finding::wrong("permission", &format!("{remedy} (Meta's code {code})"))];
        match action {
            Action::Disconnected => Self { name: None, findings: vec![token()], dead_token: Some(code), token_end: TokenEnd::Untold },
            Action::Blocked => {
                let remedy = "The token may not do this, or the account is blocked. Grant the permissions of messaging and connect again.";
                Self { name: None, findings: permission(remedy), dead_token: None, token_end: TokenEnd::Untold }
            }
            _ => {
                let remedy = "Meta does not know this account for this token. Compare the number with the one that Meta shows.";
                Self { name: None, findings: permission(remedy), dead_token: None, token_end: TokenEnd::Untold }
            }
        }
    }
}

/// Staff are told this long before a token ends.
pub const EXPIRES_SOON: TimeDelta = TimeDelta::days(7);

/// A client of the Graph API.
#[derive(Debug, Clone)]
pub struct Meta {
    http: reqwest::Client,
    graph_url: String,
    instagram_url: String,
    version: String,
    app_id: String,
    app_secret: Option<SecretString>,
}

/// The most that one message's text may hold; Instagram counts bytes, the others characters. WhatsApp's interactive bodies are shorter.
#[must_use]
pub fn text_limit(platform: Platform, with_buttons: bool) -> TextLimit {
    match (platform, with_buttons) {
        (Platform::Whatsapp, false) => TextLimit::Chars(4096),
        (Platform::Whatsapp, true) => TextLimit::Chars(1024),
        (Platform::Messenger, _) => TextLimit::Chars(2000),
        (Platform::Instagram, _) => TextLimit::Bytes(1000),
    }
}

/// In what a limit is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextLimit {
    /// Unicode scalar values.
    Chars(usize),
    /// Bytes of UTF-8.
    Bytes(usize),
}

impl TextLimit {
    fn size(self, text: &str) -> usize {
        match self {
            Self::Chars(_) => text.chars().count(),
            Self::Bytes(_) => text.len(),
        }
    }

    fn max(self) -> usize {
        match self {
            Self::Chars(max) | Self::Bytes(max) => max,
        }
    }

    /// Whether the text fits into one message.
    #[must_use]
    pub fn fits(self, text: &str) -> bool {
        self.size(text) <= self.max()
    }
}

/// Cuts a text into as few messages as the limit allows, at paragraphs if possible, else sentences, else words, and never inside a grapheme.
#[must_use]
pub fn split(text: &str, limit: TextLimit) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        if limit.fits(rest) {
            parts.push(rest.to_owned());
            break;
        }
        let cut = cut_at(rest, limit);
        let (head, tail) = rest.split_at(cut);
        parts.push(head.trim_end().to_owned());
        rest = tail.trim_start();
    }
    parts
}

fn cut_at(text: &str, limit: TextLimit) -> usize {
    let (mut size, mut end) = (0, 0);
    for (index, grapheme) in text.grapheme_indices(true) {
        size += limit.size(grapheme);
        if size > limit.max() {
            break;
        }
        end = index + grapheme.len();
    }
    let room = &text[..end];
    // A cut in the first half would waste the message.
    let good = |at: usize| at > end / 2;
    let sentence = room.rmatch_indices(['.', '!', '?', '。', '؟']).map(|(at, mark)| at + mark.len());
    if let Some(at) = room.rfind("\n\n").filter(|at| good(*at)) {
        at
    } else if let Some(at) = room.rfind('\n').filter(|at| good(*at)) {
        at
    } else if let Some(at) = sentence.into_iter().find(|at| good(*at) && room[*at..].starts_with(char::is_whitespace)) {
        at
    } else if let Some(at) = room.rfind(char::is_whitespace).filter(|at| good(*at)) {
        at
    } else {
        // A single grapheme longer than the limit cannot be; but never return 0, that would loop.
        end.max(text.graphemes(true).next().map_or(1, str::len))
    }
}

impl Meta {
    /// `app_secret`, of the app `app_id`, adds `appsecret_proof` to each call.
    #[must_use]
    pub fn new(
        http: reqwest::Client,
        graph_url: &str,
        instagram_url: &str,
        version: &str,
        app_id: &str,
        app_secret: Option<SecretString>,
    ) -> Self {
        let trim = |url: &str| url.trim_end_matches('/').to_owned();
        let (graph_url, instagram_url) = (trim(graph_url), trim(instagram_url));
        Self { http, graph_url, instagram_url, version: version.to_owned(), app_id: app_id.to_owned(), app_secret }
    }

    /// Sends one message.
    pub async fn send(&self, account: &Account, message: &Outgoing<'_>) -> Sent {
        let Some(body) = body(account.platform, message) else {
            return Sent::Refused { code: 131_009, action: Action::Give };
        };
        self.post(account, &body).await
    }

    /// Sends a WhatsApp template: to staff, or to a customer after the 24-hour window.
    pub async fn send_template(&self, account: &Account, to: &[Alias], template: &Template, send_key: &str) -> Sent {
        match template_body(to, template, send_key) {
            Some(body) => self.post(account, &body).await,
            None => Sent::Refused { code: 131_009, action: Action::Give },
        }
    }

    /// Asks whether an account works: whether the token is good for it and for how long, and, where a Page tells (Messenger), whether its messages
    /// come to us.
    ///
    /// # Errors
    /// When Meta cannot be asked, or is busy.
    pub async fn check(&self, account: &Account, now: DateTime<Utc>) -> Result<Checked, ClientError> {
        let (node, fields) = match account.platform {
            // Meta's OpenAPI for WhatsApp, `GET /{Phone-Number-ID}`.
            Platform::Whatsapp => (account.external_id.as_str(), "verified_name,code_verification_status,quality_rating"),
            // Graph API reference, Page; Instagram User. By Instagram Login a token knows itself as `me`.
            Platform::Messenger => (account.external_id.as_str(), "name"),
            Platform::Instagram if account.instagram_login => ("me", "user_id,username"),
            Platform::Instagram => (account.external_id.as_str(), "username"),
        };
        let itself = match self.get(account, &format!("/{node}"), &[("fields", fields)]).await? {
            Ok(itself) => itself,
            Err(refusal) => return Ok(refusal.into()),
        };
        let name = ["verified_name", "name", "username"].iter().find_map(|field| itself[*field].as_str()).map(str::to_owned);
        let mut findings = vec![Finding::right("token"), Finding::right("permission")];
        if account.instagram_login && itself["user_id"].as_str().is_some_and(|user| user != account.external_id) {
            findings.push(Finding::wrong(
                "account",
                "The token is another Instagram account's. Connect with the account whose number stands here.",
            ));
        }
        if let Some(status) = itself["code_verification_status"].as_str()
            && status != "VERIFIED"
        {
            findings.push(Finding::wrong("number", "The number is not verified. Verify it in WhatsApp Manager, under Phone numbers."));
        }
        if itself["quality_rating"] == "RED" {
            findings
                .push(Finding::wrong("quality", "Meta rates the number's quality low, and may limit it. See WhatsApp Manager, Insights."));
        }
        if account.platform == Platform::Messenger {
            findings.push(self.subscription(account).await?);
        }
        let token_end = self.token_end(account).await.unwrap_or(TokenEnd::Untold);
        if let TokenEnd::At(end) = token_end {
            findings.push(if end - now > EXPIRES_SOON {
                Finding::right("expiry")
            } else {
                Finding::wrong(
                    "expiry",
                    &format!("The token ends on {}. Paste a new one before that.", end.format("%Y-%m-%d at %H:%M UTC")),
                )
            });
        }
        Ok(Checked { name, findings, dead_token: None, token_end })
    }

    /// When the token ends, or Meta stops giving data for it, whichever comes first. `None` also where Meta cannot be asked: a look is worth
    /// something without it. Graph API reference, Debug-Token: seconds since 1970, 0 for never, asked in the name of the app; Instagram Login has
    /// no such call.
    async fn token_end(&self, account: &Account) -> Option<TokenEnd> {
        let secret = self.app_secret.as_ref().filter(|_| !(account.platform == Platform::Instagram && account.instagram_login))?;
        let app = SecretString::from(format!("{}|{}", self.app_id, secret.expose_secret()));
        let request = self.http.get(format!("{}/{}/debug_token", self.graph_url, self.version)).bearer_auth(app.expose_secret());
        let (_, _, answer) = exchange(NAME, request.query(&[("input_token", account.token.expose_secret())]), CHECK_LIMIT).await.ok()?;
        let answer: Value = serde_json::from_slice(&answer).ok()?;
        let told = ["expires_at", "data_access_expires_at"].map(|field| answer["data"][field].as_i64());
        let first = told.into_iter().flatten().filter(|at| *at > 0).min();
        match first.map(|at| DateTime::from_timestamp(at, 0)) {
            Some(end) => end.map(TokenEnd::At),
            None => told[0].map(|_| TokenEnd::Never),
        }
    }

    /// Graph API reference, Page `subscribed_apps`.
    async fn subscription(&self, account: &Account) -> Result<Finding, ClientError> {
        Ok(match self.get(account, &format!("/{}/subscribed_apps", account.external_id), &[]).await? {
            Ok(apps) => {
                let fields = apps["data"].as_array().into_iter().flatten().filter_map(|app| app["subscribed_fields"].as_array());
                if fields.flatten().any(|field| field == "messages") {
                    Finding::right("subscription")
                } else {
                    Finding::wrong(
                        "subscription",
                        "The Page's messages do not come here: no app is subscribed to them. Connect the Page again.",
                    )
                }
            }
            Err(_) => {
                Finding::wrong("subscription", "It cannot be seen whether messages come here: the token lacks pages_manage_metadata.")
            }
        })
    }

    /// A read; what Meta refuses for good is told, what it refuses for now is an error.
    async fn get(&self, account: &Account, path: &str, query: &[(&str, &str)]) -> Result<Result<Value, Refusal>, ClientError> {
        let request = self.signed(account, self.http.get(format!("{}{path}", self.base(account)))).query(query);
        let (_, _, answer) = exchange(NAME, request, CHECK_LIMIT).await?;
        let answer: Value = serde_json::from_slice(&answer).map_err(|_| ClientError::Useless { provider: NAME, reason: "no JSON" })?;
        let Some(error) = answer.get("error") else { return Ok(Ok(answer)) };
        let (code, subcode) = (error["code"].as_i64().unwrap_or(-1), error["error_subcode"].as_i64().unwrap_or(0));
        match action(code, subcode, error["is_transient"].as_bool().unwrap_or(false)) {
            Action::Retry | Action::SlowDown | Action::PairLimit => {
                Err(ClientError::Busy { provider: NAME, code: code.to_string(), after: None })
            }
            action => Ok(Err(Refusal { code, action })),
        }
    }

    /// The look-up of a WhatsApp media id.
    pub(super) fn media_request(&self, account: &Account, id: &str) -> reqwest::RequestBuilder {
        let request = self.http.get(format!("{}/{id}", self.base(account)));
        self.signed(account, request).query(&[("phone_number_id", account.external_id.as_str())])
    }

    /// The addresses of the Graph API.
    pub(super) fn apis(&self) -> [&str; 2] {
        [&self.graph_url, &self.instagram_url]
    }

    pub(super) const fn http(&self) -> &reqwest::Client {
        &self.http
    }

    async fn post(&self, account: &Account, body: &Value) -> Sent {
        match exchange(NAME, self.request(account).json(body), SEND_LIMIT).await {
            Ok((_, _, answer)) => outcome(&answer),
            Err(ClientError::NotSent { .. }) => Sent::NotSent,
            Err(_) => Sent::Unknown,
        }
    }

    /// Marks the customer's message read and shows the typing indicator; best effort.
    pub async fn signal_typing(&self, account: &Account, to: &[Alias], message_id: &str) {
        let bodies = match account.platform {
            Platform::Whatsapp => vec![json!({"messaging_product": "whatsapp", "status": "read", "message_id": message_id,
                "typing_indicator": {"type": "text"}})],
            Platform::Messenger | Platform::Instagram => match scoped_id(to) {
                Some(id) => ["mark_seen", "typing_on"].map(|action| json!({"recipient": {"id": id}, "sender_action": action})).to_vec(),
                None => Vec::new(),
            },
        };
        for body in bodies {
            if let Err(error) = exchange(NAME, self.request(account).json(&body), SIGNAL_LIMIT).await {
                tracing::debug!(%error, "typing indicator not shown");
            }
        }
    }

    fn request(&self, account: &Account) -> reqwest::RequestBuilder {
        self.signed(account, self.http.post(format!("{}/{}/messages", self.base(account), account.external_id)))
    }

    fn base(&self, account: &Account) -> String {
        let host = if account.platform == Platform::Instagram && account.instagram_login { &self.instagram_url } else { &self.graph_url };
        format!("{host}/{}", self.version)
    }

    fn signed(&self, account: &Account, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        let request = request.bearer_auth(account.token.expose_secret());
        match &self.app_secret {
            Some(secret) => request.query(&[("appsecret_proof", appsecret_proof(secret, &account.token))]),
            None => request,
        }
    }
}

fn with_plus(phone: &str) -> String {
    format!("+{}", phone.trim_start_matches('+'))
}

fn scoped_id(to: &[Alias]) -> Option<&str> {
    to.iter().find(|alias| alias.kind == AliasKind::ScopedId).map(|alias| alias.value.as_str())
}

fn body(platform: Platform, message: &Outgoing<'_>) -> Option<Value> {
    match platform {
        Platform::Whatsapp => whatsapp_body(message),
        Platform::Messenger | Platform::Instagram => {
            let mut content = json!({"text": message.text});
            if platform == Platform::Messenger {
                content["metadata"] = json!(message.send_key);
            }
            if !message.buttons.is_empty() {
                let replies: Vec<Value> = message
                    .buttons
                    .iter()
                    .map(|button| json!({"content_type": "text", "title": button.title, "payload": button.id}))
                    .collect();
                content["quick_replies"] = Value::Array(replies);
            }
            let mut body = json!({"recipient": {"id": scoped_id(message.to)?}, "message": content});
            if message.human_agent {
                body["messaging_type"] = json!("MESSAGE_TAG");
                body["tag"] = json!("HUMAN_AGENT");
            } else if platform == Platform::Messenger {
                body["messaging_type"] = json!("RESPONSE");
            }
            Some(body)
        }
    }
}

/// What every WhatsApp message begins with; `None` if none of the ids can be written to.
fn whatsapp_envelope(to: &[Alias], send_key: &str) -> Option<Value> {
    let mut body = json!({"messaging_product": "whatsapp", "recipient_type": "individual", "biz_opaque_callback_data": send_key});
    // A phone number wins over a business-scoped id (PROVIDERS 2.1).
    let by = |kind: AliasKind| to.iter().find(|alias| alias.kind == kind);
    if let Some(phone) = by(AliasKind::Phone) {
        body["to"] = json!(with_plus(&phone.value));
    } else {
        body["recipient"] = json!(by(AliasKind::UserId).or_else(|| by(AliasKind::ParentUserId))?.value);
    }
    Some(body)
}

fn template_body(to: &[Alias], template: &Template, send_key: &str) -> Option<Value> {
    let mut body = whatsapp_envelope(to, send_key)?;
    body["type"] = json!("template");
    body["template"] = json!({"name": template.name, "language": {"code": template.language}});
    if !template.parameters.is_empty() {
        let parameters: Vec<Value> = template.parameters.iter().map(|text| json!({"type": "text", "text": text})).collect();
        body["template"]["components"] = json!([{"type": "body", "parameters": parameters}]);
    }
    Some(body)
}

fn whatsapp_body(message: &Outgoing<'_>) -> Option<Value> {
    let mut body = whatsapp_envelope(message.to, message.send_key)?;
    if message.buttons.is_empty() {
        body["type"] = json!("text");
        body["text"] = json!({"body": message.text, "preview_url": false});
    } else {
        let buttons: Vec<Value> =
            message.buttons.iter().map(|button| json!({"type": "reply", "reply": {"id": button.id, "title": button.title}})).collect();
        body["type"] = json!("interactive");
        body["interactive"] = json!({"type": "button", "body": {"text": message.text}, "action": {"buttons": buttons}});
    }
    Some(body)
}

/// Decides on `error.code`, not on the HTTP status, as PROVIDERS 3 says.
fn outcome(answer: &[u8]) -> Sent {
    let Ok(answer) = serde_json::from_slice::<Value>(answer) else {
        return Sent::Unknown;
    };
    if let Some(error) = answer.get("error") {
        let code = error["code"].as_i64().unwrap_or(-1);
        let subcode = error["error_subcode"].as_i64().unwrap_or(0);
        let transient = error["is_transient"].as_bool().unwrap_or(false);
        return Sent::Refused { code, action: action(code, subcode, transient) };
    }
    let id = answer["messages"][0]["id"].as_str().or_else(|| answer["message_id"].as_str());
    id.map_or(Sent::Unknown, |id| Sent::Accepted(id.to_owned()))
}

/// What to do about a code, also when it comes late in a `failed` status.
#[must_use]
pub fn action(code: i64, subcode: i64, transient: bool) -> Action {
    match (code, subcode) {
        (10, 2_018_278 | 2_534_022) | (131_047, _) => Action::WindowClosed,
        (10, 2_018_108) | (551, _) | (_, 1_545_041) => Action::Give,
        (1 | 2 | 131_000 | 131_016 | 133_004 | 131_053 | 131_052, _) => Action::Retry,
        (131_056, _) => Action::PairLimit,
        (4 | 80_007 | 130_429 | 613 | 17 | 32 | 131_057, _) => Action::SlowDown,
        (0 | 190, _) => Action::Disconnected,
        (3 | 10 | 200..=299 | 131_005 | 368 | 131_031 | 130_497 | 131_037 | 131_042 | 131_045 | 131_048, _) => Action::Blocked,
        _ if transient => Action::Retry,
        _ => Action::Give,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn alias(kind: AliasKind, value: &str) -> Alias {
        Alias { kind, value: value.to_owned() }
    }

    #[test]
    fn a_customer_without_a_phone_is_reached_by_user_id() {
        let to = [alias(AliasKind::UserId, "US.1")];
        let message = Outgoing { to: &to, text: "hi", buttons: &[], human_agent: false, send_key: "k" };
        let sent = body(Platform::Whatsapp, &message).unwrap();
        assert_eq!(sent["recipient"], "US.1");
        assert!(sent.get("to").is_none());
    }

    #[test]
    fn a_late_answer_says_that_a_person_gives_it() {
        let to = [alias(AliasKind::ScopedId, "17")];
        let message = |human_agent| Outgoing { to: &to, text: "hi", buttons: &[], human_agent, send_key: "k" };
        for platform in [Platform::Messenger, Platform::Instagram] {
            let late = body(platform, &message(true)).unwrap();
            assert_eq!((&late["messaging_type"], &late["tag"]), (&json!("MESSAGE_TAG"), &json!("HUMAN_AGENT")));
            assert!(body(platform, &message(false)).unwrap().get("tag").is_none());
        }
    }

    #[test]
    fn a_template_without_values_has_no_components() {
        let to = [alias(AliasKind::Phone, "4917")];
        let mut template = Template { name: "ready".into(), language: "de".into(), parameters: vec!["Kim".into()] };
        let sent = template_body(&to, &template, "k").unwrap();
        assert_eq!((&sent["to"], &sent["template"]["components"][0]["parameters"][0]["text"]), (&json!("+4917"), &json!("Kim")));
        template.parameters.clear();
        assert!(template_body(&to, &template, "k").unwrap()["template"].get("components").is_none());
    }

    #[test]
    fn codes_decide_not_the_status() {
        assert_eq!(action(190, 0, false), Action::Disconnected);
        assert_eq!(action(131_056, 0, false), Action::PairLimit);
        assert_eq!(action(10, 2_018_278, false), Action::WindowClosed);
        assert_eq!(action(10, 0, false), Action::Blocked);
        assert_eq!(action(424_242, 0, true), Action::Retry);
        assert_eq!(outcome(br#"{"error":{"code":130429}}"#), Sent::Refused { code: 130_429, action: Action::SlowDown });
        assert_eq!(outcome(br#"{"messages":[{"id":"wamid.1"}]}"#), Sent::Accepted("wamid.1".into()));
        assert_eq!(outcome(b"<html>"), Sent::Unknown);
    }

    proptest! {
        #[test]
        fn split_parts_fit_and_lose_nothing_but_white_space(text in "\\PC{0,400}( |\n|\\. )?\\PC{0,400}", max in 8usize..60) {
            for limit in [TextLimit::Chars(max), TextLimit::Bytes(max.max(40))] {
                let parts = split(&text, limit);
                let squeeze = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
                prop_assert_eq!(squeeze(&parts.concat()), squeeze(&text));
                for part in &parts {
                    prop_assert!(limit.fits(part) || part.graphemes(true).count() == 1);
                }
            }
        }
    }
}
