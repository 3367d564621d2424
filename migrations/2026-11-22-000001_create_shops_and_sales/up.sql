-- The first schema: shops, people, channels, products, orders, conversations, and what the workers keep for themselves.

CREATE TABLE shops (
    id              integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name            text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    kind            text NOT NULL CHECK (kind IN ('product', 'service', 'both')),
    timezone        text NOT NULL,
    currency        text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    locale          text NOT NULL,
    plan            text NOT NULL DEFAULT 'trial' CHECK (plan IN ('trial', 'starter', 'pro', 'business')),
    status          text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'inactive')),
    trial_ends_at   timestamptz,
    agent_name      text NOT NULL DEFAULT '',
    agent_instructions text NOT NULL DEFAULT '',
    about           text NOT NULL DEFAULT '',          -- address, policies, FAQ: what business_info answers from
    hours           jsonb NOT NULL DEFAULT '{}'::jsonb,
    handoff_mode    text NOT NULL DEFAULT 'words' CHECK (handoff_mode IN ('words', 'intent')),
    handoff_words   text[] NOT NULL DEFAULT '{}',      -- empty: the default list
    handoff_email   text,
    handoff_whatsapp text,
    inactive_text   text,
    daily_model_budget numeric(12,4) NOT NULL DEFAULT 5,
    registration    text UNIQUE,                        -- the request that opened it: a repeat finds it standing
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE users (
    shop_id         integer NOT NULL REFERENCES shops,
    id              integer GENERATED ALWAYS AS IDENTITY,
    email           text NOT NULL CHECK (email = lower(email)),
    name            text NOT NULL DEFAULT '',
    password_hash   text NOT NULL,
    role            text NOT NULL CHECK (role IN ('owner', 'order_manager', 'accountant')),
    active          boolean NOT NULL DEFAULT true,
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop_id, id),
    UNIQUE (id)
);
CREATE UNIQUE INDEX users_email ON users (email);

CREATE TABLE admins (
    id              integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email           text NOT NULL UNIQUE CHECK (email = lower(email)),
    password_hash   text NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE channels (
    shop_id         integer NOT NULL REFERENCES shops,
    id              integer GENERATED ALWAYS AS IDENTITY,
    platform        text NOT NULL CHECK (platform IN ('whatsapp', 'instagram', 'messenger')),
    external_id     text NOT NULL,
    name            text NOT NULL DEFAULT '',
    phone           text,                               -- WhatsApp: the number customers see, digits only
    login           text NOT NULL DEFAULT 'facebook' CHECK (login IN ('facebook', 'instagram')),
    sealed_token    text,
    status          text NOT NULL DEFAULT 'connected' CHECK (status IN ('connected', 'disconnected', 'removed')),
    status_code     bigint,                            -- Meta's code that disconnected it
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop_id, id),
    UNIQUE (id)
);
CREATE UNIQUE INDEX channels_external ON channels (platform, external_id) WHERE status <> 'removed';

CREATE TABLE products (
    shop_id         integer NOT NULL REFERENCES shops,
    id              integer GENERATED ALWAYS AS IDENTITY,
    sku             text,
    name            text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    description     text NOT NULL DEFAULT '',
    price           numeric(12,2) NOT NULL CHECK (price >= 0),
    cost            numeric(12,2) NOT NULL CHECK (cost >= 0),
    stock           integer NOT NULL CHECK (stock >= 0),
    image_url       text,
    keywords        text NOT NULL DEFAULT '',           -- other words customers use for it; never shown
    active          boolean NOT NULL DEFAULT true,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop_id, id),
    UNIQUE (id)
);
CREATE UNIQUE INDEX products_sku ON products (shop_id, sku) WHERE sku IS NOT NULL AND active;

CREATE TABLE customers (
    shop_id         integer NOT NULL REFERENCES shops,
    id              bigint GENERATED ALWAYS AS IDENTITY,
    channel_id      integer NOT NULL,
    name            text,
    username        text,
    language        text,
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop_id, id),
    FOREIGN KEY (shop_id, channel_id) REFERENCES channels
);

CREATE TABLE customer_aliases (
    shop_id         integer NOT NULL REFERENCES shops,
    channel_id      integer NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('phone', 'user_id', 'parent_user_id', 'scoped_id')),
    value           text NOT NULL,
    customer_id     bigint NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop_id, channel_id, kind, value),
    FOREIGN KEY (shop_id, channel_id) REFERENCES channels,
    FOREIGN KEY (shop_id, customer_id) REFERENCES customers
);
CREATE INDEX customer_aliases_customer ON customer_aliases (shop_id, customer_id);

CREATE TABLE conversations (
    shop_id         integer NOT NULL REFERENCES shops,
    id              bigint GENERATED ALWAYS AS IDENTITY,
    channel_id      integer NOT NULL,
    customer_id     bigint NOT NULL,
    paused          boolean NOT NULL DEFAULT false,
    paused_by       text CHECK (paused_by IN ('customer', 'staff', 'echo', 'loop')),
    paused_at       timestamptz,
    human_epoch     bigint NOT NULL DEFAULT 0,          -- grows with every human takeover: an answer begun before is not sent
    turn_fence      bigint NOT NULL DEFAULT 0,          -- grows with every turn begun: a worker that lost its lease can write nothing
    language        text,
    last_customer_at timestamptz,
    last_activity_at timestamptz NOT NULL DEFAULT now(),
    notes           jsonb NOT NULL DEFAULT '{}'::jsonb,  -- when each fixed text last went out
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop_id, id),
    UNIQUE (shop_id, channel_id, customer_id),
    FOREIGN KEY (shop_id, channel_id) REFERENCES channels,
    FOREIGN KEY (shop_id, customer_id) REFERENCES customers
);
CREATE INDEX conversations_activity ON conversations (shop_id, last_activity_at DESC);

CREATE TABLE turns (
    shop_id         integer NOT NULL REFERENCES shops,
    id              bigint GENERATED ALWAYS AS IDENTITY,
    conversation_id bigint NOT NULL,
    fence           bigint NOT NULL,
    state           text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'decided', 'done')),
    outcome         text,                               -- reply, proposal, order, handoff, inactive, …
    accepted_at     timestamptz NOT NULL,               -- when the first of its messages was accepted
    human_epoch     bigint NOT NULL,
    trace           jsonb NOT NULL DEFAULT '[]'::jsonb,  -- model calls, tool calls, arguments, results, tokens, cost, times
    input_tokens    integer NOT NULL DEFAULT 0,
    output_tokens   integer NOT NULL DEFAULT 0,
    cost            numeric(12,6) NOT NULL DEFAULT 0,
    counted         boolean NOT NULL DEFAULT false,      -- its answer counts in this month's usage
    created_at      timestamptz NOT NULL DEFAULT now(),
    decided_at      timestamptz,
    done_at         timestamptz,
    PRIMARY KEY (shop_id, id),
    FOREIGN KEY (shop_id, conversation_id) REFERENCES conversations
);
CREATE UNIQUE INDEX turns_unfinished ON turns (shop_id, conversation_id) WHERE state <> 'done';
CREATE INDEX turns_conversation ON turns (shop_id, conversation_id, id DESC);

CREATE TABLE messages (
    shop_id         integer NOT NULL REFERENCES shops,
    id              bigint GENERATED ALWAYS AS IDENTITY,
    conversation_id bigint NOT NULL,
    channel_id      integer NOT NULL,
    direction       text NOT NULL CHECK (direction IN ('in', 'out')),
    author          text NOT NULL CHECK (author IN ('customer', 'ai', 'human', 'system')),
    kind            text NOT NULL DEFAULT 'text',        -- in: text, button, image, …; out: reply, holding, proposal, handoff, …
    provider_id     text,                               -- Meta's id; unique per channel
    send_key        text,                               -- ours, for out: turn, kind and part
    body            text NOT NULL DEFAULT '',
    content         jsonb NOT NULL DEFAULT '{}'::jsonb,
    status          text NOT NULL CHECK (status IN ('received', 'pending', 'sending', 'unknown', 'sent', 'delivered', 'read', 'failed', 'superseded', 'deleted')),
    error_code      bigint,
    turn_id         bigint,
    occurred_at     timestamptz NOT NULL,
    attempted_at    timestamptz,
    sent_at         timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop_id, id),
    FOREIGN KEY (shop_id, conversation_id) REFERENCES conversations,
    FOREIGN KEY (shop_id, channel_id) REFERENCES channels,
    FOREIGN KEY (shop_id, turn_id) REFERENCES turns
);
CREATE UNIQUE INDEX messages_provider ON messages (shop_id, channel_id, provider_id) WHERE provider_id IS NOT NULL;
CREATE UNIQUE INDEX messages_send_key ON messages (shop_id, send_key) WHERE send_key IS NOT NULL;
CREATE INDEX messages_conversation ON messages (shop_id, conversation_id, id DESC);
CREATE INDEX messages_turn ON messages (shop_id, turn_id) WHERE turn_id IS NOT NULL;

CREATE TABLE proposals (
    shop_id         integer NOT NULL REFERENCES shops,
    id              bigint GENERATED ALWAYS AS IDENTITY,
    conversation_id bigint NOT NULL,
    turn_id         bigint NOT NULL,
    message_id      bigint,                             -- the message that showed it
    kind            text NOT NULL CHECK (kind IN ('order', 'cancel_order')),
    lines           jsonb NOT NULL,                     -- product_id, name, quantity, price
    total           numeric(12,2) NOT NULL,
    order_no        bigint,                             -- the order it made, or is to cancel
    state           text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'confirmed', 'declined', 'replaced', 'expired', 'failed')),
    shown_at        timestamptz,                        -- when the platform took the message that shows it
    created_at      timestamptz NOT NULL DEFAULT now(),
    closed_at       timestamptz,
    PRIMARY KEY (shop_id, id),
    FOREIGN KEY (shop_id, conversation_id) REFERENCES conversations,
    FOREIGN KEY (shop_id, turn_id) REFERENCES turns,
    FOREIGN KEY (shop_id, message_id) REFERENCES messages
);
CREATE UNIQUE INDEX proposals_open ON proposals (shop_id, conversation_id) WHERE state = 'open';

-- Apart from shops: every insert of a tenant row locks its shop's row (foreign key), so nothing hot may live there.
CREATE TABLE order_numbers (
    shop_id         integer PRIMARY KEY REFERENCES shops,
    next_no         bigint NOT NULL DEFAULT 1001
);

CREATE TABLE orders (
    shop_id         integer NOT NULL REFERENCES shops,
    id              bigint GENERATED ALWAYS AS IDENTITY,
    order_no        bigint NOT NULL,
    line_no         integer NOT NULL,
    product_id      integer NOT NULL,
    product_name    text NOT NULL,
    quantity        integer NOT NULL CHECK (quantity > 0),
    price           numeric(12,2) NOT NULL,
    cost            numeric(12,2) NOT NULL,
    revenue         numeric(12,2) NOT NULL,
    profit          numeric(12,2) NOT NULL,
    status          text NOT NULL CHECK (status IN ('pending', 'confirmed', 'fulfilled', 'cancelled', 'refunded')),
    customer_id     bigint,
    customer_name   text NOT NULL DEFAULT '',
    contact         text,
    platform        text CHECK (platform IN ('whatsapp', 'instagram', 'messenger')),
    source          text NOT NULL CHECK (source IN ('agent', 'staff')),
    proposal_id     bigint,
    request_key     text,
    sale_date       date NOT NULL,                      -- the day in the shop's zone on which it counts
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    CHECK (revenue = price * quantity AND profit = revenue - cost * quantity),
    PRIMARY KEY (shop_id, id),
    UNIQUE (shop_id, order_no, line_no),
    FOREIGN KEY (shop_id, product_id) REFERENCES products,
    FOREIGN KEY (shop_id, customer_id) REFERENCES customers,
    FOREIGN KEY (shop_id, proposal_id) REFERENCES proposals
);
CREATE UNIQUE INDEX orders_proposal ON orders (shop_id, proposal_id, line_no) WHERE proposal_id IS NOT NULL;
CREATE UNIQUE INDEX orders_request ON orders (shop_id, request_key, line_no) WHERE request_key IS NOT NULL;
CREATE INDEX orders_status ON orders (shop_id, status, order_no DESC) WHERE line_no = 1;
CREATE INDEX orders_customer ON orders (shop_id, customer_id, order_no DESC) WHERE customer_id IS NOT NULL;

CREATE TABLE order_events (
    shop_id         integer NOT NULL REFERENCES shops,
    id              bigint GENERATED ALWAYS AS IDENTITY,
    order_no        bigint NOT NULL,
    status          text NOT NULL,
    actor           text NOT NULL,                      -- user:<id>, agent, system
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop_id, id)
);
CREATE INDEX order_events_order ON order_events (shop_id, order_no, id);

CREATE TABLE daily_sales (
    shop_id         integer NOT NULL REFERENCES shops,
    day             date NOT NULL,
    orders          bigint NOT NULL DEFAULT 0 CHECK (orders >= 0),
    pieces          bigint NOT NULL DEFAULT 0 CHECK (pieces >= 0),
    revenue         numeric(14,2) NOT NULL DEFAULT 0,
    cost            numeric(14,2) NOT NULL DEFAULT 0,
    profit          numeric(14,2) NOT NULL DEFAULT 0,
    cancelled       bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (shop_id, day)
);

CREATE TABLE usage (
    shop_id         integer NOT NULL REFERENCES shops,
    month           date NOT NULL,                      -- the first day of the shop's calendar month
    messages        integer NOT NULL DEFAULT 0,
    quota_told_at   timestamptz,
    PRIMARY KEY (shop_id, month)
);

CREATE TABLE model_usage (
    shop_id         integer NOT NULL REFERENCES shops,
    day             date NOT NULL,
    calls           integer NOT NULL DEFAULT 0,
    input_tokens    bigint NOT NULL DEFAULT 0,
    output_tokens   bigint NOT NULL DEFAULT 0,
    cost            numeric(12,6) NOT NULL DEFAULT 0,
    PRIMARY KEY (shop_id, day)
);

CREATE TABLE requests (
    shop_id         integer NOT NULL REFERENCES shops,
    key             text NOT NULL,
    job_id          text NOT NULL,
    user_id         integer,
    fingerprint     text NOT NULL,
    answer          jsonb NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop_id, key)
);
CREATE INDEX requests_job ON requests (shop_id, job_id);
CREATE INDEX requests_age ON requests (created_at);

CREATE TABLE outbox (
    shop_id         integer NOT NULL REFERENCES shops,
    id              bigint GENERATED ALWAYS AS IDENTITY,
    queue           text NOT NULL,
    key             text NOT NULL,                      -- the job's idempotency key
    payload         jsonb NOT NULL,
    run_at          timestamptz NOT NULL DEFAULT now(),
    claimed_at      timestamptz,                        -- when a relay last took it
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop_id, id)
);
CREATE INDEX outbox_age ON outbox (created_at);

CREATE TABLE audit (
    shop_id         integer NOT NULL REFERENCES shops,
    id              bigint GENERATED ALWAYS AS IDENTITY,
    actor           text NOT NULL,
    action          text NOT NULL,
    subject         text NOT NULL,
    detail          jsonb NOT NULL DEFAULT '{}'::jsonb,
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop_id, id)
);

CREATE TABLE logs (
    id              bigint GENERATED ALWAYS AS IDENTITY,
    created_at      timestamptz NOT NULL DEFAULT now(),
    shop_id         integer REFERENCES shops,           -- null for an unknown channel
    direction       text NOT NULL CHECK (direction IN ('in', 'out')),
    platform        text NOT NULL,
    external_id     text NOT NULL,
    kind            text NOT NULL,
    dedupe_key      text,
    payload         jsonb NOT NULL,
    PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);
CREATE TABLE logs_default PARTITION OF logs DEFAULT;
CREATE INDEX logs_shop ON logs (shop_id, created_at DESC);
CREATE INDEX logs_dedupe ON logs (shop_id, dedupe_key) WHERE dedupe_key IS NOT NULL;
