DROP INDEX logs_age;
DROP FUNCTION system.list_logs(integer, text, text, text, timestamptz, timestamptz, timestamptz, bigint, integer);
DROP INDEX audit_subject;
ALTER TABLE shops DROP COLUMN version;
