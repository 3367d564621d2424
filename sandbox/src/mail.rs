//! A small mail server, and its inbox as a page and as JSON.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State as AxumState;
use axum::response::Html;
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mail_parser::MessageParser;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use crate::clock::now_ms;
use crate::faults::SmtpFailure;
use crate::records::Mail;
use crate::state::State;

/// Longest line, bytes (RFC 5321 asks for 1,000 at least).
const MAX_LINE: usize = 16 << 10;
/// Largest message, bytes.
const MAX_MESSAGE: usize = 10 << 20;
/// Most recipients of one message.
const MAX_RECIPIENTS: usize = 100;
/// Most connections at once.
const MAX_CONNECTIONS: usize = 64;
/// A client that says nothing for this long is dropped.
const IDLE: Duration = Duration::from_secs(60);
/// A hang on command lasts that long.
const HANG: Duration = Duration::from_secs(300);
/// E-mails on the page.
const SHOWN: usize = 200;

/// `/mail` and `/mail.json`.
pub(crate) fn routes() -> Router<Arc<State>> {
    Router::new().route("/mail", get(page)).route("/mail.json", get(list))
}

/// Accepts connections until the sandbox stops.
pub(crate) async fn serve(state: Arc<State>, listener: TcpListener) {
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(slot) = slots.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let shared = state.clone();
                state.spawn(async move {
                    if let Err(error) = talk(&shared, stream).await {
                        tracing::debug!(%error, "a mail client left");
                    }
                    drop(slot);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept mail connections");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

struct Line<'a> {
    stream: &'a mut BufReader<TcpStream>,
}

impl Line<'_> {
    /// The next line without its end; `None` when the client is gone, idle or too long-winded.
    async fn read(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let read = timeout(IDLE, (&mut *self.stream).take(MAX_LINE as u64).read_until(b'\n', &mut line)).await;
        match read {
            Ok(Ok(_)) if line.ends_with(b"\n") => {
                line.pop();
                if line.ends_with(b"\r") {
                    line.pop();
                }
                Ok(Some(line))
            }
            Ok(Ok(_)) | Err(_) => Ok(None),
            Ok(Err(error)) => Err(error),
        }
    }

    async fn say(&mut self, text: &str) -> std::io::Result<()> {
        self.stream.get_mut().write_all(format!("{text}\r\n").as_bytes()).await
    }
}

async fn talk(state: &State, stream: TcpStream) -> std::io::Result<()> {
    let failure = state.faults.smtp();
    let mut stream = BufReader::new(stream);
    let mut line = Line { stream: &mut stream };
    match failure {
        Some(SmtpFailure::Refuse) => return line.say("421 4.3.2 Service not available, closing").await,
        Some(SmtpFailure::Hang) => {
            sleep(HANG).await;
            return Ok(());
        }
        _ => line.say("220 sandbox ESMTP").await?,
    }
    let mut from: Option<String> = None;
    let mut to: Vec<String> = Vec::new();
    while let Some(raw) = line.read().await? {
        let text = String::from_utf8_lossy(&raw).into_owned();
        let (verb, rest) = text.split_once(' ').unwrap_or((&text, ""));
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => {
                let size = format!("250-SIZE {MAX_MESSAGE}");
                for part in ["250-sandbox", "250-PIPELINING", "250-8BITMIME", "250-SMTPUTF8", &size, "250 AUTH PLAIN LOGIN"] {
                    line.say(part).await?;
                }
            }
            "HELO" => line.say("250 sandbox").await?,
            "AUTH" => authenticate(&mut line, rest).await?,
            "MAIL" => match address(rest, "FROM:") {
                Some(address) => {
                    (from, to) = (Some(address), Vec::new());
                    line.say("250 2.1.0 OK").await?;
                }
                None => line.say("501 5.5.4 Syntax: MAIL FROM:<address>").await?,
            },
            "RCPT" if from.is_none() => line.say("503 5.5.1 MAIL first").await?,
            "RCPT" if failure == Some(SmtpFailure::Reject) => line.say("550 5.1.1 No such user here").await?,
            "RCPT" if to.len() >= MAX_RECIPIENTS => line.say("452 4.5.3 Too many recipients").await?,
            "RCPT" => match address(rest, "TO:").filter(|a| a.contains('@')) {
                Some(address) => {
                    to.push(address);
                    line.say("250 2.1.5 OK").await?;
                }
                None => line.say("501 5.5.4 Syntax: RCPT TO:<address>").await?,
            },
            "DATA" if to.is_empty() => line.say("503 5.5.1 RCPT first").await?,
            "DATA" => {
                line.say("354 End data with <CR><LF>.<CR><LF>").await?;
                let Some(message) = data(&mut line).await? else { return Ok(()) };
                let recipients = std::mem::take(&mut to);
                let answer = match (message, failure) {
                    (None, _) => "552 5.3.4 Message too big",
                    (Some(_), Some(SmtpFailure::Temporary)) => "451 4.3.0 Try again later",
                    (Some(message), _) => {
                        state.mails.push(parse(&message, from.take().unwrap_or_default(), recipients));
                        "250 2.0.0 OK queued"
                    }
                };
                from = None;
                line.say(answer).await?;
            }
            "RSET" => {
                (from, to) = (None, Vec::new());
                line.say("250 2.0.0 OK").await?;
            }
            "NOOP" => line.say("250 2.0.0 OK").await?,
            "QUIT" => return line.say("221 2.0.0 Bye").await,
            _ => line.say("502 5.5.1 Command not known").await?,
        }
    }
    Ok(())
}

/// Any name and password will do; the shape is checked.
async fn authenticate(line: &mut Line<'_>, rest: &str) -> std::io::Result<()> {
    let (method, initial) = rest.split_once(' ').unwrap_or((rest, ""));
    let ok = match method.to_ascii_uppercase().as_str() {
        "PLAIN" => {
            let mut given = initial.to_owned();
            if given.is_empty() {
                line.say("334 ").await?;
                given = line.read().await?.map(|l| String::from_utf8_lossy(&l).into_owned()).unwrap_or_default();
            }
            STANDARD.decode(given).is_ok_and(|b| b.iter().filter(|c| **c == 0).count() == 2)
        }
        "LOGIN" => {
            let mut ok = true;
            for prompt in ["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"] {
                line.say(prompt).await?;
                ok &= line.read().await?.is_some_and(|l| STANDARD.decode(l).is_ok());
            }
            ok
        }
        _ => return line.say("504 5.5.4 Unknown authentication type").await,
    };
    line.say(if ok { "235 2.7.0 Accepted" } else { "535 5.7.8 Not accepted" }).await
}

/// `<address>` after the keyword; parameters behind it are passed over.
fn address(rest: &str, keyword: &str) -> Option<String> {
    let head = rest.get(..keyword.len())?;
    let tail = rest.get(keyword.len()..)?.trim_start();
    let inner = tail.strip_prefix('<')?.split_once('>')?.0;
    (head.eq_ignore_ascii_case(keyword) && inner.len() <= 320).then(|| inner.to_owned())
}

/// The message up to the lone dot: `None` if the client left, `Some(None)` if it is too big.
async fn data(line: &mut Line<'_>) -> std::io::Result<Option<Option<Vec<u8>>>> {
    let mut message = Vec::new();
    let mut too_big = false;
    loop {
        let Some(next) = line.read().await? else { return Ok(None) };
        if next == b"." {
            return Ok(Some((!too_big).then_some(message)));
        }
        let content = next.strip_prefix(b".").unwrap_or(&next);
        too_big |= message.len() + content.len() > MAX_MESSAGE;
        if !too_big {
            message.extend_from_slice(content);
            message.extend_from_slice(b"\r\n");
        }
    }
}

fn parse(raw: &[u8], envelope_from: String, envelope_to: Vec<String>) -> Mail {
    let message = MessageParser::default().parse(raw);
    let message = message.as_ref();
    let addresses = |list: Option<&mail_parser::Address<'_>>| -> Vec<String> {
        let each = list.into_iter().flat_map(|l| l.iter());
        each.map(|a| match (a.name(), a.address()) {
            (Some(name), Some(address)) => format!("{name} <{address}>"),
            (_, Some(address)) => address.to_owned(),
            (name, None) => name.unwrap_or_default().to_owned(),
        })
        .collect()
    };
    Mail {
        seq: 0,
        received_at_ms: now_ms(),
        envelope_from,
        envelope_to,
        from: addresses(message.and_then(|m| m.from())).join(", "),
        to: addresses(message.and_then(|m| m.to())),
        subject: message.and_then(|m| m.subject()).unwrap_or_default().to_owned(),
        text: message.and_then(|m| m.body_text(0)).unwrap_or_default().into_owned(),
        html: message.filter(|m| m.html_body_count() > 0).and_then(|m| m.body_html(0)).map(std::borrow::Cow::into_owned),
    }
}

async fn list(AxumState(state): AxumState<Arc<State>>) -> Json<Vec<Mail>> {
    Json(state.mails())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

async fn page(AxumState(state): AxumState<Arc<State>>) -> Html<String> {
    let mails = state.mails();
    let mut items = String::new();
    for mail in mails.iter().rev().take(SHOWN) {
        items.push_str(&format!(
            "<article><header><h2>{}</h2><p>{} → {}</p><time data-ms=\"{}\"></time></header><pre>{}</pre></article>",
            escape(if mail.subject.is_empty() { "(no subject)" } else { &mail.subject }),
            escape(if mail.from.is_empty() { &mail.envelope_from } else { &mail.from }),
            escape(&mail.envelope_to.join(", ")),
            mail.received_at_ms,
            escape(mail.text.trim_end()),
        ));
    }
    if items.is_empty() {
        items.push_str("<p class=\"empty\">No mail yet. Hand-overs to a person and notices to the shop's owner arrive here.</p>");
    }
    Html(include_str!("../phone/mail.html").replace("<!--mails-->", &items))
}
