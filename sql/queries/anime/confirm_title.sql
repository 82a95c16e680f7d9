-- The upstream has confirmed that our copy is current.
-- $1 id at MAL  $2 when it gets stale
UPDATE anime_titles SET synced_at = clock_timestamp(), stale_at = $2, sync_state = 'ok', sync_error = NULL, sync_failures = 0
WHERE mal_id = $1
