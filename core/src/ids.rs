//! One type per kind of id, so that a product's id is never taken for an order's.

use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::{BigInt, Integer};
use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $inner:ty, $sql:ty) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, AsExpression, FromSqlRow)]
        #[diesel(sql_type = $sql)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl FromSql<$sql, Pg> for $name {
            fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
                <$inner as FromSql<$sql, Pg>>::from_sql(value).map(Self)
            }
        }

        impl ToSql<$sql, Pg> for $name {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                <$inner as ToSql<$sql, Pg>>::to_sql(&self.0, out)
            }
        }

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
    ShopId, i32, Integer);
id!(/// A user of a shop's dashboard.
    UserId, i32, Integer);
id!(/// A platform administrator.
    AdminId, i32, Integer);
id!(/// A shop's account on one platform.
    ChannelId, i32, Integer);
id!(/// A product of a shop.
    ProductId, i32, Integer);
id!(/// One line of an order.
    OrderId, i64, BigInt);
id!(/// The number customers see; it groups the lines of one purchase, and counts up within a shop.
    OrderNo, i64, BigInt);
id!(/// A customer of a shop.
    CustomerId, i64, BigInt);
id!(/// The conversation with one customer on one channel.
    ConversationId, i64, BigInt);
id!(/// One message, in or out.
    MessageId, i64, BigInt);
id!(/// A file: of a message, or of a product.
    MediaId, i64, BigInt);
id!(/// What a colleague noted about a conversation.
    NoteId, i64, BigInt);
id!(/// One turn of the agent.
    TurnId, i64, BigInt);
id!(/// What the agent proposed and the customer may confirm.
    ProposalId, i64, BigInt);
id!(/// A service that a shop offers.
    ServiceId, i32, Integer);
id!(/// Who, or what room, performs services.
    StaffId, i32, Integer);
id!(/// A holiday or another time at which nobody can be booked.
    ClosureId, i32, Integer);
id!(/// An appointment.
    AppointmentId, i64, BigInt);
