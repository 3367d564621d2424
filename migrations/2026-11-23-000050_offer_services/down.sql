DROP TABLE closures;
DROP TABLE service_staff;
DROP TABLE staff;
DROP TABLE services;
ALTER TABLE shops DROP COLUMN change_minutes, DROP COLUMN slot_minutes;
