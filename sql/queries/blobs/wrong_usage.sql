-- plan: free
-- usage is a stored sum; this adds up its parts again.
SELECT user_id, service, coalesce(u.bytes, 0) AS counted, coalesce(r.bytes, 0)::bigint AS referred
FROM usage u
FULL JOIN (SELECT user_id, service, sum(size_bytes) AS bytes FROM blob_refs GROUP BY user_id, service) r
  USING (user_id, service)
WHERE coalesce(u.bytes, 0) <> coalesce(r.bytes, 0)
LIMIT 100
