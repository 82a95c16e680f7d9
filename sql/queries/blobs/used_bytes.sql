SELECT coalesce(sum(bytes), 0)::bigint AS bytes FROM usage WHERE user_id = $1
