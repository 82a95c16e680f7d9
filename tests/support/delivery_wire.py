"""Waiting for deliveries of shared decks. `ask`: runs a statement on the installation's database and returns rows of texts."""

import time

from promises import until


class Deliveries:
    def __init__(self, ask, deck):
        self.ask = ask
        self.number = ask(f"SELECT deck_id FROM decks WHERE public_id = '{deck}'")[0][0]
        self.ours = f"kind IN ('decks.spread', 'decks.deliver') AND args::json ->> 'deck' = '{self.number}'"

    def hurry(self):
        """What waits for its time has its turn."""
        self.ask(f"UPDATE jobs SET run_at = now() WHERE {self.ours} AND state = 'waiting'; NOTIFY syncline_jobs")

    def unfinished(self):
        return self.ask(f"SELECT kind, state, coalesce(last_error, '') FROM jobs WHERE {self.ours} AND state NOT IN ('done', 'cancelled')")

    def resume(self):
        """What happens every ten minutes: deliveries with something to do go on."""
        self.ask("INSERT INTO jobs (kind, args, priority, state, run_at, turn) VALUES ('decks.resume', '{}', 0, 'queued', now(), 0);"
                 "NOTIFY syncline_jobs")
        until(lambda: not self.ask("SELECT job_id FROM jobs WHERE kind = 'decks.resume' AND state NOT IN ('done', 'cancelled')"), 60, pause=0.03)
        return self.wait()

    def wait(self, seconds=60):
        """Until all jobs of this deck are done."""
        last = 0.0

        def are_done():
            nonlocal last
            if time.monotonic() - last > 0.2:
                self.hurry()
                last = time.monotonic()
            return not self.unfinished()
        until(are_done, seconds, pause=0.03)
        return self
