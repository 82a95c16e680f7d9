SELECT room_id, name, is_online FROM schedule_rooms WHERE room_id = $1
