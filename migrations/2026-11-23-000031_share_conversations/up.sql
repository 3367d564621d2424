-- Colleagues share an inbox: a conversation is somebody's, a person's answer is that person's, and a pause may end by itself.
ALTER TABLE conversations
    ADD COLUMN assigned_to integer,
    ADD COLUMN resume_at timestamptz,                         -- when a pause ends by itself
    ADD CONSTRAINT conversations_assigned_to_fkey FOREIGN KEY (shop_id, assigned_to) REFERENCES users ON DELETE SET NULL (assigned_to);
ALTER TABLE messages
    ADD COLUMN user_id integer,                               -- who of the shop wrote it here
    ADD CONSTRAINT messages_user_id_fkey FOREIGN KEY (shop_id, user_id) REFERENCES users ON DELETE SET NULL (user_id);
CREATE INDEX conversations_assigned ON conversations (shop_id, assigned_to, last_activity_at DESC, id DESC) WHERE assigned_to IS NOT NULL;
ALTER TABLE shops
    ADD COLUMN pause_minutes integer CHECK (pause_minutes BETWEEN 1 AND 43200); -- how long a pause lasts of which nobody said how long; null: until resumed

CREATE TABLE conversation_notes (
    shop_id         integer NOT NULL REFERENCES shops,
    id              bigint GENERATED ALWAYS AS IDENTITY,
    conversation_id bigint NOT NULL,
    user_id         integer,                                  -- null once the colleague has left
    body            text NOT NULL CHECK (length(body) BETWEEN 1 AND 4000),
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop_id, id),
    FOREIGN KEY (shop_id, conversation_id) REFERENCES conversations,
    FOREIGN KEY (shop_id, user_id) REFERENCES users ON DELETE SET NULL (user_id)
);
CREATE INDEX conversation_notes_conversation ON conversation_notes (shop_id, conversation_id, id DESC);
CREATE INDEX conversation_notes_user ON conversation_notes (shop_id, user_id) WHERE user_id IS NOT NULL;
ALTER TABLE conversation_notes ENABLE ROW LEVEL SECURITY;
ALTER TABLE conversation_notes FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON conversation_notes
    USING (shop_id = nullif(current_setting('app.shop_id', true), '')::int)
    WITH CHECK (shop_id = nullif(current_setting('app.shop_id', true), '')::int);
