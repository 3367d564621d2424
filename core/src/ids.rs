//! One type per kind of id, so that a product's id is never taken for an order's.

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $inner:ty) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::num::ParseIntError;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                s.parse().map(Self)
            }
        }
    };
}

id!(/// A shop: the tenant.
    ShopId, i32);
id!(/// A user of a shop's dashboard.
    UserId, i32);
id!(/// A platform administrator.
    AdminId, i32);
id!(/// A shop's account on one platform.
    ChannelId, i32);
id!(/// A product of a shop.
    ProductId, i32);
id!(/// One line of an order.
    OrderId, i64);
id!(/// The number customers see; it groups the lines of one purchase, and counts up within a shop.
    OrderNo, i64);
id!(/// A customer of a shop.
    CustomerId, i64);
id!(/// The conversation with one customer on one channel.
    ConversationId, i64);
id!(/// One message, in or out.
    MessageId, i64);
id!(/// One turn of the agent.
    TurnId, i64);
id!(/// What the agent proposed and the customer may confirm.
    ProposalId, i64);
