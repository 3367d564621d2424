//! A statement as text, prepared once per connection. Diesel's own `sql_query` is parsed and planned anew at each call, which at some thirty statements
//! an answer is most of what Postgres does.

use std::borrow::Cow;
use std::marker::PhantomData;

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, Untyped};

/// A statement whose text is one of a few: constants, or built of constants. Values are bound, never written into it, so the cache of prepared
/// statements stays bounded.
pub(super) fn sql(text: impl Into<Cow<'static, str>>) -> Sql<()> {
    Sql { text: text.into(), binds: () }
}

/// See [`sql`].
#[derive(Debug, Clone)]
pub(super) struct Sql<Binds> {
    text: Cow<'static, str>,
    binds: Binds,
}

impl<Binds> Sql<Binds> {
    /// The value of the next placeholder: `$1`, `$2`, ….
    pub(super) fn bind<ST, Value>(self, value: Value) -> Sql<Then<Binds, ST, Value>> {
        Sql { text: self.text, binds: Then { before: self.binds, value, sql_type: PhantomData } }
    }
}

/// One bound value more.
#[derive(Debug, Clone)]
pub(super) struct Then<Before, ST, Value> {
    before: Before,
    value: Value,
    sql_type: PhantomData<ST>,
}

impl<Before, ST, Value> QueryFragment<Pg> for Then<Before, ST, Value>
where
    Before: QueryFragment<Pg>,
    Pg: HasSqlType<ST>,
    Value: ToSql<ST, Pg>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.before.walk_ast(out.reborrow())?;
        out.push_bind_param_value_only(&self.value)
    }
}

impl<Binds: QueryFragment<Pg>> QueryFragment<Pg> for Sql<Binds> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(&self.text);
        self.binds.walk_ast(out)
    }
}

impl<Binds> Query for Sql<Binds> {
    type SqlType = Untyped;
}

// The cache goes by the text.
impl<Binds> QueryId for Sql<Binds> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

#[cfg(test)]
mod tests {
    use diesel::sql_types::Integer;

    use super::*;

    #[test]
    fn a_statement_is_prepared_once() {
        let statement = sql("SELECT $1 + $2").bind::<Integer, _>(1).bind::<Integer, _>(2);
        assert!(statement.is_safe_to_cache_prepared(&Pg).unwrap());
        assert!(
            !diesel::sql_query("SELECT 1").is_safe_to_cache_prepared(&Pg).unwrap(),
            "then sql_query would do, and this module could go"
        );
    }
}
