-- plan: free
-- Beyond the latest $3 of their file, or older than $4 days; of a deleted file from its deletion on. Never the head, the last one of
-- a device, what waits for a person, and what is younger than a day. $5: at most
WITH ranked AS (
  SELECT v.version_id, n.deleted_at, n.head_version,
         row_number() OVER (PARTITION BY v.node_id ORDER BY v.seq DESC) AS rank,
         row_number() OVER (PARTITION BY v.node_id, v.device_id ORDER BY v.seq DESC) AS device_rank
    FROM vault_versions v JOIN vault_nodes n ON n.user_id = $1 AND n.vault_id = $2 AND n.node_id = v.node_id
   WHERE v.user_id = $1 AND v.vault_id = $2
)
SELECT
-- include: version_columns
  FROM vault_versions v JOIN ranked r ON r.version_id = v.version_id
 WHERE v.user_id = $1 AND v.vault_id = $2 AND v.state <> 'conflict' AND v.created_at < now() - interval '1 day'
   AND (r.deleted_at < now() - make_interval(days => $4::int)
        OR (r.deleted_at IS NULL AND r.head_version IS DISTINCT FROM v.version_id AND r.device_rank > 1
            AND (r.rank > $3 OR v.created_at < now() - make_interval(days => $4::int))))
 ORDER BY v.version_id LIMIT $5
