DROP FUNCTION system.confirm_email(integer, text);
DROP FUNCTION system.reset_password(integer, text, text);
DROP POLICY crossing ON audit;
ALTER TABLE users DROP COLUMN invited_at, DROP COLUMN email_confirmed_at;
