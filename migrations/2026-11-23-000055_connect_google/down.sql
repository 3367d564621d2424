DROP FUNCTION system.enqueue_calendar_pulls(text, text);
DROP TABLE integrations;
