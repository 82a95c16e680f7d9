-- For meta. The collection's columns are NULL for an account without data.
SELECT (extract(epoch FROM u.created_at) * 1000)::bigint AS created_ms, c.mod_ms, c.schema_ms, c.usn, c.cards,
       coalesce(m.last_usn, 0) AS media_usn,
       CASE WHEN u.quota_bytes IS NULL THEN false
            ELSE (SELECT coalesce(sum(b.bytes), 0) FROM account_bytes b WHERE b.user_id = $1) > u.quota_bytes END AS is_over_quota
  FROM users u LEFT JOIN anki_collections c ON c.user_id = u.user_id LEFT JOIN anki_media m ON m.user_id = u.user_id
 WHERE u.user_id = $1
