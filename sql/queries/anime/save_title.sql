-- A title as the upstream has it. Only relevant changes update updated_at: votes change every day.
-- $1 id at MAL  $2 title  $3 English  $4 Japanese  $5 synonyms  $6 text for the search  $7 synopsis  $8 score  $9 episodes
-- $10 status  $11 season  $12 year  $13 image  $14 type  $15 rating  $16 first day  $17 last day  $18 votes  $19 rank
-- $20 popularity  $21 members  $22 when it gets stale  $23 ETag  $24 Last-Modified  $25 whether a manual title is replaced
-- $26 explicit  $27 whether its relations have come, too
WITH known AS (
  DELETE FROM anime_missing WHERE mal_id = $1
)
INSERT INTO anime_titles AS t (
  mal_id, title, title_english, title_japanese, synonyms, search_text, synopsis, score, episodes, status, season, year,
  image_url, type, rating, is_explicit, aired_from, aired_to, scored_by, rank, popularity, members,
  source, synced_at, stale_at, etag, last_modified, relations_at)
VALUES (
  $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $26, $16::text::date, $17::text::date, $18, $19, $20,
  $21,
  'jikan', clock_timestamp(), $22, $23, $24, CASE WHEN $27::boolean THEN clock_timestamp() END)
ON CONFLICT (mal_id) DO UPDATE SET
  title = excluded.title, title_english = excluded.title_english, title_japanese = excluded.title_japanese,
  synonyms = excluded.synonyms, search_text = excluded.search_text, synopsis = excluded.synopsis,
  score = excluded.score, episodes = excluded.episodes, status = excluded.status, season = excluded.season,
  year = excluded.year, image_url = excluded.image_url, type = excluded.type, rating = excluded.rating,
  is_explicit = excluded.is_explicit, aired_from = excluded.aired_from, aired_to = excluded.aired_to,
  scored_by = excluded.scored_by, rank = excluded.rank, popularity = excluded.popularity, members = excluded.members,
  source = 'jikan', sync_state = 'ok', sync_error = NULL, sync_failures = 0, synced_at = excluded.synced_at,
  stale_at = excluded.stale_at, etag = excluded.etag, last_modified = excluded.last_modified,
  relations_at = coalesce(excluded.relations_at, t.relations_at),
  updated_at = CASE
    WHEN (t.title, t.title_english, t.title_japanese, t.synonyms, t.synopsis, t.score, t.episodes, t.status, t.season,
          t.year, t.image_url, t.type, t.rating, t.aired_from, t.aired_to)
         IS DISTINCT FROM
         (excluded.title, excluded.title_english, excluded.title_japanese, excluded.synonyms, excluded.synopsis,
          excluded.score, excluded.episodes, excluded.status, excluded.season, excluded.year, excluded.image_url,
          excluded.type, excluded.rating, excluded.aired_from, excluded.aired_to)
    THEN now() ELSE t.updated_at END
WHERE t.source <> 'manual' OR $25
