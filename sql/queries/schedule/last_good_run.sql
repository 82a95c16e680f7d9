-- The last update of all groups that succeeded, and the site's term at that time.
SELECT s.period_text, s.index_read_at,
       (SELECT r.finished_at FROM schedule_runs r
        WHERE r.kind IN ('full', 'incremental') AND r.finished_at IS NOT NULL AND r.state IN ('success', 'partial')
        ORDER BY r.finished_at DESC, r.run_id DESC LIMIT 1) AS finished_at
FROM schedule_site s WHERE s.site_id = 1
