//! The scope of one shop. Whoever holds a [`ShopScope`] may touch that shop's data; nobody can make one up.
//!
//! The doors are few: a verified session, the look-up of a channel or of a customer of Stripe's, a job's envelope, the registration that makes the shop,
//! and what we sealed ourselves for Google to bring back ([`crate::google`]).
//!
//! ```compile_fail
//! let forged = frontdesk_core::tenancy::ShopScope { shop: frontdesk_core::ids::ShopId(1) };
//! ```
//! ```compile_fail
//! let forged: frontdesk_core::tenancy::ShopScope = serde_json::from_str("1").unwrap();
//! ```
//! ```compile_fail
//! let forged = frontdesk_core::tenancy::ShopScope::new(frontdesk_core::ids::ShopId(1));
//! ```

use crate::auth::{Session, Who};
use crate::ids::ShopId;

/// The right to act within one shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ShopScope {
    shop: ShopId,
}

impl ShopScope {
    /// Only the doors call this; see the module's head.
    pub(crate) const fn new(shop: ShopId) -> Self {
        Self { shop }
    }

    /// The door of a verified session; an administrator belongs to no shop.
    #[must_use]
    pub fn from_session(session: &Session) -> Option<Self> {
        match session.who() {
            Who::User { shop, .. } => Some(Self::new(shop)),
            Who::Admin { .. } => None,
        }
    }

    /// The door of a job: the shop in whose scope it was enqueued, if any.
    #[must_use]
    pub fn from_envelope(envelope: &crate::queue::Envelope) -> Option<Self> {
        envelope.shop().map(Self::new)
    }

    /// The shop.
    #[must_use]
    pub const fn shop(&self) -> ShopId {
        self.shop
    }
}
