-- The upstream no longer has this title; we keep it.
-- $1 id at MAL  $2 when to ask again
UPDATE anime_titles SET sync_state = 'gone', sync_error = NULL, sync_failures = 0, stale_at = $2 WHERE mal_id = $1
