-- Finds the live session with this key, prolongs it and locks it until the transaction ends. A request that stages
-- something clears the remembered counts, and adds its bytes $5. If that is more than the session may stage, the statements
-- that follow stage nothing. config_growth: see lock_session.
UPDATE anki_sessions s
   SET expires_at = now() + make_interval(mins => $3), staged = staged | $4, staged_bytes = staged_bytes + $5,
       counts = CASE WHEN $4 = 0 AND $5 = 0 THEN counts END
 WHERE user_id = $1 AND session_key = $2 AND expires_at > now()
RETURNING fence, generation, server_usn, client_usn, client_is_newer, unbury_day, to_send, staged, sent_at_usn, sent_id,
          new_notetypes, new_decks, new_deck_configs, has_changes, created_s, counts,
          staged_bytes, max_staged_bytes, quota_staged_bytes, hourly_staged_bytes,
          CASE WHEN s.config IS NOT NULL THEN
            octet_length(s.config) - coalesce((SELECT octet_length(f.config) FROM anki_config f
                                                WHERE f.user_id = $1 AND f.generation = s.generation), 0) END::bigint AS config_growth
