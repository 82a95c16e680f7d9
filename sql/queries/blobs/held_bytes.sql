-- Bytes that accounts hold, by service. Reads one row of usage per account and service, and no blobs.
SELECT service, sum(bytes)::bigint AS bytes FROM usage GROUP BY service
