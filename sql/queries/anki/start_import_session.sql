-- As start_session, for an import: it ends no other session, and stages as much as the quota has left. It has seen
-- everything below its usn.
INSERT INTO anki_sessions (user_id, session_key, generation, server_usn, client_usn, client_is_newer, to_send, expires_at,
    hourly_staged_bytes, quota_staged_bytes)
VALUES ($1, $2, $3, $4, $4, true, 0, now() + make_interval(mins => $5), 9223372036854775807,
    (SELECT greatest(0, u.quota_bytes - (SELECT coalesce(sum(h.bytes), 0) FROM account_bytes h WHERE h.user_id = $1))::bigint + 16777216
       FROM users u WHERE u.user_id = $1 AND u.quota_bytes IS NOT NULL))
ON CONFLICT (user_id) DO NOTHING
