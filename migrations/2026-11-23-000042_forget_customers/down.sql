DROP INDEX logs_walk;
ALTER TABLE customers DROP COLUMN erased_at;
