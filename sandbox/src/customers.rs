//! Who a customer is on each platform, as control calls name them.

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::accounts::{Account, Platform};

/// A customer, by any id the platform has for them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Customer {
    /// WhatsApp: phone number; `+`, spaces and dashes are taken away. Without it the customer is known
    /// by a username only, and webhooks carry no number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// WhatsApp: business-scoped user id (`US.1349…`). Made from the phone number if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bsuid: Option<String>,
    /// Messenger and Instagram: page- or Instagram-scoped id, digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub psid: Option<String>,
    /// The name in their profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// WhatsApp: username, with or without `@`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
}

impl Customer {
    /// A WhatsApp customer with a phone number.
    pub fn with_phone(phone: &str, name: &str) -> Self {
        Self { phone: Some(phone.to_owned()), name: Some(name.to_owned()), ..Self::default() }
    }

    /// A WhatsApp customer known by a business-scoped id and a username only.
    pub fn with_bsuid(bsuid: &str, username: &str) -> Self {
        Self { bsuid: Some(bsuid.to_owned()), username: Some(username.to_owned()), ..Self::default() }
    }

    /// A Messenger or Instagram customer.
    pub fn with_psid(psid: &str, name: &str) -> Self {
        Self { psid: Some(psid.to_owned()), name: Some(name.to_owned()), ..Self::default() }
    }
}

/// A customer's ids as one account sees them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Identity {
    /// Phone digits if there is one, else the business-scoped id; elsewhere the scoped id.
    pub(crate) key: String,
    pub(crate) phone: Option<String>,
    pub(crate) bsuid: Option<String>,
    pub(crate) name: String,
    pub(crate) username: Option<String>,
}

impl Identity {
    /// Every id that leads to this customer.
    pub(crate) fn aliases(&self) -> impl Iterator<Item = &str> {
        [Some(self.key.as_str()), self.phone.as_deref(), self.bsuid.as_deref()].into_iter().flatten()
    }

    pub(crate) fn of(account: &Account, customer: &Customer) -> anyhow::Result<Self> {
        let name = customer.name.clone().unwrap_or_else(|| "Customer".to_owned());
        if name.chars().count() > 256 {
            bail!("a name has at most 256 characters");
        }
        if account.platform != Platform::Whatsapp {
            let psid = customer.psid.clone().context("a Messenger or Instagram customer needs a psid")?;
            if psid.is_empty() || psid.len() > 32 || !psid.bytes().all(|b| b.is_ascii_digit()) {
                bail!("psid must be 1 to 32 digits");
            }
            return Ok(Self { key: psid, phone: None, bsuid: None, name, username: customer.username.clone() });
        }
        let phone = customer.phone.as_deref().map(digits).transpose()?;
        let bsuid = match (&customer.bsuid, &phone) {
            (Some(id), _) if is_bsuid(id) => id.clone(),
            (Some(id), _) => bail!("{id:?} is not a business-scoped user id (two letters, dot, alphanumerics)"),
            (None, Some(phone)) => bsuid_for(account.entry_id(), phone),
            (None, None) => bail!("a WhatsApp customer needs a phone or a bsuid"),
        };
        let key = phone.clone().unwrap_or_else(|| bsuid.clone());
        Ok(Self { key, phone, bsuid: Some(bsuid), name, username: customer.username.clone() })
    }
}

/// Digits of a phone number, 5 to 20 of them.
pub(crate) fn digits(phone: &str) -> anyhow::Result<String> {
    let digits: String = phone.chars().filter(|c| !matches!(c, '+' | ' ' | '-' | '(' | ')' | '.')).collect();
    if !(5..=20).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        bail!("{phone:?} is not a phone number");
    }
    Ok(digits)
}

/// Two letters, a dot, at most 128 alphanumerics (`ENT.` may stand between).
pub(crate) fn is_bsuid(id: &str) -> bool {
    let Some((country, rest)) = id.split_once('.') else { return false };
    let rest = rest.strip_prefix("ENT.").unwrap_or(rest);
    country.len() == 2
        && country.bytes().all(|b| b.is_ascii_uppercase())
        && (1..=128).contains(&rest.len())
        && rest.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// The same number has the same id within one business, and another in the next.
fn bsuid_for(business: &str, phone: &str) -> String {
    let hash = Sha256::digest(format!("{business}/{phone}"));
    let number = hash.iter().take(8).fold(0u64, |n, byte| n << 8 | u64::from(*byte));
    format!("US.{:017}", number % 100_000_000_000_000_000)
}
