ALTER TABLE shops ADD COLUMN inactive_text text;
UPDATE shops SET inactive_text = (SELECT min(value) FROM jsonb_each_text(texts -> 'inactive')) WHERE texts ? 'inactive';
ALTER TABLE shops DROP COLUMN texts;
