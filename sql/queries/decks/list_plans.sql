SELECT plan, max_decks FROM decks_plans ORDER BY max_decks, plan
