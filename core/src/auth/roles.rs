//! What each role may do: one table.

use serde::{Deserialize, Serialize};

/// A user's role in their shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything in the shop.
    Owner,
    /// Orders and conversations; no cost and no profit anywhere.
    OrderManager,
    /// Reads orders and figures.
    Accountant,
}

/// Something that may be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// See oneself, log out, read one's own jobs.
    Own,
    /// See the catalogue.
    ProductsRead,
    /// Change the catalogue.
    ProductsWrite,
    /// See orders.
    OrdersRead,
    /// Place and change orders.
    OrdersWrite,
    /// See services, who performs them, and closures.
    ServicesRead,
    /// Change services, who performs them, and closures.
    ServicesWrite,
    /// See appointments and free slots.
    AppointmentsRead,
    /// Book, move and cancel appointments.
    AppointmentsWrite,
    /// See totals.
    OrdersSummary,
    /// Save orders as a file.
    OrdersExport,
    /// See the dashboard.
    Dashboard,
    /// See what things cost and what they earn.
    Profit,
    /// See conversations.
    ConversationsRead,
    /// Pause and resume the AI.
    ConversationsWrite,
    /// See connected channels.
    ChannelsRead,
    /// Export and erase what is known of a customer.
    Customers,
    /// Connect and disconnect channels.
    ChannelsWrite,
    /// See the shop's settings.
    ShopRead,
    /// Change the shop's settings.
    ShopWrite,
    /// See the team.
    TeamRead,
    /// Invite, change and remove colleagues.
    TeamWrite,
    /// See who changed what.
    Audit,
    /// See and change what the shop pays.
    Subscriptions,
}

impl Permission {
    /// Every permission.
    pub const ALL: &[Self] = &[
        Self::Own,
        Self::ProductsRead,
        Self::ProductsWrite,
        Self::OrdersRead,
        Self::OrdersWrite,
        Self::ServicesRead,
        Self::ServicesWrite,
        Self::AppointmentsRead,
        Self::AppointmentsWrite,
        Self::OrdersSummary,
        Self::OrdersExport,
        Self::Dashboard,
        Self::Profit,
        Self::ConversationsRead,
        Self::ConversationsWrite,
        Self::ChannelsRead,
        Self::ChannelsWrite,
        Self::Customers,
        Self::ShopRead,
        Self::ShopWrite,
        Self::TeamRead,
        Self::TeamWrite,
        Self::Audit,
        Self::Subscriptions,
    ];

    /// The name used in documents and in `GET /auth/me`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::ProductsRead => "products.read",
            Self::ProductsWrite => "products.write",
            Self::OrdersRead => "orders.read",
            Self::OrdersWrite => "orders.write",
            Self::ServicesRead => "services.read",
            Self::ServicesWrite => "services.write",
            Self::AppointmentsRead => "appointments.read",
            Self::AppointmentsWrite => "appointments.write",
            Self::OrdersSummary => "orders.summary",
            Self::OrdersExport => "orders.export",
            Self::Dashboard => "dashboard",
            Self::Profit => "profit",
            Self::ConversationsRead => "conversations.read",
            Self::ConversationsWrite => "conversations.write",
            Self::ChannelsRead => "channels.read",
            Self::ChannelsWrite => "channels.write",
            Self::Customers => "customers",
            Self::ShopRead => "shop.read",
            Self::ShopWrite => "shop.write",
            Self::TeamRead => "team.read",
            Self::TeamWrite => "team.write",
            Self::Audit => "audit",
            Self::Subscriptions => "subscriptions",
        }
    }
}

impl Role {
    /// Every role.
    pub const ALL: &[Self] = &[Self::Owner, Self::OrderManager, Self::Accountant];

    /// The name used in SQL and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::OrderManager => "order_manager",
            Self::Accountant => "accountant",
        }
    }

    /// Reads the name back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.as_str() == name)
    }

    /// The table.
    #[must_use]
    pub const fn may(self, permission: Permission) -> bool {
        use Permission::{
            AppointmentsRead, AppointmentsWrite, Audit, ChannelsRead, ChannelsWrite, ConversationsRead, ConversationsWrite, Customers,
            Dashboard, OrdersExport, OrdersRead, OrdersSummary, OrdersWrite, Own, ProductsRead, ProductsWrite, Profit, ServicesRead,
            ServicesWrite, ShopRead, ShopWrite, Subscriptions, TeamRead, TeamWrite,
        };
        match permission {
            Own | OrdersRead | Dashboard => true,
            ProductsRead | OrdersWrite | ServicesRead | AppointmentsRead | AppointmentsWrite | ConversationsRead | ConversationsWrite => {
                matches!(self, Self::Owner | Self::OrderManager)
            }
            OrdersSummary | OrdersExport | Profit => matches!(self, Self::Owner | Self::Accountant),
            ProductsWrite | ServicesWrite | Customers | ChannelsRead | ChannelsWrite | ShopRead | ShopWrite | TeamRead | TeamWrite
            | Audit | Subscriptions => {
                matches!(self, Self::Owner)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_may_everything_and_nobody_more() {
        for permission in Permission::ALL {
            assert!(Role::Owner.may(*permission));
        }
        for role in [Role::OrderManager, Role::Accountant] {
            assert!(!role.may(Permission::ProductsWrite) && !role.may(Permission::ChannelsWrite));
        }
    }

    #[test]
    fn an_order_manager_sees_no_profit_and_an_accountant_changes_nothing() {
        assert!(!Role::OrderManager.may(Permission::Profit) && !Role::OrderManager.may(Permission::OrdersSummary));
        for permission in [
            Permission::OrdersWrite,
            Permission::AppointmentsWrite,
            Permission::ProductsWrite,
            Permission::ConversationsWrite,
            Permission::ChannelsWrite,
        ] {
            assert!(!Role::Accountant.may(permission));
        }
    }

    #[test]
    fn roles_read_back() {
        for role in Role::ALL {
            assert_eq!(Role::from_name(role.as_str()), Some(*role));
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
        }
    }
}
