SELECT coalesce(sum(bytes), 0)::bigint AS bytes FROM account_bytes WHERE user_id = $1
