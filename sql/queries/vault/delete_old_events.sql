DELETE FROM vault_events WHERE user_id = $1 AND vault_id = $2 AND at < now() - make_interval(days => $3::int)
