SELECT count(*) AS locks FROM vault_locks WHERE user_id = $1 AND vault_id = $2 AND expires_at > clock_timestamp()
