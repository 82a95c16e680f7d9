-- The relations of a title, all of them: others are removed.
-- $1 the title's id at MAL  $2 relations, each with  $3 the kind,  $4 the id and  $5 the name of the other side, each once
-- $6 whether a manual title is replaced
WITH title AS (
  SELECT anime_id FROM anime_titles WHERE mal_id = $1 AND (source <> 'manual' OR $6)
), told AS (
  SELECT * FROM unnest($2::text[], $3::text[], $4::int[], $5::text[]) WITH ORDINALITY AS n (relation, kind, mal_id, name, place)
), removed AS (
  DELETE FROM anime_relations r
  WHERE r.anime_id = (SELECT anime_id FROM title)
    AND NOT EXISTS (SELECT FROM told n WHERE (n.kind, n.mal_id, n.relation) = (r.kind, r.related_mal_id, r.relation))
)
INSERT INTO anime_relations AS r (anime_id, kind, related_mal_id, relation, name, place)
SELECT t.anime_id, n.kind, n.mal_id, n.relation, n.name, n.place FROM title t CROSS JOIN told n
ON CONFLICT (anime_id, kind, related_mal_id, relation) DO UPDATE SET name = excluded.name, place = excluded.place
WHERE (r.name, r.place) IS DISTINCT FROM (excluded.name, excluded.place)
