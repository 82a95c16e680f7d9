DELETE FROM blob_reservations WHERE user_id = $1 AND reservation_id = $2
