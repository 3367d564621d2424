-- The functions go with their schema; log partitions that they made stay with their table.
DROP SCHEMA system CASCADE;
