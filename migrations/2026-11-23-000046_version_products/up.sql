-- Two people who change a product at once: the second is told, instead of undoing what the first did. Sales do not count.
ALTER TABLE products ADD COLUMN version integer NOT NULL DEFAULT 1;
