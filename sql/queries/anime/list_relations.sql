-- The relations of a title, in the upstream's order, each with our id of the other side if the catalogue has it.
SELECT r.relation, r.kind, r.related_mal_id, r.name, o.anime_id
FROM anime_relations r LEFT JOIN anime_titles o ON o.mal_id = r.related_mal_id AND r.kind = 'anime'
WHERE r.anime_id = $1 ORDER BY r.place
