-- One transaction at a time adds or renames groups and institutes.
SELECT pg_advisory_xact_lock(hashtext('syncline_schedule'), 1)
