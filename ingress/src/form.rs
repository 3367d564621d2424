//! Reads a request's fields one by one and collects every mistake, each with its field and remedy. Unknown fields are mistakes too: nobody sets a
//! shop or a role by naming it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::str::FromStr;

use frontdesk_core::image_url::is_image_url;
use frontdesk_core::jobs::FieldError;
use frontdesk_core::money::Money;
use rust_decimal::Decimal;
use secrecy::SecretString;
use serde_json::{Map, Value};

use crate::reply::HttpError;

/// What a request asks for, read from a form. `docs/openapi.json` describes the same fields; a test compares them.
pub trait Request: Sized {
    /// Reads every field; `None` only if a mistake was noted.
    fn read(form: &mut Form) -> Option<Self>;
}

/// The fields of a body or a query.
pub struct Form {
    values: Map<String, Value>,
    prefix: String,
    from_query: bool,
    known: BTreeSet<&'static str>,
    errors: Vec<FieldError>,
}

impl Form {
    /// From a JSON body.
    ///
    /// # Errors
    /// When it is not a JSON object.
    pub fn from_json(body: &[u8]) -> Result<Self, HttpError> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(values)) => Ok(Self::new(values, false)),
            Ok(_) => Err(HttpError::malformed("The body must be a JSON object.")),
            Err(error) => Err(HttpError::malformed(format!("The body is not JSON: line {}, column {}.", error.line(), error.column()))),
        }
    }

    /// From a query string. Of a name given twice the last counts.
    #[must_use]
    pub fn from_query(query: &str) -> Self {
        let values =
            url::form_urlencoded::parse(query.as_bytes()).map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())));
        Self::new(values.collect(), true)
    }

    fn new(values: Map<String, Value>, from_query: bool) -> Self {
        Self { values, prefix: String::new(), from_query, known: BTreeSet::new(), errors: Vec::new() }
    }

    /// Notes a mistake.
    pub fn refuse(&mut self, name: &str, message: impl Into<String>) {
        self.errors.push(FieldError { field: format!("{}{name}", self.prefix), message: message.into() });
    }

    /// Notes a mistake, unless one was noted already that explains it.
    pub fn refuse_unless_refused(&mut self, name: &str, message: impl Into<String>) {
        if self.errors.is_empty() {
            self.refuse(name, message);
        }
    }

    /// Notes a mistake, unless one was noted already of this very field.
    pub fn refuse_unless_named(&mut self, name: &str, message: impl Into<String>) {
        let field = format!("{}{name}", self.prefix);
        if !self.errors.iter().any(|error| error.field == field) {
            self.refuse(name, message);
        }
    }

    fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.insert(name);
        self.values.remove(name).filter(|value| !is_nothing(value, self.from_query))
    }

    fn missing<T>(&mut self, name: &'static str, value: Option<T>, had: bool) -> Option<T> {
        if value.is_none() && !had {
            self.refuse(name, "is missing");
        }
        value
    }

    /// Text of so many characters that must be there.
    pub fn text(&mut self, name: &'static str, chars: RangeInclusive<usize>) -> Option<String> {
        let had = self.has(name);
        let value = self.maybe_text(name, chars);
        self.missing(name, value, had)
    }

    /// Text that may be absent. Spaces around it do not count; control characters other than line breaks are refused.
    pub fn maybe_text(&mut self, name: &'static str, chars: RangeInclusive<usize>) -> Option<String> {
        let Value::String(text) = self.take(name)? else {
            self.refuse(name, "must be text");
            return None;
        };
        let text = text.trim();
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            self.refuse(name, "must not hold control characters");
            return None;
        }
        if !chars.contains(&text.chars().count()) {
            self.refuse(name, format!("must have {} to {} characters", chars.start(), chars.end()));
            return None;
        }
        Some(text.to_owned())
    }

    /// Whether something was given under this name.
    fn has(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(|value| !is_nothing(value, self.from_query))
    }

    /// Text in a form of its own.
    pub fn parsed<T>(&mut self, name: &'static str, remedy: &'static str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let text = self.text(name, 1..=500)?;
        let value = parse(&text);
        if value.is_none() {
            self.refuse(name, remedy);
        }
        value
    }

    /// The same, when it may be absent.
    pub fn maybe_parsed<T>(&mut self, name: &'static str, remedy: &'static str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let text = self.maybe_text(name, 1..=500)?;
        let value = parse(&text);
        if value.is_none() {
            self.refuse(name, remedy);
        }
        value
    }

    /// One of a few words.
    pub fn one_of(&mut self, name: &'static str, words: &[&'static str]) -> Option<&'static str> {
        let had = self.has(name);
        let value = self.maybe_one_of(name, words);
        self.missing(name, value, had)
    }

    /// One of a few words, or nothing.
    pub fn maybe_one_of(&mut self, name: &'static str, words: &[&'static str]) -> Option<&'static str> {
        let text = self.maybe_text(name, 0..=100)?;
        let word = words.iter().copied().find(|word| *word == text);
        if word.is_none() {
            self.refuse(name, format!("must be one of: {}", words.join(", ")));
        }
        word
    }

    /// A whole number that must be there.
    pub fn integer<T: TryFrom<i64>>(&mut self, name: &'static str, range: RangeInclusive<i64>) -> Option<T> {
        let had = self.has(name);
        let value = self.maybe_integer(name, range);
        self.missing(name, value, had)
    }

    /// A whole number that may be absent.
    pub fn maybe_integer<T: TryFrom<i64>>(&mut self, name: &'static str, range: RangeInclusive<i64>) -> Option<T> {
        let value = match self.take(name)? {
            Value::Number(number) => number.as_i64(),
            Value::String(text) if self.from_query => text.parse().ok(),
            _ => None,
        };
        let value = value.filter(|number| range.contains(number)).and_then(|number| T::try_from(number).ok());
        if value.is_none() {
            self.refuse(name, format!("must be a whole number from {} to {}", range.start(), range.end()));
        }
        value
    }

    /// Whole numbers, each once; none when absent.
    pub fn integers<T: TryFrom<i64>>(&mut self, name: &'static str, most: usize, range: RangeInclusive<i64>) -> Vec<T> {
        let items = match self.take(name) {
            None => return Vec::new(),
            Some(Value::Array(items)) if items.len() <= most => items,
            Some(_) => {
                self.refuse(name, format!("must be a list of at most {most} whole numbers"));
                return Vec::new();
            }
        };
        let mut seen = BTreeSet::new();
        let mut all = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            let number = item.as_i64().filter(|number| range.contains(number) && seen.insert(*number));
            match number.and_then(|number| T::try_from(number).ok()) {
                Some(number) => all.push(number),
                None => self.refuse(
                    &format!("{name}[{at}]"),
                    format!("must be a whole number from {} to {} that is not in the list before", range.start(), range.end()),
                ),
            }
        }
        all
    }

    /// As [`Form::integers`], or nothing if there is no such list.
    pub fn maybe_integers<T: TryFrom<i64>>(&mut self, name: &'static str, most: usize, range: RangeInclusive<i64>) -> Option<Vec<T>> {
        let given = self.values.get(name).is_some_and(|value| !value.is_null());
        let numbers = self.integers(name, most, range);
        given.then_some(numbers)
    }

    /// Yes or no, or nothing.
    pub fn maybe_bool(&mut self, name: &'static str) -> Option<bool> {
        let value = self.take(name)?.as_bool();
        if value.is_none() {
            self.refuse(name, "must be true or false");
        }
        value
    }

    /// An amount, as a decimal string; never a number, which would be a float somewhere on the way.
    pub fn money(&mut self, name: &'static str) -> Option<Money> {
        let had = self.has(name);
        let value = self.maybe_money(name);
        self.missing(name, value, had)
    }

    /// An amount that may be absent.
    pub fn maybe_money(&mut self, name: &'static str) -> Option<Money> {
        let value = self.take(name)?;
        let amount = value
            .as_str()
            .and_then(|text| Decimal::from_str_exact(text).ok())
            .filter(|amount| !amount.is_sign_negative() || amount.is_zero());
        let money = amount.and_then(|amount| Money::new(amount).ok());
        if money.is_none() {
            self.refuse(name, "must be an amount as a string with at most two decimals, e.g. \"59.90\"");
        }
        money
    }

    /// A phone number that may be absent: its digits.
    pub fn maybe_phone(&mut self, name: &'static str) -> Option<String> {
        self.maybe_parsed(name, "must be a phone number with its country code, e.g. +15550100022", |text| {
            let digits: String = text.chars().filter(|c| !matches!(c, '+' | ' ' | '-' | '(' | ')')).collect();
            ((5..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())).then_some(digits)
        })
    }

    /// An e-mail address, in lower case.
    pub fn email(&mut self, name: &'static str) -> Option<String> {
        let had = self.has(name);
        let value = self.maybe_email(name);
        self.missing(name, value, had)
    }

    /// An e-mail address that may be absent, in lower case.
    pub fn maybe_email(&mut self, name: &'static str) -> Option<String> {
        self.maybe_parsed(name, "must be an e-mail address", |text| {
            let (local, host) = text.rsplit_once('@')?;
            let fine = !local.is_empty()
                && local.len() <= 64
                && host.contains('.')
                && !host.starts_with('.')
                && !host.ends_with('.')
                && text.len() <= 254;
            let plain =
                text.chars().all(|c| !c.is_whitespace() && !c.is_control() && !matches!(c, '<' | '>' | ',' | ';' | '"' | '(' | ')'));
            (fine && plain && !local.contains('@')).then(|| text.to_lowercase())
        })
    }

    /// Text that is never written anywhere. It is taken as it is, spaces and all.
    pub fn secret(&mut self, name: &'static str, bytes: RangeInclusive<usize>) -> Option<SecretString> {
        let had = self.has(name);
        let value = self.maybe_secret(name, bytes);
        self.missing(name, value, had)
    }

    /// A secret that may be absent.
    pub fn maybe_secret(&mut self, name: &'static str, bytes: RangeInclusive<usize>) -> Option<SecretString> {
        match self.take(name)? {
            Value::String(text) if bytes.contains(&text.len()) && !text.contains('\0') => Some(text.into()),
            _ => {
                self.refuse(name, format!("must be text of {} to {} bytes", bytes.start(), bytes.end()));
                None
            }
        }
    }

    /// Where a picture is.
    pub fn maybe_image_url(&mut self, name: &'static str) -> Option<String> {
        let text = self.maybe_text(name, 1..=2000)?;
        if is_image_url(&text) {
            return Some(text);
        }
        self.refuse(name, "must be a web address that begins with https://, without a password in it");
        None
    }

    /// A list of objects.
    pub fn list<T>(&mut self, name: &'static str, size: RangeInclusive<usize>, read: impl FnMut(&mut Form) -> Option<T>) -> Option<Vec<T>> {
        let Some(value) = self.take(name) else {
            self.refuse(name, "is missing");
            return None;
        };
        self.items(name, value, size, read)
    }

    /// A list of objects; empty when absent.
    pub fn maybe_list<T>(&mut self, name: &'static str, most: usize, read: impl FnMut(&mut Form) -> Option<T>) -> Vec<T> {
        let value = self.take(name);
        value.and_then(|value| self.items(name, value, 0..=most, read)).unwrap_or_default()
    }

    fn items<T>(
        &mut self,
        name: &'static str,
        value: Value,
        size: RangeInclusive<usize>,
        mut read: impl FnMut(&mut Form) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Value::Array(items) = value else {
            self.refuse(name, "must be a list");
            return None;
        };
        if !size.contains(&items.len()) {
            self.refuse(name, format!("must have {} to {} entries", size.start(), size.end()));
            return None;
        }
        let mut all = Vec::with_capacity(items.len());
        for (at, item) in items.into_iter().enumerate() {
            let Value::Object(values) = item else {
                self.refuse(&format!("{name}[{at}]"), "must be an object");
                continue;
            };
            let mut inner = Form::new(values, false);
            inner.prefix = format!("{}{name}[{at}].", self.prefix);
            all.extend(read(&mut inner));
            inner.unknown();
            self.errors.append(&mut inner.errors);
        }
        Some(all)
    }

    /// An object that may be absent.
    pub fn maybe_object<T>(&mut self, name: &'static str, read: impl FnOnce(&mut Form) -> Option<T>) -> Option<T> {
        let Value::Object(values) = self.take(name)? else {
            self.refuse(name, "must be an object");
            return None;
        };
        let mut inner = Form::new(values, false);
        inner.prefix = format!("{}{name}.", self.prefix);
        let value = read(&mut inner);
        inner.unknown();
        self.errors.append(&mut inner.errors);
        value
    }

    /// Texts by names that the client chooses; empty when absent.
    pub fn maybe_map(
        &mut self,
        name: &'static str,
        most: usize,
        names: RangeInclusive<usize>,
        chars: RangeInclusive<usize>,
    ) -> BTreeMap<String, String> {
        let Some(value) = self.take(name) else { return BTreeMap::new() };
        let Value::Object(values) = value else {
            self.refuse(name, "must be an object");
            return BTreeMap::new();
        };
        if values.len() > most {
            self.refuse(name, format!("must have at most {most} entries"));
            return BTreeMap::new();
        }
        let fits = |text: &str, range: &RangeInclusive<usize>| range.contains(&text.chars().count()) && !text.chars().any(char::is_control);
        let mut all = BTreeMap::new();
        for (key, value) in values {
            let text = value.as_str().map(str::trim).filter(|text| fits(text, &chars));
            match (key.trim(), text) {
                (key, Some(text)) if fits(key, &names) => {
                    all.insert(key.to_lowercase(), text.to_owned());
                }
                _ => self.refuse(
                    name,
                    format!("names must have {} to {} characters, values {} to {}", names.start(), names.end(), chars.start(), chars.end()),
                ),
            }
        }
        all
    }

    /// A list of texts, each trimmed; empty when absent.
    pub fn texts(&mut self, name: &'static str, most: usize, chars: RangeInclusive<usize>) -> Vec<String> {
        let items = match self.take(name) {
            None => return Vec::new(),
            Some(Value::Array(items)) if items.len() <= most => items,
            Some(_) => {
                self.refuse(name, format!("must be a list of at most {most} texts"));
                return Vec::new();
            }
        };
        let mut all = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            match item.as_str().map(str::trim) {
                Some(text) if chars.contains(&text.chars().count()) && !text.chars().any(char::is_control) => all.push(text.to_owned()),
                _ => self.refuse(
                    &format!("{name}[{at}]"),
                    format!("must be text of {} to {} characters in one line", chars.start(), chars.end()),
                ),
            }
        }
        all
    }

    fn unknown(&mut self) {
        let names: Vec<String> = self.values.keys().take(20).cloned().collect();
        for name in names {
            let shown: String = name.chars().filter(|c| !c.is_control()).take(60).collect();
            self.refuse(&shown, "is not known here; leave it out");
        }
    }

    /// The names that were asked for.
    #[must_use]
    pub fn known(&self) -> &BTreeSet<&'static str> {
        &self.known
    }

    /// The request, or every mistake.
    ///
    /// # Errors
    /// 422 with the fields.
    pub fn finish<T>(mut self, read: Option<T>) -> Result<T, HttpError> {
        self.unknown();
        match read {
            Some(value) if self.errors.is_empty() => Ok(value),
            _ => Err(HttpError::invalid(self.errors)),
        }
    }

    /// Reads a whole request.
    ///
    /// # Errors
    /// 422 with the fields.
    pub fn read<T: Request>(mut self) -> Result<T, HttpError> {
        let read = T::read(&mut self);
        self.finish(read)
    }
}

/// `null` in a body and an empty parameter in a query say nothing.
fn is_nothing(value: &Value, from_query: bool) -> bool {
    value.is_null() || (from_query && value.as_str() == Some(""))
}

/// Reads an id out of a path.
///
/// # Errors
/// 404: a path with something else than an id leads nowhere.
pub fn path_id<T: FromStr>(text: &str) -> Result<T, HttpError> {
    // `+7` and `007` would be other names for 7.
    if text.is_empty() || (text.len() > 1 && text.starts_with('0')) || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(HttpError::not_found());
    }
    text.parse().map_err(|_| HttpError::not_found())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(json: &str) -> Form {
        Form::from_json(json.as_bytes()).unwrap()
    }

    #[test]
    fn every_mistake_is_named_at_once_with_its_field() {
        let mut form = form(r#"{"name": " ", "price": 59.9, "stock": -1, "shop_id": 4, "lines": [{"quantity": 0}, 7]}"#);
        let name = form.text("name", 1..=10);
        let price = form.money("price");
        let stock = form.integer::<i32>("stock", 0..=100);
        let sku = form.text("sku", 1..=10);
        let lines = form.list("lines", 1..=5, |line| line.integer::<i32>("quantity", 1..=9));
        assert!(name.is_none() && price.is_none() && stock.is_none() && sku.is_none() && lines.is_some());
        let mut fields: Vec<_> = form.errors.iter().map(|error| error.field.clone()).collect();
        form.unknown();
        fields.push(form.errors.last().unwrap().field.clone());
        assert_eq!(fields, ["name", "price", "stock", "sku", "lines[0].quantity", "lines[1]", "shop_id"]);
    }

    #[test]
    fn texts_and_objects_name_the_entry_that_is_wrong() {
        let mut form = form(r#"{"words": ["help", " ", 7], "hours": {"mon": "late", "moon": []}, "more": []}"#);
        assert_eq!(form.texts("words", 3, 1..=10), ["help"]);
        assert!(form.texts("none", 3, 1..=10).is_empty());
        form.maybe_object("hours", |day| Some(day.texts("mon", 3, 1..=10)));
        assert!(form.maybe_object("more", |_| Some(())).is_none());
        let fields: Vec<_> = form.errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["words[1]", "words[2]", "hours.mon", "hours.moon", "more"]);
    }

    #[test]
    fn amounts_are_exact_strings() {
        for (json, fine) in [
            (r#""59.90""#, true),
            (r#""0""#, true),
            ("59.9", false),
            (r#""59.901""#, false),
            (r#""-1""#, false),
            (r#""1e3""#, false),
            (r#""""#, false),
        ] {
            let mut form = form(&format!(r#"{{"price": {json}}}"#));
            assert_eq!(form.money("price").is_some(), fine, "{json}");
        }
    }

    #[test]
    fn an_address_is_an_address() {
        for (text, fine) in
            [("Owner@Shop.example", true), ("a@b", false), ("a b@c.d", false), ("a@b@c.d", false), ("<a@b.c>", false), ("@b.c", false)]
        {
            let mut form = form(&serde_json::json!({ "email": text }).to_string());
            let email = form.email("email");
            assert_eq!(email.is_some(), fine, "{text}");
            assert!(email.is_none_or(|email| email == text.to_lowercase()));
        }
    }

    #[test]
    fn a_path_names_an_id_in_one_way_only() {
        assert_eq!(path_id::<i64>("17").unwrap(), 17);
        for text in ["", "017", "+17", "-1", "1.0", "0x1", "17 ", "9999999999999999999999"] {
            assert!(path_id::<i64>(text).is_err(), "{text}");
        }
    }
}
