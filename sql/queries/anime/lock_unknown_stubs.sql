-- Stubs that the upstream does not know, after a given one.
-- $1 the last one before  $2 limit
SELECT anime_id FROM anime_titles WHERE source = 'stub' AND sync_state = 'gone' AND anime_id > $1
ORDER BY anime_id LIMIT $2 FOR UPDATE SKIP LOCKED
