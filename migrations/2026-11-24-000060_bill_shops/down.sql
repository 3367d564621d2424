DROP FUNCTION system.find_stripe_customer(text);
DROP TABLE billing_notices, billing_events, payments, subscriptions;
