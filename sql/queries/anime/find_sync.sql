-- The state of our copy of a title, for a sync.
SELECT anime_id, source, status, (aired_to - date '1970-01-01') AS aired_to_day, etag, last_modified, sync_failures,
       relations_at IS NOT NULL AS has_relations,
       synopsis IS NOT NULL OR image_url IS NOT NULL OR EXISTS (SELECT FROM anime_title_genres l WHERE l.anime_id = t.anime_id)
         AS has_content
FROM anime_titles t WHERE mal_id = $1
