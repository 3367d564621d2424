DROP INDEX products_variant;
ALTER TABLE products DROP COLUMN variant_group, DROP COLUMN options, DROP COLUMN title;
DROP FUNCTION product_name(text, jsonb);
