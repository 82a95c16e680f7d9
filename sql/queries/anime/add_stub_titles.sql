-- Titles of which only a name is known. Returns those that were not there; they are no longer missing.
-- $1 ids at MAL, ascending, each once  $2 titles  $3 texts for the search  $4 types, '': unknown  $5 episodes, 0: unknown
-- $6 account
WITH added AS (
  INSERT INTO anime_titles (mal_id, title, search_text, type, episodes, source, named_by)
  SELECT n.mal_id, n.title, n.search_text, nullif(n.type, ''), nullif(n.episodes, 0), 'stub', $6
  FROM unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::int[]) AS n (mal_id, title, search_text, type, episodes)
  ORDER BY n.mal_id
  ON CONFLICT (mal_id) DO NOTHING
  RETURNING mal_id
), found AS (
  DELETE FROM anime_missing m USING added a WHERE m.mal_id = a.mal_id
)
SELECT mal_id FROM added
