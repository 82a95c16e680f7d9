-- plan: free
-- Statistics of a list. Counts at most as many episodes as a title has.
SELECT count(*) AS total,
       count(*) FILTER (WHERE e.status = 'watching') AS watching,
       count(*) FILTER (WHERE e.status = 'completed') AS completed,
       count(*) FILTER (WHERE e.status = 'plan_to_watch') AS plan_to_watch,
       count(*) FILTER (WHERE e.status = 'dropped') AS dropped,
       count(*) FILTER (WHERE e.status = 'on_hold') AS on_hold,
       coalesce(sum(CASE WHEN e.rewatching THEN coalesce(t.episodes, e.progress, 0)
                         ELSE least(coalesce(e.progress, 0), t.episodes) END
                    + e.rewatches::bigint * coalesce(t.episodes, e.progress, 0)), 0)::bigint AS episodes_watched,
       coalesce(sum(e.rewatches), 0)::bigint AS rewatches,
       round(avg(e.score)::numeric, 2)::float8 AS mean_score,
       count(e.score) AS scored
FROM anime_entries e JOIN anime_titles t ON t.anime_id = e.anime_id WHERE e.user_id = $1
