//! Exact amounts. Prices are `NUMERIC(12,2)` in Postgres and decimal strings in JSON, never floats.

use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub};

use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Numeric;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// An exact amount in the shop's currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = Numeric)]
#[serde(transparent)]
pub struct Money(#[serde(with = "rust_decimal::serde::str")] Decimal);

/// Why a number is not an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Two decimals are all that `NUMERIC(12,2)` keeps.
    #[error("an amount has at most two decimals")]
    TooPrecise,
    /// More than ten digits before the point.
    #[error("an amount is below 10,000,000,000")]
    TooLarge,
}

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// Takes a decimal that fits `NUMERIC(12,2)`, exactly.
    ///
    /// # Errors
    /// When it has more than two decimals or more than ten digits before the point.
    pub fn new(amount: Decimal) -> Result<Self, MoneyError> {
        let amount = amount.normalize();
        if amount.scale() > 2 {
            return Err(MoneyError::TooPrecise);
        }
        if amount.abs() >= Decimal::from(10_000_000_000_i64) {
            return Err(MoneyError::TooLarge);
        }
        Ok(Self(amount))
    }

    /// What the database holds; already `NUMERIC(12,2)`.
    #[must_use]
    pub fn from_numeric(amount: Decimal) -> Self {
        Self(amount)
    }

    /// The amount as a decimal.
    #[must_use]
    pub fn amount(self) -> Decimal {
        self.0
    }

    /// `quantity` times this price.
    #[must_use]
    pub fn times(self, quantity: i32) -> Self {
        Self(self.0 * Decimal::from(quantity))
    }
}

impl FromSql<Numeric, Pg> for Money {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        <Decimal as FromSql<Numeric, Pg>>::from_sql(value).map(Self::from_numeric)
    }
}

impl ToSql<Numeric, Pg> for Money {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        <Decimal as ToSql<Numeric, Pg>>::to_sql(&self.0, out)
    }
}

impl std::fmt::Display for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2}", self.0)
    }
}

impl Add for Money {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl Sub for Money {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Neg for Money {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_third_decimal_is_refused() {
        assert_eq!(Money::new(Decimal::new(1_001, 3)), Err(MoneyError::TooPrecise));
        assert!(Money::new(Decimal::new(1_000, 3)).is_ok());
    }

    #[test]
    fn json_is_a_decimal_string() {
        let price = Money::new(Decimal::new(5_990, 2)).unwrap();
        assert_eq!(serde_json::to_string(&price).unwrap(), "\"59.9\"");
        assert_eq!(price.to_string(), "59.90");
    }
}
