-- If two starts run concurrently, the later one wins. The bits of what the other session has staged are kept, so that
-- those rows are cleared; they are never applied, because their fence differs.
INSERT INTO anki_sessions (user_id, session_key, generation, server_usn, client_usn, client_is_newer, unbury_day, to_send, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now() + make_interval(mins => $9))
ON CONFLICT (user_id) DO UPDATE SET session_key = excluded.session_key, fence = DEFAULT, generation = excluded.generation,
    server_usn = excluded.server_usn, client_usn = excluded.client_usn, client_is_newer = excluded.client_is_newer,
    unbury_day = excluded.unbury_day, to_send = excluded.to_send, staged = anki_sessions.staged, sent_at_usn = -1, sent_id = 0, new_notetypes = 0,
    new_decks = 0, new_deck_configs = 0, has_changes = false, config = NULL, created_s = NULL, counts = NULL, expires_at = excluded.expires_at
