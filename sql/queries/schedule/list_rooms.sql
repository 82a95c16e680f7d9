-- plan: free
-- $1 patterns for search_text  $2 the longest one, because an index serves one
SELECT room_id, name, is_online FROM schedule_rooms WHERE search_text LIKE $2::text AND search_text LIKE ALL ($1::text[]) ORDER BY name, room_id
