-- The fixed texts in the shop's own words, by text and language; one text for all languages was the first of them.
ALTER TABLE shops ADD COLUMN texts jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(texts) = 'object');
UPDATE shops SET texts = jsonb_build_object('inactive', jsonb_build_object(
        CASE WHEN lower(left(locale, 2)) IN ('de', 'fr', 'es', 'it', 'pt', 'nl', 'tr') THEN lower(left(locale, 2)) ELSE 'en' END, inactive_text))
    WHERE inactive_text IS NOT NULL;
ALTER TABLE shops DROP COLUMN inactive_text;
