-- plan: free
-- How many decks all pages have together, for a page behind the last. As browse_decks.
SELECT count(*) AS total
FROM decks d
LEFT JOIN decks_maintainers m ON m.deck_id = d.deck_id AND m.user_id = $1
WHERE
-- include: browsed
