//! From a signed body to what happened, leniently: one bad entry never blocks the others, and an unknown kind is recorded, not refused.

use chrono::{DateTime, Utc};
use frontdesk_core::inbound::{Alias, AliasKind, ChannelKey, Happening, InboundEvent, Platform, Sender};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::{messaging, whatsapp};

/// Meta sends up to 1,000 updates in one POST (PROVIDERS 1.3); this is far beyond, and bounds what a body may unfold to.
const MOST_EVENTS: usize = 10_000;
/// Longer ids are hashed before they become a key.
const LONGEST_KEY: usize = 300;
/// No platform lets a customer write this much at once.
const LONGEST_TEXT: usize = 20_000;
/// A lone event beyond this is not kept in the log as it came.
const LARGEST_RAW: usize = 64 * 1024;
/// Before this nothing we serve existed (2009-01-01).
const EARLIEST: i64 = 1_230_768_000;

/// Why a signed body cannot be accepted at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Not JSON, or not an object with entries.
    #[error("the body is not a webhook of Meta's")]
    NotAWebhook,
    /// More than any batch holds.
    #[error("the body holds more than {MOST_EVENTS} events")]
    TooMany,
}

/// The envelope; entries are read one by one, so that a broken one breaks itself only.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(default)]
    object: String,
    #[serde(borrow, default)]
    entry: Vec<&'a RawValue>,
}

/// Everything that happened, in the order in which it stands in the body.
///
/// # Errors
/// When the body is no webhook at all, which Meta never sends.
pub fn read(body: &[u8], received_at: DateTime<Utc>) -> Result<Vec<InboundEvent>, Unreadable> {
    let text = String::from_utf8_lossy(body);
    // serde would take a list for a struct too.
    if !text.trim_start().starts_with('{') {
        return Err(Unreadable::NotAWebhook);
    }
    let envelope: Envelope<'_> = serde_json::from_str(&text).map_err(|_| Unreadable::NotAWebhook)?;
    let platform = match envelope.object.as_str() {
        "whatsapp_business_account" => Platform::Whatsapp,
        "page" => Platform::Messenger,
        "instagram" => Platform::Instagram,
        _ => {
            metrics::counter!("frontdesk_webhook_unknown_objects_total").increment(1);
            return Ok(Vec::new());
        }
    };
    let mut found = Found { platform, received_at, events: Vec::new() };
    for raw in envelope.entry {
        match entry(raw.get()) {
            Some(mut value) => {
                clean(&mut value);
                if platform == Platform::Whatsapp { whatsapp::entry(&value, &mut found) } else { messaging::entry(&value, &mut found) }
            }
            None => found.unreadable(raw.get()),
        }
        if found.events.len() > MOST_EVENTS {
            return Err(Unreadable::TooMany);
        }
    }
    Ok(found.events)
}

/// Reads one entry. A lone half of a surrogate pair (a name cut in the middle of an emoji) is not JSON to us, so it is mended and read again.
fn entry(raw: &str) -> Option<Value> {
    serde_json::from_str(raw).or_else(|_| serde_json::from_str(&mend_surrogates(raw))).ok()
}

fn mend_surrogates(raw: &str) -> String {
    let unit =
        |at: usize| raw.get(at..at + 6).filter(|part| part.starts_with("\\u")).and_then(|part| u16::from_str_radix(&part[2..], 16).ok());
    let mut mended = String::with_capacity(raw.len());
    let mut at = 0;
    while let Some(c) = raw[at..].chars().next() {
        let step = if c != '\\' {
            c.len_utf8()
        } else {
            match unit(at) {
                Some(0xD800..=0xDBFF) if matches!(unit(at + 6), Some(0xDC00..=0xDFFF)) => 12,
                Some(0xD800..=0xDFFF) => {
                    mended.push_str("\\ufffd");
                    at += 6;
                    continue;
                }
                Some(_) => 6,
                // Any other escape, `\\` above all: both characters.
                None => 1 + raw[at + 1..].chars().next().map_or(0, char::len_utf8),
            }
        };
        mended.push_str(&raw[at..at + step]);
        at += step;
    }
    mended
}

/// Postgres holds no NUL in text or JSON.
fn clean(value: &mut Value) {
    match value {
        Value::String(text) if text.contains('\0') => *text = text.replace('\0', "\u{fffd}"),
        Value::Array(items) => items.iter_mut().for_each(clean),
        Value::Object(fields) => {
            if fields.keys().any(|name| name.contains('\0')) {
                *fields = std::mem::take(fields).into_iter().map(|(name, value)| (name.replace('\0', "\u{fffd}"), value)).collect();
            }
            fields.values_mut().for_each(clean);
        }
        _ => {}
    }
}

/// What was found so far.
pub(super) struct Found {
    pub(super) platform: Platform,
    pub(super) received_at: DateTime<Utc>,
    pub(super) events: Vec<InboundEvent>,
}

/// One event before it has its key's prefix and its raw form.
pub(super) struct Event<'a> {
    pub(super) channel: &'a str,
    /// What makes it one thing, however often it comes (PROVIDERS 1.8).
    pub(super) key: &'a [&'a str],
    pub(super) occurred_at: Option<DateTime<Utc>>,
    pub(super) customer: Option<Sender>,
    pub(super) what: Happening,
    pub(super) raw: &'a Value,
}

impl Found {
    pub(super) fn push(&mut self, event: Event<'_>) {
        let channel = ChannelKey { platform: self.platform, external_id: bounded_id(event.channel) };
        let mut parts = vec![self.platform.as_str(), channel.external_id.as_str()];
        parts.extend(event.key);
        let dedupe_key = join(&parts);
        let raw =
            if size_within(event.raw, LARGEST_RAW) { event.raw.clone() } else { serde_json::json!({ "left_out": "larger than 64 KiB" }) };
        let occurred_at = event.occurred_at.unwrap_or(self.received_at);
        self.events.push(InboundEvent { channel, dedupe_key, occurred_at, customer: event.customer, what: event.what, raw });
    }

    /// Something that is recorded and leads to nothing. Its whole content is its key.
    pub(super) fn other(&mut self, channel: &str, kind: &str, customer: Option<Sender>, occurred_at: Option<DateTime<Utc>>, raw: &Value) {
        let digest = hex::encode(Sha256::digest(raw.to_string().as_bytes()));
        let what = Happening::Other { kind: bounded(kind, 64) };
        self.push(Event { channel, key: &["other", kind, &digest], occurred_at, customer, what, raw });
    }

    /// An entry that is not even JSON. Recorded under nobody's account.
    fn unreadable(&mut self, raw: &str) {
        metrics::counter!("frontdesk_webhook_unreadable_entries_total").increment(1);
        self.other("", "unreadable", None, None, &Value::String(bounded(&raw.replace('\0', "\u{fffd}"), 4096)));
    }

    /// An item addressed to somebody else than its entry: PROVIDERS 1.4 says to drop it.
    pub(super) fn dropped(&self) {
        metrics::counter!("frontdesk_webhook_items_dropped_total", "platform" => self.platform.as_str()).increment(1);
        tracing::warn!(platform = self.platform.as_str(), "dropped a webhook item whose recipient is not its entry's account");
    }
}

/// Joins the parts of a key; parts that could run into one another are hashed instead.
fn join(parts: &[&str]) -> String {
    let key = parts.join("|");
    if key.len() > LONGEST_KEY || parts.iter().any(|part| part.contains('|')) {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part.as_bytes());
        }
        return format!("{}|#{}", parts[0], hex::encode(hash.finalize()));
    }
    key
}

/// An id for what has none: the same for the same parts.
pub(super) fn made_id(parts: &[&str]) -> String {
    format!("made:{}", &hex::encode(Sha256::digest(join(parts).as_bytes()))[..32])
}

/// An id as text: strings and numbers both occur.
pub(super) fn id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(bounded_id(text.trim())),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Text that says something.
pub(super) fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.trim().is_empty()).map(|text| bounded(text, LONGEST_TEXT))
}

/// The name of a kind, for records.
pub(super) fn kind(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(|text| bounded(text, 64))
}

/// Cuts text at a character's edge.
fn bounded(text: &str, bytes: usize) -> String {
    text[..text.floor_char_boundary(bytes)].to_owned()
}

/// An id that is longer than any platform's is hashed: cutting could make two the same.
fn bounded_id(id: &str) -> String {
    if id.len() <= 256 { id.to_owned() } else { format!("#{}", hex::encode(Sha256::digest(id.as_bytes()))) }
}

/// A time as seconds or milliseconds, number or string, or ISO text; `None` when it makes no sense (PROVIDERS 1.7).
pub(super) fn time(value: &Value, received_at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let time = match value {
        Value::Number(number) => moment(number.as_i64()?)?,
        Value::String(text) => match text.trim().parse::<i64>() {
            Ok(number) => moment(number)?,
            Err(_) => DateTime::parse_from_rfc3339(text.trim()).ok()?.to_utc(),
        },
        _ => return None,
    };
    (time.timestamp() >= EARLIEST && time <= received_at + chrono::TimeDelta::days(1)).then_some(time)
}

fn moment(number: i64) -> Option<DateTime<Utc>> {
    if number >= 1_000_000_000_000 { DateTime::from_timestamp_millis(number) } else { DateTime::from_timestamp(number, 0) }
}

/// A customer known by one scoped id.
pub(super) fn scoped(value: &Value) -> Option<Sender> {
    let value = id(value)?;
    Some(Sender { aliases: vec![Alias { kind: AliasKind::ScopedId, value }], name: None, username: None })
}

/// Whether `value` fits `limit` as JSON, without writing it.
fn size_within(value: &Value, limit: usize) -> bool {
    struct Count {
        left: usize,
    }
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.left = self.left.checked_sub(bytes.len()).ok_or(std::io::ErrorKind::FileTooLarge)?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    serde_json::to_writer(Count { left: limit }, value).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_come_in_every_form() {
        let now = DateTime::from_timestamp(1_795_350_000, 0).unwrap();
        let at = |value: Value| time(&value, now).map(|time| time.timestamp_millis());
        assert_eq!(at(serde_json::json!(1_795_342_000_101_i64)), Some(1_795_342_000_101));
        assert_eq!(at(serde_json::json!(1_795_342_000)), Some(1_795_342_000_000));
        assert_eq!(at(serde_json::json!("1795342000")), Some(1_795_342_000_000));
        assert_eq!(at(serde_json::json!("2026-11-22T10:00:00+01:00")), Some(1_795_338_000_000));
        for senseless in
            [serde_json::json!(null), serde_json::json!("soon"), serde_json::json!(-5), serde_json::json!(i64::MAX), serde_json::json!(1.5)]
        {
            assert_eq!(at(senseless), None);
        }
    }

    #[test]
    fn half_an_emoji_is_mended_and_whole_ones_are_left_alone() {
        let value = entry(r#"{"text":"a\ud83d b \ud83d\udc4d \\ud83d \udc4d"}"#).unwrap();
        assert_eq!(value["text"], "a\u{fffd} b 👍 \\ud83d \u{fffd}");
    }

    #[test]
    fn parts_of_a_key_cannot_run_into_one_another() {
        assert_ne!(join(&["a", "b|c"]), join(&["a|b", "c"]));
        assert_ne!(join(&["a", &"x".repeat(400)]), join(&["a", &"x".repeat(401)]));
    }
}
