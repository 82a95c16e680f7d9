-- What a report needs of the session whose request was refused. Neither locks nor prolongs it.
SELECT fence, generation, server_usn, client_usn FROM anki_sessions WHERE user_id = $1 AND session_key = $2
