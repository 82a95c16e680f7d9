-- When a job of a kind was last done; null: never, or before the retention time of done jobs. $1 kind
SELECT (SELECT finished_at FROM jobs WHERE kind = $1 AND state = 'done' AND finished_at IS NOT NULL
        ORDER BY finished_at DESC LIMIT 1) AS finished_at
