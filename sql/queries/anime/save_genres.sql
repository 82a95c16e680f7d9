-- Genres in the spelling and with the kind of the upstream. In the order of their ids, so that two syncs
-- cannot deadlock; unchanged rows are not even locked.
-- $1 ids at MAL, ascending, each once  $2 names  $3 kinds
INSERT INTO anime_genres AS g (mal_id, name, kind)
SELECT n.mal_id, n.name, n.kind FROM unnest($1::int[], $2::text[], $3::text[]) AS n (mal_id, name, kind)
WHERE NOT EXISTS (SELECT FROM anime_genres k WHERE k.mal_id = n.mal_id AND k.name = n.name AND k.kind = n.kind)
ORDER BY n.mal_id
ON CONFLICT (mal_id) DO UPDATE SET name = excluded.name, kind = excluded.kind, changed_at = now()
