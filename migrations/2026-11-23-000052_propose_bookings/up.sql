-- Bookings are proposed, shown and confirmed by the same rules as orders.
ALTER TABLE proposals
    ADD COLUMN booking jsonb,                           -- service, staff, time and price as the customer sees them
    ADD COLUMN appointment_id bigint;                   -- the appointment it made, or is to move or cancel
ALTER TABLE proposals DROP CONSTRAINT proposals_kind_check;
ALTER TABLE proposals ADD CONSTRAINT proposals_kind_check CHECK (kind IN ('order', 'cancel_order', 'booking', 'move_booking', 'cancel_booking'));
ALTER TABLE proposals ADD CONSTRAINT proposals_booking_check CHECK ((kind IN ('booking', 'move_booking')) = (booking IS NOT NULL));
