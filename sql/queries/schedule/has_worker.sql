-- Workers write every five seconds.
SELECT EXISTS (SELECT FROM workers WHERE seen_at > clock_timestamp() - interval '20 seconds') AS has_any
