//! Ids in the shape the providers give them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::accounts::Platform;

/// Random bytes as URL-safe text.
pub(crate) fn random_text<const BYTES: usize>() -> String {
    URL_SAFE_NO_PAD.encode(random_bytes::<BYTES>())
}

fn random_bytes<const BYTES: usize>() -> [u8; BYTES] {
    std::array::from_fn(|_| rand::random::<u8>())
}

/// A random number of exactly `digits` digits, not starting with 0.
pub(crate) fn random_digits(digits: u32) -> String {
    let low = 10u64.saturating_pow(digits.saturating_sub(1));
    let span = low.saturating_mul(9);
    (low + rand::random::<u64>() % span).to_string()
}

/// Which way a WhatsApp message goes; its id says so.
#[derive(Clone, Copy)]
pub(crate) enum Direction {
    ToCustomer,
    ToShop,
}

/// A WhatsApp message id: `wamid.` and base64 of the other side's id, the direction and 20 hex digits.
fn wamid(other: &str, direction: Direction) -> String {
    let other = other.as_bytes();
    let len = other.len().min(120);
    let mut raw = vec![0x1c, 0x18, u8::try_from(len).unwrap_or(0)];
    raw.extend(&other[..len]);
    raw.extend([0x15, 0x02, 0x00, if matches!(direction, Direction::ToCustomer) { 0x11 } else { 0x12 }, 0x18, 0x14]);
    raw.extend(hex::encode_upper(random_bytes::<10>()).into_bytes());
    raw.push(0);
    format!("wamid.{}", STANDARD.encode(raw))
}

/// A fresh message id of this platform.
pub(crate) fn message_id(platform: Platform, customer: &str, direction: Direction) -> String {
    match platform {
        Platform::Whatsapp => wamid(customer, direction),
        Platform::Messenger => format!("m_{}", random_text::<48>()),
        Platform::Instagram => format!("aWdfZAG1faXRlbToxOklHTWVzc2FnZAUlE{}", random_text::<42>()),
    }
}

/// The trace id in every Graph error.
pub(crate) fn fbtrace_id() -> String {
    format!("A{}", random_text::<16>())
}
