-- Reserves the next time at which a worker may begin a request to the site. $1 milliseconds to the one after
-- that
UPDATE schedule_site SET next_request_at = greatest(next_request_at, clock_timestamp()) + $1::bigint * interval '1 millisecond'
WHERE site_id = 1
RETURNING ceil(greatest(0, extract(epoch FROM next_request_at - clock_timestamp()) * 1000 - $1::bigint))::bigint AS wait_ms
