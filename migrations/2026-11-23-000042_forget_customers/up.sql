-- Who asks to be forgotten is; when that was done is all that stays.
ALTER TABLE customers ADD COLUMN erased_at timestamptz;
-- Raw events of one shop are walked by their number.
CREATE INDEX logs_walk ON logs (shop_id, id);
