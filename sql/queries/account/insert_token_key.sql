INSERT INTO token_keys (kid, sealed_seed, signs_from) VALUES ($1, $2, now() + make_interval(secs => $3::bigint))
