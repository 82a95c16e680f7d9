-- The site asks for a pause. $1 milliseconds
UPDATE schedule_site SET next_request_at = greatest(next_request_at, clock_timestamp() + $1::bigint * interval '1 millisecond')
WHERE site_id = 1
