DROP TABLE appointment_events;
DROP TABLE appointments;
DROP EXTENSION btree_gist;
