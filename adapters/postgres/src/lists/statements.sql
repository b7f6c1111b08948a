-- ACCOUNT
SELECT t."id", t."name", t."plan", t."zone", t."next_zone", t."next_zone_from", t."pause", t."suspended_at", t."one_time_codes_pass", t."supervised", t."two_person_review", t."confirms_opt_out", t."threecx_enabled", t."sender", t."created_at", t."last_seq", t."last_inbound", t."last_entry", t."changes" FROM accounts t WHERE t.id = $1;

-- USAGE
SELECT t."account", t."mode", t."window", t."charged" FROM usage t WHERE t.account = $1 AND t.mode = $2
AND (t."window" BETWEEN $3 AND $4 OR t."window" BETWEEN $5 AND $6);

-- TRAFFIC
SELECT t."account", t."mode", t."day", t."sent", t."recipients", t."first_contacts", t."failed", t."opted_out", t."blocked", t."hour", t."hour_recipients", t."recipients_before", t."warned" FROM traffic t WHERE t.account = $1 AND t.mode = $2;

-- INSTANCES
SELECT t."account", t."id", t."name", t."provider", t."connection", t."pause", t."settings", t."credentials", t."credentials_root", t."revision", t."created_at" FROM instances t WHERE t.account = $1;

-- INSTANCE
SELECT t."account", t."id", t."name", t."provider", t."connection", t."pause", t."settings", t."credentials", t."credentials_root", t."revision", t."created_at" FROM instances t WHERE t.account = $1 AND t.id = $2;

-- INSTANCE_NAMED
SELECT t."account", t."id", t."name", t."provider", t."connection", t."pause", t."settings", t."credentials", t."credentials_root", t."revision", t."created_at" FROM instances t WHERE t.account = $1 AND t.name = $2;

-- KEYS
SELECT t."id", t."account", t."mode", t."name", t."digest", t."root", t."last_four", t."scopes", t."allowed_from", t."created_at", t."expires_at", t."revoked_at", t."last_used_at" FROM api_keys t WHERE t.account = $1;

-- OPERATORS_KEYS
SELECT t."id", t."account", t."mode", t."name", t."digest", t."root", t."last_four", t."scopes", t."allowed_from", t."created_at", t."expires_at", t."revoked_at", t."last_used_at" FROM api_keys t WHERE t.account IS NULL AND $1::bytea IS NULL;

-- KEY
SELECT t."id", t."account", t."mode", t."name", t."digest", t."root", t."last_four", t."scopes", t."allowed_from", t."created_at", t."expires_at", t."revoked_at", t."last_used_at" FROM api_keys t WHERE t.account IS NOT DISTINCT FROM $1 AND t.id = $2;

-- INTEGRATIONS
SELECT t."account", t."id", t."name", t."enabled", t."instance", t."settings", t."secrets", t."secrets_root", t."endpoint", t."revision", t."removed_at", t."created_at", t."tat" FROM integrations t WHERE t.account = $1 AND t.removed_at IS NULL;

-- INTEGRATION
SELECT t."account", t."id", t."name", t."enabled", t."instance", t."settings", t."secrets", t."secrets_root", t."endpoint", t."revision", t."removed_at", t."created_at", t."tat" FROM integrations t WHERE t.account = $1 AND t.id = $2;

-- ENTRIES
SELECT t."account", t."id", t."integration", t."direction", t."kind", t."phone", t."details", t."outcome", t."reason", t."message", t."delivery", t."key", t."key_until", t."at" FROM (SELECT * FROM integration_entries e WHERE e.account = $1 AND e.id < $2 AND ($3::bigint IS NULL OR e.integration = $3)
AND ($4::text IS NULL OR e.direction = $4) AND ($5::text IS NULL OR e.kind = $5) AND ($6::text IS NULL OR e.outcome = $6)
AND ($7::bigint IS NULL OR e.phone = $7) ORDER BY e.id DESC LIMIT $8) t;

-- MESSAGES_OF_ENTRIES
SELECT t."account", t."id", t."log_id", t."instance", t."contact", t."address", t."purpose", t."content", t."mode", t."origin", t."ordered", t."status", t."error", t."external_id", t."sent_try", t."sent_from", t."sent_at", t."delivery", t."charged_day", t."charged_month", t."created_at", t."updated_at" FROM messages t WHERE t.account = $1 AND t.id = ANY (ARRAY(SELECT p.message FROM (SELECT * FROM integration_entries e WHERE e.account = $1 AND e.id < $2 AND ($3::bigint IS NULL OR e.integration = $3)
AND ($4::text IS NULL OR e.direction = $4) AND ($5::text IS NULL OR e.kind = $5) AND ($6::text IS NULL OR e.outcome = $6)
AND ($7::bigint IS NULL OR e.phone = $7) ORDER BY e.id DESC LIMIT $8) p));

-- DELIVERIES_OF_ENTRIES
SELECT t."account", t."id", t."event", t."as_name", t."endpoint", t."status", t."error", t."skip", t."tries", t."replay", t."sent_from", t."sent_saw", t."created_at", t."updated_at" FROM event_deliveries t WHERE t.account = $1 AND t.id = ANY (ARRAY(SELECT p.delivery FROM (SELECT * FROM integration_entries e WHERE e.account = $1 AND e.id < $2 AND ($3::bigint IS NULL OR e.integration = $3)
AND ($4::text IS NULL OR e.direction = $4) AND ($5::text IS NULL OR e.kind = $5) AND ($6::text IS NULL OR e.outcome = $6)
AND ($7::bigint IS NULL OR e.phone = $7) ORDER BY e.id DESC LIMIT $8) p));

-- OUTBOX_OF_ENTRIES
SELECT t."delivery", t."account", t."shard", t."order_key", t."channel", t."place", t."item", t."contact", t."as_name", t."log_id", t."state", t."due", t."expires_at", t."fence", t."tries", t."put_off", t."started_at" FROM outbox t WHERE t.account = $1 AND t.state <> 4 AND t.delivery = ANY (ARRAY(SELECT p.delivery FROM (SELECT * FROM integration_entries e WHERE e.account = $1 AND e.id < $2 AND ($3::bigint IS NULL OR e.integration = $3)
AND ($4::text IS NULL OR e.direction = $4) AND ($5::text IS NULL OR e.kind = $5) AND ($6::text IS NULL OR e.outcome = $6)
AND ($7::bigint IS NULL OR e.phone = $7) ORDER BY e.id DESC LIMIT $8) p));

-- INBOUND
SELECT t."account", t."id", t."notification", t."instance", t."delivery", t."contact", t."address", t."kind", t."class", t."at", t."received_at", t."words", t."detail", t."told" FROM (SELECT * FROM inbound i WHERE i.account = $1 AND i.id < $2 AND TRUE AND ($3::bytea IS NULL OR i.instance = $3) AND ($4::text IS NULL OR i.class = $4) ORDER BY i.id DESC LIMIT $5) t;

-- CONTACTS_OF_INBOUND
SELECT t."account", t."id", t."suppressed_by", t."suppressed_at", t."suspected_by", t."suspected_at", t."window_until", t."address", t."others", t."name", t."named_at", t."merged_into", t."live_tat", t."test_tat", t."live_hour", t."live_print", t."test_hour", t."test_print" FROM contacts t WHERE t.account = $1 AND t.id = ANY (ARRAY(SELECT p.contact FROM (SELECT * FROM inbound i WHERE i.account = $1 AND i.id < $2 AND TRUE AND ($3::bytea IS NULL OR i.instance = $3) AND ($4::text IS NULL OR i.class = $4) ORDER BY i.id DESC LIMIT $5) p));

-- OUTBOX_OF_INBOUND
SELECT t."delivery", t."account", t."shard", t."order_key", t."channel", t."place", t."item", t."contact", t."as_name", t."log_id", t."state", t."due", t."expires_at", t."fence", t."tries", t."put_off", t."started_at" FROM outbox t WHERE t.account = $1 AND t.state = 0 AND t.delivery = ANY (ARRAY(SELECT p.delivery FROM (SELECT * FROM inbound i WHERE i.account = $1 AND i.id < $2 AND TRUE AND ($3::bytea IS NULL OR i.instance = $3) AND ($4::text IS NULL OR i.class = $4) ORDER BY i.id DESC LIMIT $5) p));

-- INBOUND_AT_INSTANCE
SELECT t."account", t."id", t."notification", t."instance", t."delivery", t."contact", t."address", t."kind", t."class", t."at", t."received_at", t."words", t."detail", t."told" FROM (SELECT * FROM ((SELECT * FROM inbound i WHERE i.account = $1 AND i.id < $2 AND i.instance = $3 AND i.class <> 'status' AND ($3::bytea IS NULL OR i.instance = $3) AND ($4::text IS NULL OR i.class = $4) ORDER BY i.id DESC LIMIT $5) UNION ALL (SELECT i.* FROM (SELECT o.item FROM outbox o WHERE o.account = $1 AND o.channel = 2 AND o.state = 0
UNION ALL SELECT o.item FROM outbox o WHERE o.account = $1 AND o.channel = 2 AND o.state = 4) AS w (id)
CROSS JOIN LATERAL (SELECT * FROM inbound i WHERE i.account = $1 AND i.id = w.id AND i.class = 'status'
AND ($3::bytea IS NULL OR i.instance = $3) OFFSET 0) AS i
WHERE w.id < $2 AND ($4::text IS NULL OR $4 = 'status') ORDER BY w.id DESC LIMIT $5)) AS i ORDER BY i.id DESC LIMIT $5) t;

-- CONTACTS_OF_INBOUND_AT_INSTANCE
SELECT t."account", t."id", t."suppressed_by", t."suppressed_at", t."suspected_by", t."suspected_at", t."window_until", t."address", t."others", t."name", t."named_at", t."merged_into", t."live_tat", t."test_tat", t."live_hour", t."live_print", t."test_hour", t."test_print" FROM contacts t WHERE t.account = $1 AND t.id = ANY (ARRAY(SELECT p.contact FROM (SELECT * FROM ((SELECT * FROM inbound i WHERE i.account = $1 AND i.id < $2 AND i.instance = $3 AND i.class <> 'status' AND ($3::bytea IS NULL OR i.instance = $3) AND ($4::text IS NULL OR i.class = $4) ORDER BY i.id DESC LIMIT $5) UNION ALL (SELECT i.* FROM (SELECT o.item FROM outbox o WHERE o.account = $1 AND o.channel = 2 AND o.state = 0
UNION ALL SELECT o.item FROM outbox o WHERE o.account = $1 AND o.channel = 2 AND o.state = 4) AS w (id)
CROSS JOIN LATERAL (SELECT * FROM inbound i WHERE i.account = $1 AND i.id = w.id AND i.class = 'status'
AND ($3::bytea IS NULL OR i.instance = $3) OFFSET 0) AS i
WHERE w.id < $2 AND ($4::text IS NULL OR $4 = 'status') ORDER BY w.id DESC LIMIT $5)) AS i ORDER BY i.id DESC LIMIT $5) p));

-- OUTBOX_OF_INBOUND_AT_INSTANCE
SELECT t."delivery", t."account", t."shard", t."order_key", t."channel", t."place", t."item", t."contact", t."as_name", t."log_id", t."state", t."due", t."expires_at", t."fence", t."tries", t."put_off", t."started_at" FROM outbox t WHERE t.account = $1 AND t.state = 0 AND t.delivery = ANY (ARRAY(SELECT p.delivery FROM (SELECT * FROM ((SELECT * FROM inbound i WHERE i.account = $1 AND i.id < $2 AND i.instance = $3 AND i.class <> 'status' AND ($3::bytea IS NULL OR i.instance = $3) AND ($4::text IS NULL OR i.class = $4) ORDER BY i.id DESC LIMIT $5) UNION ALL (SELECT i.* FROM (SELECT o.item FROM outbox o WHERE o.account = $1 AND o.channel = 2 AND o.state = 0
UNION ALL SELECT o.item FROM outbox o WHERE o.account = $1 AND o.channel = 2 AND o.state = 4) AS w (id)
CROSS JOIN LATERAL (SELECT * FROM inbound i WHERE i.account = $1 AND i.id = w.id AND i.class = 'status'
AND ($3::bytea IS NULL OR i.instance = $3) OFFSET 0) AS i
WHERE w.id < $2 AND ($4::text IS NULL OR $4 = 'status') ORDER BY w.id DESC LIMIT $5)) AS i ORDER BY i.id DESC LIMIT $5) p));

-- INBOUND_APART
SELECT t."account", t."id", t."notification", t."instance", t."delivery", t."contact", t."address", t."kind", t."class", t."at", t."received_at", t."words", t."detail", t."told" FROM (SELECT * FROM inbound i WHERE i.account = $1 AND i.id < $2 AND i.class = $4 AND i.class NOT IN ('message', 'status') AND ($3::bytea IS NULL OR i.instance = $3) AND ($4::text IS NULL OR i.class = $4) ORDER BY i.id DESC LIMIT $5) t;

-- CONTACTS_OF_INBOUND_APART
SELECT t."account", t."id", t."suppressed_by", t."suppressed_at", t."suspected_by", t."suspected_at", t."window_until", t."address", t."others", t."name", t."named_at", t."merged_into", t."live_tat", t."test_tat", t."live_hour", t."live_print", t."test_hour", t."test_print" FROM contacts t WHERE t.account = $1 AND t.id = ANY (ARRAY(SELECT p.contact FROM (SELECT * FROM inbound i WHERE i.account = $1 AND i.id < $2 AND i.class = $4 AND i.class NOT IN ('message', 'status') AND ($3::bytea IS NULL OR i.instance = $3) AND ($4::text IS NULL OR i.class = $4) ORDER BY i.id DESC LIMIT $5) p));

-- OUTBOX_OF_INBOUND_APART
SELECT t."delivery", t."account", t."shard", t."order_key", t."channel", t."place", t."item", t."contact", t."as_name", t."log_id", t."state", t."due", t."expires_at", t."fence", t."tries", t."put_off", t."started_at" FROM outbox t WHERE t.account = $1 AND t.state = 0 AND t.delivery = ANY (ARRAY(SELECT p.delivery FROM (SELECT * FROM inbound i WHERE i.account = $1 AND i.id < $2 AND i.class = $4 AND i.class NOT IN ('message', 'status') AND ($3::bytea IS NULL OR i.instance = $3) AND ($4::text IS NULL OR i.class = $4) ORDER BY i.id DESC LIMIT $5) p));

-- STATUSES
SELECT t."account", t."id", t."notification", t."instance", t."delivery", t."contact", t."address", t."kind", t."class", t."at", t."received_at", t."words", t."detail", t."told" FROM (SELECT i.* FROM (SELECT o.item FROM outbox o WHERE o.account = $1 AND o.channel = 2 AND o.state = 0
UNION ALL SELECT o.item FROM outbox o WHERE o.account = $1 AND o.channel = 2 AND o.state = 4) AS w (id)
CROSS JOIN LATERAL (SELECT * FROM inbound i WHERE i.account = $1 AND i.id = w.id AND i.class = 'status'
AND ($3::bytea IS NULL OR i.instance = $3) OFFSET 0) AS i
WHERE w.id < $2 AND ($4::text IS NULL OR $4 = 'status') ORDER BY w.id DESC LIMIT $5) t;

-- CONTACTS_OF_STATUSES
SELECT t."account", t."id", t."suppressed_by", t."suppressed_at", t."suspected_by", t."suspected_at", t."window_until", t."address", t."others", t."name", t."named_at", t."merged_into", t."live_tat", t."test_tat", t."live_hour", t."live_print", t."test_hour", t."test_print" FROM contacts t WHERE t.account = $1 AND t.id = ANY (ARRAY(SELECT p.contact FROM (SELECT i.* FROM (SELECT o.item FROM outbox o WHERE o.account = $1 AND o.channel = 2 AND o.state = 0
UNION ALL SELECT o.item FROM outbox o WHERE o.account = $1 AND o.channel = 2 AND o.state = 4) AS w (id)
CROSS JOIN LATERAL (SELECT * FROM inbound i WHERE i.account = $1 AND i.id = w.id AND i.class = 'status'
AND ($3::bytea IS NULL OR i.instance = $3) OFFSET 0) AS i
WHERE w.id < $2 AND ($4::text IS NULL OR $4 = 'status') ORDER BY w.id DESC LIMIT $5) p));

-- OUTBOX_OF_STATUSES
SELECT t."delivery", t."account", t."shard", t."order_key", t."channel", t."place", t."item", t."contact", t."as_name", t."log_id", t."state", t."due", t."expires_at", t."fence", t."tries", t."put_off", t."started_at" FROM outbox t WHERE t.account = $1 AND t.state = 0 AND t.delivery = ANY (ARRAY(SELECT p.delivery FROM (SELECT i.* FROM (SELECT o.item FROM outbox o WHERE o.account = $1 AND o.channel = 2 AND o.state = 0
UNION ALL SELECT o.item FROM outbox o WHERE o.account = $1 AND o.channel = 2 AND o.state = 4) AS w (id)
CROSS JOIN LATERAL (SELECT * FROM inbound i WHERE i.account = $1 AND i.id = w.id AND i.class = 'status'
AND ($3::bytea IS NULL OR i.instance = $3) OFFSET 0) AS i
WHERE w.id < $2 AND ($4::text IS NULL OR $4 = 'status') ORDER BY w.id DESC LIMIT $5) p));

-- INBOUND_ENTRY
SELECT t."account", t."id", t."notification", t."instance", t."delivery", t."contact", t."address", t."kind", t."class", t."at", t."received_at", t."words", t."detail", t."told" FROM inbound t WHERE t.account = $1 AND t.id = $2;

-- CONTACT_OF_INBOUND_ENTRY
SELECT t."account", t."id", t."suppressed_by", t."suppressed_at", t."suspected_by", t."suspected_at", t."window_until", t."address", t."others", t."name", t."named_at", t."merged_into", t."live_tat", t."test_tat", t."live_hour", t."live_print", t."test_hour", t."test_print" FROM inbound i JOIN contacts t ON t.account = i.account AND t.id = i.contact WHERE i.account = $1 AND i.id = $2;

-- OUTBOX_OF_INBOUND_ENTRY
SELECT t."delivery", t."account", t."shard", t."order_key", t."channel", t."place", t."item", t."contact", t."as_name", t."log_id", t."state", t."due", t."expires_at", t."fence", t."tries", t."put_off", t."started_at" FROM inbound i JOIN outbox t ON t.account = i.account AND t.delivery = i.delivery AND t.state = 0
WHERE i.account = $1 AND i.id = $2;

-- NOTIFICATION
SELECT t."account", t."id", t."instance", t."received_at", t."new", t."repeated", t."quarantined", t."body" FROM notifications t WHERE t.account = $1 AND t.id = $2;

-- NOTIFICATIONS
SELECT t."account", t."id", t."instance", t."received_at", t."new", t."repeated", t."quarantined", t."body" FROM (SELECT account, id, instance, received_at, "new", repeated, quarantined, NULL::bytea AS body FROM notifications n
WHERE n.account = $1 AND n.id < $2 ORDER BY n.id DESC LIMIT $3) t;

-- ADDRESS
SELECT t."account", t."address", t."contact" FROM addresses t WHERE t.account = $1 AND t.address = $2;

-- CONTACT_OF_ADDRESS
SELECT t."account", t."id", t."suppressed_by", t."suppressed_at", t."suspected_by", t."suspected_at", t."window_until", t."address", t."others", t."name", t."named_at", t."merged_into", t."live_tat", t."test_tat", t."live_hour", t."live_print", t."test_hour", t."test_print" FROM addresses a JOIN contacts t ON t.account = a.account AND t.id = a.contact WHERE a.account = $1 AND a.address = $2;

-- CONTACT
SELECT t."account", t."id", t."suppressed_by", t."suppressed_at", t."suspected_by", t."suspected_at", t."window_until", t."address", t."others", t."name", t."named_at", t."merged_into", t."live_tat", t."test_tat", t."live_hour", t."live_print", t."test_hour", t."test_print" FROM contacts c JOIN contacts t ON t.account = c.account AND t.id IN (c.id, c.merged_into) WHERE c.account = $1 AND c.id = $2;

-- SUSPECTED
SELECT t."account", t."id", t."suppressed_by", t."suppressed_at", t."suspected_by", t."suspected_at", t."window_until", t."address", t."others", t."name", t."named_at", t."merged_into", t."live_tat", t."test_tat", t."live_hour", t."live_print", t."test_hour", t."test_print" FROM contacts t WHERE t.account = $1 AND t.suspected_at IS NOT NULL AND t.merged_into IS NULL AND t.id > $2 ORDER BY t.id LIMIT $3;

-- SUPPRESSIONS
SELECT t."account", t."id", t."contact", t."address", t."cause", t."note", t."since", t."by", t."lifted_at", t."lifted_by" FROM suppressions t WHERE t.account = $1 AND t.id < $2 AND ($3::bigint = 0 OR t.lifted_at IS NULL) ORDER BY t.id DESC LIMIT $4;

-- SUPPRESSIONS_OF_ADDRESS
SELECT t."account", t."id", t."contact", t."address", t."cause", t."note", t."since", t."by", t."lifted_at", t."lifted_by" FROM suppressions t WHERE t.account = $1 AND t.contact = (SELECT a.contact FROM addresses a WHERE a.account = $1 AND a.address = $2)
AND t.id < $3 AND ($4::bigint = 0 OR t.lifted_at IS NULL) ORDER BY t.id DESC LIMIT $5;

-- MESSAGE
SELECT t."account", t."id", t."log_id", t."instance", t."contact", t."address", t."purpose", t."content", t."mode", t."origin", t."ordered", t."status", t."error", t."external_id", t."sent_try", t."sent_from", t."sent_at", t."delivery", t."charged_day", t."charged_month", t."created_at", t."updated_at" FROM messages t WHERE t.account = $1 AND t.id = $2;

-- MESSAGES
SELECT t."account", t."id", t."log_id", t."instance", t."contact", t."address", t."purpose", t."content", t."mode", t."origin", t."ordered", t."status", t."error", t."external_id", t."sent_try", t."sent_from", t."sent_at", t."delivery", t."charged_day", t."charged_month", t."created_at", t."updated_at" FROM messages t WHERE t.account = $1 AND t.id < $2 AND ($3::text IS NULL OR t.status = $3)
AND ($4::bytea IS NULL OR t.instance = $4) ORDER BY t.id DESC LIMIT $5;

-- MESSAGES_FROM_INSTANCE
SELECT t."account", t."id", t."log_id", t."instance", t."contact", t."address", t."purpose", t."content", t."mode", t."origin", t."ordered", t."status", t."error", t."external_id", t."sent_try", t."sent_from", t."sent_at", t."delivery", t."charged_day", t."charged_month", t."created_at", t."updated_at" FROM messages t WHERE t.account = $1 AND t.id < $2 AND ($3::text IS NULL OR t.status = $3) AND t.instance = $4
ORDER BY t.id DESC LIMIT $5;

-- MESSAGES_NOT_SENT
SELECT t."account", t."id", t."log_id", t."instance", t."contact", t."address", t."purpose", t."content", t."mode", t."origin", t."ordered", t."status", t."error", t."external_id", t."sent_try", t."sent_from", t."sent_at", t."delivery", t."charged_day", t."charged_month", t."created_at", t."updated_at" FROM messages t WHERE t.account = $1 AND t.id < $2 AND t.error IS NOT NULL AND t.status = $3
AND ($4::bytea IS NULL OR t.instance = $4) ORDER BY t.id DESC LIMIT $5;

-- MESSAGES_QUEUED
SELECT t."account", t."id", t."log_id", t."instance", t."contact", t."address", t."purpose", t."content", t."mode", t."origin", t."ordered", t."status", t."error", t."external_id", t."sent_try", t."sent_from", t."sent_at", t."delivery", t."charged_day", t."charged_month", t."created_at", t."updated_at" FROM (SELECT m.* FROM (SELECT o.item FROM outbox o WHERE o.account = $1 AND o.channel = 0 AND o.state < 2 AND o.item < $2 ORDER BY o.item DESC) AS c (id) CROSS JOIN LATERAL (SELECT * FROM messages m WHERE m.account = $1 AND m.id = c.id AND m.status = $3
AND ($4::bytea IS NULL OR m.instance = $4) OFFSET 0) AS m ORDER BY c.id DESC LIMIT $5) t;

-- MESSAGES_SENDING
SELECT t."account", t."id", t."log_id", t."instance", t."contact", t."address", t."purpose", t."content", t."mode", t."origin", t."ordered", t."status", t."error", t."external_id", t."sent_try", t."sent_from", t."sent_at", t."delivery", t."charged_day", t."charged_month", t."created_at", t."updated_at" FROM (SELECT m.* FROM (SELECT o.item FROM outbox o WHERE o.account = $1 AND o.channel = 0 AND o.state = 2 AND o.item < $2 ORDER BY o.item DESC) AS c (id) CROSS JOIN LATERAL (SELECT * FROM messages m WHERE m.account = $1 AND m.id = c.id AND m.status = $3
AND ($4::bytea IS NULL OR m.instance = $4) OFFSET 0) AS m ORDER BY c.id DESC LIMIT $5) t;

-- MESSAGES_HELD
SELECT t."account", t."id", t."log_id", t."instance", t."contact", t."address", t."purpose", t."content", t."mode", t."origin", t."ordered", t."status", t."error", t."external_id", t."sent_try", t."sent_from", t."sent_at", t."delivery", t."charged_day", t."charged_month", t."created_at", t."updated_at" FROM (SELECT m.* FROM (SELECT r.message FROM reviews r WHERE r.account = $1 AND r.message < $2 AND r.closed_at IS NULL ORDER BY r.message DESC) AS c (id) CROSS JOIN LATERAL (SELECT * FROM messages m WHERE m.account = $1 AND m.id = c.id AND m.status = $3
AND ($4::bytea IS NULL OR m.instance = $4) OFFSET 0) AS m ORDER BY c.id DESC LIMIT $5) t;

-- MESSAGES_REFUSED
SELECT t."account", t."id", t."log_id", t."instance", t."contact", t."address", t."purpose", t."content", t."mode", t."origin", t."ordered", t."status", t."error", t."external_id", t."sent_try", t."sent_from", t."sent_at", t."delivery", t."charged_day", t."charged_month", t."created_at", t."updated_at" FROM (SELECT m.* FROM (SELECT r.message FROM reviews r WHERE r.account = $1 AND r.message < $2 AND TRUE ORDER BY r.message DESC) AS c (id) CROSS JOIN LATERAL (SELECT * FROM messages m WHERE m.account = $1 AND m.id = c.id AND m.status = $3
AND ($4::bytea IS NULL OR m.instance = $4) OFFSET 0) AS m ORDER BY c.id DESC LIMIT $5) t;

-- MESSAGES_IN_DOUBT
SELECT t."account", t."id", t."log_id", t."instance", t."contact", t."address", t."purpose", t."content", t."mode", t."origin", t."ordered", t."status", t."error", t."external_id", t."sent_try", t."sent_from", t."sent_at", t."delivery", t."charged_day", t."charged_month", t."created_at", t."updated_at" FROM ((SELECT m.* FROM (SELECT DISTINCT ON (a.message) a.message FROM attempts a WHERE a.account = $1 AND a.message < $2 ORDER BY a.message DESC) AS c (id) CROSS JOIN LATERAL (SELECT * FROM messages m WHERE m.account = $1 AND m.id = c.id AND m.status = $3
AND ($4::bytea IS NULL OR m.instance = $4) OFFSET 0) AS m ORDER BY c.id DESC LIMIT $5) UNION (SELECT m.* FROM (SELECT o.item FROM outbox o WHERE o.account = $1 AND o.channel = 0 AND o.state = 4 AND o.item < $2 ORDER BY o.item DESC) AS c (id) CROSS JOIN LATERAL (SELECT * FROM messages m WHERE m.account = $1 AND m.id = c.id AND m.status = $3
AND ($4::bytea IS NULL OR m.instance = $4) OFFSET 0) AS m ORDER BY c.id DESC LIMIT $5)) t ORDER BY t.id DESC LIMIT $5;

-- ATTEMPTS
SELECT t."account", t."message", t."number", t."started_at", t."finished_at", t."outcome" FROM attempts t WHERE t.account = $1 AND t.message = $2;

-- OUTBOX_OF_MESSAGE
SELECT t."delivery", t."account", t."shard", t."order_key", t."channel", t."place", t."item", t."contact", t."as_name", t."log_id", t."state", t."due", t."expires_at", t."fence", t."tries", t."put_off", t."started_at" FROM messages m JOIN outbox t ON t.account = m.account AND t.delivery = m.delivery AND t.state <> 4
WHERE m.account = $1 AND m.id = $2;

-- REVIEWS
SELECT t."account", t."message", t."opened_by", t."policy_event", t."opened_at", t."expires_at", t."approved_at", t."approved_by", t."approval_note", t."closed_at", t."closed_by", t."verdict", t."note" FROM reviews t WHERE t.account = $1 AND t.message < $2 AND ($3::bigint IS NULL OR (t.closed_at IS NULL) = ($3 = 1))
AND ($4::text IS NULL OR t.opened_by = $4) ORDER BY t.message DESC LIMIT $5;

-- REVIEWS_OPEN
SELECT t."account", t."message", t."opened_by", t."policy_event", t."opened_at", t."expires_at", t."approved_at", t."approved_by", t."approval_note", t."closed_at", t."closed_by", t."verdict", t."note" FROM reviews t WHERE t.account = $1 AND t.message < $2 AND $3::bigint = 1 AND t.closed_at IS NULL
AND ($4::text IS NULL OR t.opened_by = $4) ORDER BY t.message DESC LIMIT $5;

-- REVIEWS_OF_RULE
SELECT t."account", t."message", t."opened_by", t."policy_event", t."opened_at", t."expires_at", t."approved_at", t."approved_by", t."approval_note", t."closed_at", t."closed_by", t."verdict", t."note" FROM reviews t WHERE t.account = $1 AND t.message < $2 AND ($3::bigint IS NULL OR (t.closed_at IS NULL) = ($3 = 1))
AND t.opened_by = $4 ORDER BY t.message DESC LIMIT $5;

-- POLICY_EVENTS
SELECT t."account", t."seq", t."at", t."message", t."instance", t."contact", t."verdict", t."body" FROM policy_events t WHERE t.account = $1 AND t.seq < $2 AND ($3::bytea IS NULL OR t.message = $3)
AND ($4::bigint = 0 OR t.message IS NULL) AND ($5::bigint IS NULL OR t.at >= $5) AND ($6::bigint IS NULL OR t.at < $6)
AND ($7::text IS NULL OR strpos(t.body, $7) > 0 OR t.body NOT LIKE '{%}') AND ($8::text IS NULL OR t.verdict = $8)
ORDER BY t.seq DESC LIMIT $9;

-- POLICY_EVENTS_AGAINST
SELECT t."account", t."seq", t."at", t."message", t."instance", t."contact", t."verdict", t."body" FROM policy_events t WHERE t.account = $1 AND t.seq < $2 AND ($3::bytea IS NULL OR t.message = $3)
AND ($4::bigint = 0 OR t.message IS NULL) AND ($5::bigint IS NULL OR t.at >= $5) AND ($6::bigint IS NULL OR t.at < $6)
AND ($7::text IS NULL OR strpos(t.body, $7) > 0 OR t.body NOT LIKE '{%}') AND t.verdict = $8 AND t.verdict <> 'allow'
ORDER BY t.seq DESC LIMIT $9;

-- EVENT_ROWS
SELECT t."account", t."seq", t."at", t."message", t."instance", t."contact", t."verdict", t."body" FROM policy_events t WHERE t.account = $1 AND t.seq > $2 ORDER BY t.seq LIMIT $3;

-- SEALS
SELECT t."account", t."number", t."first", t."last", t."newest_at", t."rows", t."previous", t."root", t."sealed_at", t."digest", t."dropped_at", t."dropped_digest", t."row_digests" FROM seals t WHERE t.account = $1 AND t.number > $2 ORDER BY t.number LIMIT $3;

-- LAST_SEAL
SELECT t."account", t."number", t."first", t."last", t."newest_at", t."rows", t."previous", t."root", t."sealed_at", t."digest", t."dropped_at", t."dropped_digest", t."row_digests" FROM seals t WHERE t.account = $1 ORDER BY t.number DESC LIMIT 1;

-- ENDPOINTS
SELECT t."account", t."id", t."name", t."url", t."instance", t."filter", t."in_flight_max", t."rate", t."secrets", t."secrets_root", t."headers", t."headers_root", t."header_names", t."verified_at", t."pause", t."disabled", t."failing_since", t."removed_at", t."url_since", t."revision", t."created_at", t."for_operator", t."integration", t."tat" FROM endpoints t WHERE t.account = $1 AND t.removed_at IS NULL;

-- ENDPOINT
SELECT t."account", t."id", t."name", t."url", t."instance", t."filter", t."in_flight_max", t."rate", t."secrets", t."secrets_root", t."headers", t."headers_root", t."header_names", t."verified_at", t."pause", t."disabled", t."failing_since", t."removed_at", t."url_since", t."revision", t."created_at", t."for_operator", t."integration", t."tat" FROM endpoints t WHERE t.account = $1 AND t.id = $2;

-- EVENT
SELECT t."account", t."id", t."name", t."instance", t."occurred_at", t."fields" FROM events t WHERE t.account = $1 AND t.id = $2;

-- DELIVERY
SELECT t."account", t."id", t."event", t."as_name", t."endpoint", t."status", t."error", t."skip", t."tries", t."replay", t."sent_from", t."sent_saw", t."created_at", t."updated_at" FROM event_deliveries t WHERE t.account = $1 AND t.id = $2;

-- OUTBOX_OF_DELIVERY
SELECT t."delivery", t."account", t."shard", t."order_key", t."channel", t."place", t."item", t."contact", t."as_name", t."log_id", t."state", t."due", t."expires_at", t."fence", t."tries", t."put_off", t."started_at" FROM outbox t WHERE t.account = $1 AND t.delivery = $2 AND t.channel = 1 AND t.state <> 4;

-- DELIVERY_ATTEMPTS
SELECT t."account", t."delivery", t."number", t."started_at", t."finished_at", t."outcome", t."report" FROM delivery_attempts t WHERE t.account = $1 AND t.delivery = $2;

-- DELIVERIES
SELECT t."account", t."id", t."event", t."as_name", t."endpoint", t."status", t."error", t."skip", t."tries", t."replay", t."sent_from", t."sent_saw", t."created_at", t."updated_at" FROM (SELECT * FROM event_deliveries d WHERE d.account = $1 AND d.id < $2 AND TRUE AND ($3::bytea IS NULL OR d.endpoint = $3) AND ($4::bigint IS NULL OR d.status = $4) AND ($5::bigint = 1 OR NOT EXISTS (SELECT 1 FROM endpoints e WHERE e.account = $1 AND e.id = d.endpoint AND e.for_operator = 1)) ORDER BY d.id DESC LIMIT $6) t;

-- OUTBOX_OF_DELIVERIES
SELECT t."delivery", t."account", t."shard", t."order_key", t."channel", t."place", t."item", t."contact", t."as_name", t."log_id", t."state", t."due", t."expires_at", t."fence", t."tries", t."put_off", t."started_at" FROM outbox t WHERE t.account = $1 AND t.state <> 4 AND t.delivery = ANY (ARRAY(SELECT p.id FROM (SELECT * FROM event_deliveries d WHERE d.account = $1 AND d.id < $2 AND TRUE AND ($3::bytea IS NULL OR d.endpoint = $3) AND ($4::bigint IS NULL OR d.status = $4) AND ($5::bigint = 1 OR NOT EXISTS (SELECT 1 FROM endpoints e WHERE e.account = $1 AND e.id = d.endpoint AND e.for_operator = 1)) ORDER BY d.id DESC LIMIT $6) p));

-- DELIVERIES_TO_ENDPOINT
SELECT t."account", t."id", t."event", t."as_name", t."endpoint", t."status", t."error", t."skip", t."tries", t."replay", t."sent_from", t."sent_saw", t."created_at", t."updated_at" FROM (SELECT * FROM event_deliveries d WHERE d.account = $1 AND d.id < $2 AND d.endpoint = $3 AND ($3::bytea IS NULL OR d.endpoint = $3) AND ($4::bigint IS NULL OR d.status = $4) AND ($5::bigint = 1 OR NOT EXISTS (SELECT 1 FROM endpoints e WHERE e.account = $1 AND e.id = d.endpoint AND e.for_operator = 1)) ORDER BY d.id DESC LIMIT $6) t;

-- OUTBOX_TO_ENDPOINT
SELECT t."delivery", t."account", t."shard", t."order_key", t."channel", t."place", t."item", t."contact", t."as_name", t."log_id", t."state", t."due", t."expires_at", t."fence", t."tries", t."put_off", t."started_at" FROM outbox t WHERE t.account = $1 AND t.state <> 4 AND t.delivery = ANY (ARRAY(SELECT p.id FROM (SELECT * FROM event_deliveries d WHERE d.account = $1 AND d.id < $2 AND d.endpoint = $3 AND ($3::bytea IS NULL OR d.endpoint = $3) AND ($4::bigint IS NULL OR d.status = $4) AND ($5::bigint = 1 OR NOT EXISTS (SELECT 1 FROM endpoints e WHERE e.account = $1 AND e.id = d.endpoint AND e.for_operator = 1)) ORDER BY d.id DESC LIMIT $6) p));

-- DELIVERIES_NOT_TAKEN
SELECT t."account", t."id", t."event", t."as_name", t."endpoint", t."status", t."error", t."skip", t."tries", t."replay", t."sent_from", t."sent_saw", t."created_at", t."updated_at" FROM (SELECT * FROM event_deliveries d WHERE d.account = $1 AND d.id < $2 AND d.status > 1 AND ($3::bytea IS NULL OR d.endpoint = $3) AND ($4::bigint IS NULL OR d.status = $4) AND ($5::bigint = 1 OR NOT EXISTS (SELECT 1 FROM endpoints e WHERE e.account = $1 AND e.id = d.endpoint AND e.for_operator = 1)) ORDER BY d.id DESC LIMIT $6) t;

-- QUEUED
SELECT t."account", t."id", t."event", t."as_name", t."endpoint", t."status", t."error", t."skip", t."tries", t."replay", t."sent_from", t."sent_saw", t."created_at", t."updated_at" FROM event_deliveries t WHERE t.account = $1 AND t.id = ANY (ARRAY(SELECT p.delivery FROM (SELECT * FROM outbox d WHERE d.account = $1 AND d.channel = 1 AND d.state = 0 AND d.delivery < $2 AND ($3::bytea IS NULL OR d.place = $3) AND ($4::bigint = 1 OR NOT EXISTS (SELECT 1 FROM endpoints e WHERE e.account = $1 AND e.id = d.place AND e.for_operator = 1)) ORDER BY d.delivery DESC LIMIT $5) p));

-- OUTBOX_QUEUED
SELECT t."delivery", t."account", t."shard", t."order_key", t."channel", t."place", t."item", t."contact", t."as_name", t."log_id", t."state", t."due", t."expires_at", t."fence", t."tries", t."put_off", t."started_at" FROM (SELECT * FROM outbox d WHERE d.account = $1 AND d.channel = 1 AND d.state = 0 AND d.delivery < $2 AND ($3::bytea IS NULL OR d.place = $3) AND ($4::bigint = 1 OR NOT EXISTS (SELECT 1 FROM endpoints e WHERE e.account = $1 AND e.id = d.place AND e.for_operator = 1)) ORDER BY d.delivery DESC LIMIT $5) t;

-- SENDING
SELECT t."account", t."id", t."event", t."as_name", t."endpoint", t."status", t."error", t."skip", t."tries", t."replay", t."sent_from", t."sent_saw", t."created_at", t."updated_at" FROM event_deliveries t WHERE t.account = $1 AND t.id = ANY (ARRAY(SELECT p.delivery FROM (SELECT * FROM outbox d WHERE d.account = $1 AND d.channel = 1 AND d.state = 2 AND d.delivery < $2 AND ($3::bytea IS NULL OR d.place = $3) AND ($4::bigint = 1 OR NOT EXISTS (SELECT 1 FROM endpoints e WHERE e.account = $1 AND e.id = d.place AND e.for_operator = 1)) ORDER BY d.delivery DESC LIMIT $5) p));

-- OUTBOX_SENDING
SELECT t."delivery", t."account", t."shard", t."order_key", t."channel", t."place", t."item", t."contact", t."as_name", t."log_id", t."state", t."due", t."expires_at", t."fence", t."tries", t."put_off", t."started_at" FROM (SELECT * FROM outbox d WHERE d.account = $1 AND d.channel = 1 AND d.state = 2 AND d.delivery < $2 AND ($3::bytea IS NULL OR d.place = $3) AND ($4::bigint = 1 OR NOT EXISTS (SELECT 1 FROM endpoints e WHERE e.account = $1 AND e.id = d.place AND e.for_operator = 1)) ORDER BY d.delivery DESC LIMIT $5) t;

-- DELIVERIES_OF_EVENT
SELECT t."account", t."id", t."event", t."as_name", t."endpoint", t."status", t."error", t."skip", t."tries", t."replay", t."sent_from", t."sent_saw", t."created_at", t."updated_at" FROM (SELECT * FROM event_deliveries d WHERE d.account = $1 AND d.event = $2 AND d.replay IS NULL AND d.id >= (SELECT decode(lpad(to_hex(e.occurred_at + 0), 12, '0'), 'hex') FROM events e WHERE e.account = $1 AND e.id = $2) AND d.id < (SELECT decode(lpad(to_hex(e.occurred_at + 1), 12, '0'), 'hex') FROM events e WHERE e.account = $1 AND e.id = $2) AND ($3::bigint = 1 OR NOT EXISTS (SELECT 1 FROM endpoints e WHERE e.account = $1 AND e.id = d.endpoint AND e.for_operator = 1))
UNION ALL
SELECT * FROM event_deliveries d WHERE d.account = $1 AND d.event = $2 AND d.replay IS NOT NULL AND ($3::bigint = 1 OR NOT EXISTS (SELECT 1 FROM endpoints e WHERE e.account = $1 AND e.id = d.endpoint AND e.for_operator = 1))) t;

-- OUTBOX_OF_EVENT
SELECT t."delivery", t."account", t."shard", t."order_key", t."channel", t."place", t."item", t."contact", t."as_name", t."log_id", t."state", t."due", t."expires_at", t."fence", t."tries", t."put_off", t."started_at" FROM outbox t WHERE t.account = $1 AND t.state <> 4 AND t.delivery = ANY (ARRAY(SELECT p.id FROM (SELECT * FROM event_deliveries d WHERE d.account = $1 AND d.event = $2 AND d.replay IS NULL AND d.id >= (SELECT decode(lpad(to_hex(e.occurred_at + 0), 12, '0'), 'hex') FROM events e WHERE e.account = $1 AND e.id = $2) AND d.id < (SELECT decode(lpad(to_hex(e.occurred_at + 1), 12, '0'), 'hex') FROM events e WHERE e.account = $1 AND e.id = $2) AND ($3::bigint = 1 OR NOT EXISTS (SELECT 1 FROM endpoints e WHERE e.account = $1 AND e.id = d.endpoint AND e.for_operator = 1))
UNION ALL
SELECT * FROM event_deliveries d WHERE d.account = $1 AND d.event = $2 AND d.replay IS NOT NULL AND ($3::bigint = 1 OR NOT EXISTS (SELECT 1 FROM endpoints e WHERE e.account = $1 AND e.id = d.endpoint AND e.for_operator = 1))) p));

-- RECOVERY
SELECT t."account", t."id", t."endpoint", t."since", t."until", t."by", t."reason", t."to_changed_url", t."at", t."queued", t."passed_over", t."done_at", t."canceled_at" FROM recoveries t WHERE t.account = $1 AND t.id = $2;

-- RECOVERIES
SELECT t."account", t."id", t."endpoint", t."since", t."until", t."by", t."reason", t."to_changed_url", t."at", t."queued", t."passed_over", t."done_at", t."canceled_at" FROM recoveries t WHERE t.account = $1 AND t.id < $2 AND ($3::bigint = 1 OR NOT EXISTS (SELECT 1 FROM endpoints e WHERE e.account = $1 AND e.id = t.endpoint AND e.for_operator = 1)) ORDER BY t.id DESC LIMIT $4;

-- ACCOUNTS
SELECT a.id FROM accounts a WHERE a.id < $1 ORDER BY a.id DESC LIMIT $2;

-- WHOSE_KEY
SELECT k.account FROM api_keys k WHERE k.id = $1;

-- WHOSE_INSTANCE
SELECT i.account FROM instances i WHERE i.id = $1;

-- WHOSE_INTEGRATION
SELECT i.account FROM integrations i WHERE i.id = $1;

-- UNSEALED
SELECT a.id, e.seq, e.at, a.last_seq FROM accounts a
CROSS JOIN LATERAL (SELECT n.seq, n.at FROM policy_events n WHERE n.account = a.id AND n.seq >
coalesce((SELECT s.last FROM seals s WHERE s.account = a.id ORDER BY s.number DESC LIMIT 1), 0) ORDER BY n.seq LIMIT 1) e
WHERE a.id > $1 ORDER BY a.id LIMIT $2;

-- OLD_SEALS
SELECT s.account, s.number FROM seals s WHERE s.dropped_at IS NULL AND s.newest_at < $1
ORDER BY s.newest_at, s.account, s.number OFFSET $2 LIMIT $3;

-- ROOTS
WITH RECURSIVE named (root) AS (
SELECT min(root) FROM seals UNION ALL
SELECT (SELECT min(s.root) FROM seals s WHERE s.root > named.root) FROM named WHERE named.root IS NOT NULL)
SELECT root FROM named WHERE root IS NOT NULL
UNION SELECT root FROM api_keys
UNION SELECT secrets_root FROM endpoints WHERE removed_at IS NULL
UNION SELECT headers_root FROM endpoints WHERE removed_at IS NULL AND headers_root IS NOT NULL
UNION SELECT secrets_root FROM integrations WHERE removed_at IS NULL
UNION SELECT credentials_root FROM instances WHERE credentials_root IS NOT NULL
ORDER BY root;

-- ACCOUNTS_FOUND
SELECT t."id", t."name", t."plan", t."zone", t."next_zone", t."next_zone_from", t."pause", t."suspended_at", t."one_time_codes_pass", t."supervised", t."two_person_review", t."confirms_opt_out", t."threecx_enabled", t."sender", t."created_at", t."last_seq", t."last_inbound", t."last_entry", t."changes" FROM UNNEST($1::bytea[]) AS k(k1) JOIN accounts t ON t.id = k.k1;

-- SEALS_FOUND
SELECT t."account", t."number", t."first", t."last", t."newest_at", t."rows", t."previous", t."root", t."sealed_at", t."digest", t."dropped_at", t."dropped_digest", t."row_digests" FROM UNNEST($1::bytea[], $2::bigint[]) AS k(k1, k2) JOIN seals t ON t.account = k.k1 AND t.number = k.k2;

