-- plan: free
-- The lessons of a feed. The parameters are in in_feed.part.
SELECT
-- include: lesson_columns
FROM schedule_shown_lessons v
WHERE
-- include: in_feed
ORDER BY v.slot_date, v.start_time, v.uid
