-- plan: free
-- Of all groups together: revisions only grow and no group is ever deleted, so their sum grows with every change.
SELECT coalesce(sum(g.revision), 0)::bigint AS revision, coalesce(max(g.changed_at), 'epoch') AS changed_at,
       max(st.last_ok_at) AS last_ok_at, count(*) FILTER (WHERE g.is_active) AS groups,
       count(*) FILTER (WHERE g.is_active AND st.consecutive_failures > 0) AS failing_groups
FROM schedule_groups g LEFT JOIN schedule_group_states st ON st.group_id = g.group_id
