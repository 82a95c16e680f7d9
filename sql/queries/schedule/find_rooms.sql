-- $1 keys
SELECT room_id, name, name_key FROM schedule_rooms WHERE name_key = ANY ($1::text[])
