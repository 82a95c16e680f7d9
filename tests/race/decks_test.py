"""Decks under several hands at once: pushes that meet half-way, and random interleavings of two editors and a subscriber.

SYNCLINE_HTTP, SYNCLINE_ADMIN, DATABASE_URL, REDIS_URL locate the server. `--interleavings N` plays more of them, `--seed N` others.
"""

import concurrent.futures
import os
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from database import Hold, Session, writers
from decks_wire import Person, card, cards, forget_rates
from promises import keep

URL = os.environ["DATABASE_URL"]
INTERLEAVINGS = 30
SEED = 7
FIELDS = ("Front", "Back", "Extra")


def option(name, default):
    return int(sys.argv.pop(sys.argv.index(name) + 1)) if name in sys.argv else default


_people = {}


def people():
    """A publisher, a maintainer and a subscriber."""
    if not _people:
        _people.update(publisher=Person(collection=True), maintainer=Person(), subscriber=Person())
    return _people["publisher"], _people["maintainer"], _people["subscriber"]


def new_deck(count=3):
    publisher, maintainer, subscriber = people()
    deck = publisher.deck("Deck of several hands")
    publisher.make_maintainer(deck, maintainer)
    if count:
        publisher.push(deck, cards(count))
    return publisher, maintainer, subscriber, deck


def drop(publisher, deck):
    publisher.call("delete-user-deck", {"deck_id": deck, "confirm": True})


def log_of(deck):
    with Session(URL) as db:
        return db.ask(f"SELECT c.seq, c.guid, c.field FROM decks_changes c JOIN decks d USING (deck_id) WHERE d.public_id = '{deck}' ORDER BY 1")


def two_pushes_at_once_are_one_after_the_other():
    publisher, maintainer, subscriber, deck = new_deck()
    cursor = subscriber.download(deck)["latest_change_id"]
    with Hold(URL, writers("decks_releases")) as hold, concurrent.futures.ThreadPoolExecutor(2) as pool:
        # The first has changed cards and log, and waits; the second waits for the deck.
        first = pool.submit(publisher.push, deck, [card("g00000", {"Front": "one", "Back": "back of g00000"}), card("first")])
        hold.wait(1)
        second = pool.submit(maintainer.push, deck, [card("g00000", {"Front": "two", "Back": "back of g00000"}), card("second")])
        hold.wait(2)
        half = subscriber.pull(deck, last_change_id=cursor)
        assert half["changes"] == [] and half["deck_version"] == "1.0.1", "nothing of either is seen"
        hold.let_go()
        versions = first.result()["version"], second.result()["version"]
    assert versions == ("1.0.2", "1.0.3"), versions
    changes = subscriber.pull(deck, last_change_id=cursor)["changes"]
    fronts = [one["new_value"] for one in changes if one["card_guid"] == "g00000"]
    assert fronts == ["two"] and {one["card_guid"] for one in changes} == {"g00000", "first", "second"}
    numbers = [int(row[0]) for row in log_of(deck)]
    assert numbers == list(range(1, len(numbers) + 1)), "the log has no gap"
    assert publisher.call("verify-version", {"deck_id": deck, "target_version": "1.0.3"})["matches"]
    drop(publisher, deck)


def a_time_skips_no_push_that_was_under_way():
    publisher, _, subscriber, deck = new_deck()
    cursor = subscriber.download(deck)["latest_change_id"]
    with Hold(URL, writers("decks_releases")) as hold, concurrent.futures.ThreadPoolExecutor(1) as pool:
        push = pool.submit(publisher.push, deck, [card("g00000", {"Front": "one", "Back": "back of g00000"}, tags=["late"])])
        hold.wait(1)
        time = subscriber.pull(deck, last_change_id=cursor)["server_time"]
        tag_time = subscriber.call("sync-tags", {"deck_id": deck, "action": "pull"})["server_time"]
        hold.let_go()
        push.result()
    assert [one["new_value"] for one in subscriber.pull(deck, since=time)["changes"]] == ["one"]
    assert [one["tags"] for one in subscriber.call("sync-tags", {"deck_id": deck, "action": "pull", "since": tag_time})["tags"]] == [["late"]]
    drop(publisher, deck)


def a_rollback_in_steps_is_seen_whole_or_not_at_all():
    publisher, _, subscriber, deck = new_deck(400)
    version = publisher.push(deck, [card(f"g{n:05}", {"Front": f"{n}", "Back": "new"}) for n in range(400)])["version"]
    cursor = subscriber.download(deck)["latest_change_id"]
    with Hold(URL, writers("decks_releases")) as hold, concurrent.futures.ThreadPoolExecutor(1) as pool:
        back = pool.submit(publisher.call, "rollback-deck", {"deck_id": deck, "target_version": "1.0.1"})
        hold.wait(1)
        half = subscriber.pull(deck, last_change_id=cursor)
        assert half["changes"] == [] and half["deck_version"] == version
        assert {one["fields"]["Back"] for one in subscriber.download(deck)["cards"]} == {"new"}
        hold.let_go()
        assert back.result()["cards_modified"] == 400
    assert len(subscriber.pull(deck, last_change_id=cursor)["changes"]) == 800
    assert {one["fields"]["Back"] for one in subscriber.download(deck)["cards"]} == {f"back of g{n:05}" for n in range(400)}
    drop(publisher, deck)


def a_time_skips_no_notice_that_was_under_way():
    publisher, _, subscriber, deck = new_deck()
    other = publisher.deck("Another deck of several hands")
    for one in (deck, other):
        subscriber.download(one)

    def check(**more):
        return subscriber.call("check-notifications", {"limit": 100, **more})

    def told_since(time):
        return [one["deck_id"] for one in check(last_check=time)["notifications"] if not one["read"]]

    check(mark_as_read=True)
    with Hold(URL, f"SELECT 1 FROM decks WHERE public_id = '{deck}' FOR UPDATE") as hold, concurrent.futures.ThreadPoolExecutor(1) as pool:
        # Has begun, and waits for the deck.
        push = pool.submit(publisher.push, deck, cards(1, 10))
        hold.wait(1)
        publisher.push(other, cards(1))
        time = check(mark_as_read=True)["server_time"]
        hold.let_go()
        push.result()
    assert deck in told_since(time)
    with Session(URL) as half_way:
        half_way.ask("BEGIN; INSERT INTO decks_releases (deck_id, version, card_count, content_hash, last_seq, user_id, created_at) "
                     "SELECT deck_id, version + 1000000, card_count, content_hash, head_seq, user_id, clock_timestamp() FROM decks "
                     f"WHERE public_id = '{deck}'")
        publisher.push(other, cards(2))
        time = check(mark_as_read=True)["server_time"]
        half_way.ask("COMMIT")
    assert deck in told_since(time)
    drop(publisher, deck)
    drop(publisher, other)


def a_role_that_ends_while_a_push_waits_has_ended():
    publisher, maintainer, _, deck = new_deck()
    lock = f"SELECT 1 FROM decks WHERE public_id = '{deck}' FOR UPDATE"
    with Hold(URL, lock) as hold, concurrent.futures.ThreadPoolExecutor(2) as pool:
        end = pool.submit(publisher.call, "manage-members", {"deck_id": deck, "action": "remove", "user": maintainer.name})
        hold.wait(1)
        push = pool.submit(maintainer.ask, "push-deck-cards", {"deck_id": deck, "cards": cards(1, 10)})
        hold.wait(2)
        hold.let_go()
        end.result()
        assert push.result().status == 403, push.result()
    drop(publisher, deck)


def readers_do_not_wait_for_a_push():
    publisher, _, subscriber, deck = new_deck()
    cursor = subscriber.download(deck)["latest_change_id"]
    another = subscriber.again()
    with Hold(URL, writers("decks_releases")) as hold, concurrent.futures.ThreadPoolExecutor(1) as pool:
        push = pool.submit(publisher.push, deck, cards(1, 10))
        hold.wait(1)
        # Each of these adds the first row of its kind that refers to the deck.
        another.pull(deck, last_change_id=cursor)
        another.download(deck)
        another.call("sync-progress", {"progress": [{"deck_id": deck, "total_cards": 3}]})
        another.call("sync-suspend-state", {"deck_id": deck, "action": "push", "states": [{"card_guid": "g00000", "is_suspended": True}]})
        assert not push.done()
        hold.let_go()
        push.result()
    drop(publisher, deck)


def maintainers_are_listed_while_a_push_holds_the_deck():
    publisher, maintainer, _, deck = new_deck()
    with Hold(URL, writers("decks_releases")) as hold, concurrent.futures.ThreadPoolExecutor(2) as pool:
        push = pool.submit(publisher.push, deck, cards(1, 10))
        hold.wait(1)
        listing = pool.submit(maintainer.call, "manage-members", {"deck_id": deck, "action": "list"})
        # A listing that took the lock would be answered only after the push.
        names = [one["name"] for one in listing.result(timeout=5)["maintainers"]]
        assert names == [maintainer.name] and not push.done(), names
        hold.let_go()
        push.result()
    drop(publisher, deck)


def an_invitation_that_is_taken_back_first_is_not_accepted():
    publisher, _, subscriber, deck = new_deck()
    members = {"deck_id": deck, "user": subscriber.name}
    publisher.call("manage-members", {**members, "action": "add"})
    with Hold(URL, f"SELECT 1 FROM decks WHERE public_id = '{deck}' FOR UPDATE") as hold, concurrent.futures.ThreadPoolExecutor(3) as pool:
        back = pool.submit(publisher.call, "manage-members", {**members, "action": "remove"})
        hold.wait(1)
        answers = [pool.submit(subscriber.ask, "manage-members", {"deck_id": deck, "action": "accept"}) for _ in range(2)]
        hold.wait(3)
        hold.let_go()
        back.result()
        assert [one.result().status for one in answers] == [404, 404], answers
    publisher.call("manage-members", {**members, "action": "add"})
    with Hold(URL, f"SELECT 1 FROM decks WHERE public_id = '{deck}' FOR UPDATE") as hold, concurrent.futures.ThreadPoolExecutor(3) as pool:
        answers = [pool.submit(subscriber.ask, "manage-members", {"deck_id": deck, "action": "accept"}) for _ in range(2)]
        hold.wait(2)
        back = pool.submit(publisher.call, "manage-members", {**members, "action": "remove"})
        hold.wait(3)
        hold.let_go()
        assert [one.result().status for one in answers] == [200, 200], answers
        assert subscriber.name not in [one["name"] for one in back.result()["maintainers"]]
    subscriber.push(deck, cards(1), 403)
    drop(publisher, deck)


def two_decks_do_not_fill_one_quota_twice():
    publisher, decks = Person(collection=True), []
    for number in range(2):
        decks.append(publisher.deck(f"Deck {number} of one quota"))
    with Session(URL) as db:
        db.ask(f"UPDATE users SET quota_bytes = 1500000 WHERE name = '{publisher.name}'")
    texts = [card(f"g{n}", {"Front": f"{n}", "Back": "x" * 100_000}) for n in range(4)]
    with Hold(URL, f"SELECT 1 FROM users WHERE name = '{publisher.name}' FOR UPDATE") as hold, concurrent.futures.ThreadPoolExecutor(2) as pool:
        pushes = [pool.submit(publisher.ask, "push-deck-cards", {"deck_id": deck, "cards": texts}) for deck in decks]
        # Both have written their cards, and wait to count.
        hold.wait(2)
        hold.let_go()
        assert sorted(one.result().status for one in pushes) == [200, 413], [one.result() for one in pushes]
    for deck in decks:
        drop(publisher, deck)


def of_two_edits_on_one_base_one_is_a_conflict():
    publisher, maintainer, _, deck = new_deck()

    def edit(person, value):
        return person.call("push-changes", {"deck_id": deck, "changes": [
            {"card_guid": "g00000", "field_name": "Back", "old_value": "back of g00000", "new_value": value}]})

    with Hold(URL, writers("decks_releases")) as hold, concurrent.futures.ThreadPoolExecutor(2) as pool:
        first = pool.submit(edit, publisher, "first")
        hold.wait(1)
        second = pool.submit(edit, maintainer, "second")
        hold.wait(2)
        hold.let_go()
        assert first.result()["changes_pushed"] == 1
        conflict, = second.result()["conflicts"]
    assert conflict["local_value"] == "second" and conflict["server_value"] == "first"
    drop(publisher, deck)


def a_suggestion_is_decided_once():
    publisher, maintainer, subscriber, deck = new_deck()
    subscriber.download(deck)
    suggestion = subscriber.call("submit-suggestion", {"deck_id": deck, "card_guid": "g00000", "field_name": "Back",
                                                       "current_value": "back of g00000", "suggested_value": "better"})["suggestion_id"]
    with Hold(URL, writers("decks_releases")) as hold, concurrent.futures.ThreadPoolExecutor(2) as pool:
        first = pool.submit(publisher.ask, "review-suggestion", {"suggestion_id": suggestion, "action": "accept"})
        hold.wait(1)
        second = pool.submit(maintainer.ask, "review-suggestion", {"suggestion_id": suggestion, "action": "reject"})
        hold.wait(2)
        hold.let_go()
        assert (first.result().status, second.result().status) == (200, 409), (first.result(), second.result())
    assert publisher.download(deck)["version"] == "1.0.2"
    drop(publisher, deck)


def a_repeated_push_while_the_first_is_under_way_counts_once():
    publisher, _, _, deck = new_deck(0)
    elsewhere = publisher.again()  # a login may take longer than a lock is waited for
    with Hold(URL, writers("decks_releases")) as hold, concurrent.futures.ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(publisher.push, deck, cards(20))]
        hold.wait(1)
        calls.append(pool.submit(elsewhere.push, deck, cards(20)))
        hold.wait(2)
        hold.let_go()
        added = [call.result()["stats"]["cards_added"] for call in calls]
    assert added == [20, 0], added
    assert publisher.download(deck)["version"] == "1.0.1" and len(log_of(deck)) == 20
    drop(publisher, deck)


class Model:
    """What must come out: of the deck, and of a subscriber who applies what is sent, as the add-on does."""

    def __init__(self, chance, count):
        self.chance = chance
        self.deck = {f"c{n}": {name: f"{name} {n}" for name in FIELDS} for n in range(count)}
        self.applied = []  # (guid, field, old, new), in the order of the log
        self.fresh = 0

    def value(self):
        self.fresh += 1
        return f"v{self.fresh}" + self.chance.choice(["", "<b>\u00e9</b>", "\U0001f600", "\\ \""])

    def set(self, guid, field, value):
        if self.deck[guid][field] != value:
            self.applied.append((guid, field, self.deck[guid][field], value))
            self.deck[guid][field] = value


def play(seed):
    """One random interleaving."""
    chance = random.Random(seed)
    publisher, maintainer, subscriber, deck = new_deck(0)
    model = Model(chance, chance.randint(1, 4))
    publisher.push(deck, [card(guid, dict(fields)) for guid, fields in model.deck.items()])
    download = subscriber.download(deck)
    local = {one["guid"]: dict(one["fields"]) for one in download["cards"]}
    cursor = download["latest_change_id"]
    copies = {}          # what each editor has, by person
    pending = {}         # suggestion -> (guid, field, base, value)
    mine = {}            # (guid, field) -> the subscriber's own edit, which is theirs to keep
    for name, person in (("publisher", publisher), ("maintainer", maintainer)):
        copies[name] = (person, {guid: dict(fields) for guid, fields in model.deck.items()})

    def edit(name):
        person, copy = copies[name]
        guid, field, value = chance.choice(list(copy)), chance.choice(FIELDS), model.value()
        base = copy[guid][field]
        answer = person.call("push-changes", {"deck_id": deck, "changes": [
            {"card_guid": guid, "field_name": field, "old_value": base, "new_value": value}]})
        if model.deck[guid][field] == base:
            assert answer["changes_pushed"] == 1, (seed, answer)
            model.set(guid, field, value)
            copy[guid][field] = value
        else:
            conflict, = answer["conflicts"]
            assert conflict["server_value"] == model.deck[guid][field], (seed, conflict)
            copy[guid][field] = conflict["server_value"]

    def refresh(name):
        person, _ = copies[name]
        copies[name] = (person, {one["guid"]: dict(one["fields"]) for one in person.download(deck)["cards"]})
        assert copies[name][1] == model.deck, seed

    def push_all(name):
        # A whole copy, as the admin screens send it, right after looking.
        refresh(name)
        person, copy = copies[name]
        guid = chance.choice(list(copy))
        copy[guid] = {field: model.value() if chance.random() < 0.5 else text for field, text in copy[guid].items()}
        person.push(deck, [card(one, dict(fields)) for one, fields in copy.items()])
        for field, text in copy[guid].items():
            model.set(guid, field, text)

    def suggest():
        guid, field, value = chance.choice(list(local)), chance.choice(FIELDS), model.value()
        if model.deck[guid][field] == value:
            return
        answer = subscriber.call("submit-suggestion", {"deck_id": deck, "card_guid": guid, "field_name": field,
                                                       "current_value": local[guid][field], "suggested_value": value})
        pending[answer["suggestion_id"]] = (guid, field, local[guid][field], value)
        local[guid][field] = value
        mine[(guid, field)] = value

    def review():
        if not pending:
            return
        suggestion = chance.choice(list(pending))
        guid, field, base, value = pending.pop(suggestion)
        if chance.random() < 0.3:
            publisher.call("review-suggestion", {"suggestion_id": suggestion, "action": "reject"})
            return
        is_stale = model.deck[guid][field] != base
        answer = maintainer.ask("review-suggestion", {"suggestion_id": suggestion, "action": "accept"})
        if is_stale:
            assert answer.status == 409, (seed, answer)
            pending[suggestion] = (guid, field, base, value)
        else:
            assert answer.status == 200, (seed, answer)
            model.set(guid, field, value)

    def pull():
        nonlocal cursor
        answer = subscriber.pull(deck, last_change_id=cursor, limit=chance.choice([1, 2, 1000]))
        seen = set()
        for change in answer["changes"]:
            key = change["card_guid"], change["field_name"]
            assert key not in seen, (seed, "a field twice")
            seen.add(key)
            local[key[0]][key[1]] = change["new_value"]
            mine.pop(key, None)
        for conflict in answer["conflicts"]:
            key = conflict["card_guid"], conflict["field_name"]
            assert key not in seen, (seed, "a conflict that is a change, too")
            assert conflict["local_value"] in {value for guid, field, _, value in pending.values() if (guid, field) == key}, (seed, conflict)
            if chance.random() < 0.5:
                local[key[0]][key[1]] = conflict["server_value"]
                mine.pop(key, None)
            else:
                mine[key] = local[key[0]][key[1]]
        cursor = answer["latest_change_id"]
        return answer["has_more"]

    steps = [lambda: edit("publisher"), lambda: edit("maintainer"), lambda: refresh(chance.choice(list(copies))),
             lambda: push_all(chance.choice(list(copies))), suggest, review, pull, pull]
    for _ in range(chance.randint(8, 16)):
        chance.choice(steps)()
    while pull():
        pass
    present = {one["guid"]: one["fields"] for one in publisher.download(deck)["cards"]}
    assert present == model.deck, (seed, present, model.deck)
    for guid, fields in model.deck.items():
        for field, value in fields.items():
            # What the subscriber has is the deck's, or an edit of theirs that nobody has taken.
            assert local[guid][field] == value or mine.get((guid, field)) == local[guid][field], (seed, guid, field, local[guid][field], value)
    with Session(URL) as db:
        rows = db.ask(f"SELECT c.guid, c.field, c.old_value::json #>> '{{}}' FROM decks_changes c JOIN decks d USING (deck_id) "
                      f"WHERE d.public_id = '{deck}' AND c.kind = 'modify' ORDER BY c.seq")
    # No edit is lost: each is in the log with what it replaced.
    assert sorted(tuple(row) for row in rows) == sorted((guid, field, old) for guid, field, old, _ in model.applied), seed
    version = publisher.call("get-changelog", {"deck_id": deck})["changelog"][0]["version"]
    assert publisher.call("verify-version", {"deck_id": deck, "target_version": version})["matches"], seed
    drop(publisher, deck)


def random_interleavings_lose_no_edit():
    for number in range(INTERLEAVINGS):
        forget_rates()
        play(SEED * 100_000 + number)
    return f"{INTERLEAVINGS} of them"


if __name__ == "__main__":
    INTERLEAVINGS, SEED = option("--interleavings", INTERLEAVINGS), option("--seed", SEED)
    sys.argv = [one for one in sys.argv if one not in ("--interleavings", "--seed")]
    sys.exit(keep(two_pushes_at_once_are_one_after_the_other, a_time_skips_no_push_that_was_under_way,
                  a_rollback_in_steps_is_seen_whole_or_not_at_all, a_time_skips_no_notice_that_was_under_way, a_role_that_ends_while_a_push_waits_has_ended,
                  readers_do_not_wait_for_a_push, maintainers_are_listed_while_a_push_holds_the_deck, an_invitation_that_is_taken_back_first_is_not_accepted, two_decks_do_not_fill_one_quota_twice,
                  of_two_edits_on_one_base_one_is_a_conflict, a_suggestion_is_decided_once,
                  a_repeated_push_while_the_first_is_under_way_counts_once, random_interleavings_lose_no_edit))
