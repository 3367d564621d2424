//! WhatsApp text webhooks, signed as Meta signs them.

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use hyper::header::HeaderValue;
use serde_json::{Value, json};
use sha2::Sha256;

/// A WhatsApp number of one of the sample shops.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Account {
    /// `phone_number_id`.
    pub(crate) id: &'static str,
    display_phone: &'static str,
    waba: &'static str,
}

/// The sample product shop.
pub(crate) const PRODUCTS: Account = Account { id: "204411225588002", display_phone: "15550100022", waba: "390011223344777" };
/// The sample service shop.
pub(crate) const SERVICES: Account = Account { id: "204411225588001", display_phone: "15550100011", waba: "390011223344551" };

/// Somebody who writes to a shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Customer {
    /// Digits.
    pub(crate) phone: String,
    bsuid: String,
}

impl Customer {
    /// Customer `n` of group `group`; different groups share nobody.
    pub(crate) fn new(group: u32, n: u64) -> Self {
        let number = u64::from(group) * 10_000_000 + n;
        Self { phone: format!("4915{number:09}"), bsuid: format!("DE.{number:017}") }
    }

    /// As the sandbox's control API names them.
    pub(crate) fn for_sandbox(&self) -> Value {
        json!({ "phone": self.phone, "bsuid": self.bsuid, "name": "Mia Brandt" })
    }
}

/// An id that looks like WhatsApp's; `run` keeps runs apart.
pub(crate) fn message_id(run: u32, n: u64) -> String {
    format!("wamid.HBgNNDkxNTAwMDAwMDAwMBUCABIYFD{run:08X}{n:016X}AA==")
}

/// A body and the signature over its very bytes.
#[derive(Debug, Clone)]
pub(crate) struct Webhook {
    /// The body.
    pub(crate) body: Bytes,
    /// `X-Hub-Signature-256`.
    pub(crate) signature: HeaderValue,
}

/// Makes webhooks.
#[derive(Clone)]
pub(crate) struct Signer(Hmac<Sha256>);

impl Signer {
    pub(crate) fn new(app_secret: &str) -> anyhow::Result<Self> {
        Ok(Self(Hmac::new_from_slice(app_secret.as_bytes())?))
    }

    /// `customer` writes `text`, which is plain ASCII without quotes, so that nothing is to be escaped.
    pub(crate) fn text(&self, account: Account, customer: &Customer, id: &str, at_s: i64, text: &str) -> anyhow::Result<Webhook> {
        let Account { id: number, display_phone, waba } = account;
        let Customer { phone, bsuid } = customer;
        self.sign(format!(
            r#"{{"object":"whatsapp_business_account","entry":[{{"id":"{waba}","changes":[{{"value":{{"messaging_product":"whatsapp","metadata":{{"display_phone_number":"{display_phone}","phone_number_id":"{number}"}},"contacts":[{{"profile":{{"name":"Mia Brandt"}},"wa_id":"{phone}","user_id":"{bsuid}"}}],"messages":[{{"from":"{phone}","from_user_id":"{bsuid}","id":"{id}","timestamp":"{at_s}","type":"text","text":{{"body":"{text}"}}}}]}},"field":"messages"}}]}}]}}"#
        ))
    }

    fn sign(&self, body: String) -> anyhow::Result<Webhook> {
        let mut mac = self.0.clone();
        mac.update(body.as_bytes());
        let signature = HeaderValue::from_str(&format!("sha256={}", hex::encode(mac.finalize().into_bytes())))?;
        Ok(Webhook { body: body.into(), signature })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn webhook_has_the_form_of_a_real_one() {
        let signer = Signer::new("secret").unwrap();
        let customer = Customer::new(3, 7);
        let webhook = signer.text(PRODUCTS, &customer, &message_id(1, 2), 1_795_341_601, "hi there").unwrap();
        let body: Value = serde_json::from_slice(&webhook.body).unwrap();
        let value = &body["entry"][0]["changes"][0]["value"];
        assert_eq!(value["metadata"]["phone_number_id"], PRODUCTS.id);
        assert_eq!(value["messages"][0]["from"], "4915030000007");
        assert_eq!(value["contacts"][0]["wa_id"], value["messages"][0]["from"]);
        assert_eq!(value["messages"][0]["text"]["body"], "hi there");
        assert_eq!(value["messages"][0]["timestamp"], "1795341601");
    }

    /// RFC 4231, test case 2.
    #[test]
    fn signature_is_hmac_sha256_in_lower_case_hex() {
        let signed = Signer::new("Jefe").unwrap().sign("what do ya want for nothing?".to_owned()).unwrap();
        assert_eq!(signed.signature, "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn customers_and_messages_of_different_numbers_differ() {
        assert_ne!(Customer::new(1, 0), Customer::new(2, 0));
        assert_ne!(Customer::new(1, 0), Customer::new(1, 1));
        assert_ne!(message_id(1, 0), message_id(2, 0));
        assert_ne!(message_id(1, 0), message_id(1, 1));
    }
}
