-- Stored objects of a kind that share an id or a name with an incoming one. A deck that this session deletes is gone by
-- the time objects are applied. IN rather than ANY: IN hashes the lists, while ANY would compare each object with each
-- of up to 30,000 names.
SELECT o.id, o.mod, o.usn, o.field_count, o.template_count, o.name_key,
       o.kind = 1 AND EXISTS (SELECT FROM anki_staged_graves g
                               WHERE g.user_id = $1 AND g.fence = $3 AND g.kind = 2 AND g.id = o.id) AS is_deleted
  FROM anki_objects o
 WHERE o.user_id = $1 AND o.generation = $2 AND o.kind = $4
   AND (o.id IN (SELECT unnest($5::bigint[])) OR o.name_key IN (SELECT unnest($6::text[])))
