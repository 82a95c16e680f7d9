-- Of writers that were killed. There are few rows, so no index.
DELETE FROM blob_reservations WHERE expires_at < now()
