//! The forms that settings have, and how each is read. Messages say what is right; they never repeat the value.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rust_decimal::Decimal;
use secrecy::SecretString;
use url::Url;

use crate::jobs::JobName;

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line, for machines.
    Json,
    /// For people.
    Pretty,
}

/// A network of addresses, `10.0.0.0/8`; a lone address is a network of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u32,
}

impl Network {
    /// Whether `address` lies in it. An IPv4 address mapped into IPv6 counts as the IPv4 address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => (u32::from(net) ^ u32::from(ip)).checked_shr(32 - self.prefix).unwrap_or(0) == 0,
            (IpAddr::V6(net), IpAddr::V6(ip)) => (u128::from(net) ^ u128::from(ip)).checked_shr(128 - self.prefix).unwrap_or(0) == 0,
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_| ())?;
        let widest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(widest), str::parse).map_err(|_| ())?;
        if prefix > widest { Err(()) } else { Ok(Self { address, prefix }) }
    }
}

/// What a model's tokens cost, in US dollars per million.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelPrice {
    /// Per million tokens of the prompt.
    pub input: Decimal,
    /// Per million tokens of the answer.
    pub output: Decimal,
}

/// How many runs of each job go on at once in one worker process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Concurrency {
    every: Option<usize>,
    per_job: BTreeMap<JobName, usize>,
}

impl Concurrency {
    /// The number for `job`: its own, else the one for every job, else what the job declares.
    #[must_use]
    pub fn of(&self, job: JobName, declared: usize) -> usize {
        self.per_job.get(&job).copied().or(self.every).unwrap_or(declared)
    }
}

/// When a recurring job fires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Which job.
    pub job: JobName,
    /// Cron with seconds: `sec min hour day month weekday`.
    pub expression: String,
    /// The zone in which the expression is meant.
    pub zone: chrono_tz::Tz,
}

pub(super) fn list(raw: &str) -> impl Iterator<Item = &str> {
    raw.split(',').map(str::trim).filter(|part| !part.is_empty())
}

pub(super) fn socket(raw: &str) -> Result<SocketAddr, String> {
    raw.parse().map_err(|_| "is not an address with a port; write e.g. 0.0.0.0:8080".to_owned())
}

/// A span of milliseconds between `low` and `high`.
pub(super) fn millis(low: u64, high: u64) -> impl FnOnce(&str) -> Result<Duration, String> {
    move |raw| number(low, high)(raw).map(Duration::from_millis)
}

pub(super) fn number(low: u64, high: u64) -> impl FnOnce(&str) -> Result<u64, String> {
    move |raw| match raw.parse() {
        Ok(value) if (low..=high).contains(&value) => Ok(value),
        _ => Err(format!("must be a whole number from {low} to {high}")),
    }
}

pub(super) fn small(low: u32, high: u32) -> impl FnOnce(&str) -> Result<u32, String> {
    move |raw| number(low.into(), high.into())(raw).and_then(|value| u32::try_from(value).map_err(|_| "is too large".to_owned()))
}

pub(super) fn log_format(raw: &str) -> Result<LogFormat, String> {
    match raw {
        "json" => Ok(LogFormat::Json),
        "pretty" => Ok(LogFormat::Pretty),
        _ => Err("must be json or pretty".to_owned()),
    }
}

pub(super) fn log_filter(raw: &str) -> Result<String, String> {
    tracing_subscriber::EnvFilter::try_new(raw).map_err(|_| "is not a log filter; write e.g. info,frontdesk_core=debug".to_owned())?;
    Ok(raw.to_owned())
}

/// A URL with one of `schemes` and a host.
fn url(raw: &str, schemes: &[&str]) -> Result<Url, String> {
    let wrong = || format!("must be a URL that begins with {}://", schemes.join(":// or "));
    let url = Url::parse(raw).map_err(|_| wrong())?;
    if !schemes.contains(&url.scheme()) || url.host_str().is_none_or(str::is_empty) {
        return Err(wrong());
    }
    Ok(url)
}

/// A provider's base URL, without the slash at the end.
pub(super) fn base_url(raw: &str) -> Result<String, String> {
    let url = url(raw, &["https", "http"])?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must be a base URL without query or fragment".to_owned());
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

pub(super) fn public_url(raw: &str) -> Result<Url, String> {
    let url = url(raw, &["https", "http"])?;
    if url.scheme() == "http" && !is_local(&url) {
        return Err("must be https: over plain http only localhost is served, since the session cookie is Secure".to_owned());
    }
    if url.path() != "/" || url.query().is_some() {
        return Err("must be an origin without a path, e.g. https://desk.example.com".to_owned());
    }
    Ok(url)
}

/// Whether a URL names this machine.
pub(super) fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

pub(super) fn secret_url(schemes: &'static [&'static str]) -> impl FnOnce(&str) -> Result<SecretString, String> {
    move |raw| url(raw, schemes).map(|_| SecretString::from(raw))
}

/// Where files are kept: an absolute directory, or a bucket with a prefix.
pub(super) fn media_url(raw: &str) -> Result<Url, String> {
    let wrong = || "must be file:///directory or s3://bucket/prefix".to_owned();
    let url = Url::parse(raw).map_err(|_| wrong())?;
    let plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    let named = match url.scheme() {
        "file" => url.host_str().is_none_or(str::is_empty) && url.path().len() > 1 && url.to_file_path().is_ok(),
        "s3" => url.host_str().is_some_and(|bucket| !bucket.is_empty()),
        _ => false,
    };
    if plain && named { Ok(url) } else { Err(wrong()) }
}

pub(super) fn networks(raw: &str) -> Result<Vec<Network>, String> {
    list(raw)
        .map(str::parse)
        .collect::<Result<_, ()>>()
        .map_err(|()| "must be a list of addresses or networks, e.g. 10.0.0.0/8,::1".to_owned())
}

/// A list of secrets, each at least `min` bytes.
pub(super) fn secrets(min: usize) -> impl FnOnce(&str) -> Result<Vec<SecretString>, String> {
    move |raw| {
        let secrets: Vec<_> = list(raw).collect();
        match secrets.iter().position(|secret| secret.len() < min) {
            Some(at) => Err(format!("entry {} of the list is shorter than {min} bytes; `openssl rand -hex 32` makes a good one", at + 1)),
            None if secrets.is_empty() => Err("is an empty list".to_owned()),
            None => Ok(secrets.into_iter().map(SecretString::from).collect()),
        }
    }
}

pub(super) fn long_secret(min: usize) -> impl FnOnce(&str) -> Result<SecretString, String> {
    move |raw| if raw.len() < min { Err(format!("must have at least {min} characters")) } else { Ok(SecretString::from(raw)) }
}

/// Checks the form of `id:base64,…` and hands the text on; `secrets` builds its keys from it.
pub(super) fn encryption_keys(raw: &str) -> Result<SecretString, String> {
    let mut ids = std::collections::BTreeSet::new();
    for (at, entry) in list(raw).enumerate() {
        let wrong =
            |what: &str| format!("entry {} {what}; write id:base64 with 32 random bytes, e.g. from `openssl rand -base64 32`", at + 1);
        let (id, key) = entry.split_once(':').ok_or_else(|| wrong("has no id"))?;
        if id.is_empty() || id.len() > 32 || !id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
            return Err(wrong("has an id that is not made of letters, digits, - and _"));
        }
        if !ids.insert(id) {
            return Err(wrong("repeats an id"));
        }
        if STANDARD.decode(key).map_or(0, |bytes| bytes.len()) != 32 {
            return Err(wrong("does not hold 32 bytes in base64"));
        }
    }
    if ids.is_empty() { Err("is an empty list".to_owned()) } else { Ok(SecretString::from(raw)) }
}

pub(super) fn graph_version(raw: &str) -> Result<String, String> {
    let digits = |part: &str| !part.is_empty() && part.len() <= 3 && part.bytes().all(|b| b.is_ascii_digit());
    match raw.strip_prefix('v').and_then(|rest| rest.split_once('.')) {
        Some((major, minor)) if digits(major) && digits(minor) => Ok(raw.to_owned()),
        _ => Err("must look like v26.0".to_owned()),
    }
}

pub(super) fn digits(raw: &str) -> Result<String, String> {
    if raw.bytes().all(|b| b.is_ascii_digit()) { Ok(raw.to_owned()) } else { Err("must be a number".to_owned()) }
}

/// A word that goes into a URL's path.
pub(super) fn model_name(raw: &str) -> Result<String, String> {
    let fine = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':' | b'/');
    if raw.len() <= 200 && raw.bytes().all(fine) {
        Ok(raw.to_owned())
    } else {
        Err("must be a model's name: letters, digits, - _ . : /".to_owned())
    }
}

pub(super) fn model_prices(raw: &str) -> Result<BTreeMap<String, ModelPrice>, String> {
    let wrong = || "must be a list of model=in/out, e.g. gemini-3.8-flash=0.30/2.50".to_owned();
    let amount = |text: &str| text.trim().parse::<Decimal>().ok().filter(|amount| !amount.is_sign_negative()).ok_or_else(wrong);
    list(raw)
        .map(|entry| {
            let (model, prices) = entry.rsplit_once('=').ok_or_else(wrong)?;
            let (input, output) = prices.split_once('/').ok_or_else(wrong)?;
            Ok((model_name(model.trim())?, ModelPrice { input: amount(input)?, output: amount(output)? }))
        })
        .collect()
}

/// A span of days between `low` and `high`.
pub(super) fn days(low: u64, high: u64) -> impl FnOnce(&str) -> Result<Duration, String> {
    move |raw| number(low, high)(raw).map(|days| Duration::from_hours(days * 24))
}

pub(super) fn stripe_price(raw: &str) -> Result<String, String> {
    let is_id = raw.starts_with("price_") && raw.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_id { Ok(raw.to_owned()) } else { Err("is not the id of a price; Stripe's dashboard shows it, price_…".to_owned()) }
}

pub(super) fn mail_address(raw: &str) -> Result<String, String> {
    let address = raw.rsplit_once('<').map_or(raw, |(_, rest)| rest.trim_end_matches('>'));
    let fine = address.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'));
    if fine && !raw.contains(['\r', '\n']) {
        Ok(raw.to_owned())
    } else {
        Err("must be a mail address, e.g. Frontdesk <desk@example.com>".to_owned())
    }
}

pub(super) fn jobs(raw: &str) -> Result<Vec<JobName>, String> {
    let jobs: Vec<JobName> = list(raw).map(str::parse).collect::<Result<_, _>>()?;
    if jobs.is_empty() { Err("is an empty list".to_owned()) } else { Ok(jobs) }
}

pub(super) fn concurrency(raw: &str) -> Result<Concurrency, String> {
    let count = |text: &str| number(1, 4096)(text).and_then(|n| usize::try_from(n).map_err(|_| "is too large".to_owned()));
    if !raw.contains('=') {
        return Ok(Concurrency { every: Some(count(raw)?), per_job: BTreeMap::new() });
    }
    let per_job = list(raw)
        .map(|entry| {
            let (job, n) = entry.split_once('=').ok_or("must be one number, or a list of job=number")?;
            Ok((job.trim().parse()?, count(n.trim())?))
        })
        .collect::<Result<_, String>>()?;
    Ok(Concurrency { every: None, per_job })
}

pub(super) fn schedule(job: JobName) -> impl FnOnce(&str) -> Result<Schedule, String> {
    move |raw| {
        let (expression, zone) = match raw.rsplit_once(char::is_whitespace).and_then(|(head, tail)| Some((head, tail.parse().ok()?))) {
            Some((head, zone)) => (head.trim(), zone),
            None => (raw, chrono_tz::Tz::UTC),
        };
        cron::Schedule::from_str(expression).map_err(|_| {
            "is not a cron expression with seconds; write e.g. `0 10 3 * * * Europe/Berlin` (second minute hour day month weekday zone)"
                .to_owned()
        })?;
        Ok(Schedule { job, expression: expression.to_owned(), zone })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_its_addresses_and_no_others() {
        let network: Network = "10.1.0.0/16".parse().unwrap();
        assert!(network.contains("10.1.255.3".parse().unwrap()));
        assert!(network.contains("::ffff:10.1.0.1".parse().unwrap()));
        assert!(!network.contains("10.2.0.1".parse().unwrap()));
        assert!(!network.contains("::1".parse().unwrap()));
        assert!("0.0.0.0/0".parse::<Network>().unwrap().contains("203.0.113.9".parse().unwrap()));
        assert!("::1".parse::<Network>().unwrap().contains("::1".parse().unwrap()));
        assert!("10.0.0.0/33".parse::<Network>().is_err());
    }

    #[test]
    fn a_schedule_may_name_its_zone() {
        let plain = schedule(JobName::DropOldLogs)("0 10 3 * * *").unwrap();
        assert_eq!(plain.zone, chrono_tz::Tz::UTC);
        let zoned = schedule(JobName::DropOldLogs)("0 10 3 * * Mon-Fri Europe/Berlin").unwrap();
        assert_eq!((zoned.expression.as_str(), zoned.zone), ("0 10 3 * * Mon-Fri", chrono_tz::Europe::Berlin));
        assert!(schedule(JobName::DropOldLogs)("whenever").is_err());
    }

    #[test]
    fn concurrency_is_one_number_or_one_per_job() {
        assert_eq!(concurrency("7").unwrap().of(JobName::PlaceOrder, 16), 7);
        let some = concurrency("place_order=3, answer_customer=40").unwrap();
        assert_eq!(some.of(JobName::PlaceOrder, 16), 3);
        assert_eq!(some.of(JobName::SaveProduct, 16), 16);
        assert!(concurrency("0").is_err() && concurrency("place_order=x").is_err() && concurrency("cook=3").is_err());
    }

    #[test]
    fn prices_are_exact_and_never_negative() {
        let prices = model_prices("gpt-6-luna=0.15/0.60, gemini-3.8-flash=0.30/2.50").unwrap();
        assert_eq!(prices["gpt-6-luna"].output, Decimal::new(60, 2));
        assert!(model_prices("x=-1/2").is_err() && model_prices("x=1").is_err());
    }

    #[test]
    fn files_are_kept_in_a_directory_or_a_bucket() {
        for (url, fine) in [
            ("file:///var/lib/frontdesk", true),
            ("s3://bucket/prefix", true),
            ("s3://bucket", true),
            ("file:///", false),
            ("file://host/var", false),
            ("s3://key:secret@bucket/", false),
            ("https://bucket.example", false),
            ("/var/lib", false),
        ] {
            assert_eq!(media_url(url).is_ok(), fine, "{url}");
        }
    }

    #[test]
    fn plain_http_is_for_this_machine_alone() {
        assert!(public_url("http://localhost:8080").is_ok());
        assert!(public_url("http://127.0.0.1:8080").is_ok());
        assert!(public_url("https://desk.example.com").is_ok());
        assert!(public_url("http://desk.example.com").is_err());
        assert!(public_url("https://desk.example.com/path").is_err());
    }
}
