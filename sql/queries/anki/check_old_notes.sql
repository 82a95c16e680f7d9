-- See check_old_cards.
SELECT count(*) AS pieces, max(p.generation) AS last_generation,
       (array_agg(p.at_usn ORDER BY p.generation DESC, p.at_usn DESC))[1] AS last_usn,
       (array_agg(p.piece ORDER BY p.generation DESC, p.at_usn DESC, p.piece DESC))[1] AS last_piece,
       count(*) FILTER (WHERE p.is_damaged) AS damaged,
       count(*) FILTER (WHERE
         NOT EXISTS (SELECT FROM anki_points q WHERE q.user_id = $1 AND q.generation = p.generation AND q.usn = p.at_usn)
         AND NOT EXISTS (SELECT FROM anki_collections c WHERE c.user_id = $1
                            AND (p.generation, p.at_usn) <= (c.forgotten_generation, c.forgotten_usn))) AS without_point
  FROM (SELECT o.generation, o.at_usn, o.piece,
               NOT cardinality(o.ids) = ALL (ARRAY[cardinality(o.guids), cardinality(o.notetype_ids), cardinality(o.mods),
                 cardinality(o.usns), cardinality(o.tags), cardinality(o.fields)])
               OR coalesce(cardinality(o.absent), 0) <> cardinality(array_positions(o.ids, NULL))
               OR o.bytes <> 60 * cardinality(o.ids)
                    + (SELECT coalesce(sum(octet_length(u.guid) + octet_length(u.tags) + octet_length(u.fields)), 0)
                         FROM unnest(o.guids, o.tags, o.fields) AS u (guid, tags, fields)) AS is_damaged
          FROM anki_old_notes o
         WHERE o.user_id = $1 AND (o.generation, o.at_usn, o.piece) > ($2::int, $3::int, $4::bigint)
         ORDER BY o.generation, o.at_usn, o.piece LIMIT $5) AS p
