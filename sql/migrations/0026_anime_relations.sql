-- How titles belong together, as the upstream has it. It names many titles that the catalogue does not have, and manga, so the
-- other side is an id at MAL.
CREATE TABLE anime_relations (
  anime_id int NOT NULL REFERENCES anime_titles ON DELETE CASCADE,
  kind text NOT NULL CHECK (kind IN ('anime', 'manga')),   -- of the other side
  related_mal_id int NOT NULL CHECK (related_mal_id > 0),
  relation text NOT NULL CHECK (length(relation) BETWEEN 1 AND 100),   -- what the other side is: 'Sequel', in the upstream's words
  name text NOT NULL,
  place int NOT NULL,                                      -- in the upstream's order
  PRIMARY KEY (anime_id, kind, related_mal_id, relation)
);
-- The other side may not have been asked for yet.
CREATE INDEX anime_relations_sequel ON anime_relations (related_mal_id, anime_id) WHERE kind = 'anime' AND relation = 'Sequel';

-- When the upstream last told them; null: never. Lists of titles come without, so a copy may be current and not have them.
ALTER TABLE anime_titles ADD COLUMN relations_at timestamptz;

-- What comes before a title, by either side's relations.
CREATE VIEW anime_prequels AS
SELECT r.anime_id, r.related_mal_id AS prequel_mal_id
FROM anime_relations r WHERE r.kind = 'anime' AND r.relation = 'Prequel'
UNION ALL
SELECT t.anime_id, p.mal_id
FROM anime_titles t JOIN anime_relations r ON r.related_mal_id = t.mal_id AND r.kind = 'anime' AND r.relation = 'Sequel'
JOIN anime_titles p ON p.anime_id = r.anime_id;
