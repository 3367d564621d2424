-- Renders the tables of schema `public` as `core/src/db/schema.rs` shows them. Text search vectors have no Diesel type and are left out.
WITH columns AS (
    SELECT c.relname AS tbl, a.attnum, a.attname,
           CASE WHEN a.attnotnull THEN '%s' ELSE 'Nullable<%s>' END AS wrap,
           CASE format_type(a.atttypid, NULL)
               WHEN 'integer' THEN 'Int4' WHEN 'bigint' THEN 'Int8' WHEN 'smallint' THEN 'Int2' WHEN 'text' THEN 'Text' WHEN 'boolean' THEN 'Bool' WHEN 'date' THEN 'Date'
               WHEN 'jsonb' THEN 'Jsonb' WHEN 'numeric' THEN 'Numeric' WHEN 'timestamp with time zone' THEN 'Timestamptz'
               WHEN 'text[]' THEN 'Array<Nullable<Text>>' WHEN 'integer[]' THEN 'Array<Nullable<Int4>>' WHEN 'tstzrange' THEN 'Range<Timestamptz>' WHEN 'tsvector' THEN NULL
               ELSE 'Unknown: ' || format_type(a.atttypid, NULL) END AS typ
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname NOT LIKE '\_\_diesel%'
), tables AS (
    SELECT tbl, string_agg(format('        %s -> %s,', attname, format(wrap, typ)), E'\n' ORDER BY attnum) AS body FROM columns WHERE typ IS NOT NULL GROUP BY tbl
), keys AS (
    SELECT c.relname AS tbl, string_agg(a.attname, ', ' ORDER BY k.ord) AS key
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid, unnest(i.indkey) WITH ORDINALITY AS k (attnum, ord), pg_attribute a
    WHERE i.indisprimary AND a.attrelid = c.oid AND a.attnum = k.attnum GROUP BY c.relname
)
SELECT E'// @generated from the live schema by the test `schema_is_what_the_database_holds`; never edited.\n\n' || string_agg(
    format(E'diesel::table! {\n    %s (%s) {\n%s\n    }\n}\n', tbl, key, body), E'\n' ORDER BY tbl) ||
    (SELECT E'\ndiesel::allow_tables_to_appear_in_same_query!(' || string_agg(tbl, ', ' ORDER BY tbl) || E');\n' FROM tables)
FROM tables JOIN keys USING (tbl)
