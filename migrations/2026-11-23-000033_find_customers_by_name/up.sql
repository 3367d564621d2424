-- Staff look for customers by name, without accents. No trigram index, for the reason that 000004 gives: what is compared is kept ready instead.
ALTER TABLE customers
    ADD COLUMN search_name text GENERATED ALWAYS AS (fold(coalesce(name, '') || ' ' || coalesce(username, ''))) STORED NOT NULL;
