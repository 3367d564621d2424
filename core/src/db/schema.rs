// @generated from the live schema by the test `schema_is_what_the_database_holds`; never edited.

diesel::table! {
    admins (id) {
        id -> Int4,
        email -> Text,
        password_hash -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    appointment_events (shop_id, id) {
        shop_id -> Int4,
        id -> Int8,
        appointment_id -> Int8,
        action -> Text,
        actor -> Text,
        from_starts_at -> Nullable<Timestamptz>,
        from_staff_id -> Nullable<Int4>,
        to_starts_at -> Timestamptz,
        to_staff_id -> Int4,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    appointment_reminders (shop_id, appointment_id, minutes, starts_at) {
        shop_id -> Int4,
        appointment_id -> Int8,
        minutes -> Int4,
        starts_at -> Timestamptz,
        state -> Text,
        reason -> Nullable<Text>,
        message_id -> Nullable<Int8>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    appointments (shop_id, id) {
        shop_id -> Int4,
        id -> Int8,
        service_id -> Int4,
        service_name -> Text,
        staff_id -> Int4,
        customer_id -> Nullable<Int8>,
        conversation_id -> Nullable<Int8>,
        customer_name -> Text,
        contact -> Nullable<Text>,
        starts_at -> Timestamptz,
        ends_at -> Timestamptz,
        blocked -> Range<Timestamptz>,
        price -> Numeric,
        state -> Text,
        source -> Text,
        note -> Text,
        proposal_id -> Nullable<Int8>,
        request_key -> Nullable<Text>,
        version -> Int4,
        google_event_id -> Nullable<Text>,
        sync_state -> Text,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        confirmed_at -> Nullable<Timestamptz>,
        google_calendar_id -> Nullable<Text>,
        google_etag -> Nullable<Text>,
        google_version -> Nullable<Int4>,
        calendar_conflict -> Nullable<Text>,
    }
}

diesel::table! {
    archives (shop_id, id) {
        shop_id -> Int4,
        id -> Int8,
        conversation_id -> Int8,
        from_at -> Timestamptz,
        until_at -> Timestamptz,
        exchanges -> Jsonb,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    audit (shop_id, id) {
        shop_id -> Int4,
        id -> Int8,
        actor -> Text,
        action -> Text,
        subject -> Text,
        detail -> Jsonb,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    billing_events (shop_id, event_id) {
        shop_id -> Int4,
        event_id -> Text,
        kind -> Text,
        object_id -> Text,
        detail -> Jsonb,
        occurred_at -> Timestamptz,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    billing_notices (shop_id, key) {
        shop_id -> Int4,
        key -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    channels (shop_id, id) {
        shop_id -> Int4,
        id -> Int4,
        platform -> Text,
        external_id -> Text,
        name -> Text,
        phone -> Nullable<Text>,
        login -> Text,
        sealed_token -> Nullable<Text>,
        status -> Text,
        status_code -> Nullable<Int8>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        token_expires_at -> Nullable<Timestamptz>,
        checked_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    closures (shop_id, id) {
        shop_id -> Int4,
        id -> Int4,
        staff_id -> Nullable<Int4>,
        from_day -> Date,
        to_day -> Date,
        span -> Nullable<Text>,
        note -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    conversation_notes (shop_id, id) {
        shop_id -> Int4,
        id -> Int8,
        conversation_id -> Int8,
        user_id -> Nullable<Int4>,
        body -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    conversations (shop_id, id) {
        shop_id -> Int4,
        id -> Int8,
        channel_id -> Int4,
        customer_id -> Int8,
        paused -> Bool,
        paused_by -> Nullable<Text>,
        paused_at -> Nullable<Timestamptz>,
        human_epoch -> Int8,
        turn_fence -> Int8,
        language -> Nullable<Text>,
        last_customer_at -> Nullable<Timestamptz>,
        last_activity_at -> Timestamptz,
        notes -> Jsonb,
        created_at -> Timestamptz,
        seen_message_id -> Int8,
        last_in_id -> Int8,
        last_answer_id -> Int8,
        assigned_to -> Nullable<Int4>,
        resume_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    customer_aliases (shop_id, channel_id, kind, value) {
        shop_id -> Int4,
        channel_id -> Int4,
        kind -> Text,
        value -> Text,
        customer_id -> Int8,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    customers (shop_id, id) {
        shop_id -> Int4,
        id -> Int8,
        channel_id -> Int4,
        name -> Nullable<Text>,
        username -> Nullable<Text>,
        language -> Nullable<Text>,
        created_at -> Timestamptz,
        search_name -> Text,
        erased_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    daily_sales (shop_id, day) {
        shop_id -> Int4,
        day -> Date,
        orders -> Int8,
        pieces -> Int8,
        revenue -> Numeric,
        cost -> Numeric,
        profit -> Numeric,
        cancelled -> Int8,
    }
}

diesel::table! {
    integrations (shop_id, id) {
        shop_id -> Int4,
        id -> Int4,
        provider -> Text,
        state -> Text,
        connection -> Text,
        account -> Text,
        scopes -> Text,
        sealed_refresh_token -> Nullable<Text>,
        sealed_access_token -> Nullable<Text>,
        access_expires_at -> Nullable<Timestamptz>,
        calendars -> Jsonb,
        calendar_id -> Nullable<Text>,
        calendar_name -> Text,
        tell_customers -> Bool,
        sync_token -> Nullable<Text>,
        last_sync_at -> Nullable<Timestamptz>,
        error -> Nullable<Text>,
        watch_id -> Nullable<Text>,
        watch_resource -> Nullable<Text>,
        watch_expires_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    logs (id, created_at) {
        id -> Int8,
        created_at -> Timestamptz,
        shop_id -> Nullable<Int4>,
        direction -> Text,
        platform -> Text,
        external_id -> Text,
        kind -> Text,
        dedupe_key -> Nullable<Text>,
        payload -> Jsonb,
    }
}

diesel::table! {
    media (shop_id, id) {
        shop_id -> Int4,
        id -> Int8,
        message_id -> Nullable<Int8>,
        product_id -> Nullable<Int4>,
        part -> Int2,
        kind -> Text,
        state -> Text,
        mime_type -> Nullable<Text>,
        file_name -> Nullable<Text>,
        size -> Nullable<Int8>,
        sha256 -> Nullable<Text>,
        storage_key -> Text,
        error_code -> Nullable<Text>,
        created_at -> Timestamptz,
        kept_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    messages (shop_id, id) {
        shop_id -> Int4,
        id -> Int8,
        conversation_id -> Int8,
        channel_id -> Int4,
        direction -> Text,
        author -> Text,
        kind -> Text,
        provider_id -> Nullable<Text>,
        send_key -> Nullable<Text>,
        body -> Text,
        content -> Jsonb,
        status -> Text,
        error_code -> Nullable<Int8>,
        turn_id -> Nullable<Int8>,
        occurred_at -> Timestamptz,
        attempted_at -> Nullable<Timestamptz>,
        sent_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        user_id -> Nullable<Int4>,
    }
}

diesel::table! {
    model_usage (shop_id, day) {
        shop_id -> Int4,
        day -> Date,
        calls -> Int4,
        input_tokens -> Int8,
        output_tokens -> Int8,
        cost -> Numeric,
    }
}

diesel::table! {
    order_counts (shop_id) {
        shop_id -> Int4,
        pending -> Int8,
        confirmed -> Int8,
        fulfilled -> Int8,
        cancelled -> Int8,
        refunded -> Int8,
    }
}

diesel::table! {
    order_events (shop_id, id) {
        shop_id -> Int4,
        id -> Int8,
        order_no -> Int8,
        status -> Text,
        actor -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    order_numbers (shop_id) {
        shop_id -> Int4,
        next_no -> Int8,
    }
}

diesel::table! {
    orders (shop_id, id) {
        shop_id -> Int4,
        id -> Int8,
        order_no -> Int8,
        line_no -> Int4,
        product_id -> Int4,
        product_name -> Text,
        quantity -> Int4,
        price -> Numeric,
        cost -> Numeric,
        revenue -> Numeric,
        profit -> Numeric,
        status -> Text,
        customer_id -> Nullable<Int8>,
        customer_name -> Text,
        contact -> Nullable<Text>,
        platform -> Nullable<Text>,
        source -> Text,
        proposal_id -> Nullable<Int8>,
        request_key -> Nullable<Text>,
        sale_date -> Date,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    outbox (shop_id, id) {
        shop_id -> Int4,
        id -> Int8,
        queue -> Text,
        key -> Text,
        payload -> Jsonb,
        run_at -> Timestamptz,
        claimed_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    payments (shop_id, id) {
        shop_id -> Int4,
        id -> Int8,
        invoice_id -> Text,
        subscription_id -> Nullable<Text>,
        number -> Text,
        reason -> Text,
        amount -> Numeric,
        currency -> Text,
        paid_at -> Timestamptz,
        period_end -> Nullable<Timestamptz>,
        pays_until -> Nullable<Timestamptz>,
        url -> Nullable<Text>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    product_sales (shop_id, day, product_id) {
        shop_id -> Int4,
        day -> Date,
        product_id -> Int4,
        pieces -> Int8,
        revenue -> Numeric,
        cost -> Numeric,
        profit -> Numeric,
    }
}

diesel::table! {
    products (shop_id, id) {
        shop_id -> Int4,
        id -> Int4,
        sku -> Nullable<Text>,
        name -> Text,
        description -> Text,
        price -> Numeric,
        cost -> Numeric,
        stock -> Int4,
        image_url -> Nullable<Text>,
        keywords -> Text,
        active -> Bool,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        search_name -> Text,
        low_stock_at -> Nullable<Int4>,
        low_stock_told -> Bool,
        low_stock -> Bool,
        version -> Int4,
        title -> Nullable<Text>,
        options -> Jsonb,
        variant_group -> Nullable<Int4>,
    }
}

diesel::table! {
    proposals (shop_id, id) {
        shop_id -> Int4,
        id -> Int8,
        conversation_id -> Int8,
        turn_id -> Int8,
        message_id -> Nullable<Int8>,
        kind -> Text,
        lines -> Jsonb,
        total -> Numeric,
        order_no -> Nullable<Int8>,
        state -> Text,
        shown_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        closed_at -> Nullable<Timestamptz>,
        booking -> Nullable<Jsonb>,
        appointment_id -> Nullable<Int8>,
    }
}

diesel::table! {
    requests (shop_id, key) {
        shop_id -> Int4,
        key -> Text,
        job_id -> Text,
        user_id -> Nullable<Int4>,
        fingerprint -> Text,
        answer -> Jsonb,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    service_staff (shop_id, service_id, staff_id) {
        shop_id -> Int4,
        service_id -> Int4,
        staff_id -> Int4,
    }
}

diesel::table! {
    services (shop_id, id) {
        shop_id -> Int4,
        id -> Int4,
        name -> Text,
        description -> Text,
        duration_minutes -> Int4,
        buffer_before_minutes -> Int4,
        buffer_after_minutes -> Int4,
        price -> Numeric,
        lead_minutes -> Int4,
        horizon_days -> Int4,
        slot_minutes -> Nullable<Int4>,
        active -> Bool,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    sheet_exports (shop_id, id) {
        shop_id -> Int4,
        id -> Int8,
        request_key -> Text,
        spreadsheet_id -> Text,
        url -> Text,
        upto -> Int8,
        row_count -> Int4,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    shops (id) {
        id -> Int4,
        name -> Text,
        kind -> Text,
        timezone -> Text,
        currency -> Text,
        locale -> Text,
        plan -> Text,
        status -> Text,
        trial_ends_at -> Nullable<Timestamptz>,
        agent_name -> Text,
        agent_instructions -> Text,
        about -> Text,
        hours -> Jsonb,
        handoff_mode -> Text,
        handoff_words -> Array<Nullable<Text>>,
        handoff_email -> Nullable<Text>,
        handoff_whatsapp -> Nullable<Text>,
        daily_model_budget -> Numeric,
        registration -> Nullable<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        pause_minutes -> Nullable<Int4>,
        version -> Int4,
        texts -> Jsonb,
        slot_minutes -> Int4,
        change_minutes -> Int4,
        reminder_minutes -> Array<Nullable<Int4>>,
        reminder_template -> Nullable<Text>,
    }
}

diesel::table! {
    staff (shop_id, id) {
        shop_id -> Int4,
        id -> Int4,
        name -> Text,
        kind -> Text,
        hours -> Nullable<Jsonb>,
        active -> Bool,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    stock_changes (shop_id, id) {
        shop_id -> Int4,
        id -> Int8,
        product_id -> Int4,
        change -> Int4,
        stock -> Int4,
        kind -> Text,
        reason -> Text,
        actor -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    subscriptions (shop_id) {
        shop_id -> Int4,
        customer_id -> Text,
        customer_no -> Int4,
        subscription_id -> Nullable<Text>,
        item_id -> Nullable<Text>,
        schedule_id -> Nullable<Text>,
        plan -> Nullable<Text>,
        next_plan -> Nullable<Text>,
        status -> Nullable<Text>,
        ends_at -> Nullable<Timestamptz>,
        unpaid_end -> Bool,
        period_end -> Nullable<Timestamptz>,
        next_amount -> Nullable<Numeric>,
        next_currency -> Nullable<Text>,
        owed_url -> Nullable<Text>,
        expiry_date -> Nullable<Timestamptz>,
        looks_begun -> Int8,
        look_written -> Int8,
        looked_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    turns (shop_id, id) {
        shop_id -> Int4,
        id -> Int8,
        conversation_id -> Int8,
        fence -> Int8,
        state -> Text,
        outcome -> Nullable<Text>,
        accepted_at -> Timestamptz,
        human_epoch -> Int8,
        trace -> Jsonb,
        input_tokens -> Int4,
        output_tokens -> Int4,
        cost -> Numeric,
        counted -> Bool,
        created_at -> Timestamptz,
        decided_at -> Nullable<Timestamptz>,
        done_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    usage (shop_id, month) {
        shop_id -> Int4,
        month -> Date,
        messages -> Int4,
        quota_told_at -> Nullable<Timestamptz>,
        warned_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    users (shop_id, id) {
        shop_id -> Int4,
        id -> Int4,
        email -> Text,
        name -> Text,
        password_hash -> Text,
        role -> Text,
        active -> Bool,
        created_at -> Timestamptz,
        email_confirmed_at -> Nullable<Timestamptz>,
        invited_at -> Nullable<Timestamptz>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(admins, appointment_events, appointment_reminders, appointments, archives, audit, billing_events, billing_notices, channels, closures, conversation_notes, conversations, customer_aliases, customers, daily_sales, integrations, logs, media, messages, model_usage, order_counts, order_events, order_numbers, orders, outbox, payments, product_sales, products, proposals, requests, service_staff, services, sheet_exports, shops, staff, stock_changes, subscriptions, turns, usage, users);
