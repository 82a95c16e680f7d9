"""The process that serves a push, an import, a review or a rollback is killed with -9 in each phase: all of it is there, or nothing;
and the same call again ends as if nothing had happened."""

import concurrent.futures
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from database import Session, writers
from decks_wire import Person, card, cards
from killed_request import killed_at
from promises import keep
from stack import Stack

POOL = "transfer"
# Where a push writes, in its order.
PHASES = ("decks_note_types", "decks_cards", "decks_card_versions", "decks_changes", "decks_releases")

stack: Stack
person: Person


def state(deck):
    """All that a deck consists of, by number."""
    with Session(stack.env["DATABASE_URL"]) as db:
        counts = ", ".join(f"(SELECT count(*) FROM {table} t WHERE t.deck_id = d.deck_id)" for table in PHASES)
        return db.ask(f"SELECT version, head_seq, card_count, encode(content_hash, 'hex'), {counts} FROM decks d WHERE public_id = '{deck}'")


def kill_in(table, call, pool=POOL, committed=False):
    killed_at(stack, writers(table), pool, committed)(lambda: (call().status,))


def a_push_is_there_whole_or_not_at_all():
    for table in PHASES:
        deck = person.deck(f"Killed at {table}")
        before = state(deck)
        body = {"deck_id": deck, "cards": cards(50)}
        kill_in(table, lambda: person.ask("push-deck-cards", body))
        assert state(deck) == before, (table, state(deck))
        pushed = person.call("push-deck-cards", body)
        assert pushed["version"] == "1.0.1" and pushed["stats"]["cards_added"] == 50
        assert person.call("verify-version", {"deck_id": deck, "target_version": "1.0.1"})["matches"]
        person.call("delete-user-deck", {"deck_id": deck, "confirm": True})


def a_push_killed_after_its_commit_is_there_once():
    deck = person.deck("Killed after the commit")
    body = {"deck_id": deck, "cards": cards(50)}
    kill_in("decks_releases", lambda: person.ask("push-deck-cards", body), committed=True)
    again = person.call("push-deck-cards", body)
    assert again["version"] == "1.0.1" and again["stats"]["cards_added"] == 0 and again["stats"]["total_cards"] == 50, again


def an_import_makes_one_deck():
    body = {"deck_title": "Killed import", "version": "1.0", "cards": cards(50), "clear_existing": False}
    for committed in (False, True):
        kill_in("decks_releases", lambda: person.ask("admin-import-deck", body), committed=committed)
    assert person.call("admin-import-deck", body)["total_cards"] == 50
    mine = [one["title"] for one in person.call("get-my-decks")["decks"]]
    assert mine.count("Killed import") == 1, mine


def a_login_outlives_the_server():
    before = person.call("get-my-decks")
    stack.stop()
    stack.start()
    assert person.call("get-my-decks") == before, "the same token"


def a_removed_deck_is_removed_by_another_worker():
    deck = person.deck("Removed")
    person.push(deck, cards(500))
    with Session(stack.env["DATABASE_URL"]) as db:
        number = db.number(f"SELECT deck_id FROM decks WHERE public_id = '{deck}'")
        with concurrent.futures.ThreadPoolExecutor(1):
            pid = stack.kill("worker")
            person.call("delete-user-deck", {"deck_id": deck, "confirm": True})
            stack.wait_for_another("worker", pid)
        from promises import until  # pylint: disable=import-outside-toplevel
        until(lambda: db.number(f"SELECT count(*) FROM decks_cards WHERE deck_id = {number}") == 0, 60, pause=0.2)


if __name__ == "__main__":
    with Stack() as stack:
        os.environ.setdefault("SYNCLINE_HTTP", stack.http)
        person = Person(collection=True, stack=stack)
        person.push(person.deck("Warm"), [card("x")])
        sys.exit(keep(a_push_is_there_whole_or_not_at_all, a_push_killed_after_its_commit_is_there_once, an_import_makes_one_deck,
                      a_login_outlives_the_server,
                      a_removed_deck_is_removed_by_another_worker))
