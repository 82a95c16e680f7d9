-- Of the account; null: it has none.
SELECT quota_bytes - coalesce((SELECT sum(bytes) FROM account_bytes b WHERE b.user_id = $1), 0)::bigint AS free_bytes
  FROM users WHERE user_id = $1
