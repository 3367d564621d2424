//! Postgres: pools, transactions and every query.
