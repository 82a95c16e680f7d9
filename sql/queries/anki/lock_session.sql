-- Locks the live session without prolonging it. A caller that also locks the collection does so first.
SELECT fence, generation, server_usn, client_usn, client_is_newer, unbury_day, to_send, staged, sent_at_usn, sent_id,
       new_notetypes, new_decks, new_deck_configs, has_changes, octet_length(config)::bigint AS config_bytes, created_s, counts,
       staged_bytes, max_staged_bytes, quota_staged_bytes, hourly_staged_bytes
  FROM anki_sessions WHERE user_id = $1 AND session_key = $2 AND expires_at > now() FOR UPDATE
