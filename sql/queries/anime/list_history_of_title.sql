-- $1 account  $2 before this change  $3 limit  $4 title
SELECT h.change_id, h.anime_id, h.changed_at, h.status_before, h.status_after, h.score_before, h.score_after,
       h.progress_before, h.progress_after, h.rewatches_before, h.rewatches_after, t.mal_id, t.title
FROM anime_history h JOIN anime_titles t ON t.anime_id = h.anime_id
WHERE h.user_id = $1 AND h.anime_id = $4 AND h.change_id < $2 ORDER BY h.change_id DESC LIMIT $3
