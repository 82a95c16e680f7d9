-- content_bytes, counted: for a collection whose rows have just been imported, and for the nightly check. PostgreSQL stores
-- the length of a text beside it: no long text is read.
SELECT (coalesce(cards.bytes, 0)
      + (SELECT coalesce(sum(octet_length(n.guid) + octet_length(n.tags) + octet_length(n.fields)), 0)
           FROM anki_notes n WHERE n.user_id = $1 AND n.generation = $2)
      + (SELECT coalesce(sum(octet_length(o.json) + octet_length(o.name) + 200), 0)
           FROM anki_objects o WHERE o.user_id = $1 AND o.generation = $2)
      + (SELECT coalesce(sum(octet_length(t.name) + 100), 0) FROM anki_tags t WHERE t.user_id = $1 AND t.generation = $2)
      + (SELECT 100 * count(*) FROM anki_graves g WHERE g.user_id = $1 AND g.generation = $2))::bigint AS bytes,
       cards.bytes IS NOT NULL AS has_long_data
  FROM (SELECT sum(octet_length(c.data)) AS bytes
          FROM anki_cards c WHERE c.user_id = $1 AND c.generation = $2 AND octet_length(c.data) > 200) AS cards
