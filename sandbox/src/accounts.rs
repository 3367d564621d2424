//! The shops' accounts on the three platforms: who may send with which token, and under which ids.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

use crate::clock::now_ms;

/// Most accounts one sandbox holds.
const MAX_ACCOUNTS: usize = 20_000;

/// The accounts of the two sample shops, compiled in.
const SAMPLE: &str = include_str!("../accounts.json");

/// One of Meta's three messaging products.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    /// WhatsApp Business Cloud API.
    Whatsapp,
    /// Messenger on a Facebook Page.
    Messenger,
    /// Instagram messaging.
    Instagram,
}

impl Platform {
    /// The `object` of this platform's webhooks.
    pub fn object(self) -> &'static str {
        match self {
            Self::Whatsapp => "whatsapp_business_account",
            Self::Messenger => "page",
            Self::Instagram => "instagram",
        }
    }
}

/// How an Instagram account was connected; decides host, token and webhook secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Login {
    /// Instagram Login: `graph.instagram.com`, webhooks signed with the Instagram app secret.
    #[default]
    Instagram,
    /// Facebook Login: `graph.facebook.com` through the linked Page, signed with the Meta app secret.
    Facebook,
}

/// A shop's account on one platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Which product it belongs to.
    pub platform: Platform,
    /// `phone_number_id`, Page id or Instagram professional account id.
    pub id: String,
    /// The shop's name, shown on the phone and as the verified name.
    pub shop: String,
    /// The access token that may send from it.
    pub token: String,
    /// WhatsApp only: the number customers see, digits without `+`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_phone: Option<String>,
    /// WhatsApp only: the WhatsApp Business Account the number is in (`entry[].id` of its webhooks).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waba_id: Option<String>,
    /// Instagram with Facebook Login only: the linked Page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_id: Option<String>,
    /// Instagram only: how it was connected.
    #[serde(default)]
    pub login: Login,
}

impl Account {
    /// `entry[].id` of this account's webhooks: the WABA on WhatsApp, its own id elsewhere.
    pub fn entry_id(&self) -> &str {
        match self.platform {
            Platform::Whatsapp => self.waba_id.as_deref().unwrap_or(&self.id),
            Platform::Messenger | Platform::Instagram => &self.id,
        }
    }

    /// Whether its webhooks are signed with the Instagram app secret.
    pub fn signed_by_instagram(&self) -> bool {
        self.platform == Platform::Instagram && self.login == Login::Instagram
    }

    /// The business number's country code, which Meta puts before a recipient without `+`.
    /// Only the one- and two-digit codes are told apart; that is enough to show the mistake.
    pub(crate) fn country_code(&self) -> &str {
        let phone = self.display_phone.as_deref().unwrap_or("1");
        let digits = if phone.starts_with(['1', '7']) { 1 } else { 2 };
        phone.get(..digits).unwrap_or(phone)
    }

    fn check(&self) -> anyhow::Result<()> {
        let numeric = |s: &str| !s.is_empty() && s.len() <= 32 && s.bytes().all(|b| b.is_ascii_digit());
        if !numeric(&self.id) {
            bail!("account id {:?} must be digits", self.id);
        }
        if self.token.is_empty() || self.token.len() > 512 {
            bail!("account {} needs a token of 1 to 512 characters", self.id);
        }
        if self.platform == Platform::Whatsapp && !self.display_phone.as_deref().is_some_and(numeric) {
            bail!("WhatsApp account {} needs display_phone (digits)", self.id);
        }
        Ok(())
    }
}

/// Reads a list of accounts in the form of `accounts.json`.
///
/// # Errors
/// When the text is not such a list, or an account is incomplete.
pub fn parse(json: &str) -> anyhow::Result<Vec<Account>> {
    let accounts: Vec<Account> = serde_json::from_str(json).context("accounts are not a JSON list of accounts")?;
    for account in &accounts {
        account.check()?;
    }
    Ok(accounts)
}

/// The accounts of the two sample shops.
///
/// # Errors
/// Never in a built crate: the compiled-in list is checked by a test.
pub fn sample() -> anyhow::Result<Vec<Account>> {
    parse(SAMPLE)
}

/// What a token opens.
pub(crate) enum TokenState {
    Unknown,
    Revoked,
    Expired,
    Valid,
}

/// All accounts, by id and by token.
#[derive(Default)]
pub(crate) struct AccountTable {
    by_id: HashMap<String, Arc<Account>>,
    order: Vec<String>,
    tokens: HashMap<String, Vec<String>>,
    revoked: HashSet<String>,
    /// When tokens end, Unix seconds; those that are not here never do.
    ends: HashMap<String, i64>,
    unsubscribed: HashSet<String>,
}

impl AccountTable {
    pub(crate) fn add(&mut self, account: Account) -> anyhow::Result<()> {
        account.check()?;
        if let Some(old) = self.by_id.get(&account.id) {
            let (token, id) = (old.token.clone(), old.id.clone());
            if let Some(ids) = self.tokens.get_mut(&token) {
                ids.retain(|known| *known != id);
            }
        } else {
            if self.by_id.len() >= MAX_ACCOUNTS {
                bail!("the sandbox holds at most {MAX_ACCOUNTS} accounts");
            }
            self.order.push(account.id.clone());
        }
        self.revoked.remove(&account.token);
        self.tokens.entry(account.token.clone()).or_default().push(account.id.clone());
        self.by_id.insert(account.id.clone(), Arc::new(account));
        Ok(())
    }

    pub(crate) fn get(&self, id: &str) -> Option<Arc<Account>> {
        self.by_id.get(id).cloned()
    }

    pub(crate) fn all(&self) -> Vec<Arc<Account>> {
        self.order.iter().filter_map(|id| self.by_id.get(id).cloned()).collect()
    }

    /// When the token ends, Unix seconds; 0 for never.
    pub(crate) fn end_of(&self, token: &str) -> i64 {
        self.ends.get(token).copied().unwrap_or(0)
    }

    pub(crate) fn end(&mut self, token: &str, at: i64) {
        self.ends.insert(token.to_owned(), at);
    }

    pub(crate) fn token_state(&self, token: &str) -> TokenState {
        let end = self.end_of(token);
        if self.revoked.contains(token) {
            TokenState::Revoked
        } else if end != 0 && end <= now_ms() / 1000 {
            TokenState::Expired
        } else if self.tokens.get(token).is_some_and(|ids| !ids.is_empty()) {
            TokenState::Valid
        } else {
            TokenState::Unknown
        }
    }

    /// The account that `me` means for this token: the first one registered with it.
    pub(crate) fn me(&self, token: &str) -> Option<Arc<Account>> {
        self.tokens.get(token)?.first().and_then(|id| self.get(id))
    }

    /// The Instagram account that is reached through this Page.
    pub(crate) fn linked_instagram(&self, page_id: &str) -> Option<Arc<Account>> {
        self.by_id.values().find(|a| a.platform == Platform::Instagram && a.page_id.as_deref() == Some(page_id)).cloned()
    }

    pub(crate) fn revoke(&mut self, token: &str) {
        self.revoked.insert(token.to_owned());
    }

    pub(crate) fn restore(&mut self, token: &str) {
        self.revoked.remove(token);
    }

    pub(crate) fn is_revoked(&self, token: &str) -> bool {
        self.revoked.contains(token)
    }

    pub(crate) fn unsubscribe(&mut self, id: &str) {
        self.unsubscribed.insert(id.to_owned());
    }

    pub(crate) fn subscribe(&mut self, id: &str) {
        self.unsubscribed.remove(id);
    }

    pub(crate) fn is_subscribed(&self, id: &str) -> bool {
        !self.unsubscribed.contains(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sample_accounts_are_complete_and_have_distinct_ids_and_tokens() {
        let accounts = sample().unwrap();
        let ids: HashSet<_> = accounts.iter().map(|a| &a.id).collect();
        let tokens: HashSet<_> = accounts.iter().map(|a| &a.token).collect();
        assert_eq!((accounts.len(), ids.len(), tokens.len()), (6, 6, 6));
    }

    #[test]
    fn account_without_digits_as_id_is_refused() {
        let err = parse(r#"[{"platform":"messenger","id":"../x","shop":"s","token":"t"}]"#).unwrap_err();
        assert!(err.to_string().contains("must be digits"));
    }
}
