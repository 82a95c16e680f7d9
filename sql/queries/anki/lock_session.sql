-- Locks the live session without prolonging it. A caller that also locks the collection does so first.
-- config_growth: by how many bytes the staged config is longer than ours; NULL: none is staged.
SELECT fence, generation, server_usn, client_usn, client_is_newer, unbury_day, to_send, staged, sent_at_usn, sent_id,
       new_notetypes, new_decks, new_deck_configs, has_changes, created_s, counts,
       staged_bytes, max_staged_bytes, quota_staged_bytes, hourly_staged_bytes,
       CASE WHEN s.config IS NOT NULL THEN
         octet_length(s.config) - coalesce((SELECT octet_length(f.config) FROM anki_config f
                                             WHERE f.user_id = $1 AND f.generation = s.generation), 0) END::bigint AS config_growth
  FROM anki_sessions s WHERE user_id = $1 AND session_key = $2 AND expires_at > now() FOR UPDATE
