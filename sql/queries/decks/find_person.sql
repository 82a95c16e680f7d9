-- An account as this service knows it.
SELECT u.user_id, u.name, coalesce(u.email, u.name) AS email, u.is_admin, coalesce(p.full_name, '') AS full_name,
       coalesce(p.plan, 'free') AS plan, p.plan_expires_at, coalesce(p.is_lifetime, false) AS is_lifetime,
       coalesce(p.owns_collection, false) AS owns_collection,
       coalesce(p.plan <> 'free' AND (p.is_lifetime OR p.plan_expires_at > now()), false) AS has_plan,
       (SELECT count(*) FROM decks d WHERE d.user_id = u.user_id AND d.deleted_at IS NULL) AS created_decks,
       (SELECT coalesce(max(k.max_decks), 0) FROM decks_plans k
        WHERE k.plan = 'free' OR (k.plan = 'collection' AND p.owns_collection)
           OR (k.plan = p.plan AND (p.is_lifetime OR p.plan_expires_at > now()))) AS max_decks
FROM users u LEFT JOIN decks_people p ON p.user_id = u.user_id
WHERE u.user_id = $1
