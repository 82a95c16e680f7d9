-- If two starts run concurrently, the later one wins. The bits of what the other session has staged are kept, so that
-- those rows are cleared; they are never applied, because their fence differs.
-- $10: bytes that one session may stage. $11: bytes that an account may stage in an hour; some 64 KiB are always left, so
-- that small syncs go on. Of the quota the rest is left and 16 MiB: whether what is staged fits is known only at the end.
INSERT INTO anki_sessions (user_id, session_key, generation, server_usn, client_usn, client_is_newer, unbury_day, to_send, expires_at,
    max_staged_bytes, hourly_staged_bytes, quota_staged_bytes)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now() + make_interval(mins => $9),
    least($10::bigint, (SELECT greatest(65536, $11::bigint - extract(epoch FROM r.paid_until - now()) / 3600 * $11::bigint)::bigint
                          FROM anki_staging_rates r WHERE r.user_id = $1 AND r.paid_until > now())),
    $11,
    (SELECT greatest(0, u.quota_bytes - (SELECT coalesce(sum(h.bytes), 0) FROM account_bytes h WHERE h.user_id = $1))::bigint + 16777216
       FROM users u WHERE u.user_id = $1 AND u.quota_bytes IS NOT NULL))
ON CONFLICT (user_id) DO UPDATE SET session_key = excluded.session_key, fence = DEFAULT, generation = excluded.generation,
    server_usn = excluded.server_usn, client_usn = excluded.client_usn, client_is_newer = excluded.client_is_newer,
    unbury_day = excluded.unbury_day, to_send = excluded.to_send, staged = anki_sessions.staged, sent_at_usn = -1, sent_id = 0, new_notetypes = 0,
    new_decks = 0, new_deck_configs = 0, has_changes = false, config = NULL, created_s = NULL, counts = NULL, expires_at = excluded.expires_at,
    staged_bytes = 0, max_staged_bytes = excluded.max_staged_bytes, hourly_staged_bytes = excluded.hourly_staged_bytes,
    quota_staged_bytes = excluded.quota_staged_bytes
