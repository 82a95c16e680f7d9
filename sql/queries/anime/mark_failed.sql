-- A sync has failed.
-- $1 id at MAL  $2 why  $3 when to ask again
UPDATE anime_titles SET sync_state = CASE WHEN sync_state = 'gone' THEN 'gone' ELSE 'error' END, sync_error = $2,
       sync_failures = sync_failures + 1, stale_at = $3
WHERE mal_id = $1
