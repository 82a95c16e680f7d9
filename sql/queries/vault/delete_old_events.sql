-- Older than $3 days, and all but the latest $4.
DELETE FROM vault_events e
 WHERE e.user_id = $1 AND e.vault_id = $2
   AND (e.at < now() - make_interval(days => $3::int)
        OR e.event_id <= (SELECT k.event_id FROM vault_events k WHERE k.user_id = $1 AND k.vault_id = $2
                           ORDER BY k.event_id DESC OFFSET $4 LIMIT 1))
