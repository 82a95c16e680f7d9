-- One bounded step of removing an account; 0 when only its row in users is left.
SELECT delete_user_rows($1, $2) AS deleted
