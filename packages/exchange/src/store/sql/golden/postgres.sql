CREATE TABLE public.alert (
    code text NOT NULL COLLATE pg_catalog."C",
    subject text NOT NULL COLLATE pg_catalog."C",
    sentence text NOT NULL COLLATE pg_catalog."C",
    seen_at_ms bigint NOT NULL,
    told_at_ms bigint
);

CREATE TABLE public.approval (
    approval_id text NOT NULL COLLATE pg_catalog."C",
    ods_code text NOT NULL COLLATE pg_catalog."C",
    workflow_id text NOT NULL COLLATE pg_catalog."C",
    approved_by text NOT NULL COLLATE pg_catalog."C",
    reason text NOT NULL COLLATE pg_catalog."C",
    valid_from_ms bigint NOT NULL,
    valid_to_ms bigint NOT NULL,
    review_on_ms bigint NOT NULL
);

CREATE TABLE public.audit (
    entry_no bigint NOT NULL,
    at_ms bigint NOT NULL,
    actor text NOT NULL COLLATE pg_catalog."C",
    action text NOT NULL COLLATE pg_catalog."C",
    subject text NOT NULL COLLATE pg_catalog."C",
    detail text NOT NULL COLLATE pg_catalog."C",
    hash text NOT NULL COLLATE pg_catalog."C"
);

CREATE TABLE public.certificate (
    fingerprint text NOT NULL COLLATE pg_catalog."C",
    serial text NOT NULL COLLATE pg_catalog."C",
    subject text NOT NULL COLLATE pg_catalog."C",
    mailbox_id text COLLATE pg_catalog."C",
    revoked_at_ms bigint
);

CREATE TABLE public.chunk (
    payload_id text NOT NULL COLLATE pg_catalog."C",
    chunk_number bigint NOT NULL,
    size_bytes bigint NOT NULL,
    sha256 text NOT NULL COLLATE pg_catalog."C",
    block_digests text NOT NULL COLLATE pg_catalog."C",
    body_ref text COLLATE pg_catalog."C",
    inline_body bytea,
    stored_at_ms bigint NOT NULL
);
ALTER TABLE ONLY public.chunk ALTER COLUMN inline_body SET STORAGE EXTERNAL;

CREATE TABLE public.commit_receipt (
    receipt uuid NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.connection (
    mailbox_id text NOT NULL COLLATE pg_catalog."C",
    client_version text NOT NULL COLLATE pg_catalog."C",
    os_name text NOT NULL COLLATE pg_catalog."C",
    os_version text NOT NULL COLLATE pg_catalog."C",
    os_architecture text NOT NULL COLLATE pg_catalog."C",
    java_version text NOT NULL COLLATE pg_catalog."C",
    user_agent text NOT NULL COLLATE pg_catalog."C",
    at_ms bigint NOT NULL
);

CREATE TABLE public.credential (
    credential_id text NOT NULL COLLATE pg_catalog."C",
    mailbox_id text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    sealed text NOT NULL COLLATE pg_catalog."C",
    valid_from_ms bigint NOT NULL,
    valid_to_ms bigint,
    CONSTRAINT credential_kind_check CHECK ((kind = 'password'::text))
);

CREATE TABLE public.directory_alert (
    alert_no bigint NOT NULL,
    at_ms bigint NOT NULL,
    ods_code text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    detail text NOT NULL COLLATE pg_catalog."C",
    announced_at_ms bigint,
    CONSTRAINT directory_alert_kind_check CHECK ((kind = ANY (ARRAY['closed'::text, 'closing'::text, 'renamed'::text, 'succeeded'::text])))
);

ALTER TABLE public.directory_alert ALTER COLUMN alert_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.directory_alert_alert_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.event (
    message_id text NOT NULL COLLATE pg_catalog."C",
    event_no bigint NOT NULL,
    at_ms bigint NOT NULL,
    actor text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    detail text NOT NULL COLLATE pg_catalog."C"
)
PARTITION BY RANGE (message_id);

CREATE TABLE public.event_other (
    message_id text NOT NULL COLLATE pg_catalog."C",
    event_no bigint NOT NULL,
    at_ms bigint NOT NULL,
    actor text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    detail text NOT NULL COLLATE pg_catalog."C"
);

CREATE TABLE public.group_membership (
    group_id text NOT NULL COLLATE pg_catalog."C",
    part text NOT NULL COLLATE pg_catalog."C",
    mailbox_id text NOT NULL COLLATE pg_catalog."C",
    approval_id text COLLATE pg_catalog."C",
    valid_from_ms bigint NOT NULL,
    valid_to_ms bigint,
    CONSTRAINT group_membership_part_check CHECK ((part = ANY (ARRAY['initiator'::text, 'responder'::text])))
);

CREATE TABLE public.idempotency (
    mailbox_id text NOT NULL COLLATE pg_catalog."C",
    key text NOT NULL COLLATE pg_catalog."C",
    fingerprint text NOT NULL COLLATE pg_catalog."C",
    message_id text NOT NULL COLLATE pg_catalog."C",
    expires_at_ms bigint NOT NULL
);

CREATE TABLE public.inbox_counter (
    mailbox_id text NOT NULL COLLATE pg_catalog."C",
    waiting bigint NOT NULL,
    next_position bigint NOT NULL
)
WITH (fillfactor='20');

CREATE TABLE public.inbox_entry (
    mailbox_id text NOT NULL COLLATE pg_catalog."C",
    "position" bigint NOT NULL,
    message_id text NOT NULL COLLATE pg_catalog."C",
    workflow_id text NOT NULL COLLATE pg_catalog."C",
    expires_at_ms bigint NOT NULL
);

CREATE TABLE public.lease (
    name text NOT NULL COLLATE pg_catalog."C",
    holder text NOT NULL COLLATE pg_catalog."C",
    until_ms bigint NOT NULL
);

CREATE TABLE public.mailbox (
    mailbox_id text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    ods_code text NOT NULL COLLATE pg_catalog."C",
    org_code text NOT NULL COLLATE pg_catalog."C",
    org_name text NOT NULL COLLATE pg_catalog."C",
    billing_entity text NOT NULL COLLATE pg_catalog."C",
    state text NOT NULL COLLATE pg_catalog."C",
    certificate_match text COLLATE pg_catalog."C",
    delegated_ods_codes text NOT NULL COLLATE pg_catalog."C",
    receives_chunked bigint NOT NULL,
    CONSTRAINT mailbox_certificate_match_check CHECK ((certificate_match = ANY (ARRAY['off'::text, 'warn'::text, 'enforce'::text]))),
    CONSTRAINT mailbox_receives_chunked_check CHECK ((receives_chunked = ANY (ARRAY[(0)::bigint, (1)::bigint]))),
    CONSTRAINT mailbox_state_check CHECK ((state = ANY (ARRAY['active'::text, 'disabled'::text, 'closed'::text])))
);

CREATE TABLE public.message (
    message_id text NOT NULL COLLATE pg_catalog."C",
    state text NOT NULL COLLATE pg_catalog."C",
    unfinished smallint GENERATED ALWAYS AS (
CASE state
    WHEN 'uploading'::text THEN 1
    WHEN 'routing'::text THEN 2
    ELSE NULL::integer
END) STORED,
    recipient text COLLATE pg_catalog."C",
    "position" bigint,
    sender text COLLATE pg_catalog."C",
    payload_id text COLLATE pg_catalog."C",
    workflow_id text NOT NULL COLLATE pg_catalog."C",
    message_type text NOT NULL COLLATE pg_catalog."C",
    created_at_ms bigint NOT NULL,
    accepted_at_ms bigint,
    expires_at_ms bigint,
    state_at_ms bigint NOT NULL,
    acknowledged_at_ms bigint,
    first_listed_at_ms bigint,
    first_download_at_ms bigint,
    last_download_at_ms bigint,
    downloads bigint DEFAULT 0 NOT NULL,
    hide_at_ms bigint NOT NULL,
    hidden smallint DEFAULT 0 NOT NULL,
    remove_at_ms bigint NOT NULL,
    status_code text NOT NULL COLLATE pg_catalog."C",
    status_event text NOT NULL COLLATE pg_catalog."C",
    status_description text NOT NULL COLLATE pg_catalog."C",
    compressed smallint NOT NULL,
    encrypted smallint NOT NULL,
    linked_message_id text COLLATE pg_catalog."C",
    local_key text COLLATE pg_catalog."C",
    sealed text NOT NULL COLLATE pg_catalog."C",
    events text NOT NULL COLLATE pg_catalog."C",
    addressed_to text COLLATE pg_catalog."C",
    made_as text COLLATE pg_catalog."C",
    made_from text COLLATE pg_catalog."C",
    origin_id text COLLATE pg_catalog."C",
    CONSTRAINT message_compressed_check CHECK ((compressed = ANY (ARRAY[0, 1]))),
    CONSTRAINT message_encrypted_check CHECK ((encrypted = ANY (ARRAY[0, 1]))),
    CONSTRAINT message_hidden_check CHECK ((hidden = ANY (ARRAY[0, 1]))),
    CONSTRAINT message_made_as_check CHECK ((made_as = ANY (ARRAY['copy'::text, 'resend'::text]))),
    CONSTRAINT message_message_type_check CHECK ((message_type = ANY (ARRAY['DATA'::text, 'REPORT'::text]))),
    CONSTRAINT message_state_check CHECK ((state = ANY (ARRAY['uploading'::text, 'routing'::text, 'accepted'::text, 'acknowledged'::text, 'undeliverable'::text, 'error'::text])))
)
PARTITION BY RANGE (message_id);

CREATE TABLE public.message_other (
    message_id text NOT NULL COLLATE pg_catalog."C",
    state text NOT NULL COLLATE pg_catalog."C",
    unfinished smallint GENERATED ALWAYS AS (
CASE state
    WHEN 'uploading'::text THEN 1
    WHEN 'routing'::text THEN 2
    ELSE NULL::integer
END) STORED,
    recipient text COLLATE pg_catalog."C",
    "position" bigint,
    sender text COLLATE pg_catalog."C",
    payload_id text COLLATE pg_catalog."C",
    workflow_id text NOT NULL COLLATE pg_catalog."C",
    message_type text NOT NULL COLLATE pg_catalog."C",
    created_at_ms bigint NOT NULL,
    accepted_at_ms bigint,
    expires_at_ms bigint,
    state_at_ms bigint NOT NULL,
    acknowledged_at_ms bigint,
    first_listed_at_ms bigint,
    first_download_at_ms bigint,
    last_download_at_ms bigint,
    downloads bigint DEFAULT 0 NOT NULL,
    hide_at_ms bigint NOT NULL,
    hidden smallint DEFAULT 0 NOT NULL,
    remove_at_ms bigint NOT NULL,
    status_code text NOT NULL COLLATE pg_catalog."C",
    status_event text NOT NULL COLLATE pg_catalog."C",
    status_description text NOT NULL COLLATE pg_catalog."C",
    compressed smallint NOT NULL,
    encrypted smallint NOT NULL,
    linked_message_id text COLLATE pg_catalog."C",
    local_key text COLLATE pg_catalog."C",
    sealed text NOT NULL COLLATE pg_catalog."C",
    events text NOT NULL COLLATE pg_catalog."C",
    addressed_to text COLLATE pg_catalog."C",
    made_as text COLLATE pg_catalog."C",
    made_from text COLLATE pg_catalog."C",
    origin_id text COLLATE pg_catalog."C",
    CONSTRAINT message_compressed_check CHECK ((compressed = ANY (ARRAY[0, 1]))),
    CONSTRAINT message_encrypted_check CHECK ((encrypted = ANY (ARRAY[0, 1]))),
    CONSTRAINT message_hidden_check CHECK ((hidden = ANY (ARRAY[0, 1]))),
    CONSTRAINT message_made_as_check CHECK ((made_as = ANY (ARRAY['copy'::text, 'resend'::text]))),
    CONSTRAINT message_message_type_check CHECK ((message_type = ANY (ARRAY['DATA'::text, 'REPORT'::text]))),
    CONSTRAINT message_state_check CHECK ((state = ANY (ARRAY['uploading'::text, 'routing'::text, 'accepted'::text, 'acknowledged'::text, 'undeliverable'::text, 'error'::text])))
)
WITH (fillfactor='80');

CREATE TABLE public.meta (
    key text NOT NULL COLLATE pg_catalog."C",
    value text NOT NULL COLLATE pg_catalog."C"
);

CREATE TABLE public.nonce (
    mailbox_id text NOT NULL COLLATE pg_catalog."C",
    nonce text NOT NULL COLLATE pg_catalog."C",
    seen_at_ms bigint NOT NULL,
    expires_at_ms bigint NOT NULL
);

CREATE TABLE public.organisation (
    ods_code text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    active bigint NOT NULL,
    record_class text NOT NULL COLLATE pg_catalog."C",
    primary_role text NOT NULL COLLATE pg_catalog."C",
    roles text NOT NULL COLLATE pg_catalog."C",
    legal_from text COLLATE pg_catalog."C",
    legal_to text COLLATE pg_catalog."C",
    operational_from text COLLATE pg_catalog."C",
    operational_to text COLLATE pg_catalog."C",
    address text NOT NULL COLLATE pg_catalog."C",
    telephone text NOT NULL COLLATE pg_catalog."C",
    last_change text COLLATE pg_catalog."C",
    CONSTRAINT organisation_active_check CHECK ((active = ANY (ARRAY[(0)::bigint, (1)::bigint])))
);

CREATE TABLE public.organisation_link (
    from_code text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    type text NOT NULL COLLATE pg_catalog."C",
    to_code text NOT NULL COLLATE pg_catalog."C",
    from_date text NOT NULL COLLATE pg_catalog."C",
    to_date text COLLATE pg_catalog."C",
    active bigint NOT NULL,
    CONSTRAINT organisation_link_active_check CHECK ((active = ANY (ARRAY[(0)::bigint, (1)::bigint]))),
    CONSTRAINT organisation_link_kind_check CHECK ((kind = ANY (ARRAY['relationship'::text, 'succession'::text])))
);

CREATE TABLE public.payload (
    payload_id text NOT NULL COLLATE pg_catalog."C",
    total_chunks bigint NOT NULL,
    stored_chunks bigint NOT NULL,
    size_bytes bigint NOT NULL,
    content_encoding text NOT NULL COLLATE pg_catalog."C",
    keep_until_ms bigint NOT NULL,
    deleted_at_ms bigint,
    key_id text COLLATE pg_catalog."C",
    wrapped_key text COLLATE pg_catalog."C",
    sha256 text COLLATE pg_catalog."C",
    block_digests text COLLATE pg_catalog."C",
    body_ref text COLLATE pg_catalog."C",
    stored_at_ms bigint,
    inline_body bytea,
    CONSTRAINT payload_content_encoding_check CHECK ((content_encoding = ANY (ARRAY[''::text, 'gzip'::text])))
)
PARTITION BY RANGE (payload_id);
ALTER TABLE ONLY public.payload ALTER COLUMN inline_body SET STORAGE EXTERNAL;

CREATE TABLE public.payload_other (
    payload_id text NOT NULL COLLATE pg_catalog."C",
    total_chunks bigint NOT NULL,
    stored_chunks bigint NOT NULL,
    size_bytes bigint NOT NULL,
    content_encoding text NOT NULL COLLATE pg_catalog."C",
    keep_until_ms bigint NOT NULL,
    deleted_at_ms bigint,
    key_id text COLLATE pg_catalog."C",
    wrapped_key text COLLATE pg_catalog."C",
    sha256 text COLLATE pg_catalog."C",
    block_digests text COLLATE pg_catalog."C",
    body_ref text COLLATE pg_catalog."C",
    stored_at_ms bigint,
    inline_body bytea,
    CONSTRAINT payload_content_encoding_check CHECK ((content_encoding = ANY (ARRAY[''::text, 'gzip'::text])))
);
ALTER TABLE ONLY public.payload_other ALTER COLUMN inline_body SET STORAGE EXTERNAL;

CREATE TABLE public.refusal (
    refusal_id text NOT NULL COLLATE pg_catalog."C",
    at_ms bigint NOT NULL,
    reason text NOT NULL COLLATE pg_catalog."C",
    detail text NOT NULL COLLATE pg_catalog."C",
    mailbox_id text COLLATE pg_catalog."C",
    operation text COLLATE pg_catalog."C",
    status bigint,
    address text COLLATE pg_catalog."C",
    certificate_serial text COLLATE pg_catalog."C",
    correlation_id text COLLATE pg_catalog."C",
    count bigint NOT NULL
);

CREATE TABLE public.registration (
    workflow_id text NOT NULL COLLATE pg_catalog."C",
    role text NOT NULL COLLATE pg_catalog."C",
    mailbox_id text NOT NULL COLLATE pg_catalog."C",
    valid_from_ms bigint NOT NULL,
    valid_to_ms bigint,
    approval_id text COLLATE pg_catalog."C",
    CONSTRAINT registration_role_check CHECK ((role = ANY (ARRAY['initiator'::text, 'responder'::text])))
);

CREATE TABLE public.registry_change (
    version bigint NOT NULL,
    keys text NOT NULL COLLATE pg_catalog."C"
);

CREATE TABLE public.registry_version (
    one smallint NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT registry_version_one_check CHECK ((one = 1))
);

CREATE TABLE public.route_step (
    message_id text NOT NULL COLLATE pg_catalog."C",
    step_no bigint NOT NULL,
    at_ms bigint NOT NULL,
    kind text NOT NULL COLLATE pg_catalog."C",
    rule_id text NOT NULL COLLATE pg_catalog."C",
    rule_version bigint NOT NULL,
    matched text NOT NULL COLLATE pg_catalog."C",
    from_mailbox text NOT NULL COLLATE pg_catalog."C",
    to_mailbox text NOT NULL COLLATE pg_catalog."C",
    why text NOT NULL COLLATE pg_catalog."C",
    copy_id text COLLATE pg_catalog."C",
    CONSTRAINT route_step_kind_check CHECK ((kind = ANY (ARRAY['redirected'::text, 'copied'::text, 'redirect-skipped'::text, 'copy-skipped'::text])))
)
PARTITION BY RANGE (message_id);

CREATE TABLE public.route_step_other (
    message_id text NOT NULL COLLATE pg_catalog."C",
    step_no bigint NOT NULL,
    at_ms bigint NOT NULL,
    kind text NOT NULL COLLATE pg_catalog."C",
    rule_id text NOT NULL COLLATE pg_catalog."C",
    rule_version bigint NOT NULL,
    matched text NOT NULL COLLATE pg_catalog."C",
    from_mailbox text NOT NULL COLLATE pg_catalog."C",
    to_mailbox text NOT NULL COLLATE pg_catalog."C",
    why text NOT NULL COLLATE pg_catalog."C",
    copy_id text COLLATE pg_catalog."C",
    CONSTRAINT route_step_kind_check CHECK ((kind = ANY (ARRAY['redirected'::text, 'copied'::text, 'redirect-skipped'::text, 'copy-skipped'::text])))
);

CREATE TABLE public.routing_rule (
    rule_id text NOT NULL COLLATE pg_catalog."C",
    version bigint NOT NULL,
    action text NOT NULL COLLATE pg_catalog."C",
    status text NOT NULL COLLATE pg_catalog."C",
    target text NOT NULL COLLATE pg_catalog."C",
    if_sender text COLLATE pg_catalog."C",
    if_recipient text COLLATE pg_catalog."C",
    workflow_id text COLLATE pg_catalog."C",
    include_reports bigint NOT NULL,
    approval_id text COLLATE pg_catalog."C",
    chain_confirmed bigint NOT NULL,
    fallback_confirmed bigint NOT NULL,
    active_from_ms bigint NOT NULL,
    active_to_ms bigint,
    review_on_ms bigint NOT NULL,
    papers text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT routing_rule_action_check CHECK ((action = ANY (ARRAY['copy'::text, 'redirect'::text]))),
    CONSTRAINT routing_rule_chain_confirmed_check CHECK ((chain_confirmed = ANY (ARRAY[(0)::bigint, (1)::bigint]))),
    CONSTRAINT routing_rule_fallback_confirmed_check CHECK ((fallback_confirmed = ANY (ARRAY[(0)::bigint, (1)::bigint]))),
    CONSTRAINT routing_rule_include_reports_check CHECK ((include_reports = ANY (ARRAY[(0)::bigint, (1)::bigint]))),
    CONSTRAINT routing_rule_status_check CHECK ((status = ANY (ARRAY['proposed'::text, 'approved'::text, 'superseded'::text, 'refused'::text, 'ended'::text])))
);

CREATE TABLE public.schema_migration (
    number integer NOT NULL,
    name text NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.shared_key (
    shared_key_id text NOT NULL COLLATE pg_catalog."C",
    sealed text NOT NULL COLLATE pg_catalog."C",
    valid_from_ms bigint NOT NULL,
    valid_to_ms bigint
);

CREATE TABLE public.workflow (
    workflow_id text NOT NULL COLLATE pg_catalog."C",
    title text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    description text NOT NULL COLLATE pg_catalog."C",
    owner text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    purpose text DEFAULT 'request'::text NOT NULL COLLATE pg_catalog."C",
    status text NOT NULL COLLATE pg_catalog."C",
    restricted bigint NOT NULL,
    ack_workflow_id text COLLATE pg_catalog."C",
    gp_routing bigint DEFAULT 0 NOT NULL,
    size_bytes_max bigint,
    chunking bigint DEFAULT 1 NOT NULL,
    civil_registration bigint DEFAULT 0 NOT NULL,
    payload_type text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    source text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT workflow_chunking_check CHECK ((chunking = ANY (ARRAY[(0)::bigint, (1)::bigint]))),
    CONSTRAINT workflow_civil_registration_check CHECK ((civil_registration = ANY (ARRAY[(0)::bigint, (1)::bigint]))),
    CONSTRAINT workflow_gp_routing_check CHECK ((gp_routing = ANY (ARRAY[(0)::bigint, (1)::bigint]))),
    CONSTRAINT workflow_purpose_check CHECK ((purpose = ANY (ARRAY['request'::text, 'acknowledgement'::text, 'report'::text, 'event'::text]))),
    CONSTRAINT workflow_restricted_check CHECK ((restricted = ANY (ARRAY[(0)::bigint, (1)::bigint]))),
    CONSTRAINT workflow_status_check CHECK ((status = ANY (ARRAY['draft'::text, 'live'::text, 'deprecated'::text, 'withdrawn'::text])))
);

CREATE TABLE public.workflow_group (
    group_id text NOT NULL COLLATE pg_catalog."C",
    number bigint,
    name text NOT NULL COLLATE pg_catalog."C",
    description text NOT NULL COLLATE pg_catalog."C",
    owner text NOT NULL COLLATE pg_catalog."C",
    restricted bigint NOT NULL,
    initiator_ids text NOT NULL COLLATE pg_catalog."C",
    responder_ids text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT workflow_group_restricted_check CHECK ((restricted = ANY (ARRAY[(0)::bigint, (1)::bigint])))
);

ALTER TABLE ONLY public.event ATTACH PARTITION public.event_other DEFAULT;

ALTER TABLE ONLY public.message ATTACH PARTITION public.message_other DEFAULT;

ALTER TABLE ONLY public.payload ATTACH PARTITION public.payload_other DEFAULT;

ALTER TABLE ONLY public.route_step ATTACH PARTITION public.route_step_other DEFAULT;

ALTER TABLE ONLY public.alert
    ADD CONSTRAINT alert_pkey PRIMARY KEY (code, subject);

ALTER TABLE ONLY public.approval
    ADD CONSTRAINT approval_pkey PRIMARY KEY (approval_id);

ALTER TABLE ONLY public.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (entry_no);

ALTER TABLE ONLY public.certificate
    ADD CONSTRAINT certificate_pkey PRIMARY KEY (fingerprint);

ALTER TABLE ONLY public.chunk
    ADD CONSTRAINT chunk_pkey PRIMARY KEY (payload_id, chunk_number);

ALTER TABLE ONLY public.commit_receipt
    ADD CONSTRAINT commit_receipt_pkey PRIMARY KEY (receipt);

ALTER TABLE ONLY public.connection
    ADD CONSTRAINT connection_pkey PRIMARY KEY (mailbox_id, client_version, os_name, os_version, os_architecture, java_version, user_agent);

ALTER TABLE ONLY public.credential
    ADD CONSTRAINT credential_pkey PRIMARY KEY (credential_id);

ALTER TABLE ONLY public.directory_alert
    ADD CONSTRAINT directory_alert_pkey PRIMARY KEY (alert_no);

ALTER TABLE ONLY public.event
    ADD CONSTRAINT event_pkey PRIMARY KEY (message_id, event_no);

ALTER TABLE ONLY public.event_other
    ADD CONSTRAINT event_other_pkey PRIMARY KEY (message_id, event_no);

ALTER TABLE ONLY public.group_membership
    ADD CONSTRAINT group_membership_pkey PRIMARY KEY (group_id, part, mailbox_id);

ALTER TABLE ONLY public.idempotency
    ADD CONSTRAINT idempotency_pkey PRIMARY KEY (mailbox_id, key);

ALTER TABLE ONLY public.inbox_counter
    ADD CONSTRAINT inbox_counter_pkey PRIMARY KEY (mailbox_id);

ALTER TABLE ONLY public.inbox_entry
    ADD CONSTRAINT inbox_entry_pkey PRIMARY KEY (mailbox_id, "position");

ALTER TABLE ONLY public.lease
    ADD CONSTRAINT lease_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.mailbox
    ADD CONSTRAINT mailbox_pkey PRIMARY KEY (mailbox_id);

ALTER TABLE ONLY public.message
    ADD CONSTRAINT message_pkey PRIMARY KEY (message_id);

ALTER TABLE ONLY public.message_other
    ADD CONSTRAINT message_other_pkey PRIMARY KEY (message_id);

ALTER TABLE ONLY public.meta
    ADD CONSTRAINT meta_pkey PRIMARY KEY (key);

ALTER TABLE ONLY public.nonce
    ADD CONSTRAINT nonce_pkey PRIMARY KEY (mailbox_id, nonce);

ALTER TABLE ONLY public.organisation_link
    ADD CONSTRAINT organisation_link_pkey PRIMARY KEY (from_code, kind, type, to_code, from_date);

ALTER TABLE ONLY public.organisation
    ADD CONSTRAINT organisation_pkey PRIMARY KEY (ods_code);

ALTER TABLE ONLY public.payload
    ADD CONSTRAINT payload_pkey PRIMARY KEY (payload_id);

ALTER TABLE ONLY public.payload_other
    ADD CONSTRAINT payload_other_pkey PRIMARY KEY (payload_id);

ALTER TABLE ONLY public.refusal
    ADD CONSTRAINT refusal_pkey PRIMARY KEY (refusal_id);

ALTER TABLE ONLY public.registration
    ADD CONSTRAINT registration_pkey PRIMARY KEY (workflow_id, role, mailbox_id);

ALTER TABLE ONLY public.registry_change
    ADD CONSTRAINT registry_change_pkey PRIMARY KEY (version);

ALTER TABLE ONLY public.registry_version
    ADD CONSTRAINT registry_version_pkey PRIMARY KEY (one);

ALTER TABLE ONLY public.route_step
    ADD CONSTRAINT route_step_pkey PRIMARY KEY (message_id, step_no);

ALTER TABLE ONLY public.route_step_other
    ADD CONSTRAINT route_step_other_pkey PRIMARY KEY (message_id, step_no);

ALTER TABLE ONLY public.routing_rule
    ADD CONSTRAINT routing_rule_pkey PRIMARY KEY (rule_id, version);

ALTER TABLE ONLY public.schema_migration
    ADD CONSTRAINT schema_migration_pkey PRIMARY KEY (number);

ALTER TABLE ONLY public.shared_key
    ADD CONSTRAINT shared_key_pkey PRIMARY KEY (shared_key_id);

ALTER TABLE ONLY public.workflow_group
    ADD CONSTRAINT workflow_group_pkey PRIMARY KEY (group_id);

ALTER TABLE ONLY public.workflow
    ADD CONSTRAINT workflow_pkey PRIMARY KEY (workflow_id);

CREATE INDEX alert_untold ON public.alert USING btree (seen_at_ms) WHERE (told_at_ms IS NULL);

CREATE INDEX chunk_body_ref ON public.chunk USING btree (body_ref) WHERE (body_ref IS NOT NULL);

CREATE INDEX commit_receipt_at ON public.commit_receipt USING brin (at);

CREATE INDEX directory_alert_code ON public.directory_alert USING btree (ods_code, alert_no);

CREATE INDEX directory_alert_new ON public.directory_alert USING btree (alert_no) WHERE (announced_at_ms IS NULL);

CREATE INDEX idempotency_due ON public.idempotency USING btree (expires_at_ms);

CREATE INDEX inbox_entry_due ON public.inbox_entry USING btree (expires_at_ms);

CREATE INDEX mailbox_organisation ON public.mailbox USING btree (upper(ods_code));

CREATE INDEX message_addressed ON ONLY public.message USING btree (addressed_to, message_id) WHERE (addressed_to IS NOT NULL);

CREATE INDEX message_inbox ON ONLY public.message USING btree (recipient, message_id) WHERE (recipient IS NOT NULL);

CREATE INDEX message_linked ON ONLY public.message USING btree (linked_message_id) WHERE (linked_message_id IS NOT NULL);

CREATE INDEX message_local_key ON ONLY public.message USING btree (sender, local_key) WHERE (local_key IS NOT NULL);

CREATE INDEX message_origin ON ONLY public.message USING btree (origin_id) WHERE (origin_id IS NOT NULL);

CREATE INDEX message_other_addressed_to_message_id_idx ON public.message_other USING btree (addressed_to, message_id) WHERE (addressed_to IS NOT NULL);

CREATE INDEX message_unfinished ON ONLY public.message USING btree (created_at_ms, message_id) WHERE (unfinished IS NOT NULL);

CREATE INDEX message_other_created_at_ms_message_id_idx ON public.message_other USING btree (created_at_ms, message_id) WHERE (unfinished IS NOT NULL);

CREATE INDEX message_to_hide ON ONLY public.message USING btree (hide_at_ms) WHERE (hidden = 0);

CREATE INDEX message_other_hide_at_ms_idx ON public.message_other USING btree (hide_at_ms) WHERE (hidden = 0);

CREATE INDEX message_other_linked_message_id_idx ON public.message_other USING btree (linked_message_id) WHERE (linked_message_id IS NOT NULL);

CREATE INDEX message_other_origin_id_idx ON public.message_other USING btree (origin_id) WHERE (origin_id IS NOT NULL);

CREATE INDEX message_other_recipient_message_id_idx ON public.message_other USING btree (recipient, message_id) WHERE (recipient IS NOT NULL);

CREATE INDEX message_to_remove ON ONLY public.message USING btree (remove_at_ms) WHERE (hidden = 1);

CREATE INDEX message_other_remove_at_ms_idx ON public.message_other USING btree (remove_at_ms) WHERE (hidden = 1);

CREATE INDEX message_other_sender_local_key_idx ON public.message_other USING btree (sender, local_key) WHERE (local_key IS NOT NULL);

CREATE INDEX message_outbox ON ONLY public.message USING btree (sender, message_id) WHERE (sender IS NOT NULL);

CREATE INDEX message_other_sender_message_id_idx ON public.message_other USING btree (sender, message_id) WHERE (sender IS NOT NULL);

CREATE INDEX nonce_due ON public.nonce USING brin (expires_at_ms) WITH (pages_per_range='16');

CREATE INDEX payload_body_ref ON ONLY public.payload USING btree (body_ref) WHERE (body_ref IS NOT NULL);

CREATE INDEX payload_due ON ONLY public.payload USING btree (keep_until_ms) WHERE (deleted_at_ms IS NULL);

CREATE INDEX payload_other_body_ref_idx ON public.payload_other USING btree (body_ref) WHERE (body_ref IS NOT NULL);

CREATE INDEX payload_other_keep_until_ms_idx ON public.payload_other USING btree (keep_until_ms) WHERE (deleted_at_ms IS NULL);

CREATE INDEX refusal_address ON public.refusal USING btree (address, at_ms) WHERE (address IS NOT NULL);

CREATE INDEX refusal_at ON public.refusal USING btree (at_ms);

CREATE INDEX refusal_certificate ON public.refusal USING btree (certificate_serial, at_ms) WHERE (certificate_serial IS NOT NULL);

CREATE INDEX refusal_mailbox ON public.refusal USING btree (mailbox_id, at_ms) WHERE (mailbox_id IS NOT NULL);

ALTER INDEX public.event_pkey ATTACH PARTITION public.event_other_pkey;

ALTER INDEX public.message_addressed ATTACH PARTITION public.message_other_addressed_to_message_id_idx;

ALTER INDEX public.message_unfinished ATTACH PARTITION public.message_other_created_at_ms_message_id_idx;

ALTER INDEX public.message_to_hide ATTACH PARTITION public.message_other_hide_at_ms_idx;

ALTER INDEX public.message_linked ATTACH PARTITION public.message_other_linked_message_id_idx;

ALTER INDEX public.message_origin ATTACH PARTITION public.message_other_origin_id_idx;

ALTER INDEX public.message_pkey ATTACH PARTITION public.message_other_pkey;

ALTER INDEX public.message_inbox ATTACH PARTITION public.message_other_recipient_message_id_idx;

ALTER INDEX public.message_to_remove ATTACH PARTITION public.message_other_remove_at_ms_idx;

ALTER INDEX public.message_local_key ATTACH PARTITION public.message_other_sender_local_key_idx;

ALTER INDEX public.message_outbox ATTACH PARTITION public.message_other_sender_message_id_idx;

ALTER INDEX public.payload_body_ref ATTACH PARTITION public.payload_other_body_ref_idx;

ALTER INDEX public.payload_due ATTACH PARTITION public.payload_other_keep_until_ms_idx;

ALTER INDEX public.payload_pkey ATTACH PARTITION public.payload_other_pkey;

ALTER INDEX public.route_step_pkey ATTACH PARTITION public.route_step_other_pkey;
