-- plan: free
-- usage is a stored sum; this adds up an account's parts again.
SELECT service, coalesce(u.bytes, 0) AS counted, coalesce(r.bytes, 0)::bigint AS referred
FROM (SELECT service, bytes FROM usage WHERE user_id = $1) u
FULL JOIN (SELECT service, sum(size_bytes) AS bytes FROM blob_refs WHERE user_id = $1 GROUP BY service) r USING (service)
WHERE coalesce(u.bytes, 0) <> coalesce(r.bytes, 0)
