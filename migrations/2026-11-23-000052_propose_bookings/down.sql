ALTER TABLE proposals DROP CONSTRAINT proposals_booking_check;
ALTER TABLE proposals DROP CONSTRAINT proposals_kind_check;
-- Proposals of bookings mean nothing to the version before; those of orders stay.
ALTER TABLE appointments NO FORCE ROW LEVEL SECURITY;
UPDATE appointments SET proposal_id = NULL WHERE proposal_id IS NOT NULL;
ALTER TABLE appointments FORCE ROW LEVEL SECURITY;
ALTER TABLE proposals NO FORCE ROW LEVEL SECURITY;
DELETE FROM proposals WHERE kind NOT IN ('order', 'cancel_order');
ALTER TABLE proposals FORCE ROW LEVEL SECURITY;
ALTER TABLE proposals ADD CONSTRAINT proposals_kind_check CHECK (kind IN ('order', 'cancel_order'));
ALTER TABLE proposals DROP COLUMN appointment_id, DROP COLUMN booking;
