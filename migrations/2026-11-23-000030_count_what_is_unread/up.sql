-- The inbox lists conversations by activity and by what waits for an answer; both are kept with the conversation, so that a page costs the same among many.
ALTER TABLE conversations
    ADD COLUMN seen_message_id bigint NOT NULL DEFAULT 0,     -- staff have read up to here
    ADD COLUMN last_in_id bigint NOT NULL DEFAULT 0,          -- the customer's latest message
    ADD COLUMN last_answer_id bigint NOT NULL DEFAULT 0;      -- the latest answer, of the AI or of a person; fixed texts are none

ALTER TABLE conversations NO FORCE ROW LEVEL SECURITY;
ALTER TABLE messages NO FORCE ROW LEVEL SECURITY;
UPDATE conversations c SET last_in_id = m.last_in_id, last_answer_id = m.last_answer_id, seen_message_id = m.last_in_id
FROM (SELECT shop_id, conversation_id, coalesce(max(id) FILTER (WHERE direction = 'in'), 0) AS last_in_id,
             coalesce(max(id) FILTER (WHERE author IN ('ai', 'human') AND kind <> 'holding' AND status NOT IN ('failed', 'superseded')), 0) AS last_answer_id
      FROM messages GROUP BY shop_id, conversation_id) m
WHERE m.shop_id = c.shop_id AND m.conversation_id = c.id;
ALTER TABLE messages FORCE ROW LEVEL SECURITY;
ALTER TABLE conversations FORCE ROW LEVEL SECURITY;

DROP INDEX conversations_activity;
CREATE INDEX conversations_activity ON conversations (shop_id, last_activity_at DESC, id DESC);
CREATE INDEX conversations_unanswered ON conversations (shop_id, last_activity_at DESC, id DESC) WHERE last_in_id > last_answer_id;
CREATE INDEX conversations_paused ON conversations (shop_id, last_activity_at DESC, id DESC) WHERE paused;
CREATE INDEX conversations_unread ON conversations (shop_id, last_activity_at DESC, id DESC) WHERE last_in_id > seen_message_id;
