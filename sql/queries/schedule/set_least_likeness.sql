-- Sets the similarity threshold of the operator <%, which indexes support, until the transaction ends. $1
-- from 0 to 1
SELECT set_config('pg_trgm.word_similarity_threshold', $1, true)
