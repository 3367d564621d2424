ALTER TABLE products DROP COLUMN search_words, DROP COLUMN search_name;
DROP FUNCTION fold(text);
DROP EXTENSION unaccent;
DROP EXTENSION pg_trgm;
