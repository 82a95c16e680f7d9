-- The sync that gave an object its name. Clients apply lists of objects one after the other and give a name that another
-- object still has a "+"; who knows which names have moved can send the list so that none is in the way. A program of
-- before this migration writes the default, which says "perhaps just now".
ALTER TABLE anki_objects ADD COLUMN name_usn int NOT NULL DEFAULT 2147483647;
UPDATE anki_objects SET name_usn = usn;
