-- For meta. The collection's columns are NULL for an account without data.
SELECT (extract(epoch FROM u.created_at) * 1000)::bigint AS created_ms, c.mod_ms, c.schema_ms, c.usn, c.cards
  FROM users u LEFT JOIN anki_collections c ON c.user_id = u.user_id
 WHERE u.user_id = $1
