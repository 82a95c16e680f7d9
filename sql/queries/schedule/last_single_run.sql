-- Seconds since the last run of this single group; null: never. $1 group
SELECT (SELECT extract(epoch FROM clock_timestamp() - r.started_at)::bigint FROM schedule_runs r
        WHERE r.kind = 'single' AND r.group_id = $1 AND r.started_at > clock_timestamp() - interval '10 minutes'
        ORDER BY r.started_at DESC LIMIT 1) AS seconds
