-- What accounts hold, by service: a row an account and service is read, no blob.
SELECT service, sum(bytes)::bigint AS bytes FROM usage GROUP BY service
