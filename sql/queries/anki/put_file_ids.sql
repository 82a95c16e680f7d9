-- $4 is sorted, and above the ids that were put before.
INSERT INTO anki_file_ids (user_id, generation, part, last_id, ids)
SELECT $1, $2, $3, max(p.id), array_agg(p.id ORDER BY p.id)
  FROM (SELECT u.id, (u.position - 1) / 200 AS piece FROM unnest($4::bigint[]) WITH ORDINALITY AS u (id, position)) AS p
 GROUP BY p.piece
