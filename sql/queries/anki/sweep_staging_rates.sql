DELETE FROM anki_staging_rates WHERE paid_until < now()
