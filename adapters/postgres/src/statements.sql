-- lock
SELECT t."id", t."name", t."plan", t."zone", t."next_zone", t."next_zone_from", t."pause", t."suspended_at", t."one_time_codes_pass", t."supervised", t."two_person_review", t."confirms_opt_out", t."threecx_enabled", t."sender", t."created_at", t."last_seq", t."last_inbound", t."last_entry", t."changes" FROM accounts t WHERE t.id = ANY($1::bytea[]) ORDER BY t.id FOR NO KEY UPDATE;

-- lock those that are free
SELECT t."id", t."name", t."plan", t."zone", t."next_zone", t."next_zone_from", t."pause", t."suspended_at", t."one_time_codes_pass", t."supervised", t."two_person_review", t."confirms_opt_out", t."threecx_enabled", t."sender", t."created_at", t."last_seq", t."last_inbound", t."last_entry", t."changes" FROM accounts t WHERE t.id = ANY($1::bytea[]) ORDER BY t.id FOR NO KEY UPDATE SKIP LOCKED;

-- read
SELECT t."id", t."name", t."plan", t."zone", t."next_zone", t."next_zone_from", t."pause", t."suspended_at", t."one_time_codes_pass", t."supervised", t."two_person_review", t."confirms_opt_out", t."threecx_enabled", t."sender", t."created_at", t."last_seq", t."last_inbound", t."last_entry", t."changes" FROM accounts t WHERE t.id = ANY($1::bytea[]) ORDER BY t.id;

-- lease
INSERT INTO sealing (id, holder, until) VALUES ($1::bigint, $2::bytea, $3::bigint) ON CONFLICT (id) DO UPDATE
SET holder = EXCLUDED.holder, until = EXCLUDED.until WHERE sealing.holder = EXCLUDED.holder OR sealing.until <= $4::bigint;

-- touch
WITH used AS MATERIALIZED (
SELECT t.id, k.at FROM UNNEST($1::text[], $2::bigint[]) AS k (id, at) JOIN api_keys t ON t.id = k.id
ORDER BY t.id FOR NO KEY UPDATE OF t
)
UPDATE api_keys t SET last_used_at = greatest(t.last_used_at, used.at) FROM used WHERE t.id = used.id;

-- identity
SELECT CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT), CAST(extract(epoch FROM pg_postmaster_start_time()) AS TEXT),
CAST(floor(extract(epoch FROM clock_timestamp())) AS BIGINT);

-- fate
SELECT pg_xact_status(CAST(CAST($1::bigint AS TEXT) AS xid8)), CAST(extract(epoch FROM pg_postmaster_start_time()) AS TEXT),
CAST(extract(epoch FROM checkpoint_time) AS BIGINT) FROM pg_control_checkpoint();

-- noted
SELECT number, print FROM roots ORDER BY number;

-- note
INSERT INTO roots (number, print) SELECT * FROM UNNEST($1::bigint[], $2::bytea[]) ON CONFLICT DO NOTHING;

-- scout: MESSAGES
WITH RECURSIVE crowd AS (
SELECT o.* FROM outbox o WHERE o.channel = 0 AND o.state = 0 AND o.due <= $2::bigint ORDER BY o.due LIMIT 1001
), size AS (
SELECT count(*) AS rows FROM crowd
), queues (account, place) AS (
(SELECT o.account, o.place FROM outbox o
WHERE (SELECT rows FROM size) > 1000 AND o.channel = 0 AND o.state = 0 AND o.account > $1::bytea
ORDER BY o.account, o.place LIMIT 1)
UNION ALL
SELECT n.account, n.place FROM queues q CROSS JOIN LATERAL
(SELECT o.account, o.place FROM outbox o
WHERE o.channel = 0 AND o.state = 0 AND (o.account, o.place) > (q.account, q.place)
ORDER BY o.account, o.place LIMIT 1) AS n
)
(SELECT q.account, q.place, q.due FROM
(SELECT o.account, o.place, min(o.due) AS due FROM crowd o
WHERE (SELECT rows FROM size) <= 1000 AND o.account > $1::bytea AND (o.order_key IS NULL OR NOT EXISTS (SELECT 1 FROM outbox p WHERE p.account = o.account AND p.order_key = o.order_key
AND p.log_id < o.log_id AND p.state <> 4)) GROUP BY o.account, o.place) AS q
CROSS JOIN LATERAL
(SELECT 1 FROM accounts a WHERE a.id = q.account AND a.pause IS NULL AND a.suspended_at IS NULL OFFSET 0) AS a
CROSS JOIN LATERAL
(SELECT 1 FROM instances i WHERE i.account = q.account AND i.id = q.place AND i.pause IS NULL AND i.connection = 'open'
OFFSET 0) AS i)
UNION ALL
(SELECT q.account, q.place, d.due FROM queues q
CROSS JOIN LATERAL
(SELECT 1 FROM accounts a WHERE a.id = q.account AND a.pause IS NULL AND a.suspended_at IS NULL OFFSET 0) AS a
CROSS JOIN LATERAL
(SELECT 1 FROM instances i WHERE i.account = q.account AND i.id = q.place AND i.pause IS NULL AND i.connection = 'open'
OFFSET 0) AS i
CROSS JOIN LATERAL
(SELECT o.due FROM outbox o WHERE o.account = q.account AND o.place = q.place AND o.channel = 0 AND o.state = 0
AND (o.order_key IS NULL OR NOT EXISTS (SELECT 1 FROM outbox p WHERE p.account = o.account AND p.order_key = o.order_key
AND p.log_id < o.log_id AND p.state <> 4)) ORDER BY o.due LIMIT 1) AS d
WHERE d.due <= $2::bigint LIMIT 1000)
UNION ALL
(SELECT NULL, NULL, q.due FROM
(SELECT o.* FROM outbox o WHERE o.channel = 0 AND o.state = 0 AND o.due > $2::bigint ORDER BY o.due LIMIT 1000) AS q
CROSS JOIN LATERAL
(SELECT 1 FROM accounts a WHERE a.id = q.account AND a.pause IS NULL AND a.suspended_at IS NULL OFFSET 0) AS a
CROSS JOIN LATERAL
(SELECT 1 FROM instances i WHERE i.account = q.account AND i.id = q.place AND i.pause IS NULL AND i.connection = 'open'
OFFSET 0) AS i LIMIT 1);

-- scout: EVENTS
WITH RECURSIVE crowd AS (
SELECT o.* FROM outbox o WHERE o.channel = 1 AND o.state = 0 AND o.due <= $2::bigint ORDER BY o.due LIMIT 1001
), size AS (
SELECT count(*) AS rows FROM crowd
), queues (account, place) AS (
(SELECT o.account, o.place FROM outbox o
WHERE (SELECT rows FROM size) > 1000 AND o.channel = 1 AND o.state = 0 AND o.account > $1::bytea
ORDER BY o.account, o.place LIMIT 1)
UNION ALL
SELECT n.account, n.place FROM queues q CROSS JOIN LATERAL
(SELECT o.account, o.place FROM outbox o
WHERE o.channel = 1 AND o.state = 0 AND (o.account, o.place) > (q.account, q.place)
ORDER BY o.account, o.place LIMIT 1) AS n
)
(SELECT q.account, q.place, q.due FROM
(SELECT o.account, o.place, min(o.due) AS due FROM crowd o
WHERE (SELECT rows FROM size) <= 1000 AND o.account > $1::bytea AND TRUE GROUP BY o.account, o.place) AS q
CROSS JOIN LATERAL
(SELECT 1 FROM endpoints e WHERE e.account = q.account AND e.id = q.place
AND (e.removed_at IS NOT NULL OR e.disabled IS NOT NULL OR (e.pause IS NULL AND e.verified_at IS NOT NULL)) OFFSET 0) AS e)
UNION ALL
(SELECT q.account, q.place, d.due FROM queues q
CROSS JOIN LATERAL
(SELECT 1 FROM endpoints e WHERE e.account = q.account AND e.id = q.place
AND (e.removed_at IS NOT NULL OR e.disabled IS NOT NULL OR (e.pause IS NULL AND e.verified_at IS NOT NULL)) OFFSET 0) AS e
CROSS JOIN LATERAL
(SELECT o.due FROM outbox o WHERE o.account = q.account AND o.place = q.place AND o.channel = 1 AND o.state = 0
AND TRUE ORDER BY o.due LIMIT 1) AS d
WHERE d.due <= $2::bigint LIMIT 1000)
UNION ALL
(SELECT NULL, NULL, q.due FROM
(SELECT o.* FROM outbox o WHERE o.channel = 1 AND o.state = 0 AND o.due > $2::bigint ORDER BY o.due LIMIT 1000) AS q
CROSS JOIN LATERAL
(SELECT 1 FROM endpoints e WHERE e.account = q.account AND e.id = q.place
AND (e.removed_at IS NOT NULL OR e.disabled IS NOT NULL OR (e.pause IS NULL AND e.verified_at IS NOT NULL)) OFFSET 0) AS e LIMIT 1);

-- scout: INBOXES
WITH RECURSIVE boxes (account) AS (
(SELECT o.account FROM outbox o WHERE o.channel = 2 AND o.state = 0 AND o.account > $1::bytea ORDER BY o.account LIMIT 1)
UNION ALL
SELECT n.account FROM boxes b CROSS JOIN LATERAL
(SELECT o.account FROM outbox o WHERE o.channel = 2 AND o.state = 0 AND o.account > b.account
ORDER BY o.account LIMIT 1) AS n
)
SELECT account FROM boxes LIMIT $2::bigint;

-- scout: MESSAGES_LEASED
SELECT account, delivery FROM outbox WHERE channel = 0 AND state <> 0 AND state <> 4 AND due <= $1::bigint
ORDER BY due LIMIT $2::bigint;

-- scout: MESSAGES_EXPIRED
SELECT account, delivery FROM outbox WHERE channel = 0 AND state = 0 AND expires_at <= $1::bigint
ORDER BY expires_at LIMIT $2::bigint;

-- scout: EVENTS_LEASED
SELECT account, delivery FROM outbox WHERE channel = 1 AND state <> 0 AND state <> 4 AND due <= $1::bigint
ORDER BY due LIMIT $2::bigint;

-- scout: EVENTS_EXPIRED
SELECT account, delivery FROM outbox WHERE channel = 1 AND state = 0 AND expires_at <= $1::bigint
ORDER BY expires_at LIMIT $2::bigint;

-- scout: REVIEWS_EXPIRED
SELECT account, message FROM reviews WHERE closed_at IS NULL AND expires_at <= $1::bigint ORDER BY expires_at LIMIT $2::bigint;

-- scout: BINDINGS_OVER
SELECT account, key FROM idempotency_keys WHERE bound_at <= $1::bigint ORDER BY bound_at LIMIT $2::bigint;

-- scout: OPERATORS
SELECT DISTINCT account FROM endpoints WHERE for_operator = 1 AND removed_at IS NULL;

-- scout: RECOVERIES
SELECT account, id FROM recoveries WHERE done_at IS NULL AND canceled_at IS NULL ORDER BY id <= $1::bytea, id LIMIT 2;

-- scout: INTEGRATION
SELECT account FROM integrations WHERE id = $1::bigint;

-- scout: KEY
SELECT account FROM api_keys WHERE id = $1::text;

-- scout: ACCOUNTS
SELECT id FROM accounts;

-- scout: KEYS_AMONG
SELECT DISTINCT account FROM api_keys WHERE id IN (SELECT jsonb_array_elements_text($1::text::jsonb));

-- lookup: INSTANCES
SELECT t."account", t."id", t."name", t."provider", t."connection", t."pause", t."settings", t."credentials", t."credentials_root", t."revision", t."created_at" FROM UNNEST($1::bytea[]) AS k(k1) CROSS JOIN LATERAL (SELECT * FROM instances t WHERE t.account = k.k1 OFFSET 0) AS t;

-- lookup: ENDPOINTS
SELECT t."account", t."id", t."name", t."url", t."instance", t."filter", t."in_flight_max", t."rate", t."secrets", t."secrets_root", t."headers", t."headers_root", t."header_names", t."verified_at", t."pause", t."disabled", t."failing_since", t."removed_at", t."url_since", t."revision", t."created_at", t."for_operator", t."integration", t."tat" FROM UNNEST($1::bytea[]) AS k(k1) CROSS JOIN LATERAL (SELECT * FROM endpoints t WHERE t.account = k.k1 AND t.removed_at IS NULL OFFSET 0) AS t;

-- lookup: INTEGRATIONS
SELECT t."account", t."id", t."name", t."enabled", t."instance", t."settings", t."secrets", t."secrets_root", t."endpoint", t."revision", t."removed_at", t."created_at", t."tat" FROM UNNEST($1::bytea[]) AS k(k1) CROSS JOIN LATERAL (SELECT * FROM integrations t WHERE t.account = k.k1 AND t.removed_at IS NULL OFFSET 0) AS t;

-- lookup: VELOCITY
SELECT t."account", t."subject", t."mode", t."tat" FROM UNNEST($1::bytea[]) AS k(k1) CROSS JOIN LATERAL (SELECT * FROM velocity t WHERE t.account = k.k1 OFFSET 0) AS t;

-- lookup: TRAFFIC
SELECT t."account", t."mode", t."day", t."sent", t."recipients", t."first_contacts", t."failed", t."opted_out", t."blocked", t."hour", t."hour_recipients", t."recipients_before", t."warned" FROM UNNEST($1::bytea[]) AS k(k1) CROSS JOIN LATERAL (SELECT * FROM traffic t WHERE t.account = k.k1 OFFSET 0) AS t;

-- lookup: KEY
SELECT t."id", t."account", t."mode", t."name", t."digest", t."root", t."last_four", t."scopes", t."allowed_from", t."created_at", t."expires_at", t."revoked_at", t."last_used_at" FROM UNNEST($1::text[]) AS k(k1) CROSS JOIN LATERAL (SELECT * FROM api_keys t WHERE t.id = k.k1 OFFSET 0) AS t;

-- lookup: ENDPOINT
SELECT t."account", t."id", t."name", t."url", t."instance", t."filter", t."in_flight_max", t."rate", t."secrets", t."secrets_root", t."headers", t."headers_root", t."header_names", t."verified_at", t."pause", t."disabled", t."failing_since", t."removed_at", t."url_since", t."revision", t."created_at", t."for_operator", t."integration", t."tat" FROM UNNEST($1::bytea[], $2::bytea[]) AS k(k1, k2) CROSS JOIN LATERAL (SELECT * FROM endpoints t WHERE t.account = k.k1 AND t.id = k.k2 OFFSET 0) AS t;

-- lookup: USAGE
SELECT t."account", t."mode", t."window", t."charged" FROM UNNEST($1::bytea[], $2::bigint[]) AS k(k1, k2) CROSS JOIN LATERAL (SELECT * FROM usage t WHERE t.account = k.k1 AND t.mode IN ('live', 'test') AND t."window" = k.k2 OFFSET 0) AS t;

-- lookup: SAME_TEXTS
SELECT t."account", t."mode", t."day", t."print", t."contacts" FROM UNNEST($1::bytea[], $2::bigint[], $3::bigint[]) AS k(k1, k2, k3) CROSS JOIN LATERAL (SELECT * FROM same_texts t WHERE t.account = k.k1 AND t.mode IN ('live', 'test') AND t.day = k.k2 AND t.print = k.k3 OFFSET 0) AS t;

-- lookup: ADDRESS
SELECT t."account", t."address", t."contact" FROM UNNEST($1::bytea[], $2::text[]) AS k(k1, k2) CROSS JOIN LATERAL (SELECT * FROM addresses t WHERE t.account = k.k1 AND t.address = k.k2 OFFSET 0) AS t;

-- lookup: CONTACT_OF_ADDRESS
SELECT t."account", t."id", t."suppressed_by", t."suppressed_at", t."suspected_by", t."suspected_at", t."window_until", t."address", t."others", t."name", t."named_at", t."merged_into", t."live_tat", t."test_tat", t."live_hour", t."live_print", t."test_hour", t."test_print" FROM UNNEST($1::bytea[], $2::text[]) AS k(k1, k2) CROSS JOIN LATERAL (SELECT * FROM addresses a WHERE a.account = k.k1 AND a.address = k.k2 OFFSET 0) AS a CROSS JOIN LATERAL (SELECT * FROM contacts t WHERE t.account = a.account AND t.id = a.contact OFFSET 0) AS t;

-- lookup: CONVERSATIONS_OF_ADDRESS
SELECT t."account", t."contact", t."instance", t."until" FROM UNNEST($1::bytea[], $2::text[]) AS k(k1, k2) CROSS JOIN LATERAL (SELECT * FROM addresses a WHERE a.account = k.k1 AND a.address = k.k2 OFFSET 0) AS a CROSS JOIN LATERAL (SELECT * FROM conversations t WHERE t.account = a.account AND t.contact = a.contact OFFSET 0) AS t;

-- lookup: CONTACT
SELECT t."account", t."id", t."suppressed_by", t."suppressed_at", t."suspected_by", t."suspected_at", t."window_until", t."address", t."others", t."name", t."named_at", t."merged_into", t."live_tat", t."test_tat", t."live_hour", t."live_print", t."test_hour", t."test_print" FROM UNNEST($1::bytea[], $2::bytea[]) AS k(k1, k2) CROSS JOIN LATERAL (SELECT * FROM contacts c WHERE c.account = k.k1 AND c.id = k.k2 OFFSET 0) AS c CROSS JOIN LATERAL (SELECT c.id UNION ALL SELECT c.merged_into) AS p (id) CROSS JOIN LATERAL (SELECT * FROM contacts t WHERE t.account = c.account AND t.id = p.id OFFSET 0) AS t;

-- lookup: MERGED
SELECT t."account", t."id", t."suppressed_by", t."suppressed_at", t."suspected_by", t."suspected_at", t."window_until", t."address", t."others", t."name", t."named_at", t."merged_into", t."live_tat", t."test_tat", t."live_hour", t."live_print", t."test_hour", t."test_print" FROM UNNEST($1::bytea[], $2::bytea[]) AS k(k1, k2) CROSS JOIN LATERAL (SELECT * FROM contacts t WHERE t.account = k.k1 AND t.merged_into = k.k2 OFFSET 0) AS t;

-- lookup: CONVERSATIONS
SELECT t."account", t."contact", t."instance", t."until" FROM UNNEST($1::bytea[], $2::bytea[]) AS k(k1, k2) CROSS JOIN LATERAL (SELECT * FROM conversations t WHERE t.account = k.k1 AND t.contact = k.k2 OFFSET 0) AS t;

-- lookup: ADDRESSES
SELECT t."account", t."address", t."contact" FROM UNNEST($1::bytea[], $2::bytea[]) AS k(k1, k2) CROSS JOIN LATERAL (SELECT * FROM contacts c WHERE c.account = k.k1 AND c.id = k.k2 OFFSET 0) AS c CROSS JOIN LATERAL (SELECT c.address UNION ALL SELECT unnest(string_to_array(btrim(c.others, '["]'), '","'))) AS known (address) CROSS JOIN LATERAL (SELECT * FROM addresses t WHERE t.account = c.account AND t.address = known.address OFFSET 0) AS t;

-- lookup: SUPPRESSIONS
SELECT t."account", t."id", t."contact", t."address", t."cause", t."note", t."since", t."by", t."lifted_at", t."lifted_by" FROM UNNEST($1::bytea[], $2::bytea[]) AS k(k1, k2) CROSS JOIN LATERAL (SELECT * FROM suppressions t WHERE t.account = k.k1 AND t.contact = k.k2 OFFSET 0) AS t;

-- lookup: SUPPRESSION
SELECT t."account", t."id", t."contact", t."address", t."cause", t."note", t."since", t."by", t."lifted_at", t."lifted_by" FROM UNNEST($1::bytea[], $2::bytea[]) AS k(k1, k2) CROSS JOIN LATERAL (SELECT * FROM suppressions t WHERE t.account = k.k1 AND t.id = k.k2 OFFSET 0) AS t;

-- lookup: WAITING
SELECT t."delivery", t."account", t."shard", t."order_key", t."channel", t."place", t."item", t."contact", t."as_name", t."log_id", t."state", t."due", t."expires_at", t."fence", t."tries", t."put_off", t."started_at" FROM UNNEST($1::bytea[], $2::bytea[]) AS k(k1, k2) CROSS JOIN LATERAL (SELECT * FROM outbox t WHERE t.account = k.k1 AND t.contact = k.k2 AND t.channel = 0 AND t.state < 2 OFFSET 0) AS t;

-- lookup: MESSAGES_WAITING
SELECT t."account", t."id", t."log_id", t."instance", t."contact", t."address", t."purpose", t."content", t."mode", t."origin", t."ordered", t."status", t."error", t."external_id", t."sent_try", t."sent_from", t."sent_at", t."delivery", t."charged_day", t."charged_month", t."created_at", t."updated_at" FROM UNNEST($1::bytea[], $2::bytea[]) AS k(k1, k2) CROSS JOIN LATERAL (SELECT * FROM outbox o WHERE o.account = k.k1 AND o.contact = k.k2 AND o.channel = 0 AND o.state < 2 OFFSET 0) AS o CROSS JOIN LATERAL (SELECT * FROM messages t WHERE t.account = o.account AND t.id = o.item OFFSET 0) AS t;

-- lookup: REVIEWS_WAITING
SELECT t."account", t."message", t."opened_by", t."policy_event", t."opened_at", t."expires_at", t."approved_at", t."approved_by", t."approval_note", t."closed_at", t."closed_by", t."verdict", t."note" FROM UNNEST($1::bytea[], $2::bytea[]) AS k(k1, k2) CROSS JOIN LATERAL (SELECT * FROM outbox o WHERE o.account = k.k1 AND o.contact = k.k2 AND o.channel = 0 AND o.state < 2 OFFSET 0) AS o CROSS JOIN LATERAL (SELECT * FROM reviews t WHERE t.account = o.account AND t.message = o.item OFFSET 0) AS t;

-- lookup: USAGE_WAITING
SELECT t."account", t."mode", t."window", t."charged" FROM UNNEST($1::bytea[], $2::bytea[]) AS k(k1, k2) CROSS JOIN LATERAL (SELECT * FROM outbox o WHERE o.account = k.k1 AND o.contact = k.k2 AND o.channel = 0 AND o.state < 2 OFFSET 0) AS o CROSS JOIN LATERAL (SELECT * FROM messages m WHERE m.account = o.account AND m.id = o.item OFFSET 0) AS m CROSS JOIN LATERAL (SELECT m.charged_day UNION ALL SELECT m.charged_month) AS w (number) CROSS JOIN LATERAL (SELECT * FROM usage t WHERE t.account = m.account AND t.mode = m.mode AND t."window" = w.number OFFSET 0) AS t;

-- lookup: BINDING
SELECT t."account", t."key", t."fingerprint", t."message", t."bound_at" FROM UNNEST($1::bytea[], $2::text[]) AS k(k1, k2) CROSS JOIN LATERAL (SELECT * FROM idempotency_keys t WHERE t.account = k.k1 AND t.key = k.k2 OFFSET 0) AS t;

-- lookup: MESSAGE_OF_BINDING
SELECT t."account", t."id", t."log_id", t."instance", t."contact", t."address", t."purpose", t."content", t."mode", t."origin", t."ordered", t."status", t."error", t."external_id", t."sent_try", t."sent_from", t."sent_at", t."delivery", t."charged_day", t."charged_month", t."created_at", t."updated_at" FROM UNNEST($1::bytea[], $2::text[]) AS k(k1, k2) CROSS JOIN LATERAL (SELECT * FROM idempotency_keys b WHERE b.account = k.k1 AND b.key = k.k2 OFFSET 0) AS b CROSS JOIN LATERAL (SELECT * FROM messages t WHERE t.account = b.account AND t.id = b.message OFFSET 0) AS t;

-- lookup: DELIVERY
SELECT t."delivery", t."account", t."shard", t."order_key", t."channel", t."place", t."item", t."contact", t."as_name", t."log_id", t."state", t."due", t."expires_at", t."fence", t."tries", t."put_off", t."started_at" FROM UNNEST($1::bytea[], $2::bytea[]) AS k(k1, k2) CROSS JOIN LATERAL (SELECT * FROM outbox t WHERE t.account = k.k1 AND t.delivery = k.k2 AND t.state <> 4 OFFSET 0) AS t;

-- lookup: MESSAGE_OF_DELIVERY
SELECT t."account", t."id", t."log_id", t."instance", t."contact", t."address", t."purpose", t."content", t."mode", t."origin", t."ordered", t."status", t."error", t."external_id", t."sent_try", t."sent_from", t."sent_at", t."delivery", t."charged_day", t."charged_month", t."created_at", t."updated_at" FROM UNNEST($1::bytea[], $2::bytea[]) AS k(k1, k2) CROSS JOIN LATERAL (SELECT * FROM outbox o WHERE o.account = k.k1 AND o.delivery = k.k2 AND o.channel = 0 AND o.state <> 4 OFFSET 0) AS o CROSS JOIN LATERAL (SELECT * FROM messages t WHERE t.account = o.account AND t.id = o.item OFFSET 0) AS t;

-- lookup: REVIEW_OF_DELIVERY
SELECT t."account", t."message", t."opened_by", t."policy_event", t."opened_at", t."expires_at", t."approved_at", t."approved_by", t."approval_note", t."closed_at", t."closed_by", t."verdict", t."note" FROM UNNEST($1::bytea[], $2::bytea[]) AS k(k1, k2) CROSS JOIN LATERAL (SELECT * FROM outbox o WHERE o.account = k.k1 AND o.delivery = k.k2 AND o.channel = 0 AND o.state <> 4 OFFSET 0) AS o CROSS JOIN LATERAL (SELECT * FROM reviews t WHERE t.account = o.account AND t.message = o.item OFFSET 0) AS t;

-- lookup: CONTACT_OF_DELIVERY
SELECT t."account", t."id", t."suppressed_by", t."suppressed_at", t."suspected_by", t."suspected_at", t."window_until", t."address", t."others", t."name", t."named_at", t."merged_into", t."live_tat", t."test_tat", t."live_hour", t."live_print", t."test_hour", t."test_print" FROM UNNEST($1::bytea[], $2::bytea[]) AS k(k1, k2) CROSS JOIN LATERAL (SELECT * FROM outbox o WHERE o.account = k.k1 AND o.delivery = k.k2 AND o.channel = 0 AND o.state <> 4 OFFSET 0) AS o CROSS JOIN LATERAL (SELECT * FROM messages m WHERE m.account = o.account AND m.id = o.item OFFSET 0) AS m CROSS JOIN LATERAL (SELECT o.contact UNION ALL SELECT m.contact WHERE m.contact <> o.contact) AS w (id) CROSS JOIN LATERAL (SELECT * FROM contacts c WHERE c.account = o.account AND c.id = w.id OFFSET 0) AS c CROSS JOIN LATERAL (SELECT c.id UNION ALL SELECT c.merged_into) AS p (id) CROSS JOIN LATERAL (SELECT * FROM contacts t WHERE t.account = c.account AND t.id = p.id OFFSET 0) AS t;

-- lookup: USAGE_OF_DELIVERY
SELECT t."account", t."mode", t."window", t."charged" FROM UNNEST($1::bytea[], $2::bytea[]) AS k(k1, k2) CROSS JOIN LATERAL (SELECT * FROM outbox o WHERE o.account = k.k1 AND o.delivery = k.k2 AND o.channel = 0 AND o.state <> 4 OFFSET 0) AS o CROSS JOIN LATERAL (SELECT * FROM messages m WHERE m.account = o.account AND m.id = o.item OFFSET 0) AS m CROSS JOIN LATERAL (SELECT m.charged_day UNION ALL SELECT m.charged_month) AS w (number) CROSS JOIN LATERAL (SELECT * FROM usage t WHERE t.account = m.account AND t.mode = m.mode AND t."window" = w.number OFFSET 0) AS t;

-- lookup: LINE
SELECT t."delivery", t."account", t."shard", t."order_key", t."channel", t."place", t."item", t."contact", t."as_name", t."log_id", t."state", t."due", t."expires_at", t."fence", t."tries", t."put_off", t."started_at" FROM UNNEST($1::bytea[], $2::bigint[]) AS k(k1, k2) CROSS JOIN LATERAL (SELECT * FROM outbox o WHERE o.account = k.k1 AND o.order_key = k.k2 AND o.state <> 4
ORDER BY o.log_id LIMIT 80) AS t;

-- lookup: LINE_BEHIND
SELECT t."delivery", t."account", t."shard", t."order_key", t."channel", t."place", t."item", t."contact", t."as_name", t."log_id", t."state", t."due", t."expires_at", t."fence", t."tries", t."put_off", t."started_at" FROM UNNEST($1::bytea[], $2::bigint[], $3::bigint[]) AS k(k1, k2, k3) CROSS JOIN LATERAL (SELECT * FROM outbox o WHERE o.account = k.k1 AND o.order_key = k.k2 AND o.log_id > k.k3 AND o.state <> 4
ORDER BY o.log_id LIMIT 80) AS t;

-- lookup: MESSAGE
SELECT t."account", t."id", t."log_id", t."instance", t."contact", t."address", t."purpose", t."content", t."mode", t."origin", t."ordered", t."status", t."error", t."external_id", t."sent_try", t."sent_from", t."sent_at", t."delivery", t."charged_day", t."charged_month", t."created_at", t."updated_at" FROM UNNEST($1::bytea[], $2::bytea[]) AS k(k1, k2) CROSS JOIN LATERAL (SELECT * FROM messages t WHERE t.account = k.k1 AND t.id = k.k2 OFFSET 0) AS t;

-- lookup: ATTEMPTS
SELECT t."account", t."message", t."number", t."started_at", t."finished_at", t."outcome" FROM UNNEST($1::bytea[], $2::bytea[]) AS k(k1, k2) CROSS JOIN LATERAL (SELECT * FROM attempts t WHERE t.account = k.k1 AND t.message = k.k2 OFFSET 0) AS t;

-- lookup: REVIEW
SELECT t."account", t."message", t."opened_by", t."policy_event", t."opened_at", t."expires_at", t."approved_at", t."approved_by", t."approval_note", t."closed_at", t."closed_by", t."verdict", t."note" FROM UNNEST($1::bytea[], $2::bytea[]) AS k(k1, k2) CROSS JOIN LATERAL (SELECT * FROM reviews t WHERE t.account = k.k1 AND t.message = k.k2 OFFSET 0) AS t;

-- lookup: DELIVERY_OF_MESSAGE
SELECT t."delivery", t."account", t."shard", t."order_key", t."channel", t."place", t."item", t."contact", t."as_name", t."log_id", t."state", t."due", t."expires_at", t."fence", t."tries", t."put_off", t."started_at" FROM UNNEST($1::bytea[], $2::bytea[]) AS k(k1, k2) CROSS JOIN LATERAL (SELECT * FROM messages m WHERE m.account = k.k1 AND m.id = k.k2 OFFSET 0) AS m CROSS JOIN LATERAL (SELECT * FROM outbox t WHERE t.account = m.account AND t.delivery = m.delivery OFFSET 0) AS t;

-- lookup: CONTACT_OF_MESSAGE
SELECT t."account", t."id", t."suppressed_by", t."suppressed_at", t."suspected_by", t."suspected_at", t."window_until", t."address", t."others", t."name", t."named_at", t."merged_into", t."live_tat", t."test_tat", t."live_hour", t."live_print", t."test_hour", t."test_print" FROM UNNEST($1::bytea[], $2::bytea[]) AS k(k1, k2) CROSS JOIN LATERAL (SELECT * FROM messages m WHERE m.account = k.k1 AND m.id = k.k2 OFFSET 0) AS m CROSS JOIN LATERAL (SELECT * FROM contacts c WHERE c.account = m.account AND c.id = m.contact OFFSET 0) AS c CROSS JOIN LATERAL (SELECT c.id UNION ALL SELECT c.merged_into) AS p (id) CROSS JOIN LATERAL (SELECT * FROM contacts t WHERE t.account = c.account AND t.id = p.id OFFSET 0) AS t;

-- lookup: USAGE_OF_MESSAGE
SELECT t."account", t."mode", t."window", t."charged" FROM UNNEST($1::bytea[], $2::bytea[]) AS k(k1, k2) CROSS JOIN LATERAL (SELECT * FROM messages m WHERE m.account = k.k1 AND m.id = k.k2 OFFSET 0) AS m CROSS JOIN LATERAL (SELECT m.charged_day UNION ALL SELECT m.charged_month) AS w (number) CROSS JOIN LATERAL (SELECT * FROM usage t WHERE t.account = m.account AND t.mode = m.mode AND t."window" = w.number OFFSET 0) AS t;

-- lookup: EXTERNAL_ID
SELECT t."account", t."instance", t."external_id", t."message" FROM UNNEST($1::bytea[], $2::bytea[], $3::text[]) AS k(k1, k2, k3) CROSS JOIN LATERAL (SELECT * FROM external_ids t WHERE t.account = k.k1 AND t.instance = k.k2 AND t.external_id = k.k3 OFFSET 0) AS t;

-- lookup: MESSAGE_CALLED
SELECT t."account", t."id", t."log_id", t."instance", t."contact", t."address", t."purpose", t."content", t."mode", t."origin", t."ordered", t."status", t."error", t."external_id", t."sent_try", t."sent_from", t."sent_at", t."delivery", t."charged_day", t."charged_month", t."created_at", t."updated_at" FROM UNNEST($1::bytea[], $2::bytea[], $3::text[]) AS k(k1, k2, k3) CROSS JOIN LATERAL (SELECT * FROM external_ids e WHERE e.account = k.k1 AND e.instance = k.k2 AND e.external_id = k.k3 OFFSET 0) AS e CROSS JOIN LATERAL (SELECT * FROM messages t WHERE t.account = e.account AND t.id = e.message OFFSET 0) AS t;

-- lookup: MESSAGES_DUE
SELECT t."delivery", t."account", t."shard", t."order_key", t."channel", t."place", t."item", t."contact", t."as_name", t."log_id", t."state", t."due", t."expires_at", t."fence", t."tries", t."put_off", t."started_at" FROM UNNEST($1::bytea[], $2::bytea[], $3::bigint[], $4::bigint[]) AS k(k1, k2, k3, k4) CROSS JOIN LATERAL (SELECT * FROM outbox o
WHERE o.account = k.k1 AND o.place = k.k2 AND o.channel = 0 AND o.state = 0 AND o.due <= k.k3
AND (o.order_key IS NULL OR NOT EXISTS (SELECT 1 FROM outbox p WHERE p.account = o.account AND p.order_key = o.order_key
AND p.log_id < o.log_id AND p.state <> 4))
ORDER BY o.due, o.log_id LIMIT k.k4) AS t;

-- lookup: MESSAGES_LATER
SELECT t."delivery", t."account", t."shard", t."order_key", t."channel", t."place", t."item", t."contact", t."as_name", t."log_id", t."state", t."due", t."expires_at", t."fence", t."tries", t."put_off", t."started_at" FROM UNNEST($1::bytea[], $2::bytea[], $3::bigint[]) AS k(k1, k2, k3) CROSS JOIN LATERAL (SELECT * FROM outbox o
WHERE o.account = k.k1 AND o.place = k.k2 AND o.channel = 0 AND o.state = 0 AND o.due > k.k3
AND (o.order_key IS NULL OR NOT EXISTS (SELECT 1 FROM outbox p WHERE p.account = o.account AND p.order_key = o.order_key
AND p.log_id < o.log_id AND p.state <> 4))
ORDER BY o.due, o.log_id LIMIT 1) AS t;

-- lookup: EVENTS_DUE
SELECT t."delivery", t."account", t."shard", t."order_key", t."channel", t."place", t."item", t."contact", t."as_name", t."log_id", t."state", t."due", t."expires_at", t."fence", t."tries", t."put_off", t."started_at" FROM UNNEST($1::bytea[], $2::bytea[], $3::bigint[], $4::bigint[]) AS k(k1, k2, k3, k4) CROSS JOIN LATERAL (SELECT * FROM outbox o
WHERE o.account = k.k1 AND o.place = k.k2 AND o.channel = 1 AND o.state = 0 AND o.due <= k.k3
ORDER BY o.due, o.delivery LIMIT k.k4) AS t;

-- lookup: EVENTS_LATER
SELECT t."delivery", t."account", t."shard", t."order_key", t."channel", t."place", t."item", t."contact", t."as_name", t."log_id", t."state", t."due", t."expires_at", t."fence", t."tries", t."put_off", t."started_at" FROM UNNEST($1::bytea[], $2::bytea[], $3::bigint[]) AS k(k1, k2, k3) CROSS JOIN LATERAL (SELECT * FROM outbox o
WHERE o.account = k.k1 AND o.place = k.k2 AND o.channel = 1 AND o.state = 0 AND o.due > k.k3
ORDER BY o.due, o.delivery LIMIT 1) AS t;

-- lookup: EVENTS_STARTED
SELECT t."delivery", t."account", t."shard", t."order_key", t."channel", t."place", t."item", t."contact", t."as_name", t."log_id", t."state", t."due", t."expires_at", t."fence", t."tries", t."put_off", t."started_at" FROM UNNEST($1::bytea[]) AS k(k1) CROSS JOIN LATERAL (SELECT * FROM outbox t WHERE t.account = k.k1 AND t.channel = 1 AND t.state = 2 OFFSET 0) AS t;

-- lookup: WHAT_IS_DUE
SELECT t."account", t."id", t."name", t."instance", t."occurred_at", t."fields" FROM UNNEST($1::bytea[], $2::bytea[], $3::bigint[], $4::bigint[]) AS k(k1, k2, k3, k4) CROSS JOIN LATERAL (SELECT * FROM outbox o
WHERE o.account = k.k1 AND o.place = k.k2 AND o.channel = 1 AND o.state = 0 AND o.due <= k.k3
ORDER BY o.due, o.delivery LIMIT k.k4) AS d CROSS JOIN LATERAL (SELECT * FROM events t WHERE t.account = d.account AND t.id = d.item OFFSET 0) AS t;

-- lookup: INBOX
SELECT t."delivery", t."account", t."shard", t."order_key", t."channel", t."place", t."item", t."contact", t."as_name", t."log_id", t."state", t."due", t."expires_at", t."fence", t."tries", t."put_off", t."started_at" FROM UNNEST($1::bytea[], $2::bigint[]) AS k(k1, k2) CROSS JOIN LATERAL (SELECT * FROM outbox o WHERE o.account = k.k1 AND o.channel = 2 AND o.state = 0
ORDER BY o.log_id LIMIT k.k2) AS t;

-- lookup: WHAT_CAME_IN
SELECT t."account", t."id", t."notification", t."instance", t."delivery", t."contact", t."address", t."kind", t."class", t."at", t."received_at", t."words", t."detail", t."told" FROM UNNEST($1::bytea[], $2::bigint[]) AS k(k1, k2) CROSS JOIN LATERAL (SELECT * FROM outbox o WHERE o.account = k.k1 AND o.channel = 2 AND o.state = 0
ORDER BY o.log_id LIMIT k.k2) AS d CROSS JOIN LATERAL (SELECT * FROM inbound t WHERE t.account = d.account AND t.id = d.item OFFSET 0) AS t;

-- lookup: EVENT
SELECT t."account", t."id", t."name", t."instance", t."occurred_at", t."fields" FROM UNNEST($1::bytea[], $2::bytea[]) AS k(k1, k2) CROSS JOIN LATERAL (SELECT * FROM events t WHERE t.account = k.k1 AND t.id = k.k2 OFFSET 0) AS t;

-- lookup: EVENT_DELIVERY
SELECT t."account", t."id", t."event", t."as_name", t."endpoint", t."status", t."error", t."skip", t."tries", t."replay", t."sent_from", t."sent_saw", t."created_at", t."updated_at" FROM UNNEST($1::bytea[], $2::bytea[]) AS k(k1, k2) CROSS JOIN LATERAL (SELECT * FROM event_deliveries t WHERE t.account = k.k1 AND t.id = k.k2 OFFSET 0) AS t;

-- lookup: ALIKE
SELECT t."account", t."id", t."event", t."as_name", t."endpoint", t."status", t."error", t."skip", t."tries", t."replay", t."sent_from", t."sent_saw", t."created_at", t."updated_at" FROM UNNEST($1::bytea[], $2::bytea[]) AS k(k1, k2) CROSS JOIN LATERAL (SELECT * FROM event_deliveries d WHERE d.account = k.k1 AND d.id = k.k2 OFFSET 0) AS d CROSS JOIN LATERAL (SELECT * FROM event_deliveries t WHERE t.account = d.account AND t.event = d.event AND t.endpoint = d.endpoint AND t.replay IS NOT NULL OFFSET 0) AS t;

-- lookup: OUTBOX_ALIKE
SELECT t."delivery", t."account", t."shard", t."order_key", t."channel", t."place", t."item", t."contact", t."as_name", t."log_id", t."state", t."due", t."expires_at", t."fence", t."tries", t."put_off", t."started_at" FROM UNNEST($1::bytea[], $2::bytea[]) AS k(k1, k2) CROSS JOIN LATERAL (SELECT * FROM event_deliveries d WHERE d.account = k.k1 AND d.id = k.k2 OFFSET 0) AS d CROSS JOIN LATERAL (SELECT * FROM event_deliveries r WHERE r.account = d.account AND r.event = d.event AND r.endpoint = d.endpoint AND r.replay IS NOT NULL OFFSET 0) AS r CROSS JOIN LATERAL (SELECT * FROM outbox t WHERE t.account = r.account AND t.delivery = r.id AND t.state <> 4 OFFSET 0) AS t;

-- lookup: RECOVERY
SELECT t."account", t."id", t."endpoint", t."since", t."until", t."by", t."reason", t."to_changed_url", t."at", t."queued", t."passed_over", t."done_at", t."canceled_at" FROM UNNEST($1::bytea[], $2::bytea[]) AS k(k1, k2) CROSS JOIN LATERAL (SELECT * FROM recoveries t WHERE t.account = k.k1 AND t.id = k.k2 OFFSET 0) AS t;

-- lookup: RECOVERIES_OPEN
SELECT t."account", t."id", t."endpoint", t."since", t."until", t."by", t."reason", t."to_changed_url", t."at", t."queued", t."passed_over", t."done_at", t."canceled_at" FROM UNNEST($1::bytea[]) AS k(k1) CROSS JOIN LATERAL (SELECT * FROM recoveries t WHERE t.account = k.k1 AND t.done_at IS NULL AND t.canceled_at IS NULL OFFSET 0) AS t;

-- lookup: RECOVERABLE
SELECT t."account", t."id", t."event", t."as_name", t."endpoint", t."status", t."error", t."skip", t."tries", t."replay", t."sent_from", t."sent_saw", t."created_at", t."updated_at" FROM UNNEST($1::bytea[], $2::bytea[], $3::bytea[], $4::bigint[], $5::bigint[], $6::bigint[]) AS k(k1, k2, k3, k4, k5, k6) CROSS JOIN LATERAL (SELECT * FROM event_deliveries d
WHERE d.account = k.k1 AND d.endpoint = k.k2 AND d.id > k.k3 AND d.created_at >= k.k4 AND d.created_at < k.k5
ORDER BY d.id LIMIT k.k6) AS t;

-- lookup: INBOUND_KEY
SELECT t."account", t."key", t."told_at" FROM UNNEST($1::bytea[], $2::bytea[]) AS k(k1, k2) CROSS JOIN LATERAL (SELECT * FROM inbound_keys t WHERE t.account = k.k1 AND t.key = k.k2 OFFSET 0) AS t;

-- lookup: ENTRY
SELECT t."account", t."id", t."integration", t."direction", t."kind", t."phone", t."details", t."outcome", t."reason", t."message", t."delivery", t."key", t."key_until", t."at" FROM UNNEST($1::bytea[], $2::bigint[]) AS k(k1, k2) CROSS JOIN LATERAL (SELECT * FROM integration_entries t WHERE t.account = k.k1 AND t.id = k.k2 OFFSET 0) AS t;

-- lookup: ENTRY_OF_KEY
SELECT t."account", t."id", t."integration", t."direction", t."kind", t."phone", t."details", t."outcome", t."reason", t."message", t."delivery", t."key", t."key_until", t."at" FROM UNNEST($1::bytea[], $2::bigint[], $3::bytea[]) AS k(k1, k2, k3) CROSS JOIN LATERAL (SELECT * FROM integration_entries t WHERE t.account = k.k1 AND t.integration = k.k2 AND t.key = k.k3 OFFSET 0) AS t;

-- lookup: SEAL
SELECT t."account", t."number", t."first", t."last", t."newest_at", t."rows", t."previous", t."root", t."sealed_at", t."digest", t."dropped_at", t."dropped_digest", t."row_digests" FROM UNNEST($1::bytea[], $2::bigint[]) AS k(k1, k2) CROSS JOIN LATERAL (SELECT * FROM seals t WHERE t.account = k.k1 AND t.number = k.k2 OFFSET 0) AS t;

-- lookup: LAST_SEAL
SELECT t."account", t."number", t."first", t."last", t."newest_at", t."rows", t."previous", t."root", t."sealed_at", t."digest", t."dropped_at", t."dropped_digest", t."row_digests" FROM UNNEST($1::bytea[]) AS k(k1) CROSS JOIN LATERAL (SELECT * FROM seals s WHERE s.account = k.k1 ORDER BY s.number DESC LIMIT 1) AS t;

-- lookup: EVENTS_OF_SEAL
SELECT t."account", t."seq", t."at", t."message", t."instance", t."contact", t."verdict", t."body" FROM UNNEST($1::bytea[], $2::bigint[]) AS k(k1, k2) CROSS JOIN LATERAL (SELECT * FROM seals s WHERE s.account = k.k1 AND s.number = k.k2 AND s.dropped_at IS NULL OFFSET 0) AS s CROSS JOIN LATERAL (SELECT * FROM policy_events t WHERE t.account = s.account AND t.seq BETWEEN s.first AND s.last OFFSET 0) AS t;

-- insert: accounts
INSERT INTO accounts ("id", "name", "plan", "zone", "next_zone", "next_zone_from", "pause", "suspended_at", "one_time_codes_pass", "supervised", "two_person_review", "confirms_opt_out", "threecx_enabled", "sender", "created_at", "last_seq", "last_inbound", "last_entry", "changes") SELECT * FROM UNNEST($1::bytea[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::text[], $15::bigint[], $16::bigint[], $17::bigint[], $18::bigint[], $19::bigint[]) ON CONFLICT DO NOTHING;

-- upsert: accounts
INSERT INTO accounts ("id", "name", "plan", "zone", "next_zone", "next_zone_from", "pause", "suspended_at", "one_time_codes_pass", "supervised", "two_person_review", "confirms_opt_out", "threecx_enabled", "sender", "created_at", "last_seq", "last_inbound", "last_entry", "changes") SELECT * FROM UNNEST($1::bytea[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::text[], $15::bigint[], $16::bigint[], $17::bigint[], $18::bigint[], $19::bigint[]) ON CONFLICT ("id") DO UPDATE SET "name" = EXCLUDED."name", "plan" = EXCLUDED."plan", "zone" = EXCLUDED."zone", "next_zone" = EXCLUDED."next_zone", "next_zone_from" = EXCLUDED."next_zone_from", "pause" = EXCLUDED."pause", "suspended_at" = EXCLUDED."suspended_at", "one_time_codes_pass" = EXCLUDED."one_time_codes_pass", "supervised" = EXCLUDED."supervised", "two_person_review" = EXCLUDED."two_person_review", "confirms_opt_out" = EXCLUDED."confirms_opt_out", "threecx_enabled" = EXCLUDED."threecx_enabled", "sender" = EXCLUDED."sender", "created_at" = EXCLUDED."created_at", "last_seq" = EXCLUDED."last_seq", "last_inbound" = EXCLUDED."last_inbound", "last_entry" = EXCLUDED."last_entry", "changes" = EXCLUDED."changes";

-- delete: accounts
DELETE FROM accounts WHERE ctid = ANY (ARRAY(SELECT f.ctid FROM UNNEST($1::bytea[]) AS k(k1)
CROSS JOIN LATERAL (SELECT t.ctid FROM accounts t WHERE t."id" = k.k1 OFFSET 0) AS f));

-- insert: usage
INSERT INTO usage ("account", "mode", "window", "charged") SELECT * FROM UNNEST($1::bytea[], $2::text[], $3::bigint[], $4::bigint[]) ON CONFLICT DO NOTHING;

-- upsert: usage
INSERT INTO usage ("account", "mode", "window", "charged") SELECT * FROM UNNEST($1::bytea[], $2::text[], $3::bigint[], $4::bigint[]) ON CONFLICT ("account", "mode", "window") DO UPDATE SET "charged" = EXCLUDED."charged";

-- delete: usage
DELETE FROM usage WHERE ctid = ANY (ARRAY(SELECT f.ctid FROM UNNEST($1::bytea[], $2::text[], $3::bigint[]) AS k(k1, k2, k3)
CROSS JOIN LATERAL (SELECT t.ctid FROM usage t WHERE t."account" = k.k1 AND t."mode" = k.k2 AND t."window" = k.k3 OFFSET 0) AS f));

-- insert: velocity
INSERT INTO velocity ("account", "subject", "mode", "tat") SELECT * FROM UNNEST($1::bytea[], $2::bytea[], $3::text[], $4::bigint[]) ON CONFLICT DO NOTHING;

-- upsert: velocity
INSERT INTO velocity ("account", "subject", "mode", "tat") SELECT * FROM UNNEST($1::bytea[], $2::bytea[], $3::text[], $4::bigint[]) ON CONFLICT ("account", "subject", "mode") DO UPDATE SET "tat" = EXCLUDED."tat";

-- delete: velocity
DELETE FROM velocity WHERE ctid = ANY (ARRAY(SELECT f.ctid FROM UNNEST($1::bytea[], $2::bytea[], $3::text[]) AS k(k1, k2, k3)
CROSS JOIN LATERAL (SELECT t.ctid FROM velocity t WHERE t."account" = k.k1 AND t."subject" = k.k2 AND t."mode" = k.k3 OFFSET 0) AS f));

-- insert: api_keys
INSERT INTO api_keys ("id", "account", "mode", "name", "digest", "root", "last_four", "scopes", "allowed_from", "created_at", "expires_at", "revoked_at", "last_used_at") SELECT * FROM UNNEST($1::text[], $2::bytea[], $3::text[], $4::text[], $5::bytea[], $6::bigint[], $7::text[], $8::text[], $9::text[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[]) ON CONFLICT DO NOTHING;

-- upsert: api_keys
INSERT INTO api_keys ("id", "account", "mode", "name", "digest", "root", "last_four", "scopes", "allowed_from", "created_at", "expires_at", "revoked_at", "last_used_at") SELECT * FROM UNNEST($1::text[], $2::bytea[], $3::text[], $4::text[], $5::bytea[], $6::bigint[], $7::text[], $8::text[], $9::text[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[]) ON CONFLICT ("id") DO UPDATE SET "account" = EXCLUDED."account", "mode" = EXCLUDED."mode", "name" = EXCLUDED."name", "digest" = EXCLUDED."digest", "root" = EXCLUDED."root", "last_four" = EXCLUDED."last_four", "scopes" = EXCLUDED."scopes", "allowed_from" = EXCLUDED."allowed_from", "created_at" = EXCLUDED."created_at", "expires_at" = EXCLUDED."expires_at", "revoked_at" = EXCLUDED."revoked_at", "last_used_at" = EXCLUDED."last_used_at";

-- delete: api_keys
DELETE FROM api_keys WHERE ctid = ANY (ARRAY(SELECT f.ctid FROM UNNEST($1::text[]) AS k(k1)
CROSS JOIN LATERAL (SELECT t.ctid FROM api_keys t WHERE t."id" = k.k1 OFFSET 0) AS f));

-- insert: instances
INSERT INTO instances ("account", "id", "name", "provider", "connection", "pause", "settings", "credentials", "credentials_root", "revision", "created_at") SELECT * FROM UNNEST($1::bytea[], $2::bytea[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bytea[], $9::bigint[], $10::bigint[], $11::bigint[]) ON CONFLICT DO NOTHING;

-- upsert: instances
INSERT INTO instances ("account", "id", "name", "provider", "connection", "pause", "settings", "credentials", "credentials_root", "revision", "created_at") SELECT * FROM UNNEST($1::bytea[], $2::bytea[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bytea[], $9::bigint[], $10::bigint[], $11::bigint[]) ON CONFLICT ("account", "id") DO UPDATE SET "name" = EXCLUDED."name", "provider" = EXCLUDED."provider", "connection" = EXCLUDED."connection", "pause" = EXCLUDED."pause", "settings" = EXCLUDED."settings", "credentials" = EXCLUDED."credentials", "credentials_root" = EXCLUDED."credentials_root", "revision" = EXCLUDED."revision", "created_at" = EXCLUDED."created_at";

-- delete: instances
DELETE FROM instances WHERE ctid = ANY (ARRAY(SELECT f.ctid FROM UNNEST($1::bytea[], $2::bytea[]) AS k(k1, k2)
CROSS JOIN LATERAL (SELECT t.ctid FROM instances t WHERE t."account" = k.k1 AND t."id" = k.k2 OFFSET 0) AS f));

-- insert: traffic
INSERT INTO traffic ("account", "mode", "day", "sent", "recipients", "first_contacts", "failed", "opted_out", "blocked", "hour", "hour_recipients", "recipients_before", "warned") SELECT * FROM UNNEST($1::bytea[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[]) ON CONFLICT DO NOTHING;

-- upsert: traffic
INSERT INTO traffic ("account", "mode", "day", "sent", "recipients", "first_contacts", "failed", "opted_out", "blocked", "hour", "hour_recipients", "recipients_before", "warned") SELECT * FROM UNNEST($1::bytea[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[]) ON CONFLICT ("account", "mode", "day") DO UPDATE SET "sent" = EXCLUDED."sent", "recipients" = EXCLUDED."recipients", "first_contacts" = EXCLUDED."first_contacts", "failed" = EXCLUDED."failed", "opted_out" = EXCLUDED."opted_out", "blocked" = EXCLUDED."blocked", "hour" = EXCLUDED."hour", "hour_recipients" = EXCLUDED."hour_recipients", "recipients_before" = EXCLUDED."recipients_before", "warned" = EXCLUDED."warned";

-- delete: traffic
DELETE FROM traffic WHERE ctid = ANY (ARRAY(SELECT f.ctid FROM UNNEST($1::bytea[], $2::text[], $3::bigint[]) AS k(k1, k2, k3)
CROSS JOIN LATERAL (SELECT t.ctid FROM traffic t WHERE t."account" = k.k1 AND t."mode" = k.k2 AND t."day" = k.k3 OFFSET 0) AS f));

-- insert: same_texts
INSERT INTO same_texts ("account", "mode", "day", "print", "contacts") SELECT * FROM UNNEST($1::bytea[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[]) ON CONFLICT DO NOTHING;

-- upsert: same_texts
INSERT INTO same_texts ("account", "mode", "day", "print", "contacts") SELECT * FROM UNNEST($1::bytea[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[]) ON CONFLICT ("account", "mode", "day", "print") DO UPDATE SET "contacts" = EXCLUDED."contacts";

-- delete: same_texts
DELETE FROM same_texts WHERE ctid = ANY (ARRAY(SELECT f.ctid FROM UNNEST($1::bytea[], $2::text[], $3::bigint[], $4::bigint[]) AS k(k1, k2, k3, k4)
CROSS JOIN LATERAL (SELECT t.ctid FROM same_texts t WHERE t."account" = k.k1 AND t."mode" = k.k2 AND t."day" = k.k3 AND t."print" = k.k4 OFFSET 0) AS f));

-- insert: contacts
INSERT INTO contacts ("account", "id", "suppressed_by", "suppressed_at", "suspected_by", "suspected_at", "window_until", "address", "others", "name", "named_at", "merged_into", "live_tat", "test_tat", "live_hour", "live_print", "test_hour", "test_print") SELECT * FROM UNNEST($1::bytea[], $2::bytea[], $3::text[], $4::bigint[], $5::bytea[], $6::bigint[], $7::bigint[], $8::text[], $9::text[], $10::text[], $11::bigint[], $12::bytea[], $13::bigint[], $14::bigint[], $15::bigint[], $16::bigint[], $17::bigint[], $18::bigint[]) ON CONFLICT DO NOTHING;

-- upsert: contacts
INSERT INTO contacts ("account", "id", "suppressed_by", "suppressed_at", "suspected_by", "suspected_at", "window_until", "address", "others", "name", "named_at", "merged_into", "live_tat", "test_tat", "live_hour", "live_print", "test_hour", "test_print") SELECT * FROM UNNEST($1::bytea[], $2::bytea[], $3::text[], $4::bigint[], $5::bytea[], $6::bigint[], $7::bigint[], $8::text[], $9::text[], $10::text[], $11::bigint[], $12::bytea[], $13::bigint[], $14::bigint[], $15::bigint[], $16::bigint[], $17::bigint[], $18::bigint[]) ON CONFLICT ("account", "id") DO UPDATE SET "suppressed_by" = EXCLUDED."suppressed_by", "suppressed_at" = EXCLUDED."suppressed_at", "suspected_by" = EXCLUDED."suspected_by", "suspected_at" = EXCLUDED."suspected_at", "window_until" = EXCLUDED."window_until", "address" = EXCLUDED."address", "others" = EXCLUDED."others", "name" = EXCLUDED."name", "named_at" = EXCLUDED."named_at", "merged_into" = EXCLUDED."merged_into", "live_tat" = EXCLUDED."live_tat", "test_tat" = EXCLUDED."test_tat", "live_hour" = EXCLUDED."live_hour", "live_print" = EXCLUDED."live_print", "test_hour" = EXCLUDED."test_hour", "test_print" = EXCLUDED."test_print";

-- delete: contacts
DELETE FROM contacts WHERE ctid = ANY (ARRAY(SELECT f.ctid FROM UNNEST($1::bytea[], $2::bytea[]) AS k(k1, k2)
CROSS JOIN LATERAL (SELECT t.ctid FROM contacts t WHERE t."account" = k.k1 AND t."id" = k.k2 OFFSET 0) AS f));

-- insert: conversations
INSERT INTO conversations ("account", "contact", "instance", "until") SELECT * FROM UNNEST($1::bytea[], $2::bytea[], $3::bytea[], $4::bigint[]) ON CONFLICT DO NOTHING;

-- upsert: conversations
INSERT INTO conversations ("account", "contact", "instance", "until") SELECT * FROM UNNEST($1::bytea[], $2::bytea[], $3::bytea[], $4::bigint[]) ON CONFLICT ("account", "contact", "instance") DO UPDATE SET "until" = EXCLUDED."until";

-- delete: conversations
DELETE FROM conversations WHERE ctid = ANY (ARRAY(SELECT f.ctid FROM UNNEST($1::bytea[], $2::bytea[], $3::bytea[]) AS k(k1, k2, k3)
CROSS JOIN LATERAL (SELECT t.ctid FROM conversations t WHERE t."account" = k.k1 AND t."contact" = k.k2 AND t."instance" = k.k3 OFFSET 0) AS f));

-- insert: addresses
INSERT INTO addresses ("account", "address", "contact") SELECT * FROM UNNEST($1::bytea[], $2::text[], $3::bytea[]) ON CONFLICT DO NOTHING;

-- upsert: addresses
INSERT INTO addresses ("account", "address", "contact") SELECT * FROM UNNEST($1::bytea[], $2::text[], $3::bytea[]) ON CONFLICT ("account", "address") DO UPDATE SET "contact" = EXCLUDED."contact";

-- delete: addresses
DELETE FROM addresses WHERE ctid = ANY (ARRAY(SELECT f.ctid FROM UNNEST($1::bytea[], $2::text[]) AS k(k1, k2)
CROSS JOIN LATERAL (SELECT t.ctid FROM addresses t WHERE t."account" = k.k1 AND t."address" = k.k2 OFFSET 0) AS f));

-- insert: suppressions
INSERT INTO suppressions ("account", "id", "contact", "address", "cause", "note", "since", "by", "lifted_at", "lifted_by") SELECT * FROM UNNEST($1::bytea[], $2::bytea[], $3::bytea[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::text[], $9::bigint[], $10::text[]) ON CONFLICT DO NOTHING;

-- upsert: suppressions
INSERT INTO suppressions ("account", "id", "contact", "address", "cause", "note", "since", "by", "lifted_at", "lifted_by") SELECT * FROM UNNEST($1::bytea[], $2::bytea[], $3::bytea[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::text[], $9::bigint[], $10::text[]) ON CONFLICT ("account", "id") DO UPDATE SET "contact" = EXCLUDED."contact", "address" = EXCLUDED."address", "cause" = EXCLUDED."cause", "note" = EXCLUDED."note", "since" = EXCLUDED."since", "by" = EXCLUDED."by", "lifted_at" = EXCLUDED."lifted_at", "lifted_by" = EXCLUDED."lifted_by";

-- delete: suppressions
DELETE FROM suppressions WHERE ctid = ANY (ARRAY(SELECT f.ctid FROM UNNEST($1::bytea[], $2::bytea[]) AS k(k1, k2)
CROSS JOIN LATERAL (SELECT t.ctid FROM suppressions t WHERE t."account" = k.k1 AND t."id" = k.k2 OFFSET 0) AS f));

-- insert: messages
INSERT INTO messages ("account", "id", "log_id", "instance", "contact", "address", "purpose", "content", "mode", "origin", "ordered", "status", "error", "external_id", "sent_try", "sent_from", "sent_at", "delivery", "charged_day", "charged_month", "created_at", "updated_at") SELECT * FROM UNNEST($1::bytea[], $2::bytea[], $3::bigint[], $4::bytea[], $5::bytea[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::bigint[], $12::text[], $13::text[], $14::text[], $15::bigint[], $16::bigint[], $17::bigint[], $18::bytea[], $19::bigint[], $20::bigint[], $21::bigint[], $22::bigint[]) ON CONFLICT DO NOTHING;

-- upsert: messages
INSERT INTO messages ("account", "id", "log_id", "instance", "contact", "address", "purpose", "content", "mode", "origin", "ordered", "status", "error", "external_id", "sent_try", "sent_from", "sent_at", "delivery", "charged_day", "charged_month", "created_at", "updated_at") SELECT * FROM UNNEST($1::bytea[], $2::bytea[], $3::bigint[], $4::bytea[], $5::bytea[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::bigint[], $12::text[], $13::text[], $14::text[], $15::bigint[], $16::bigint[], $17::bigint[], $18::bytea[], $19::bigint[], $20::bigint[], $21::bigint[], $22::bigint[]) ON CONFLICT ("account", "id") DO UPDATE SET "log_id" = EXCLUDED."log_id", "instance" = EXCLUDED."instance", "contact" = EXCLUDED."contact", "address" = EXCLUDED."address", "purpose" = EXCLUDED."purpose", "content" = EXCLUDED."content", "mode" = EXCLUDED."mode", "origin" = EXCLUDED."origin", "ordered" = EXCLUDED."ordered", "status" = EXCLUDED."status", "error" = EXCLUDED."error", "external_id" = EXCLUDED."external_id", "sent_try" = EXCLUDED."sent_try", "sent_from" = EXCLUDED."sent_from", "sent_at" = EXCLUDED."sent_at", "delivery" = EXCLUDED."delivery", "charged_day" = EXCLUDED."charged_day", "charged_month" = EXCLUDED."charged_month", "created_at" = EXCLUDED."created_at", "updated_at" = EXCLUDED."updated_at";

-- delete: messages
DELETE FROM messages WHERE ctid = ANY (ARRAY(SELECT f.ctid FROM UNNEST($1::bytea[], $2::bytea[]) AS k(k1, k2)
CROSS JOIN LATERAL (SELECT t.ctid FROM messages t WHERE t."account" = k.k1 AND t."id" = k.k2 OFFSET 0) AS f));

-- insert: external_ids
INSERT INTO external_ids ("account", "instance", "external_id", "message") SELECT * FROM UNNEST($1::bytea[], $2::bytea[], $3::text[], $4::bytea[]) ON CONFLICT DO NOTHING;

-- upsert: external_ids
INSERT INTO external_ids ("account", "instance", "external_id", "message") SELECT * FROM UNNEST($1::bytea[], $2::bytea[], $3::text[], $4::bytea[]) ON CONFLICT ("account", "instance", "external_id") DO UPDATE SET "message" = EXCLUDED."message";

-- delete: external_ids
DELETE FROM external_ids WHERE ctid = ANY (ARRAY(SELECT f.ctid FROM UNNEST($1::bytea[], $2::bytea[], $3::text[]) AS k(k1, k2, k3)
CROSS JOIN LATERAL (SELECT t.ctid FROM external_ids t WHERE t."account" = k.k1 AND t."instance" = k.k2 AND t."external_id" = k.k3 OFFSET 0) AS f));

-- insert: idempotency_keys
INSERT INTO idempotency_keys ("account", "key", "fingerprint", "message", "bound_at") SELECT * FROM UNNEST($1::bytea[], $2::text[], $3::bytea[], $4::bytea[], $5::bigint[]) ON CONFLICT DO NOTHING;

-- upsert: idempotency_keys
INSERT INTO idempotency_keys ("account", "key", "fingerprint", "message", "bound_at") SELECT * FROM UNNEST($1::bytea[], $2::text[], $3::bytea[], $4::bytea[], $5::bigint[]) ON CONFLICT ("account", "key") DO UPDATE SET "fingerprint" = EXCLUDED."fingerprint", "message" = EXCLUDED."message", "bound_at" = EXCLUDED."bound_at";

-- delete: idempotency_keys
DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(SELECT f.ctid FROM UNNEST($1::bytea[], $2::text[]) AS k(k1, k2)
CROSS JOIN LATERAL (SELECT t.ctid FROM idempotency_keys t WHERE t."account" = k.k1 AND t."key" = k.k2 OFFSET 0) AS f));

-- insert: attempts
INSERT INTO attempts ("account", "message", "number", "started_at", "finished_at", "outcome") SELECT * FROM UNNEST($1::bytea[], $2::bytea[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[]) ON CONFLICT DO NOTHING;

-- upsert: attempts
INSERT INTO attempts ("account", "message", "number", "started_at", "finished_at", "outcome") SELECT * FROM UNNEST($1::bytea[], $2::bytea[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[]) ON CONFLICT ("account", "message", "number") DO UPDATE SET "started_at" = EXCLUDED."started_at", "finished_at" = EXCLUDED."finished_at", "outcome" = EXCLUDED."outcome";

-- delete: attempts
DELETE FROM attempts WHERE ctid = ANY (ARRAY(SELECT f.ctid FROM UNNEST($1::bytea[], $2::bytea[], $3::bigint[]) AS k(k1, k2, k3)
CROSS JOIN LATERAL (SELECT t.ctid FROM attempts t WHERE t."account" = k.k1 AND t."message" = k.k2 AND t."number" = k.k3 OFFSET 0) AS f));

-- insert: reviews
INSERT INTO reviews ("account", "message", "opened_by", "policy_event", "opened_at", "expires_at", "approved_at", "approved_by", "approval_note", "closed_at", "closed_by", "verdict", "note") SELECT * FROM UNNEST($1::bytea[], $2::bytea[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::text[], $9::text[], $10::bigint[], $11::text[], $12::text[], $13::text[]) ON CONFLICT DO NOTHING;

-- upsert: reviews
INSERT INTO reviews ("account", "message", "opened_by", "policy_event", "opened_at", "expires_at", "approved_at", "approved_by", "approval_note", "closed_at", "closed_by", "verdict", "note") SELECT * FROM UNNEST($1::bytea[], $2::bytea[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::text[], $9::text[], $10::bigint[], $11::text[], $12::text[], $13::text[]) ON CONFLICT ("account", "message") DO UPDATE SET "opened_by" = EXCLUDED."opened_by", "policy_event" = EXCLUDED."policy_event", "opened_at" = EXCLUDED."opened_at", "expires_at" = EXCLUDED."expires_at", "approved_at" = EXCLUDED."approved_at", "approved_by" = EXCLUDED."approved_by", "approval_note" = EXCLUDED."approval_note", "closed_at" = EXCLUDED."closed_at", "closed_by" = EXCLUDED."closed_by", "verdict" = EXCLUDED."verdict", "note" = EXCLUDED."note";

-- delete: reviews
DELETE FROM reviews WHERE ctid = ANY (ARRAY(SELECT f.ctid FROM UNNEST($1::bytea[], $2::bytea[]) AS k(k1, k2)
CROSS JOIN LATERAL (SELECT t.ctid FROM reviews t WHERE t."account" = k.k1 AND t."message" = k.k2 OFFSET 0) AS f));

-- insert: outbox
INSERT INTO outbox ("delivery", "account", "shard", "order_key", "channel", "place", "item", "contact", "as_name", "log_id", "state", "due", "expires_at", "fence", "tries", "put_off", "started_at") SELECT * FROM UNNEST($1::bytea[], $2::bytea[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bytea[], $7::bytea[], $8::bytea[], $9::text[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[], $16::bigint[], $17::bigint[]) ON CONFLICT DO NOTHING;

-- upsert: outbox
INSERT INTO outbox ("delivery", "account", "shard", "order_key", "channel", "place", "item", "contact", "as_name", "log_id", "state", "due", "expires_at", "fence", "tries", "put_off", "started_at") SELECT * FROM UNNEST($1::bytea[], $2::bytea[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bytea[], $7::bytea[], $8::bytea[], $9::text[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[], $16::bigint[], $17::bigint[]) ON CONFLICT ("account", "delivery") DO UPDATE SET "shard" = EXCLUDED."shard", "order_key" = EXCLUDED."order_key", "channel" = EXCLUDED."channel", "place" = EXCLUDED."place", "item" = EXCLUDED."item", "contact" = EXCLUDED."contact", "as_name" = EXCLUDED."as_name", "log_id" = EXCLUDED."log_id", "state" = EXCLUDED."state", "due" = EXCLUDED."due", "expires_at" = EXCLUDED."expires_at", "fence" = EXCLUDED."fence", "tries" = EXCLUDED."tries", "put_off" = EXCLUDED."put_off", "started_at" = EXCLUDED."started_at";

-- delete: outbox
DELETE FROM outbox WHERE ctid = ANY (ARRAY(SELECT f.ctid FROM UNNEST($1::bytea[], $2::bytea[]) AS k(k1, k2)
CROSS JOIN LATERAL (SELECT t.ctid FROM outbox t WHERE t."account" = k.k1 AND t."delivery" = k.k2 OFFSET 0) AS f));

-- insert: policy_events
INSERT INTO policy_events ("account", "seq", "at", "message", "instance", "contact", "verdict", "body") SELECT * FROM UNNEST($1::bytea[], $2::bigint[], $3::bigint[], $4::bytea[], $5::bytea[], $6::bytea[], $7::text[], $8::text[]) ON CONFLICT DO NOTHING;

-- upsert: policy_events
INSERT INTO policy_events ("account", "seq", "at", "message", "instance", "contact", "verdict", "body") SELECT * FROM UNNEST($1::bytea[], $2::bigint[], $3::bigint[], $4::bytea[], $5::bytea[], $6::bytea[], $7::text[], $8::text[]) ON CONFLICT ("account", "seq") DO UPDATE SET "at" = EXCLUDED."at", "message" = EXCLUDED."message", "instance" = EXCLUDED."instance", "contact" = EXCLUDED."contact", "verdict" = EXCLUDED."verdict", "body" = EXCLUDED."body";

-- delete: policy_events
DELETE FROM policy_events WHERE ctid = ANY (ARRAY(SELECT f.ctid FROM UNNEST($1::bytea[], $2::bigint[]) AS k(k1, k2)
CROSS JOIN LATERAL (SELECT t.ctid FROM policy_events t WHERE t."account" = k.k1 AND t."seq" = k.k2 OFFSET 0) AS f));

-- insert: integrations
INSERT INTO integrations ("account", "id", "name", "enabled", "instance", "settings", "secrets", "secrets_root", "endpoint", "revision", "removed_at", "created_at", "tat") SELECT * FROM UNNEST($1::bytea[], $2::bigint[], $3::text[], $4::bigint[], $5::bytea[], $6::text[], $7::bytea[], $8::bigint[], $9::bytea[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[]) ON CONFLICT DO NOTHING;

-- upsert: integrations
INSERT INTO integrations ("account", "id", "name", "enabled", "instance", "settings", "secrets", "secrets_root", "endpoint", "revision", "removed_at", "created_at", "tat") SELECT * FROM UNNEST($1::bytea[], $2::bigint[], $3::text[], $4::bigint[], $5::bytea[], $6::text[], $7::bytea[], $8::bigint[], $9::bytea[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[]) ON CONFLICT ("account", "id") DO UPDATE SET "name" = EXCLUDED."name", "enabled" = EXCLUDED."enabled", "instance" = EXCLUDED."instance", "settings" = EXCLUDED."settings", "secrets" = EXCLUDED."secrets", "secrets_root" = EXCLUDED."secrets_root", "endpoint" = EXCLUDED."endpoint", "revision" = EXCLUDED."revision", "removed_at" = EXCLUDED."removed_at", "created_at" = EXCLUDED."created_at", "tat" = EXCLUDED."tat";

-- delete: integrations
DELETE FROM integrations WHERE ctid = ANY (ARRAY(SELECT f.ctid FROM UNNEST($1::bytea[], $2::bigint[]) AS k(k1, k2)
CROSS JOIN LATERAL (SELECT t.ctid FROM integrations t WHERE t."account" = k.k1 AND t."id" = k.k2 OFFSET 0) AS f));

-- insert: integration_entries
INSERT INTO integration_entries ("account", "id", "integration", "direction", "kind", "phone", "details", "outcome", "reason", "message", "delivery", "key", "key_until", "at") SELECT * FROM UNNEST($1::bytea[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[], $9::text[], $10::bytea[], $11::bytea[], $12::bytea[], $13::bigint[], $14::bigint[]) ON CONFLICT DO NOTHING;

-- upsert: integration_entries
INSERT INTO integration_entries ("account", "id", "integration", "direction", "kind", "phone", "details", "outcome", "reason", "message", "delivery", "key", "key_until", "at") SELECT * FROM UNNEST($1::bytea[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[], $9::text[], $10::bytea[], $11::bytea[], $12::bytea[], $13::bigint[], $14::bigint[]) ON CONFLICT ("account", "id") DO UPDATE SET "integration" = EXCLUDED."integration", "direction" = EXCLUDED."direction", "kind" = EXCLUDED."kind", "phone" = EXCLUDED."phone", "details" = EXCLUDED."details", "outcome" = EXCLUDED."outcome", "reason" = EXCLUDED."reason", "message" = EXCLUDED."message", "delivery" = EXCLUDED."delivery", "key" = EXCLUDED."key", "key_until" = EXCLUDED."key_until", "at" = EXCLUDED."at";

-- delete: integration_entries
DELETE FROM integration_entries WHERE ctid = ANY (ARRAY(SELECT f.ctid FROM UNNEST($1::bytea[], $2::bigint[]) AS k(k1, k2)
CROSS JOIN LATERAL (SELECT t.ctid FROM integration_entries t WHERE t."account" = k.k1 AND t."id" = k.k2 OFFSET 0) AS f));

-- insert: notifications
INSERT INTO notifications ("account", "id", "instance", "received_at", "new", "repeated", "quarantined", "body") SELECT * FROM UNNEST($1::bytea[], $2::bytea[], $3::bytea[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bytea[]) ON CONFLICT DO NOTHING;

-- upsert: notifications
INSERT INTO notifications ("account", "id", "instance", "received_at", "new", "repeated", "quarantined", "body") SELECT * FROM UNNEST($1::bytea[], $2::bytea[], $3::bytea[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bytea[]) ON CONFLICT ("account", "id") DO UPDATE SET "instance" = EXCLUDED."instance", "received_at" = EXCLUDED."received_at", "new" = EXCLUDED."new", "repeated" = EXCLUDED."repeated", "quarantined" = EXCLUDED."quarantined", "body" = EXCLUDED."body";

-- delete: notifications
DELETE FROM notifications WHERE ctid = ANY (ARRAY(SELECT f.ctid FROM UNNEST($1::bytea[], $2::bytea[]) AS k(k1, k2)
CROSS JOIN LATERAL (SELECT t.ctid FROM notifications t WHERE t."account" = k.k1 AND t."id" = k.k2 OFFSET 0) AS f));

-- insert: inbound
INSERT INTO inbound ("account", "id", "notification", "instance", "delivery", "contact", "address", "kind", "class", "at", "received_at", "words", "detail", "told") SELECT * FROM UNNEST($1::bytea[], $2::bytea[], $3::bytea[], $4::bytea[], $5::bytea[], $6::bytea[], $7::text[], $8::text[], $9::text[], $10::bigint[], $11::bigint[], $12::text[], $13::text[], $14::text[]) ON CONFLICT DO NOTHING;

-- upsert: inbound
INSERT INTO inbound ("account", "id", "notification", "instance", "delivery", "contact", "address", "kind", "class", "at", "received_at", "words", "detail", "told") SELECT * FROM UNNEST($1::bytea[], $2::bytea[], $3::bytea[], $4::bytea[], $5::bytea[], $6::bytea[], $7::text[], $8::text[], $9::text[], $10::bigint[], $11::bigint[], $12::text[], $13::text[], $14::text[]) ON CONFLICT ("account", "id") DO UPDATE SET "notification" = EXCLUDED."notification", "instance" = EXCLUDED."instance", "delivery" = EXCLUDED."delivery", "contact" = EXCLUDED."contact", "address" = EXCLUDED."address", "kind" = EXCLUDED."kind", "class" = EXCLUDED."class", "at" = EXCLUDED."at", "received_at" = EXCLUDED."received_at", "words" = EXCLUDED."words", "detail" = EXCLUDED."detail", "told" = EXCLUDED."told";

-- delete: inbound
DELETE FROM inbound WHERE ctid = ANY (ARRAY(SELECT f.ctid FROM UNNEST($1::bytea[], $2::bytea[]) AS k(k1, k2)
CROSS JOIN LATERAL (SELECT t.ctid FROM inbound t WHERE t."account" = k.k1 AND t."id" = k.k2 OFFSET 0) AS f));

-- insert: inbound_keys
INSERT INTO inbound_keys ("account", "key", "told_at") SELECT * FROM UNNEST($1::bytea[], $2::bytea[], $3::bigint[]) ON CONFLICT DO NOTHING;

-- upsert: inbound_keys
INSERT INTO inbound_keys ("account", "key", "told_at") SELECT * FROM UNNEST($1::bytea[], $2::bytea[], $3::bigint[]) ON CONFLICT ("account", "key") DO UPDATE SET "told_at" = EXCLUDED."told_at";

-- delete: inbound_keys
DELETE FROM inbound_keys WHERE ctid = ANY (ARRAY(SELECT f.ctid FROM UNNEST($1::bytea[], $2::bytea[]) AS k(k1, k2)
CROSS JOIN LATERAL (SELECT t.ctid FROM inbound_keys t WHERE t."account" = k.k1 AND t."key" = k.k2 OFFSET 0) AS f));

-- insert: seals
INSERT INTO seals ("account", "number", "first", "last", "newest_at", "rows", "previous", "root", "sealed_at", "digest", "dropped_at", "dropped_digest", "row_digests") SELECT * FROM UNNEST($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bytea[], $7::bytea[], $8::bigint[], $9::bigint[], $10::bytea[], $11::bigint[], $12::bytea[], $13::bytea[]) ON CONFLICT DO NOTHING;

-- upsert: seals
INSERT INTO seals ("account", "number", "first", "last", "newest_at", "rows", "previous", "root", "sealed_at", "digest", "dropped_at", "dropped_digest", "row_digests") SELECT * FROM UNNEST($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bytea[], $7::bytea[], $8::bigint[], $9::bigint[], $10::bytea[], $11::bigint[], $12::bytea[], $13::bytea[]) ON CONFLICT ("account", "number") DO UPDATE SET "first" = EXCLUDED."first", "last" = EXCLUDED."last", "newest_at" = EXCLUDED."newest_at", "rows" = EXCLUDED."rows", "previous" = EXCLUDED."previous", "root" = EXCLUDED."root", "sealed_at" = EXCLUDED."sealed_at", "digest" = EXCLUDED."digest", "dropped_at" = EXCLUDED."dropped_at", "dropped_digest" = EXCLUDED."dropped_digest", "row_digests" = EXCLUDED."row_digests";

-- delete: seals
DELETE FROM seals WHERE ctid = ANY (ARRAY(SELECT f.ctid FROM UNNEST($1::bytea[], $2::bigint[]) AS k(k1, k2)
CROSS JOIN LATERAL (SELECT t.ctid FROM seals t WHERE t."account" = k.k1 AND t."number" = k.k2 OFFSET 0) AS f));

-- insert: endpoints
INSERT INTO endpoints ("account", "id", "name", "url", "instance", "filter", "in_flight_max", "rate", "secrets", "secrets_root", "headers", "headers_root", "header_names", "verified_at", "pause", "disabled", "failing_since", "removed_at", "url_since", "revision", "created_at", "for_operator", "integration", "tat") SELECT * FROM UNNEST($1::bytea[], $2::bytea[], $3::text[], $4::text[], $5::bytea[], $6::text[], $7::bigint[], $8::text[], $9::bytea[], $10::bigint[], $11::bytea[], $12::bigint[], $13::text[], $14::bigint[], $15::text[], $16::text[], $17::bigint[], $18::bigint[], $19::bigint[], $20::bigint[], $21::bigint[], $22::bigint[], $23::bigint[], $24::bigint[]) ON CONFLICT DO NOTHING;

-- upsert: endpoints
INSERT INTO endpoints ("account", "id", "name", "url", "instance", "filter", "in_flight_max", "rate", "secrets", "secrets_root", "headers", "headers_root", "header_names", "verified_at", "pause", "disabled", "failing_since", "removed_at", "url_since", "revision", "created_at", "for_operator", "integration", "tat") SELECT * FROM UNNEST($1::bytea[], $2::bytea[], $3::text[], $4::text[], $5::bytea[], $6::text[], $7::bigint[], $8::text[], $9::bytea[], $10::bigint[], $11::bytea[], $12::bigint[], $13::text[], $14::bigint[], $15::text[], $16::text[], $17::bigint[], $18::bigint[], $19::bigint[], $20::bigint[], $21::bigint[], $22::bigint[], $23::bigint[], $24::bigint[]) ON CONFLICT ("account", "id") DO UPDATE SET "name" = EXCLUDED."name", "url" = EXCLUDED."url", "instance" = EXCLUDED."instance", "filter" = EXCLUDED."filter", "in_flight_max" = EXCLUDED."in_flight_max", "rate" = EXCLUDED."rate", "secrets" = EXCLUDED."secrets", "secrets_root" = EXCLUDED."secrets_root", "headers" = EXCLUDED."headers", "headers_root" = EXCLUDED."headers_root", "header_names" = EXCLUDED."header_names", "verified_at" = EXCLUDED."verified_at", "pause" = EXCLUDED."pause", "disabled" = EXCLUDED."disabled", "failing_since" = EXCLUDED."failing_since", "removed_at" = EXCLUDED."removed_at", "url_since" = EXCLUDED."url_since", "revision" = EXCLUDED."revision", "created_at" = EXCLUDED."created_at", "for_operator" = EXCLUDED."for_operator", "integration" = EXCLUDED."integration", "tat" = EXCLUDED."tat";

-- delete: endpoints
DELETE FROM endpoints WHERE ctid = ANY (ARRAY(SELECT f.ctid FROM UNNEST($1::bytea[], $2::bytea[]) AS k(k1, k2)
CROSS JOIN LATERAL (SELECT t.ctid FROM endpoints t WHERE t."account" = k.k1 AND t."id" = k.k2 OFFSET 0) AS f));

-- insert: events
INSERT INTO events ("account", "id", "name", "instance", "occurred_at", "fields") SELECT * FROM UNNEST($1::bytea[], $2::bytea[], $3::text[], $4::bytea[], $5::bigint[], $6::text[]) ON CONFLICT DO NOTHING;

-- upsert: events
INSERT INTO events ("account", "id", "name", "instance", "occurred_at", "fields") SELECT * FROM UNNEST($1::bytea[], $2::bytea[], $3::text[], $4::bytea[], $5::bigint[], $6::text[]) ON CONFLICT ("account", "id") DO UPDATE SET "name" = EXCLUDED."name", "instance" = EXCLUDED."instance", "occurred_at" = EXCLUDED."occurred_at", "fields" = EXCLUDED."fields";

-- delete: events
DELETE FROM events WHERE ctid = ANY (ARRAY(SELECT f.ctid FROM UNNEST($1::bytea[], $2::bytea[]) AS k(k1, k2)
CROSS JOIN LATERAL (SELECT t.ctid FROM events t WHERE t."account" = k.k1 AND t."id" = k.k2 OFFSET 0) AS f));

-- insert: event_deliveries
INSERT INTO event_deliveries ("account", "id", "event", "as_name", "endpoint", "status", "error", "skip", "tries", "replay", "sent_from", "sent_saw", "created_at", "updated_at") SELECT * FROM UNNEST($1::bytea[], $2::bytea[], $3::bytea[], $4::text[], $5::bytea[], $6::bigint[], $7::text[], $8::text[], $9::bigint[], $10::text[], $11::bigint[], $12::text[], $13::bigint[], $14::bigint[]) ON CONFLICT DO NOTHING;

-- upsert: event_deliveries
INSERT INTO event_deliveries ("account", "id", "event", "as_name", "endpoint", "status", "error", "skip", "tries", "replay", "sent_from", "sent_saw", "created_at", "updated_at") SELECT * FROM UNNEST($1::bytea[], $2::bytea[], $3::bytea[], $4::text[], $5::bytea[], $6::bigint[], $7::text[], $8::text[], $9::bigint[], $10::text[], $11::bigint[], $12::text[], $13::bigint[], $14::bigint[]) ON CONFLICT ("account", "id") DO UPDATE SET "event" = EXCLUDED."event", "as_name" = EXCLUDED."as_name", "endpoint" = EXCLUDED."endpoint", "status" = EXCLUDED."status", "error" = EXCLUDED."error", "skip" = EXCLUDED."skip", "tries" = EXCLUDED."tries", "replay" = EXCLUDED."replay", "sent_from" = EXCLUDED."sent_from", "sent_saw" = EXCLUDED."sent_saw", "created_at" = EXCLUDED."created_at", "updated_at" = EXCLUDED."updated_at";

-- delete: event_deliveries
DELETE FROM event_deliveries WHERE ctid = ANY (ARRAY(SELECT f.ctid FROM UNNEST($1::bytea[], $2::bytea[]) AS k(k1, k2)
CROSS JOIN LATERAL (SELECT t.ctid FROM event_deliveries t WHERE t."account" = k.k1 AND t."id" = k.k2 OFFSET 0) AS f));

-- insert: delivery_attempts
INSERT INTO delivery_attempts ("account", "delivery", "number", "started_at", "finished_at", "outcome", "report") SELECT * FROM UNNEST($1::bytea[], $2::bytea[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[]) ON CONFLICT DO NOTHING;

-- upsert: delivery_attempts
INSERT INTO delivery_attempts ("account", "delivery", "number", "started_at", "finished_at", "outcome", "report") SELECT * FROM UNNEST($1::bytea[], $2::bytea[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[]) ON CONFLICT ("account", "delivery", "number") DO UPDATE SET "started_at" = EXCLUDED."started_at", "finished_at" = EXCLUDED."finished_at", "outcome" = EXCLUDED."outcome", "report" = EXCLUDED."report";

-- delete: delivery_attempts
DELETE FROM delivery_attempts WHERE ctid = ANY (ARRAY(SELECT f.ctid FROM UNNEST($1::bytea[], $2::bytea[], $3::bigint[]) AS k(k1, k2, k3)
CROSS JOIN LATERAL (SELECT t.ctid FROM delivery_attempts t WHERE t."account" = k.k1 AND t."delivery" = k.k2 AND t."number" = k.k3 OFFSET 0) AS f));

-- insert: recoveries
INSERT INTO recoveries ("account", "id", "endpoint", "since", "until", "by", "reason", "to_changed_url", "at", "queued", "passed_over", "done_at", "canceled_at") SELECT * FROM UNNEST($1::bytea[], $2::bytea[], $3::bytea[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::bigint[], $9::bytea[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[]) ON CONFLICT DO NOTHING;

-- upsert: recoveries
INSERT INTO recoveries ("account", "id", "endpoint", "since", "until", "by", "reason", "to_changed_url", "at", "queued", "passed_over", "done_at", "canceled_at") SELECT * FROM UNNEST($1::bytea[], $2::bytea[], $3::bytea[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::bigint[], $9::bytea[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[]) ON CONFLICT ("account", "id") DO UPDATE SET "endpoint" = EXCLUDED."endpoint", "since" = EXCLUDED."since", "until" = EXCLUDED."until", "by" = EXCLUDED."by", "reason" = EXCLUDED."reason", "to_changed_url" = EXCLUDED."to_changed_url", "at" = EXCLUDED."at", "queued" = EXCLUDED."queued", "passed_over" = EXCLUDED."passed_over", "done_at" = EXCLUDED."done_at", "canceled_at" = EXCLUDED."canceled_at";

-- delete: recoveries
DELETE FROM recoveries WHERE ctid = ANY (ARRAY(SELECT f.ctid FROM UNNEST($1::bytea[], $2::bytea[]) AS k(k1, k2)
CROSS JOIN LATERAL (SELECT t.ctid FROM recoveries t WHERE t."account" = k.k1 AND t."id" = k.k2 OFFSET 0) AS f));

-- park
UPDATE messages t SET status = 'unknown', updated_at = floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint
FROM UNNEST($1::bytea[], $2::bytea[]) AS k (account, delivery)
JOIN outbox o ON o.account = k.account AND o.delivery = k.delivery AND o.channel = 0
WHERE t.account = o.account AND t.id = o.item;

-- park
UPDATE event_deliveries t SET status = 2, updated_at = floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint
FROM UNNEST($1::bytea[], $2::bytea[]) AS k (account, delivery)
JOIN outbox o ON o.account = k.account AND o.delivery = k.delivery AND o.channel = 1
WHERE t.account = o.account AND t.id = o.delivery;

-- park
UPDATE outbox t SET due = least(t.due, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint)
FROM UNNEST($1::bytea[], $2::bytea[]) AS k (account, delivery)
JOIN outbox o ON o.account = k.account AND o.delivery = k.delivery AND o.channel = 1
CROSS JOIN LATERAL (SELECT n.delivery FROM outbox n WHERE n.account = o.account AND n.order_key = o.order_key AND n.state <> 4
AND n.delivery <> o.delivery ORDER BY n.log_id LIMIT 1) AS next
WHERE t.account = o.account AND t.delivery = next.delivery AND t.state = 0;

-- park
UPDATE outbox t SET state = 4 FROM UNNEST($1::bytea[], $2::bytea[]) AS k (account, delivery)
WHERE t.account = k.account AND t.delivery = k.delivery;

-- retain: lock
SELECT id FROM accounts WHERE id = ANY($1::bytea[]) ORDER BY id FOR NO KEY UPDATE;

-- retain: messages
WITH old AS (
SELECT o.account, o.id FROM UNNEST($1::bytea[]) AS a (id) CROSS JOIN LATERAL
(SELECT m.account, m.id FROM messages m
WHERE m.account = a.id AND m.id < $2::bytea AND m.status NOT IN ('held', 'queued', 'sending')
AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.account = m.account AND o.delivery = m.delivery AND o.state <> 4)
ORDER BY m.id LIMIT $3::bigint) AS o
LIMIT $3::bigint
), gone AS (
DELETE FROM messages m USING old WHERE m.account = old.account AND m.id = old.id
RETURNING m.account, m.id, m.instance, m.delivery, m.external_id
), attempts_gone AS (
DELETE FROM attempts t USING gone WHERE t.account = gone.account AND t.message = gone.id
), reviews_gone AS (
DELETE FROM reviews t USING gone WHERE t.account = gone.account AND t.message = gone.id
), parked_gone AS (
DELETE FROM outbox t USING gone WHERE t.account = gone.account AND t.delivery = gone.delivery
), names_gone AS (
DELETE FROM external_ids t USING gone
WHERE t.account = gone.account AND t.instance = gone.instance AND t.external_id = gone.external_id AND t.message = gone.id
) SELECT count(*) FROM gone;

-- retain: event_deliveries
WITH old AS (
SELECT o.account, o.id FROM UNNEST($1::bytea[]) AS a (id) CROSS JOIN LATERAL
(SELECT d.account, d.id FROM event_deliveries d WHERE d.account = a.id AND d.id < $2::bytea
AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.account = d.account AND o.delivery = d.id AND o.state <> 4)
ORDER BY d.id LIMIT $3::bigint) AS o
LIMIT $3::bigint
), gone AS (
DELETE FROM event_deliveries d USING old WHERE d.account = old.account AND d.id = old.id RETURNING d.account, d.id
), parked_gone AS (
DELETE FROM outbox t USING gone WHERE t.account = gone.account AND t.delivery = gone.id
), attempts_gone AS (
DELETE FROM delivery_attempts t USING gone WHERE t.account = gone.account AND t.delivery = gone.id
) SELECT count(*) FROM gone;

-- retain: events
WITH old AS (
SELECT o.account, o.id FROM UNNEST($1::bytea[]) AS a (id) CROSS JOIN LATERAL
(SELECT e.account, e.id FROM events e WHERE e.account = a.id AND e.id < $2::bytea
AND NOT EXISTS (SELECT 1 FROM event_deliveries d WHERE d.account = e.account AND d.event = e.id
AND d.id >= decode(lpad(to_hex(e.occurred_at), 12, '0'), 'hex')
AND d.id < decode(lpad(to_hex(e.occurred_at + 1), 12, '0'), 'hex'))
AND NOT EXISTS (SELECT 1 FROM event_deliveries d
WHERE d.account = e.account AND d.event = e.id AND d.replay IS NOT NULL)
ORDER BY e.id LIMIT $3::bigint) AS o
LIMIT $3::bigint
), gone AS (
DELETE FROM events e USING old WHERE e.account = old.account AND e.id = old.id RETURNING 1
) SELECT count(*) FROM gone;

-- retain: recoveries
WITH old AS (
SELECT r.account, r.id FROM recoveries r WHERE r.account = ANY($1::bytea[]) AND r.id < $2::bytea
AND (r.done_at IS NOT NULL OR r.canceled_at IS NOT NULL) ORDER BY r.account, r.id LIMIT $3::bigint
), gone AS (
DELETE FROM recoveries r USING old WHERE r.account = old.account AND r.id = old.id RETURNING 1
) SELECT count(*) FROM gone;

-- retain: inbound
WITH old AS (
SELECT o.account, o.id FROM UNNEST($1::bytea[]) AS a (id) CROSS JOIN LATERAL
(SELECT i.account, i.id FROM inbound i WHERE i.account = a.id AND i.id < $2::bytea
AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.account = i.account AND o.delivery = i.delivery AND o.state <> 4)
ORDER BY i.id LIMIT $3::bigint) AS o
LIMIT $3::bigint
), gone AS (
DELETE FROM inbound i USING old WHERE i.account = old.account AND i.id = old.id RETURNING i.account, i.delivery
), parked_gone AS (
DELETE FROM outbox t USING gone WHERE t.account = gone.account AND t.delivery = gone.delivery
) SELECT count(*) FROM gone;

-- retain: notifications
WITH old AS (
SELECT o.account, o.id FROM UNNEST($1::bytea[]) AS a (id) CROSS JOIN LATERAL
(SELECT n.account, n.id FROM notifications n WHERE n.account = a.id AND n.id < $2::bytea
ORDER BY n.id LIMIT $3::bigint) AS o
LIMIT $3::bigint
), gone AS (
DELETE FROM notifications n USING old WHERE n.account = old.account AND n.id = old.id RETURNING 1
) SELECT count(*) FROM gone;

-- retain: traffic
WITH old AS (
SELECT t.account, t.mode, t.day FROM traffic t WHERE t.account = ANY($1::bytea[]) AND t.day < $2::bigint LIMIT $3::bigint
), gone AS (
DELETE FROM traffic t USING old WHERE t.account = old.account AND t.mode = old.mode AND t.day = old.day RETURNING 1
) SELECT count(*) FROM gone;

-- retain: same_texts
WITH old AS (
SELECT t.account, t.mode, t.day, t.print FROM same_texts t
WHERE t.account = ANY($1::bytea[]) AND t.mode IN ('live', 'test') AND t.day < $2::bigint LIMIT $3::bigint
), gone AS (
DELETE FROM same_texts t USING old
WHERE t.account = old.account AND t.mode = old.mode AND t.day = old.day AND t.print = old.print RETURNING 1
) SELECT count(*) FROM gone;

-- retain: find inbound_keys
SELECT account, key AS id FROM inbound_keys WHERE told_at < $1::bigint ORDER BY told_at LIMIT $2::bigint;

-- retain: inbound_keys
DELETE FROM inbound_keys t USING UNNEST($1::bytea[], $2::bytea[]) AS k (account, id) WHERE t.account = k.account AND t.key = k.id;

-- retain: find integration_entries
SELECT account, decode(lpad(to_hex(id), 16, '0'), 'hex') AS id FROM integration_entries
WHERE at < $1::bigint ORDER BY at LIMIT $2::bigint;

-- retain: integration_entries
DELETE FROM integration_entries t USING UNNEST($1::bytea[], $2::bytea[]) AS k (account, id)
WHERE t.account = k.account AND t.id = ('x' || encode(k.id, 'hex'))::bit(64)::bigint;

-- retain: messages.content
WITH old AS (
SELECT o.account, o.id FROM UNNEST($1::bytea[]) AS a (id) LEFT JOIN retention r ON r.account = a.id CROSS JOIN LATERAL
(SELECT m.account, m.id FROM messages m
WHERE m.account = a.id AND m.id > coalesce(r.message, '\x'::bytea) AND m.id < $2::bytea AND (m.content IS NOT NULL) AND NOT (m.status IN ('held', 'queued', 'sending') OR EXISTS
(SELECT 1 FROM outbox o WHERE o.account = m.account AND o.delivery = m.delivery AND o.state <> 4))
ORDER BY m.id LIMIT $3::bigint) AS o
LIMIT $3::bigint
) UPDATE messages t SET content = NULL FROM old WHERE t.account = old.account AND t.id = old.id RETURNING t.account, t.id;

-- retain: what is left of messages
SELECT a.id, r.message, (SELECT m.id FROM messages m
WHERE m.account = a.id AND m.id > coalesce(r.message, '\x'::bytea) AND m.id < $2::bytea AND (m.content IS NOT NULL) ORDER BY m.id LIMIT 1)
FROM UNNEST($1::bytea[]) AS a (id) LEFT JOIN retention r ON r.account = a.id;

-- retain: mark of messages
INSERT INTO retention (account, message) SELECT * FROM UNNEST($1::bytea[], $2::bytea[])
ON CONFLICT (account) DO UPDATE SET message = EXCLUDED.message;

-- retain: events.fields
WITH old AS (
SELECT o.account, o.id FROM UNNEST($1::bytea[]) AS a (id) LEFT JOIN retention r ON r.account = a.id CROSS JOIN LATERAL
(SELECT m.account, m.id FROM events m
WHERE m.account = a.id AND m.id > coalesce(r.event, '\x'::bytea) AND m.id < $2::bytea AND (m.fields IS NOT NULL) AND NOT FALSE
ORDER BY m.id LIMIT $3::bigint) AS o
LIMIT $3::bigint
) UPDATE events t SET fields = NULL FROM old WHERE t.account = old.account AND t.id = old.id RETURNING t.account, t.id;

-- retain: what is left of events
SELECT a.id, r.event, (SELECT m.id FROM events m
WHERE m.account = a.id AND m.id > coalesce(r.event, '\x'::bytea) AND m.id < $2::bytea AND (m.fields IS NOT NULL) ORDER BY m.id LIMIT 1)
FROM UNNEST($1::bytea[]) AS a (id) LEFT JOIN retention r ON r.account = a.id;

-- retain: mark of events
INSERT INTO retention (account, event) SELECT * FROM UNNEST($1::bytea[], $2::bytea[])
ON CONFLICT (account) DO UPDATE SET event = EXCLUDED.event;

-- retain: inbound.words, detail
WITH old AS (
SELECT o.account, o.id FROM UNNEST($1::bytea[]) AS a (id) LEFT JOIN retention r ON r.account = a.id CROSS JOIN LATERAL
(SELECT m.account, m.id FROM inbound m
WHERE m.account = a.id AND m.id > coalesce(r.inbound, '\x'::bytea) AND m.id < $2::bytea AND (m.words IS NOT NULL OR m.detail IS NOT NULL) AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.account = m.account AND o.delivery = m.delivery AND o.state <> 4)
ORDER BY m.id LIMIT $3::bigint) AS o
LIMIT $3::bigint
) UPDATE inbound t SET words = NULL, detail = NULL FROM old WHERE t.account = old.account AND t.id = old.id RETURNING t.account, t.id;

-- retain: what is left of inbound
SELECT a.id, r.inbound, (SELECT m.id FROM inbound m
WHERE m.account = a.id AND m.id > coalesce(r.inbound, '\x'::bytea) AND m.id < $2::bytea AND (m.words IS NOT NULL OR m.detail IS NOT NULL) ORDER BY m.id LIMIT 1)
FROM UNNEST($1::bytea[]) AS a (id) LEFT JOIN retention r ON r.account = a.id;

-- retain: mark of inbound
INSERT INTO retention (account, inbound) SELECT * FROM UNNEST($1::bytea[], $2::bytea[])
ON CONFLICT (account) DO UPDATE SET inbound = EXCLUDED.inbound;

-- retain: notifications.body
WITH old AS (
SELECT o.account, o.id FROM UNNEST($1::bytea[]) AS a (id) LEFT JOIN retention r ON r.account = a.id CROSS JOIN LATERAL
(SELECT m.account, m.id FROM notifications m
WHERE m.account = a.id AND m.id > coalesce(r.raw, '\x'::bytea) AND m.id < $2::bytea AND (m.body IS NOT NULL) AND NOT FALSE
ORDER BY m.id LIMIT $3::bigint) AS o
LIMIT $3::bigint
) UPDATE notifications t SET body = NULL FROM old WHERE t.account = old.account AND t.id = old.id RETURNING t.account, t.id;

-- retain: what is left of notifications
SELECT a.id, r.raw, (SELECT m.id FROM notifications m
WHERE m.account = a.id AND m.id > coalesce(r.raw, '\x'::bytea) AND m.id < $2::bytea AND (m.body IS NOT NULL) ORDER BY m.id LIMIT 1)
FROM UNNEST($1::bytea[]) AS a (id) LEFT JOIN retention r ON r.account = a.id;

-- retain: mark of notifications
INSERT INTO retention (account, raw) SELECT * FROM UNNEST($1::bytea[], $2::bytea[])
ON CONFLICT (account) DO UPDATE SET raw = EXCLUDED.raw;

