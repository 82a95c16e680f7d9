-- How others see these accounts: never by an address. $1 accounts
SELECT u.user_id, coalesce(nullif(p.full_name, ''), CASE WHEN u.name LIKE '%@%' THEN '' ELSE u.name END) AS shown_name
FROM users u LEFT JOIN decks_people p ON p.user_id = u.user_id
WHERE u.user_id = ANY ($1::bigint[])
