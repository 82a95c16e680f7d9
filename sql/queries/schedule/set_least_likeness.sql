-- Until the transaction ends: how much a name must resemble for <%, which indexes know. $1 from 0 to 1
SELECT set_config('pg_trgm.word_similarity_threshold', $1, true)
