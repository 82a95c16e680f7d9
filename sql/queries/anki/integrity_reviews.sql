-- plan: free
-- See integrity_cards. $3: ids from here on are in the future.
SELECT count(*) FILTER (WHERE taken_ms NOT BETWEEN 0 AND 2147483647) AS bad_values, count(*) FILTER (WHERE id > $3::bigint) AS in_future
  FROM anki_revlog WHERE user_id = $1 AND generation = $2
