-- One page of pieces, of at most $5 after ($2, $3, $4): generation, at_usn, piece. How many, the last one (null: there are
-- none), how many have no point and are not of a forgotten one, and how many do not have what a restore reads: as many values
-- of each kind as they count.
SELECT count(*) AS pieces, max(p.generation) AS last_generation,
       (array_agg(p.at_usn ORDER BY p.generation DESC, p.at_usn DESC))[1] AS last_usn,
       (array_agg(p.piece ORDER BY p.generation DESC, p.at_usn DESC, p.piece DESC))[1] AS last_piece,
       count(*) FILTER (WHERE p.is_damaged) AS damaged,
       count(*) FILTER (WHERE
         NOT EXISTS (SELECT FROM anki_points q WHERE q.user_id = $1 AND q.generation = p.generation AND q.usn = p.at_usn)
         AND NOT EXISTS (SELECT FROM anki_collections c WHERE c.user_id = $1
                            AND (p.generation, p.at_usn) <= (c.forgotten_generation, c.forgotten_usn))) AS without_point
  FROM (SELECT o.generation, o.at_usn, o.piece,
               NOT cardinality(o.ids) = ALL (ARRAY[cardinality(o.note_ids), cardinality(o.deck_ids), cardinality(o.ords),
                 cardinality(o.mods), cardinality(o.usns), cardinality(o.types), cardinality(o.queues), cardinality(o.dues),
                 cardinality(o.intervals), cardinality(o.factors), cardinality(o.reps), cardinality(o.lapses),
                 cardinality(o.remainings), cardinality(o.original_dues), cardinality(o.original_deck_ids),
                 cardinality(o.flags), cardinality(o.datas)])
               OR coalesce(cardinality(o.absent), 0) <> cardinality(array_positions(o.ids, NULL))
               OR o.bytes <> 60 * cardinality(o.ids)
                    + (SELECT coalesce(sum(octet_length(u.data)), 0) FROM unnest(o.datas) AS u (data)) AS is_damaged
          FROM anki_old_cards o
         WHERE o.user_id = $1 AND (o.generation, o.at_usn, o.piece) > ($2::int, $3::int, $4::bigint)
         ORDER BY o.generation, o.at_usn, o.piece LIMIT $5) AS p
