-- Variants of one product, such as sizes: each is a product of its own, with its own stock, price and sku, and they share a title and a group.
-- The name that customers see is made of title and options here, and nowhere else.
CREATE FUNCTION product_name(title text, options jsonb) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT title || coalesce(' (' || (SELECT string_agg(value, ', ' ORDER BY key) FROM jsonb_each_text(options)) || ')', '') $$;
GRANT EXECUTE ON FUNCTION product_name(text, jsonb) TO PUBLIC;

ALTER TABLE products
    ADD COLUMN title text,                              -- of a variant: its name without the options
    ADD COLUMN options jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(options) = 'object'),
    ADD COLUMN variant_group integer,                   -- the product that was there first
    ADD CONSTRAINT products_variant_group FOREIGN KEY (shop_id, variant_group) REFERENCES products,
    ADD CONSTRAINT products_variant_whole CHECK ((variant_group IS NULL) = (options = '{}') AND (variant_group IS NULL) = (title IS NULL));
CREATE UNIQUE INDEX products_variant ON products (shop_id, variant_group, options) WHERE active AND variant_group IS NOT NULL;
