"""The decks service as its users meet it: the scenarios of its clients, one function each.

SYNCLINE_HTTP, SYNCLINE_ADMIN, DATABASE_URL and SYNCLINE_DIR locate the server (`<dir>/env` of ./run).
"""

import base64
import concurrent.futures
import contextlib
import datetime
import hashlib
import http.client
import io
import json
import os
import pathlib
import re
import secrets
import socket
import sys
import urllib.parse
import uuid
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from database import Session  # noqa: E402
from decks_wire import PASSWORD, Person, call, card, cards, check_refusal, field_of, forget_rates  # noqa: E402
from installation import admin, try_admin  # noqa: E402
from promises import keep, until  # noqa: E402
from rest_wire import ask  # noqa: E402

_people = {}


def reader(name="reader"):
    if name not in _people:
        _people[name] = Person()
    return _people[name]


def administrator():
    if "admin" not in _people:
        _people["admin"] = Person(is_admin=True)
    return _people["admin"]


def new_owner(**more):
    return Person(plan="premium", **more)


def deck_with(owner_of_it, count=3):
    deck = owner_of_it.deck()
    owner_of_it.push(deck, cards(count))
    return deck


OWNERS = 10
_decks = []


def free_deck(count=3):
    """A new deck and its owner. Some owners take turns, so that none meets a limit."""
    name = f"owner {len(_decks) % OWNERS}"
    if name not in _people:
        _people[name] = Person(collection=True)
    _decks.append(deck_with(_people[name], count))
    return _people[name], _decks[-1]


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def s01_logging_in_by_name_or_address():
    person = Person(plan="premium")
    admin("user", "add", address := f"{secrets.token_hex(5)}@Example.org", "--password-file", "-", stdin=PASSWORD + "\n")
    answer = call("login", {"email": person.name, "password": PASSWORD})
    body = answer.json
    assert answer.status == 200 and body["success"] is True and len(body["access_token"]) >= 20 and body["refresh_token"], answer
    expires = datetime.datetime.fromisoformat(body["expires_at"].replace("Z", "+00:00"))
    assert 3500 < (expires - now()).total_seconds() < 3700 and body["expires_at"].endswith("Z"), body["expires_at"]
    user = body["user"]
    for name, value in (("is_admin", False), ("has_subscription", True), ("subscription_tier", "premium"), ("is_lifetime", False),
                        ("owns_collection", False), ("can_create_decks", True), ("created_decks_count", 0),
                        ("max_decks_allowed", 5)):
        assert user[name] == value, (name, user)
    assert user["subscription_expires_at"].startswith("2100-01-01T00:00:00") and isinstance(user["id"], str), user
    assert call("login", {"email": f"  {address.upper()} ", "password": PASSWORD}).status == 200
    wrong = call("login", {"email": person.name, "password": "nothing like it"})
    unknown = call("login", {"email": "nobody-at-all", "password": PASSWORD})
    assert wrong.status == unknown.status == 401 and wrong.body == unknown.body, (wrong, unknown)
    assert wrong.json["code"] == "INVALID_CREDENTIALS"
    missing = call("login", {"email": person.name})
    assert missing.status == 400, missing
    for refusal in (wrong, missing):
        check_refusal(refusal)


def s02_a_call_needs_a_login():
    token = reader().token
    head, body, signature = token.split(".")
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": f"Bearer {head}.{body}.{signature[::-1]}"}):
        answer = ask("POST", "/functions/v1/addon-get-my-decks", {}, headers=headers)
        assert answer.status == 401, answer
        check_refusal(answer)


def s03_a_refresh_may_be_repeated_for_a_minute():
    person = Person()
    first = call("refresh-token", {"refresh_token": person.refresh})
    assert first.status == 200 and first.json["success"] is True and first.json["expires_at"], first
    assert call("get-my-decks", {}, token=first.json["access_token"]).status == 200
    second = call("refresh-token", {"refresh_token": person.refresh})
    assert second.status == 200, second
    # Two threads each keep what they got: both go on.
    for refreshed in (first, second, first):
        again = call("refresh-token", {"refresh_token": refreshed.json["refresh_token"]})
        assert again.status == 200, again
    with Session(os.environ["DATABASE_URL"]) as db:
        db.ask(f"UPDATE devices SET rotated_at = now() - interval '61 seconds' WHERE user_id = (SELECT user_id FROM users WHERE "
               f"name = '{person.name}') AND kind = 'refresh'")
    late = call("refresh-token", {"refresh_token": first.json["refresh_token"]})
    assert late.status == 401 and late.json["code"] == "REFRESH_TOKEN_EXPIRED", late
    for nothing in ("made up", "a.b.c"):
        answer = call("refresh-token", {"refresh_token": nothing})
        assert answer.status == 401 and answer.json["code"] == "REFRESH_TOKEN_EXPIRED", answer
    assert call("refresh-token", {}).status == 400


def s05_a_new_deck_has_all_members():
    person = new_owner()
    deck = person.call("create-deck", {"title": "Torts and more", "description": "d", "bar_subject": "civil_law", "is_public": False,
                                       "tags": ["one", "two"]})["deck"]
    assert deck["title"] == "Torts and more" and deck["description"] == "d" and deck["bar_subject"] == "civil_law"
    assert deck["is_public"] is False and deck["tags"] == ["one", "two"] and deck["version"] == "1.0.0"
    assert deck["card_count"] == deck["subscriber_count"] == 0 and deck["is_verified"] is False and deck["image_url"] is None
    assert isinstance(deck["id"], str) and deck["created_at"].endswith("Z") and deck["updated_at"].endswith("Z")
    again = person.call("create-deck", {"title": "Torts and more", "description": "d", "is_public": False})["deck"]
    assert again["id"] == deck["id"], "a repeated call makes no second deck"
    shown = person.call("create-deck", {"title": "Torts and more", "description": "d", "is_public": True})["deck"]
    assert shown["id"] != deck["id"], "one for all is another deck than one for its owner"


def s06_bad_decks_are_refused():
    person = new_owner()
    bad = [{}, {"title": "ab"}, {"title": "a" * 101}, {"title": "abc", "description": "d" * 2001}, {"title": "abc", "tags": ["t"] * 21},
           {"title": "abc", "tags": ["t" * 51]}, {"title": "abc", "is_public": "yes"}, {"title": "a::b"}, {"title": "   "}, [], b"{",
           {"title": "abc", "bar_subject": "Not So"}, b"\xff", {"title": 7}, {"title": "a\u0001b"}]
    for body in bad:
        answer = person.ask("create-deck", body)
        assert answer.status == 400, (body, answer)
        check_refusal(answer)
    assert person.call("get-my-decks")["decks"] == []


def s07_plans_limit_decks():
    person, free, collector = new_owner(), Person(), Person(collection=True)
    decks = [person.deck(f"Deck number {n}") for n in range(5)]
    assert person.call("create-deck", {"title": "one more"}, 403)["code"] == "DECK_LIMIT_REACHED"
    person.call("delete-user-deck", {"deck_id": decks[0], "confirm": True})
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda n: person.ask("create-deck", {"title": f"In parallel {n}"}).status, range(2)))
    assert sorted(answers) == [200, 403], answers
    for number in range(10):
        collector.deck(f"Deck number {number}")
    assert collector.call("create-deck", {"title": "one more"}, 403)["code"] == "DECK_LIMIT_REACHED"
    assert free.call("create-deck", {"title": "no plan"}, 403)["code"] == "SUBSCRIPTION_REQUIRED"
    mine = free.call("get-my-decks")
    assert mine["decks"] == [] and mine["can_create_more"] is False and mine["max_decks"] == 0
    mine = person.call("get-my-decks")
    assert mine["can_create_more"] is False and mine["max_decks"] == 5 and mine["created_decks_count"] == 5, mine


def s08_updating_a_deck():
    person = new_owner()
    deck = person.deck("Before it changes", tags=["a", "b"])
    changed = person.call("update-deck", {"deck_id": deck, "title": "After the change"})["deck"]
    assert changed["title"] == "After the change" and changed["tags"] == ["a", "b"] and changed["version"] == "1.0.0"
    assert person.call("update-deck", {"deck_id": deck, "tags": []})["deck"]["tags"] == []
    assert person.call("update-deck", {"deck_id": deck})["deck"]["title"] == "After the change"
    assert person.call("update-deck", {"deck_id": deck, "description": None, "bar_subject": None})["deck"]["description"] == ""
    person.call("update-deck", {"deck_id": deck, "title": None}, 400)
    reader().call("update-deck", {"deck_id": deck, "title": "Not mine to change"}, 403)
    person.call("update-deck", {"deck_id": "0d1f6b1e-0000-4000-8000-000000000000", "title": "abc"}, 404)
    person.call("update-deck", {"deck_id": "abc", "title": "abc"}, 400)
    person.call("update-deck", {"title": "abc"}, 400)


def s09_a_repeated_push_changes_nothing():
    person = new_owner()
    deck = person.deck()
    first = person.push(deck, cards(3))
    assert first["version"] == "1.0.1" and first["stats"]["cards_added"] == 3 and first["stats"]["total_cards"] == 3, first
    again = person.push(deck, cards(3))
    assert again["version"] == "1.0.1" and again["stats"]["cards_added"] == again["stats"]["cards_modified"] == 0, again
    assert again["last_change_id"] == first["last_change_id"]


def s10_a_push_counts_what_it_changes():
    person = new_owner()
    deck = deck_with(person)
    stats = person.push(deck, [card("g00000", {"Front": "new", "Back": "back of g00000"}), card("new"), cards(2)[1]], version="1.1.0")
    assert stats["version"] == "1.1.0" and stats["stats"] == {
        "cards_processed": 3, "cards_added": 1, "cards_modified": 1, "cards_deleted": 0, "total_cards": 4}, stats


def s11_versions():
    person = new_owner()
    deck = deck_with(person)
    assert person.push(deck, [card("a")], version="1.0.1")["version"] == "1.0.1"
    assert person.push(deck, [card("b")], version="1.0.0", status=400)["code"] == "VERSION_NOT_NEWER"
    person.push(deck, [card("b")], version="banana", status=400)
    assert person.push(deck, [card("b")], version="v1.0.9")["version"] == "1.0.9"
    assert person.push(deck, [card("c")])["version"] == "1.0.10"
    assert person.push(deck, [], version="2")["version"] == "2.0.0"


def s12_a_push_is_taken_whole_or_not_at_all():
    person = new_owner()
    deck = person.deck()
    assert person.push(deck, cards(500))["stats"]["cards_added"] == 500
    assert person.push(deck, cards(501), status=400)["code"] == "TOO_MANY_CARDS"
    person.call("push-deck-cards", {"deck_id": deck}, 400)
    person.call("push-deck-cards", {"deck_id": deck, "cards": "all"}, 400)
    bad = [{"fields": {"Front": "x"}}, card("x", {"Front": ["list"]}), card("x", {"Author": {}}), card("x\\y"), card(""),
           card("x", {"Front": "", "Back": None}), card("x", tags=["with blank"]), card("x", note_type=""), card("x", {"": "no name"}),
           card("x\u0007"), "card", {"card_guid": "x"}, card("x", tags="a b")]
    for one in bad:
        answer = person.ask("push-deck-cards", {"deck_id": deck, "cards": [card("good"), one]})
        assert answer.status == 400, (one, answer)
        check_refusal(answer)
        assert answer.json["errors"][0]["index"] == 1, (one, answer)
    assert "good" not in {one["guid"] for one in person.download(deck)["cards"]}


def s13_texts_stay_what_they_are():
    person = new_owner()
    deck = person.deck()
    guid = "k{2Z!q)*:_"
    value = '<b onclick="x">\u00e9 e\u0301 \U0001f600\u0000\u0001 &amp; \u2028</b>' + "x" * 200_000
    person.push(deck, [card(guid, {"Z": value, "A": " a ", "M": "", "N": 5, "B": True, "E": None}, note_type="Odd one")])
    download = person.download(deck)
    found = download["cards"][0]
    assert found["guid"] == found["card_guid"] == guid
    assert list(found["fields"].items()) == [("Z", value), ("A", " a "), ("M", ""), ("N", "5"), ("B", "true"), ("E", "")]
    assert download["note_types"][0]["name"] == "Odd one" and download["note_types"][0]["fields"] == ["Z", "A", "M", "N", "B", "E"]
    assert person.push(deck, [card(guid, found["fields"], note_type="Odd one")])["stats"]["cards_modified"] == 0


def s14_only_editors_change_a_deck():
    person, deck = free_deck()
    reader().download(deck)
    for stranger in (reader(), Person()):
        stranger.call("push-deck-cards", {"deck_id": deck, "cards": [card("x")]}, 403)
        stranger.call("update-deck", {"deck_id": deck, "title": "abc"}, 403)
        stranger.call("delete-user-deck", {"deck_id": deck, "confirm": True}, 403)
        stranger.call("admin-push-changes", {"deck_id": deck, "changes": [card("x")], "version": "9"}, 403)
    assert len(person.download(deck)["cards"]) == 3
    helper = Person()
    person.make_maintainer(deck, helper)
    assert helper.push(deck, [card("x")])["stats"]["cards_added"] == 1
    helper.call("delete-user-deck", {"deck_id": deck, "confirm": True}, 403)
    person.call("manage-members", {"deck_id": deck, "action": "remove", "user": helper.name})
    helper.call("push-deck-cards", {"deck_id": deck, "cards": [card("y")]}, 403)


def s15_cards_that_a_push_does_not_name():
    person, deck = free_deck(4)
    reader().download(deck)
    before = person.pull(deck)["latest_change_id"]
    pushed = person.push(deck, cards(2), delete_missing=True)
    assert pushed["stats"]["cards_deleted"] == 2 and pushed["stats"]["total_cards"] == 2, pushed
    assert {one["guid"] for one in person.download(deck)["cards"]} == {"g00000", "g00001"}
    assert {one["card_guid"] for one in person.call("pull-changes", {"deck_id": deck, "full_sync": True})["cards"]} == {"g00000", "g00001"}
    pulled = person.pull(deck, last_change_id=before)
    assert [one["change_type"] for one in pulled["changes"]] == ["delete", "delete"], pulled
    assert person.push(deck, [], delete_missing=True, status=400)["code"] == "EMPTY_CARDS"
    stats = person.push(deck, [])["stats"]
    assert stats["cards_processed"] == stats["cards_deleted"] == 0 and stats["total_cards"] == 2
    assert person.push(deck, [], deleted_guids=["g00001", "never there"])["stats"]["cards_deleted"] == 1
    assert person.push(deck, [card("g00001")])["stats"]["cards_added"] == 1, "it comes back"


def s16_a_download_speaks_all_spellings():
    person, deck = free_deck()
    someone = Person()
    body = someone.download(deck)
    assert body["version"] == "1.0.1" and body["title"] == body["deck"]["title"] == body["deck_title"] and body["use_pull_changes"] is True
    assert body["note_types"] and body["media_files"] == [] and body["latest_change_id"] and body["total_cards"] == 3
    for one in body["cards"]:
        assert one["guid"] == one["card_guid"] and isinstance(one["tags"], list) and one["subdeck_path"], one
    for kind in body["note_types"]:
        assert kind["fields"] and kind["templates"] and isinstance(kind["css"], str), kind
    listed = someone.call("browse-decks", {"category": "subscribed"})["decks"]
    assert [one["id"] for one in listed] == [deck]
    assert person.call("update-deck", {"deck_id": deck})["deck"]["subscriber_count"] == 1
    assert someone.ask("download-deck", {"deck_id": deck}, headers={"Accept-Encoding": "gzip"}).headers["Content-Encoding"] == "gzip"
    assert someone.ask("download-deck", {"deck_id": deck}, headers={"Accept-Encoding": "identity"}).headers["Content-Encoding"] is None


def s18_who_may_download():
    person = new_owner()
    deck = person.deck(is_public=False)
    assert reader().call("download-deck", {"deck_id": deck}, 403)["code"] == "NO_ACCESS"
    assert reader().call("download-deck", {"deck_id": "0d1f6b1e-0000-4000-8000-000000000000"}, 404)["code"] == "DECK_NOT_FOUND"
    reader().call("download-deck", {}, 400)


def s19_a_deck_that_is_hidden_stays_with_its_readers():
    person, deck = free_deck()
    first, second = Person(), Person()
    first.download(deck)
    person.call("update-deck", {"deck_id": deck, "is_public": False})
    first.pull(deck)
    second.call("pull-changes", {"deck_id": deck}, 403)
    assert deck not in [one["id"] for one in second.call("browse-decks", {"limit": 100})["decks"]]
    assert deck in [one["id"] for one in first.call("browse-decks", {"category": "subscribed"})["decks"]]


def s20_pages_lose_no_card():
    person, deck = free_deck(0)
    for first in range(0, 2500, 500):
        person.push(deck, cards(500, first), version="1.0.1")
    someone = Person()

    def pages(between=lambda: None):
        found, offset, sizes, answers = [], 0, [], []
        while True:
            page = someone.call("pull-changes", {"deck_id": deck, "full_sync": True, "offset": offset, "limit": 1000})
            answers.append(page)
            sizes.append(len(page["cards"]))
            found += [one["card_guid"] for one in page["cards"]]
            between()
            if not page["has_more"]:
                return found, sizes, answers
            offset = page["next_offset"]

    found, sizes, answers = pages()
    assert sizes == [1000, 1000, 500] and len(set(found)) == 2500 == answers[0]["total_cards"], sizes
    assert answers[0]["note_types"] and answers[0]["latest_change_id"]
    gone = []

    def remove():
        if not gone:
            gone.extend(f"g{number:05}" for number in range(0, 2500, 250))
            person.push(deck, [], deleted_guids=gone)

    found, _, _ = pages(remove)
    alive = {f"g{number:05}" for number in range(2500)} - set(gone)
    assert alive <= set(found) and len(found) == len(set(found))
    _people["deck of 2500"] = deck


def s21_limits_of_pages_are_clamped():
    deck = _people["deck of 2500"]
    someone = Person()

    def page(**more):
        return someone.call("pull-changes", {"deck_id": deck, "full_sync": True, **more})

    big = page(offset=0, limit=2000)
    assert len(big["cards"]) == 1000 and big["has_more"] is True
    for limit in (0, -5):
        assert len(page(offset=0, limit=limit)["cards"]) == 1
    someone.call("pull-changes", {"deck_id": deck, "full_sync": True, "limit": "x"}, 400)
    whole = page()
    assert len(whole["cards"]) == whole["total_cards"] == 2490 and whole["has_more"] is False


def s22_pulling_what_has_changed():
    person, deck = free_deck()
    someone = Person()
    cursor = someone.download(deck)["latest_change_id"]
    person.push(deck, [card("g00000", {"Front": "one", "Back": "two"}), card("g00001", {"Front": "three", "Back": "back of g00001"})])
    pulled = someone.pull(deck, last_change_id=cursor)
    assert [(one["card_guid"], one["field_name"], one["old_value"], one["new_value"], one["change_type"]) for one in pulled["changes"]] == [
        ("g00000", "Front", "front of g00000", "one", "modify"), ("g00000", "Back", "back of g00000", "two", "modify"),
        ("g00001", "Front", "front of g00001", "three", "modify")], pulled
    assert len({one["change_id"] for one in pulled["changes"]}) == 3 and pulled["has_more"] is False
    assert pulled["latest_change_id"] == pulled["last_change_id"] == pulled["changes"][-1]["change_id"]
    last = pulled["changes"][-1]["change_id"]
    nothing = someone.pull(deck, last_change_id=last)
    assert nothing["changes"] == [] and nothing["has_more"] is False and nothing["latest_change_id"] == last
    # Only the last value of a field, with what the client has as the old one.
    for value in ("x", "y", "z"):
        person.push(deck, [card("g00002", {"Front": value, "Back": "back of g00002"})])
    again = someone.pull(deck, last_change_id=last)["changes"]
    assert [(one["old_value"], one["new_value"]) for one in again] == [("front of g00002", "z")], again


def s23_times_as_cursors():
    person, deck = free_deck()
    someone = Person()
    cursor = someone.download(deck)["latest_change_id"]
    person.push(deck, [card("g00000", {"Front": "1", "Back": "2"}), card("g00001", {"Front": "3", "Back": "back of g00001"})])
    by_id = someone.pull(deck, since=cursor)["changes"]
    assert len(by_id) == 3
    ahead = (now() + datetime.timedelta(hours=7)).replace(tzinfo=None).isoformat()
    assert someone.pull(deck, since=ahead)["changes"] == by_id
    zone = (now() + datetime.timedelta(seconds=1)).isoformat()
    assert someone.pull(deck, since=zone)["changes"] == []
    # Never what it had downloaded: no creation of cards comes again.
    assert all(one["change_type"] == "modify" for one in someone.pull(deck, since="2020-01-01T00:00:00")["changes"])
    odd = someone.pull(deck, since="last tuesday")
    assert odd["warning"] and len(odd["changes"]) == 3
    someone.call("pull-changes", {"deck_id": deck, "since": 7}, 400)


def s24_a_cursor_of_nowhere_begins_anew():
    person, deck = free_deck(0)
    other_owner, other = free_deck()
    foreign = other_owner.pull(other)["latest_change_id"]
    for first in range(0, 1500, 500):
        person.push(deck, cards(500, first), version="1.0.1")
    someone = Person()
    cursor = someone.download(deck)["latest_change_id"]
    for unknown in ("0d1f6b1e-0000-4000-8000-000000000000", foreign):
        answer = someone.pull(deck, last_change_id=unknown)
        assert answer["cursor_reset"] is True and answer["has_more"] is True, answer["changes"][:2]
    for first in range(0, 1500, 500):
        person.push(deck, [card(f"g{n:05}", {"Front": "new", "Back": f"back of g{n:05}"}) for n in range(first, first + 500)], version="1.0.2")
    seen, sizes = [], []
    while True:
        page = someone.pull(deck, last_change_id=cursor)
        seen += [one["card_guid"] for one in page["changes"]]
        sizes.append((len(page["changes"]), page["has_more"]))
        cursor = page["latest_change_id"]
        if not page["has_more"]:
            break
    assert sizes == [(1000, True), (500, False)] and seen == [f"g{n:05}" for n in range(1500)], sizes


def s25_a_removed_card_is_told():
    person, deck = free_deck()
    someone = Person()
    cursor = someone.download(deck)["latest_change_id"]
    person.push(deck, [], deleted_guids=["g00001"])
    pulled = someone.pull(deck, last_change_id=cursor)
    entry, = pulled["changes"]
    assert entry["change_type"] == "delete" and entry["card_guid"] == "g00001" and entry["field_name"] is None and entry["new_value"] == ""
    assert pulled["deleted_cards"] == ["g00001"]


def s26_protected_fields_are_plain_texts():
    person, deck = free_deck(0)
    person.push(deck, [card("n", {"Front": "f", "Notes": "n"})])
    someone, other = Person(), Person()
    cursor = someone.download(deck)["latest_change_id"]
    wanted = ["Notes", "Extra"]
    saved = someone.call("protected-fields", {"deck_id": deck, "fields": ["Notes", " Notes", "Extra"]})
    assert saved["protected_fields"] == saved["fields"] == wanted
    query = ask("GET", f"/functions/v1/addon-protected-fields?deck_id={deck}", token=someone.token)
    assert query.json["protected_fields"] == wanted
    assert someone.call("protected-fields", {"deck_id": deck})["protected_fields"] == wanted
    assert someone.call("get-protected-fields", {"deck_id": deck})["protected_fields"] == wanted
    assert someone.call("get-protected-fields", {})["decks"] == {deck: wanted}
    person.push(deck, [card("n", {"Front": "f", "Notes": "changed"})])
    pulled = someone.pull(deck, last_change_id=cursor)
    assert pulled["changes"][0]["is_protected"] is True and "Notes" in pulled["protected_fields"]
    assert someone.call("get-protected-fields", {"deck_id": deck, "field_names": []})["protected_fields"] == []
    someone.call("protected-fields", {"deck_id": deck, "fields": [1]}, 400)
    assert other.call("protected-fields", {"deck_id": deck})["protected_fields"] == []


def s27_a_pending_edit_meets_a_change_once():
    person, deck = free_deck()
    someone, other = Person(), Person()
    cursor = someone.download(deck)["latest_change_id"]
    other_cursor = other.download(deck)["latest_change_id"]
    second = someone.again()
    second.download(deck)
    pushed = someone.call("push-changes", {"deck_id": deck, "changes": [
        {"card_guid": "g00000", "field_name": "Back", "old_value": "back of g00000", "new_value": "mine"}]})
    assert pushed["status"] == "pending_review" and pushed["changes_saved"] == 1 and len(pushed["suggestion_ids"]) == 1, pushed
    assert other.pull(deck, last_change_id=other_cursor)["changes"] == []
    person.push(deck, [card("g00000", {"Front": "front of g00000", "Back": "v2"})])
    pulled = someone.pull(deck, last_change_id=cursor)
    conflict, = pulled["conflicts"]
    assert conflict["local_value"] == "mine" and conflict["server_value"] == "v2" and conflict["field_name"] == "Back"
    assert pulled["changes"] == []
    again = someone.pull(deck, last_change_id=cursor)
    assert again["conflicts"] == again["changes"] == [], "told once, however it ended"
    elsewhere = second.pull(deck, last_change_id=cursor)
    assert len(elsewhere["conflicts"]) == 1, "the other computer has not been told"
    person.push(deck, [card("g00000", {"Front": "front of g00000", "Back": "v3"})])
    later = someone.pull(deck, last_change_id=cursor)
    assert later["conflicts"] == [] and [one["new_value"] for one in later["changes"]] == ["v3"], later


def s28_a_suggestion_is_accepted():
    person, deck = free_deck()
    someone, other = Person(), Person()
    cursor = someone.download(deck)["latest_change_id"]
    other.download(deck)
    body = {"deck_id": deck, "card_guid": "g00001", "field_name": "Back", "current_value": "back of g00001",
            "suggested_value": "better", "reason": None}
    first = someone.call("submit-suggestion", body)
    assert first["suggestion_id"] and first["status"] == "pending" and first["stale"] is False
    assert someone.call("submit-suggestion", body)["suggestion_id"] == first["suggestion_id"]
    someone.call("submit-suggestion", {**body, "suggested_value": "back of g00001"}, 400)
    assert someone.call("submit-suggestion", {**body, "card_guid": "none"}, 404)["code"] == "CARD_NOT_FOUND"
    someone.call("submit-suggestion", {**body, "field_name": "none"}, 400)
    someone.call("submit-suggestion", {**body, "suggested_value": "x" * 100_001}, 400)
    # Another account's: with an edit of its own pending, a contributor is told of a conflict instead.
    third = Person()
    assert third.call("submit-suggestion", {**body, "current_value": "older", "suggested_value": "other"})["stale"] is True
    queue = person.call("list-suggestions", {"deck_id": deck})
    assert queue["total"] == 2 and queue["suggestions"][0]["suggested_value"] == "better"
    assert queue["suggestions"][0]["current_value"] == "back of g00001" and queue["suggestions"][1]["is_stale"] is True
    stale = queue["suggestions"][1]["suggestion_id"]
    accepted = person.call("review-suggestion", {"suggestion_id": first["suggestion_id"], "action": "accept"})
    assert accepted["version"] == "1.0.2" and accepted["results"][0]["status"] == "accepted"
    assert person.call("review-suggestion", {"suggestion_id": stale, "action": "accept"}, 409)["code"] == "SUGGESTION_STALE"
    for one in (someone, other):
        changes = one.pull(deck, last_change_id=cursor)["changes"]
        assert [(c["field_name"], c["new_value"]) for c in changes] == [("Back", "better")], changes
    notices = someone.call("check-notifications")["notifications"]
    assert "suggestion_accepted" in [one["type"] for one in notices], notices
    edited = person.call("review-suggestion", {"suggestion_id": stale, "action": "accept", "force": True, "value": "<b>other</b>"})
    assert edited["version"] == "1.0.3" and field_of(person.download(deck), "g00001", "Back") == "<b>other</b>"
    assert person.call("list-suggestions", {"deck_id": deck})["suggestions"] == []
    history = person.call("get-card-history", {"deck_id": deck, "card_guid": "g00001"})["history"]
    assert [one["changed_by"] for one in history[:2]] == [third.name, someone.name], history


def s29_a_suggestion_is_rejected_or_withdrawn():
    person, deck = free_deck()
    someone, other = Person(), Person()
    for one in (someone, other):
        one.download(deck)
    body = {"deck_id": deck, "card_guid": "g00001", "field_name": "Back", "current_value": "back of g00001", "suggested_value": "x"}
    first = someone.call("submit-suggestion", body)["suggestion_id"]
    other.call("review-suggestion", {"suggestion_id": first, "action": "accept"}, 403)
    person.call("review-suggestion", {"suggestion_id": first, "action": "reject", "note": "because of this"})
    assert person.download(deck)["version"] == "1.0.1"
    mine, = someone.call("my-suggestions")["suggestions"]
    assert mine["status"] == "rejected" and mine["note"] == "because of this"
    told = [one for one in someone.call("check-notifications")["notifications"] if one["type"] == "suggestion_rejected"]
    assert "because of this" in told[0]["message"]
    second = someone.call("submit-suggestion", {**body, "suggested_value": "y"})["suggestion_id"]
    other.call("withdraw-suggestion", {"suggestion_id": second}, 404)
    assert someone.call("withdraw-suggestion", {"suggestion_id": second})["withdrawn"] == 1
    person.call("review-suggestion", {"suggestion_id": second, "action": "accept"}, 409)
    # A card that goes takes the suggestions for it along.
    third = someone.call("submit-suggestion", {**body, "suggested_value": "z"})["suggestion_id"]
    removal = someone.call("request-card-removal", {"deck_id": deck, "card_guids": ["g00001"], "reason": "wrong"})["suggestion_ids"][0]
    assert person.call("review-suggestion", {"suggestion_id": removal, "action": "accept"})["results"][0]["status"] == "accepted"
    assert len(person.download(deck)["cards"]) == 2
    person.push(deck, [card("g00001")])
    assert person.call("review-suggestion", {"suggestion_id": third, "action": "accept"}, 409)
    states = {one["suggestion_id"]: one["status"] for one in someone.call("my-suggestions")["suggestions"]}
    assert states[third] == "superseded" and states[removal] == "accepted"


def s30_tags():
    person, deck = free_deck()
    someone = Person()
    someone.download(deck)
    pushed = person.call("sync-tags", {"deck_id": deck, "action": "push", "changes": [
        {"card_guid": "g00000", "tags": ["a", "b::c"]}, {"card_guid": "g00001", "tags": ["a"]}, {"card_guid": "none", "tags": []}]})
    assert (pushed["tags_added"], pushed["tags_removed"], pushed["cards_updated"]) == (3, 0, 2) and pushed["skipped"] == ["none"]
    pushed = person.call("sync-tags", {"deck_id": deck, "action": "push", "tags": [{"card_guid": "g00000", "tags": ["A", "d"]}]})
    assert (pushed["tags_added"], pushed["tags_removed"]) == (1, 1), pushed
    pulled = someone.call("sync-tags", {"deck_id": deck, "action": "pull"})
    assert {one["card_guid"]: one["tags"] for one in pulled["changes"]} == {"g00000": ["A", "d"], "g00001": ["a"]}, pulled
    assert (pulled["tags_added"], pulled["tags_removed"]) == (3, 0) and pulled["changes"] == pulled["tags"]
    proposed = someone.call("sync-tags", {"deck_id": deck, "action": "push", "tags": [{"card_guid": "g00001", "tags": ["mine"]}]})
    assert proposed["status"] == "pending_review" and (proposed["tags_added"], proposed["tags_removed"]) == (1, 1)
    assert {tuple(one["tags"]) for one in person.download(deck)["cards"]} == {("A", "d"), ("a",), ()}
    suggestion, = person.call("list-suggestions", {"deck_id": deck})["suggestions"]
    person.call("review-suggestion", {"suggestion_id": suggestion["suggestion_id"], "action": "accept"})
    assert ("mine",) in {tuple(one["tags"]) for one in person.download(deck)["cards"]}
    nothing = someone.call("sync-tags", {"deck_id": deck, "action": "push"})
    assert nothing["tags_added"] == nothing["tags_removed"] == 0
    someone.call("sync-tags", {"deck_id": deck, "action": "x"}, 400)
    twice = [{"card_guid": "g00002", "tags": tags} for tags in (["first"], ["last"])]
    assert person.call("sync-tags", {"deck_id": deck, "action": "push", "tags": twice})["cards_updated"] == 1
    assert ("last",) in {tuple(one["tags"]) for one in person.download(deck)["cards"]}


def s31_suspended_cards_are_personal():
    _, deck = free_deck()
    someone, other = Person(), Person()
    states = [{"card_guid": "g00000", "is_suspended": True, "is_buried": False}, {"card_guid": "g00001", "is_buried": True}]
    assert someone.call("sync-suspend-state", {"deck_id": deck, "action": "push", "changes": states})["cards_updated"] == 2
    again = someone.call("sync-suspend-state", {"deck_id": deck, "action": "push", "states": states})
    assert again["cards_updated"] == 0
    pulled = someone.call("sync-suspend-state", {"deck_id": deck, "action": "pull"})
    assert {one["card_guid"]: (one["is_suspended"], one["is_buried"]) for one in pulled["changes"]} == {
        "g00000": (True, False), "g00001": (False, True)}, pulled
    assert pulled["changes"] == pulled["states"] and pulled["cards_updated"] == 2
    assert other.call("sync-suspend-state", {"deck_id": deck, "action": "pull"})["changes"] == []
    skipped = someone.call("sync-suspend-state", {"deck_id": deck, "action": "push", "states": [{"card_guid": "none", "is_suspended": True}]})
    assert skipped["skipped"] == ["none"] and skipped["cards_updated"] == 0
    someone.call("sync-suspend-state", {"deck_id": deck, "action": "push", "states": [{"card_guid": "g00000", "is_suspended": 1}]}, 400)
    off = [{"card_guid": "g00000", "is_suspended": False}]
    assert someone.call("sync-suspend-state", {"deck_id": deck, "action": "push", "states": off})["cards_updated"] == 1


def fetch(method, url, body=None, headers=None):
    """By the address in an answer, without a login."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
    try:
        connection.request(method, parts.path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def s32_media_by_links():
    person, deck = free_deck()
    someone = Person()
    data = secrets.token_bytes(150_000)
    sha = hashlib.sha256(data).hexdigest()
    media = {"deck_id": deck, "file_name": "x.png", "file_hash": sha.upper()}
    link = person.call("sync-media", {**media, "action": "get_upload_url", "size": len(data)})
    assert link["method"] == "PUT" and link["already_exists"] is False
    person.call("sync-media", {**media, "action": "confirm_upload"}, 404)
    assert fetch("PUT", link["upload_url"], data[:-1])[0] == 400
    assert fetch("PUT", link["upload_url"][:-2] + "xx", data)[0] == 403
    assert fetch("PUT", link["upload_url"], b"")[0] == 400
    person.call("sync-media", {**media, "action": "confirm_upload"}, 404)
    for _ in range(2):
        status, _, body = fetch("PUT", link["upload_url"], data)
        assert status == 200 and json.loads(body)["success"] is True, body
        confirmed = person.call("sync-media", {**media, "action": "confirm_upload"})
        assert confirmed["files_uploaded"] == 1 and confirmed["file"]["file_hash"] == sha
    for name in ("../x.png", "a:b.png", "con.png", ".hidden", "x.jpg ", "e\u0301.png"):
        person.call("sync-media", {**media, "file_name": name, "action": "get_upload_url", "size": 1}, 400)
    person.call("sync-media", {**media, "file_hash": "abc", "action": "get_upload_url"}, 400)
    listed = someone.call("sync-media", {"deck_id": deck, "action": "list"})
    assert [one["file_name"] for one in listed["files"]] == ["x.png"] and listed["total_size"] == len(data)
    links = someone.call("sync-media", {"deck_id": deck, "action": "download"})
    assert links["files_downloaded"] == 1
    url = links["files"][0]["url"]
    status, headers, body = fetch("GET", url)
    assert status == 200 and body == data and headers["Content-Type"] == "image/png", (status, headers)
    assert headers["X-Content-Type-Options"] == "nosniff" and "sandbox" in " ".join(headers.get_all("Content-Security-Policy"))
    assert fetch("GET", url[:-2] + "xx")[0] == 403
    someone.call("sync-media", {**media, "action": "get_upload_url", "size": 1}, 403)
    shown, = someone.download(deck)["media_files"]
    assert shown["filename"] == shown["file_name"] == "x.png" and shown["url"] == shown["download_url"] and fetch("GET", shown["url"])[2] == data
    again = person.call("sync-media", {**media, "file_name": "other name.png", "action": "get_upload_url", "size": len(data)})
    assert again["already_exists"] is True, "bytes that the deck has need not come again"
    person.call("delete-user-deck", {"deck_id": deck, "confirm": True})
    assert fetch("GET", url)[0] == 404


def a_deck_is_a_file_too():
    person, deck = free_deck()
    _, other = free_deck(1)
    hidden_owner, gone = new_owner(), free_deck(1)[1]
    hidden = hidden_owner.deck("Nobody else sees it", is_public=False)
    administrator().call("delete-user-deck", {"deck_id": gone, "confirm": True})
    someone = Person()
    answer = someone.call("batch-download", {"deck_ids": [deck, hidden, other, gone, "no id"]})
    assert [one["deck_id"] for one in answer["downloads"]] == [deck, other] and answer["total_successful"] == 2, answer
    assert [one["deck_id"] for one in answer["failed"]] == [hidden, gone, "no id"] and answer["total_failed"] == 3, answer
    someone.call("batch-download", {"deck_ids": []}, 400)
    someone.call("batch-download", {"deck_ids": [deck] * 11}, 400)
    url = answer["downloads"][0]["download_url"]
    status, headers, body = fetch("GET", url)
    assert status == 200 and headers["Content-Type"] == "application/octet-stream" and zipfile.is_zipfile(io.BytesIO(body)), (status, headers)
    assert {"collection.anki2", "collection.anki21", "media"} <= set(zipfile.ZipFile(io.BytesIO(body)).namelist())
    assert fetch("GET", url[:-2] + "xx")[0] == 403
    shown = someone.download(deck)
    assert shown["expires_in"] == 24 * 3600 and fetch("GET", shown["download_url"])[0] == 200
    person.call("delete-user-deck", {"deck_id": deck, "confirm": True})
    assert fetch("GET", url)[0] == 404


def an_account_takes_its_decks_along():
    person = new_owner()
    deck = deck_with(person, 5)
    answer = ask("GET", "/account/export", token=call("login", {"email": person.name, "password": PASSWORD}).json["access_token"])
    assert answer.status == 200, answer
    names = zipfile.ZipFile(io.BytesIO(answer.body)).namelist()
    assert {"decks/decks.json", f"decks/{deck}.apkg"} <= set(names), names


def nginx_keeps_the_bytes_of_a_file():
    person, deck = free_deck()
    data = secrets.token_bytes(100_000)
    person.call("sync-media", {"deck_id": deck, "action": "upload", "file_name": "x.png",
                               "content_base64": base64.b64encode(data).decode()})

    def link():
        return person.call("sync-media", {"deck_id": deck, "action": "download"})["files"][0]["url"]

    ids = set()
    first = link()
    for url in (first, first, link()):
        status, headers, body = fetch("GET", url)
        assert status == 200 and body == data and headers["Content-Type"] == "image/png", (status, headers)
        assert headers["Cache-Control"] == "private, max-age=86400, immutable" and len(headers.get_all("X-Request-Id")) == 1, headers
        ids.add(headers["X-Request-Id"])
    assert len(ids) == 3, "each answer has its own id"
    status, headers, body = fetch("GET", first, headers={"Range": "bytes=10-19"})
    assert status == 206 and body == data[10:20], (status, headers)
    with Session(os.environ["DATABASE_URL"]) as db:
        number = db.number(f"SELECT deck_id FROM decks WHERE public_id = '{deck}'")
        place = f"/internal/deck-media/{number}-{hashlib.sha256(data).hexdigest()}"
        # The database has lost them; nginx has not.
        db.ask(f"UPDATE decks_media SET blob_id = -1 WHERE deck_id = {number}")
        assert fetch("GET", first)[2] == data
        assert ask("GET", place).status == 404, "nobody gets there without a link"
        db.ask(f"DELETE FROM decks_media WHERE deck_id = {number}")
        assert fetch("GET", first)[0] == 404, "a file that the deck no longer has is gone"


def s33_media_in_the_request():
    person, deck = free_deck()
    data = b"a sound"
    sha = hashlib.sha256(data).hexdigest()
    inline = {"file_name": "y.mp3", "file_hash": sha, "content_base64": base64.b64encode(data).decode()}
    assert person.call("sync-media", {"deck_id": deck, "action": "upload", "files": [inline]})["files_uploaded"] == 1
    person.call("sync-media", {"deck_id": deck, "action": "upload", **{**inline, "file_hash": "0" * 64}}, 400)
    someone = Person()
    someone.call("sync-media", {"deck_id": deck, "action": "upload", "files": [inline]}, 403)
    checked = someone.call("sync-media", {"deck_id": deck, "action": "check", "file_hashes": ["0" * 64]})
    assert checked["missing_files"] == ["0" * 64] and [one["file_hash"] for one in checked["files_to_download"]] == [sha]
    checked = someone.call("sync-media", {"deck_id": deck, "action": "check", "file_hashes": [sha]})
    assert checked["missing_files"] == checked["files_to_download"] == []
    assert someone.call("sync-media", {"deck_id": deck, "action": "upload"})["files_uploaded"] == 0


def s34_note_types():
    person, deck = free_deck()
    kind = {"name": "Two sides", "fields": ["Front", {"name": "Back"}], "css": ".card{}", "type": "standard",
            "templates": [{"name": "Card 1", "qfmt": "{{Front}}", "afmt": "{{FrontSide}}{{Back}}"}]}
    push = {"deck_id": deck, "action": "push"}
    assert person.call("sync-note-types", {**push, "note_types": [kind]})["types_updated"] == 1
    assert person.call("sync-note-types", {**push, "note_types": [kind]})["types_updated"] == 0
    for bad in ({**kind, "templates": []}, {**kind, "fields": []}, {**kind, "name": ""},
                {**kind, "templates": [{"name": "Card 1", "qfmt": "{{Nothing}}", "afmt": ""}]}, {**kind, "css": 7}):
        person.call("sync-note-types", {**push, "note_types": [bad]}, 400)
    # The name is the same in another case, and a field in use stays.
    person.call("sync-note-types", {**push, "note_types": [{**kind, "name": "BASIC", "fields": ["Front"],
                                                            "templates": [{"name": "c", "qfmt": "{{Front}}", "afmt": ""}]}]}, 400)
    got = Person().call("sync-note-types", {"deck_id": deck, "action": "get"})
    assert got["types_updated"] == 2
    found = {one["name"]: one for one in got["note_types"]}
    assert found["Two sides"] == {**kind, "fields": ["Front", "Back"]}, found
    assert found["Basic"]["fields"] == ["Front", "Back"] and found["Basic"]["templates"]


def s35_deleting_a_deck():
    person = new_owner()
    deck = deck_with(person)
    someone = Person()
    someone.download(deck)
    body = {"deck_id": deck}
    for confirm in ({}, {"confirm": "true"}, {"confirm": 1}, {"confirm": False}):
        assert person.call("delete-user-deck", {**body, **confirm}, 400)["code"] == "CONFIRMATION_REQUIRED"
    deleted = person.call("delete-user-deck", {**body, "confirm": True})
    assert deleted["deleted"]["cards_deleted"] == deleted["cards_deleted"] == 3
    assert deleted["deleted"]["subscribers_removed"] == deleted["subscribers_removed"] == 1
    assert person.call("delete-user-deck", {**body, "confirm": True}) == deleted
    assert someone.call("pull-changes", body, 404)["code"] == "DECK_NOT_FOUND"
    assert someone.call("browse-decks", {"category": "subscribed"})["decks"] == []
    assert person.call("get-my-decks")["created_decks_count"] == 0
    with Session(os.environ["DATABASE_URL"]) as db:
        number = db.number(f"SELECT deck_id FROM decks WHERE public_id = '{deck}'")
        until(lambda: db.number(f"SELECT count(*) FROM decks_changes WHERE deck_id = {number}") == 0, what="the job removes the rest")
    assert person.call("delete-user-deck", {**body, "confirm": True}) == deleted


def s36_an_import_in_batches():
    person = administrator()
    body = {"deck_title": f"Imported {secrets.token_hex(3)}", "version": "1.2", "clear_existing": False, "cards": cards(500), "version_notes": "first"}
    first = person.call("admin-import-deck", body)
    deck = first["deck_id"]
    assert first["cards_imported"] == 500 and isinstance(deck, str)
    for start, count in ((500, 500), (1000, 200)):
        more = {"deck_id": deck, "version": "1.2", "clear_existing": False, "cards": cards(count, start)}
        assert person.call("admin-import-deck", more)["cards_imported"] == count
    again = person.call("admin-import-deck", body)
    assert again["deck_id"] == deck and again["cards_added"] == 0 and again["total_cards"] == 1200
    log = person.call("get-changelog", {"deck_id": deck})["changelog"]
    assert [(one["version"], one["notes"], one["cards_added"]) for one in log] == [("1.2.0", "first", 1200)], log
    pushed = person.call("admin-push-changes", {"deck_id": deck, "version": "1.3", "changes": [
        {**one, "change_type": "modify", "deck_path": None} for one in [*cards(499), card("g00499", {"Front": "x", "Back": "y"}), card("fresh")]]})
    assert pushed["cards_added"] == 1 and pushed["cards_modified"] == 1 and pushed["new_version"] == "1.3.0", pushed
    field = person.call("admin-push-changes", {"deck_id": deck, "version": "1.3", "changes": [
        {"card_guid": "g00001", "field_name": "Back", "old_value": "", "new_value": "by field"}]})
    assert field["cards_modified"] == 1
    # Beginning anew with the same cards leaves no trace for those who pull.
    someone = Person()
    cursor = someone.download(deck)["latest_change_id"]
    same = [*cards(1), {**card("g00001"), "fields": {"Front": "front of g00001", "Back": "by field"}}, *cards(497, 2), card("g00499", {"Front": "x", "Back": "y"})]
    person.call("admin-import-deck", {"deck_id": deck, "version": "1.4", "clear_existing": True, "cards": same})
    person.call("admin-import-deck", {"deck_id": deck, "version": "1.4", "clear_existing": False, "cards": cards(500, 500)})
    person.call("admin-import-deck", {"deck_id": deck, "version": "1.4", "clear_existing": False, "cards": [*cards(200, 1000), card("fresh")]})
    pulled = someone.pull(deck, last_change_id=cursor)
    assert pulled["changes"] == [] and pulled["deck_version"] == "1.4.0", pulled["changes"][:3]
    for name, what in (("admin-push-changes", {"changes": [card("x")]}), ("admin-import-deck", {"cards": [card("x")]})):
        reader().call(name, {"deck_id": deck, "version": "9", **what}, 403)
    reader().call("admin-import-deck", {"deck_title": "A new one", "version": "1", "cards": [card("x")]}, 403)
    person.call("admin-import-deck", {"cards": [card("x")], "version": "1"}, 400)


def s37_browsing():
    person = administrator()
    word = secrets.token_hex(6)
    decks = [person.deck(f"Browsed {word} {n:02}") for n in range(30)]
    someone = Person()

    def browse(**more):
        return someone.call("browse-decks", {"action": "list", "category": "all", "page": 1, "limit": 20, "search": word, **more})

    first, second = browse(), browse(page=2)
    assert len(first["decks"]) == 20 and len(second["decks"]) == 10 and first["total"] == second["total"] == 30 and first["total_pages"] == 2
    assert {one["id"] for one in first["decks"] + second["decks"]} == set(decks)
    beyond = browse(page=3)
    assert beyond["decks"] == [] and beyond["total"] == 30
    assert browse(search=f"{word} 07".upper())["total"] == 1 and browse(search="%")["total"] == 0
    someone.call("browse-decks", {"category": "strange"}, 400)
    for deck in decks[:25]:
        someone.call("manage-subscription", {"action": "subscribe", "deck_id": deck})
    subscribed = browse(category="subscribed", search="")
    assert {one["id"] for one in subscribed["decks"]} == set(decks[:25]) and subscribed["total"] == 25
    admin("deck", "mark", decks[3], "--verified", "yes", "--featured", "yes")
    assert browse(category="featured")["decks"][0]["id"] == decks[3] and browse(category="featured")["decks"][0]["is_verified"] is True
    assert browse(category="community")["total"] == 29
    for deck in decks:
        person.call("delete-user-deck", {"deck_id": deck, "confirm": True})


def s38_updates_and_changelog():
    person, deck = free_deck()
    someone = Person()
    someone.download(deck)

    def update():
        found, = someone.call("check-updates")["decks"]
        return found

    assert update()["has_update"] is False
    person.push(deck, [card("g00000", {"Front": "n", "Back": "m"}), card("added")], version="1.1", version_notes="what is new")
    found = update()
    assert found["has_update"] is True and found["current_version"] == found["latest_version"] == "1.1.0" and found["synced_version"] == "1.0.1"
    assert found["update_type"] == "minor" and found["changelog_summary"] == "what is new"
    single = someone.call("check-updates", {"deck_id": deck, "current_version": "1.0.1"})
    assert single["has_updates"] is True and single["change_summary"] == {"cards_added": 1, "cards_modified": 1, "cards_deleted": 0}
    log = someone.call("get-changelog", {"deck_id": deck, "from_version": "1.0.1"})
    assert [one["version"] for one in log["changelog"]] == ["1.1.0"] and log["changelog"] == log["versions"]
    notices = someone.call("check-notifications", {"mark_as_read": True})
    assert notices["notifications"][0]["type"] == "deck_update" and notices["notifications"][0]["metadata"]["new_version"] == "1.1.0"
    # What is younger than a transaction that still runs somewhere stays unread: a release that it writes would look as old.
    until(lambda: someone.call("check-notifications", {"mark_as_read": True}) and someone.call("check-notifications")["unread_count"] == 0)
    someone.download(deck)
    assert update()["has_update"] is False


def s39_history_rollback_progress():
    person, deck = free_deck(0)
    someone = Person()
    versions = [{"Front": "f1", "Back": "b1"}, {"Front": "f1", "Back": "b2"}]
    for fields in versions:
        person.push(deck, [card("h", fields)])
    cursor = someone.download(deck)["latest_change_id"]
    history = someone.call("get-card-history", {"deck_id": deck, "card_guid": "h"})["history"]
    assert [one["new_values"] for one in history] == [{"Back": "b2"}, versions[0]], history
    assert [(one["version"], one["changes"]) for one in history] == [("1.0.2", {"Back": "b1"}), ("1.0.1", {"Front": "", "Back": ""})], history
    assert all(isinstance(one["changed_by"], str) and one["changed_at"] for one in history)
    soft = someone.call("rollback-card", {"deck_id": deck, "card_guid": "h", "target_version": "1.0.1"})
    assert soft["success"] is False and soft["code"] == "FORBIDDEN" and soft["message"] == soft["error"]
    assert person.download(deck)["version"] == "1.0.2"
    done = person.call("rollback-card", {"deck_id": deck, "card_guid": "h", "target_version": "1.0.1"})
    assert done["version"] == "1.0.3" and done["fields"] == versions[0], done
    assert [one["new_value"] for one in someone.pull(deck, last_change_id=cursor)["changes"]] == ["b1"]
    assert person.call("rollback-card", {"deck_id": deck, "card_guid": "h", "target_version": "1.0.1"})["version"] == "1.0.3"
    person.call("rollback-card", {"deck_id": deck, "card_guid": "h", "target_version": "0.0.9"}, 404)
    someone.call("get-card-history", {"deck_id": deck, "card_guid": "none"}, 404)
    person.push(deck, [card("h", {"Front": "f1", "More": "m"})])
    newest = someone.call("get-card-history", {"deck_id": deck, "card_guid": "h"})["history"][0]
    assert (newest["changes"], newest["new_values"]) == ({"More": "", "Back": "b1"}, {"More": "m", "Back": None}), newest
    unknown = "0d1f6b1e-0000-4000-8000-000000000000"
    values = {"total_cards_studied": 5, "retention_rate": 900, "study_time_minutes": 1.25, "odd": {"kept": True}}
    for form in ({"progress": [{"deck_id": deck, **values}, {"deck_id": unknown, **values}]}, {"deck_id": deck, "progress": values},
                 {"progress_data": [{"deck_id": deck, "progress": values}]}, {"progress": []}):
        answer = someone.call("sync-progress", form)
        assert answer["success"] is True and answer["synced_at"], answer
    with Session(os.environ["DATABASE_URL"]) as db:
        rows = db.ask(f"SELECT snapshot::json ->> 'retention_rate', snapshot::json ->> 'odd' FROM decks_progress p JOIN decks d USING (deck_id) "
                      f"WHERE d.public_id = '{deck}'")
    assert len(rows) == 1 and float(rows[0][0]) == 100.0 and rows[0][1] == '{"kept": true}', rows


def a_deck_rolls_back_to_the_recorded_hash():
    person, deck = free_deck(5)
    person.push(deck, [card("g00000", {"Front": "x", "Back": "y"}), card("new")], deleted_guids=["g00001"])
    person.call("sync-tags", {"deck_id": deck, "action": "push", "changes": [{"card_guid": "g00002", "tags": ["t"]}]})
    versions = [one["version"] for one in person.call("get-changelog", {"deck_id": deck})["changelog"]]
    assert versions == ["1.0.3", "1.0.2", "1.0.1"]
    for version in versions:
        check = person.call("verify-version", {"deck_id": deck, "target_version": version})
        assert check["matches"] is True, check
    first = person.call("verify-version", {"deck_id": deck, "target_version": "1.0.1"})
    back = person.call("rollback-deck", {"deck_id": deck, "target_version": "1.0.1"})
    assert back["version"] == "1.0.4" and back["cards_deleted"] == 1 and back["cards_added"] == 1 and back["cards_modified"] == 2, back
    now_is = person.call("verify-version", {"deck_id": deck, "target_version": "1.0.4"})
    assert now_is["content_hash"] == first["content_hash"] and now_is["matches"] is True
    person.call("verify-version", {"deck_id": deck, "target_version": "7"}, 404)
    reader().call("rollback-deck", {"deck_id": deck, "target_version": "1.0.1"}, 403)


def an_old_copy_does_not_undo_what_others_changed():
    person, deck = free_deck()
    someone = Person()
    someone.download(deck)
    suggestion = someone.call("submit-suggestion", {"deck_id": deck, "card_guid": "g00001", "field_name": "Back",
                                                    "current_value": "back of g00001", "suggested_value": "better"})["suggestion_id"]
    person.call("review-suggestion", {"suggestion_id": suggestion, "action": "accept"})
    pushed = person.push(deck, [cards(1)[0], card("g00001", {"Front": "edited here", "Back": "back of g00001"}), cards(3)[2]])
    assert pushed["fields_kept"] == 1 and pushed["stats"]["cards_modified"] == 1, pushed
    assert field_of(person.download(deck), "g00001", "Back") == "better"
    assert field_of(person.download(deck), "g00001", "Front") == "edited here"
    # After it has pulled, the same text is a decision.
    person.install(deck)
    assert person.push(deck, [card("g00001", {"Front": "edited here", "Back": "back of g00001"})])["stats"]["cards_modified"] == 1


def s40_rates_methods_and_bodies():
    person = Person()
    answers = [person.ask("manage-subscription", {"action": "get", "deck_id": "0d1f6b1e-0000-4000-8000-000000000000"}) for _ in range(70)]
    refused = [one for one in answers if one.status == 429]
    assert refused and all(one.status in (404, 429) for one in answers), answers[-1]
    for one in refused:
        check_refusal(one)
        assert one.headers["Retry-After"].isdigit() and 1 <= int(one.headers["Retry-After"]) <= 10, one.headers
    for method, path, status in (("GET", "/functions/v1/addon-get-my-decks", 405), ("POST", "/functions/v1/addon-nothing", 404),
                                 ("POST", "/addon-nothing", 404), ("GET", "/functions/v1/other", 404)):
        answer = ask(method, path, token=person.token)
        assert answer.status == status, (path, answer)
        check_refusal(answer)
    for path in ("/addon-get-my-decks", "/functions/v1/addon-get-my-decks/", "/addon-get-my-decks/", "//functions/v1//addon-get-my-decks"):
        assert ask("POST", path, {}, token=person.token).status == 200, path
    big = ask("POST", "/functions/v1/addon-get-my-decks", b"{" + b" " * 70_000 + b"}", token=person.token)
    assert big.status == 413, big
    check_refusal(big)
    for body, headers in ((b"{}", {"Content-Type": "text/plain"}), (b"{}", {"X-API-Version": "9"}), (b"", {}), (None, {})):
        assert ask("POST", "/functions/v1/addon-get-my-decks", body, token=person.token, headers=headers).status == 200
    assert ask("GET", "/functions/v1/addon-get-purchases", token=person.token).json["success"] is True
    # A body that is large needs a login before it is taken.
    large = ask("POST", "/functions/v1/addon-push-deck-cards", b"{" + b" " * 70_000 + b"}", token="nothing")
    assert large.status == 401, large
    check_refusal(large)


def a_subscription_is_managed():
    _, deck = free_deck()
    someone = Person()
    body = {"deck_id": deck}
    for _ in range(2):
        assert someone.call("manage-subscription", {**body, "action": "subscribe", "notify_updates": False})["subscribed"] is True
    got = someone.call("manage-subscription", {**body, "action": "get"})
    assert got["subscription"]["notify_updates"] is False and got["deck"]["subscriber_count"] == 1 and got["access"]["can_subscribe"] is True
    assert got["subscription"]["has_update"] is True
    assert someone.call("manage-subscription", {**body, "action": "update", "notify_updates": True})["subscription"]["notify_updates"] is True
    for _ in range(2):
        assert someone.call("manage-subscription", {**body, "action": "unsubscribe"})["subscribed"] is False
    assert someone.call("manage-subscription", {**body, "action": "get"})["subscription"] is None
    assert administrator().call("manage-subscription", {**body, "action": "unsubscribe"})["subscribed"] is False


def purchases_list_what_is_followed():
    _, deck = free_deck()
    someone = Person()
    someone.download(deck)
    got = someone.call("get-purchases")
    assert got["total_count"] == 1 and got["decks"] == got["purchases"] and got["decks"][0]["access_type"] == "deck_subscriber"
    found = got["decks"][0]
    assert found["id"] == found["deck_id"] == deck and found["name"] == found["title"] and found["version"] == found["current_version"]
    person = new_owner()
    own = person.deck()
    assert next(one for one in person.call("get-purchases")["decks"] if one["id"] == own)["access_type"] == "owner"


def the_owner_edits_fields_at_once():
    person, deck = free_deck()

    def push(**more):
        return person.call("push-changes", {"deck_id": deck, "changes": [
            {"card_guid": "g00000", "field_name": "Back", "new_value": "n", **more}]})

    done = push(old_value="back of g00000")
    assert done["status"] == "applied" and done["changes_pushed"] == done["changes_saved"] == done["changes_accepted"] == 1
    assert done["version"] == "1.0.2" and done["conflicts"] == done["skipped"] == []
    again = push(old_value="back of g00000")
    assert again["changes_pushed"] == 0 and again["skipped"] == [{"index": 0, "reason": "no change"}] and again["version"] == "1.0.2"
    conflict = push(old_value="back of g00000", new_value="other")
    assert conflict["changes_pushed"] == 0 and conflict["conflicts"][0]["server_value"] == "n" and conflict["version"] == "1.0.2"
    for edit, reason in (({"card_guid": "none", "field_name": "Back", "new_value": "x"}, "no such card"),
                         ({"card_guid": "g00000", "field_name": "None", "new_value": "x"}, "no such field")):
        skipped = person.call("push-changes", {"deck_id": deck, "changes": [edit]})["skipped"]
        assert skipped == [{"index": 0, "reason": reason}]
    person.call("push-changes", {"deck_id": deck, "changes": [{"field_name": "Back"}]}, 400)
    person.call("push-changes", {"deck_id": deck}, 400)
    assert person.call("push-changes", {"deck_id": deck, "changes": []})["changes_pushed"] == 0


def a_session_ends_at_logout():
    person = Person()
    assert person.call("me")["user"]["max_decks_allowed"] == 0
    person.call("logout")
    assert person.ask("me").status == 401


def edit(guid="g00000", field="Back", **more):
    return {"card_guid": guid, "field_name": field, **more}


def values_that_are_no_texts_are_refused_everywhere():
    person, deck = free_deck()
    someone = Person()
    someone.download(deck)
    for value in (["x"], {}, {"a": 1}):
        for change in (edit(new_value=value), card("g00001", {"Front": value, "Back": "b"})):
            person.call("admin-push-changes", {"deck_id": deck, "changes": [change]}, 400)
        person.push(deck, [card("g00001", {"Front": value, "Back": "b"})], 400)
        for who in (person, someone):
            who.call("push-changes", {"deck_id": deck, "changes": [edit(old_value=value, new_value="y")]}, 400)
            who.call("push-changes", {"deck_id": deck, "changes": [edit(old_value="back of g00000", new_value=value)]}, 400)
    assert someone.call("my-suggestions")["total"] == person.call("list-suggestions", {"deck_id": deck})["total"] == 0
    assert field_of(person.download(deck), "g00000", "Back") == "back of g00000"


def a_reader_may_leave_a_deck_that_was_hidden():
    person, deck = free_deck()
    someone, stranger = Person(), Person()
    someone.download(deck)
    person.call("update-deck", {"deck_id": deck, "is_public": False})
    for _ in range(2):
        left = someone.call("manage-subscription", {"deck_id": deck, "action": "unsubscribe"})
        assert left["subscribed"] is False and left["subscription"] is None, left
    assert "title" not in stranger.call("manage-subscription", {"deck_id": deck, "action": "unsubscribe"})["deck"]
    assert someone.ask("download-deck", {"deck_id": deck}).status == 403
    someone.call("manage-subscription", {"deck_id": "0d1f6b1e-0000-4000-8000-000000000000", "action": "unsubscribe"}, 404)
    with Session(os.environ["DATABASE_URL"]) as db:
        assert db.number(f"SELECT subscriber_count FROM decks WHERE public_id = '{deck}'") == 0


MIB = 1 << 20


def cards_and_pages_are_bounded_by_bytes():
    person, deck = free_deck(0)
    for fields in ({"Front": "x" * MIB}, {"Front": "x" * (MIB // 2), "Back": "y" * (MIB // 2)}):
        person.push(deck, [card("big", fields)], 400)
    half = MIB // 2 - 100
    person.push(deck, [card("a", {"Front": "x" * half, "Back": "y" * half}), card("b", {"Front": "x" * half, "Back": ""})])
    for name in ("push-changes", "admin-push-changes"):
        answer = person.call(name, {"deck_id": deck, "changes": [edit("a", new_value="y" * (MIB - 100))]}, 400)
        assert answer["code"] == "CARD_TOO_LARGE", answer
    big = [card(f"m{n:02}", {"Front": f"{n:02}" + "x" * (MIB - 100)}) for n in range(40)]
    person.push(deck, big[:20])
    person.push(deck, big[20:])
    someone = Person()
    someone.call("manage-subscription", {"deck_id": deck, "action": "subscribe"})
    seen, cursor, pages = [], None, 0
    while True:
        page = someone.pull(deck, **({"last_change_id": cursor} if cursor else {}))
        assert len(json.dumps(page["changes"])) < 20 * MIB
        seen += [one["card_guid"] for one in page["changes"]]
        pages, cursor = pages + 1, page["latest_change_id"]
        if not page["has_more"]:
            break
    assert pages > 2 and sorted(set(seen)) == sorted(["a", "b", *(one["card_guid"] for one in big)]) and len(seen) == 44, (pages, len(seen))
    whole = someone.download(deck)
    assert [one["guid"] for one in whole["cards"]] == ["a", "b", *(one["card_guid"] for one in big)]
    paged = someone.call("pull-changes", {"deck_id": deck, "full_sync": True, "offset": 0, "limit": 30})
    assert len(paged["cards"]) == 30 and paged["has_more"] is True
    assert fetch("GET", whole["download_url"])[0] == 200


def suggestions_are_bounded():
    person, deck = free_deck(50)
    someone, other = Person(), Person()

    def suggest(who, value, first=0, count=50, **more):
        return who.call("push-changes", {"deck_id": deck, "changes": [edit(f"g{n:05}", new_value=f"{n}{value}", **more)
                                                                      for n in range(first, first + count)]})

    long = suggest(someone, "x" * 100_000, count=1)
    assert long["changes_saved"] == 0 and long["skipped"] == [{"index": 0, "reason": "the value is too long"}], long
    assert suggest(other, "short", count=1, old_value="x" * 100_001)["changes_saved"] == 1, "what was there may be longer"
    for number in range(4):
        assert suggest(someone, str(number) + "x" * 75_000)["changes_saved"] == 50
    body = {"deck_id": deck, "changes": [edit(f"g{n:05}", new_value="y" * 75_000) for n in range(50)]}
    refused = someone.call("push-changes", body, 400)
    assert refused["code"] == "TOO_MANY_SUGGESTIONS", refused
    assert someone.call("my-suggestions")["total"] == 200
    assert suggest(someone, "0" + "x" * 75_000)["changes_saved"] == 50, "a repeated call adds nothing"
    assert suggest(other, "of somebody else")["changes_saved"] == 50


def a_text_that_is_too_long_to_suggest_can_be_shortened():
    person, deck = free_deck(0)
    someone = Person()
    old = "ж" * 500_000
    person.push(deck, [card("long", {"Front": "f", "Back": old})])
    body = {"deck_id": deck, "card_guid": "long", "field_name": "Back", "current_value": old, "suggested_value": "short"}
    suggested = someone.call("submit-suggestion", body)
    assert suggested["stale"] is False and someone.call("submit-suggestion", body)["suggestion_id"] == suggested["suggestion_id"]
    pushed = Person().call("push-changes", {"deck_id": deck, "changes": [edit("long", old_value=old, new_value="shorter")]})
    assert pushed["changes_saved"] == 1, pushed
    shown = person.call("list-suggestions", {"deck_id": deck})["suggestions"]
    assert [one["current_value"] == old and one["base_value"] == old and not one["is_stale"] for one in shown] == [True, True]
    someone.call("submit-suggestion", {**body, "suggested_value": "x" * 100_001}, 400)
    someone.call("submit-suggestion", {**body, "current_value": "x" * 1_100_000}, 400)
    person.call("review-suggestion", {"suggestion_id": suggested["suggestion_id"], "action": "accept"})
    assert field_of(person.download(deck), "long", "Back") == "short"


def whoever_comes_back_is_counted_again():
    person, deck = free_deck()
    pulls, downloads, pages, maintains = (Person() for _ in range(4))
    for who in (pulls, downloads, pages, maintains):
        cursor = who.download(deck)["latest_change_id"]
    person.make_maintainer(deck, maintains)

    def followers():
        return person.call("get-deck", {"deck_id": deck})["deck"]["subscriber_count"]

    assert followers() == 4
    with Session(os.environ["DATABASE_URL"]) as db:
        db.ask(f"UPDATE decks_subscriptions SET last_call_at = now() - interval '200 days' WHERE deck_id = (SELECT deck_id FROM decks WHERE public_id = '{deck}')")
        run_upkeep(db)
        until(lambda: followers() == 0)
    pulls.pull(deck, last_change_id=cursor)
    assert followers() == 1
    downloads.download(deck)
    assert followers() == 2
    pages.call("pull-changes", {"deck_id": deck, "full_sync": True, "offset": 0, "limit": 1})
    assert followers() == 3
    maintains.pull(deck, last_change_id=cursor)
    assert followers() == 4
    pulls.pull(deck, last_change_id=cursor)
    assert followers() == 4


def one_deck_is_found_by_its_id():
    person, deck = free_deck(2)
    reader, maintainer, stranger = Person(), Person(), Person()
    reader.call("manage-subscription", {"deck_id": deck, "action": "subscribe"})
    person.make_maintainer(deck, maintainer)
    listed, = (one for one in reader.call("browse-decks", {"category": "subscribed"})["decks"] if one["id"] == deck)
    assert reader.call("get-deck", {"deck_id": deck})["deck"] == {**listed, "may_edit": False}
    assert [who.call("get-deck", {"deck_id": deck})["deck"]["may_edit"] for who in (person, maintainer)] == [True, True]
    person.call("update-deck", {"deck_id": deck, "is_public": False})
    assert stranger.call("get-deck", {"deck_id": deck}, 403)["code"] == "NO_ACCESS"
    assert reader.call("get-deck", {"deck_id": deck})["deck"]["is_public"] is False
    assert reader.call("get-deck", {"deck_id": str(uuid.uuid4())}, 404)["code"] == "DECK_NOT_FOUND"
    reader.call("get-deck", {}, 400)
    person.call("delete-user-deck", {"deck_id": deck, "confirm": True})
    person.call("get-deck", {"deck_id": deck}, 404)


def a_repeated_suggestion_is_told_once():
    person, deck = free_deck()
    someone = Person()
    body = {"deck_id": deck, "changes": [edit("g00001", new_value="one"), edit("g00002", new_value="two")]}
    first = someone.call("push-changes", body)
    for _ in range(3):
        assert someone.call("push-changes", body)["suggestion_ids"] == first["suggestion_ids"]
    mixed = {"deck_id": deck, "changes": [edit("g00000", new_value="three"), *body["changes"], edit("g00000", new_value="three")]}
    ids = someone.call("push-changes", mixed)["suggestion_ids"]
    assert ids[1:3] == first["suggestion_ids"] and len(set(ids)) == 3, ids
    told = [one for one in person.call("check-notifications", {"limit": 100})["notifications"]
            if one["type"] == "suggestion_received" and one["deck_id"] == deck]
    assert [one["message"] for one in told] == ["1 change was suggested.", "2 changes were suggested."], told


def a_note_type_has_at_most_two_hundred_fields():
    person, deck = free_deck(0)
    person.push(deck, [card("a", {f"f{n}": "x" for n in range(150)})])
    answer = person.push(deck, [card("b", {f"g{n}": "x" for n in range(51)})], 400)
    assert answer["code"] == "TOO_MANY_FIELDS", answer
    person.push(deck, [card("b", {f"g{n}": "x" for n in range(50)})])


def large_deck():
    """A deck of 10,000 cards, the same for all tests that need one."""
    if "large" not in _people:
        person, deck = free_deck(0)
        for first in range(0, 10_000, 2000):
            person.call("admin-push-changes", {"deck_id": deck, "version": "2", "changes": cards(2000, first)})
        _people["large"] = person, deck
    return _people["large"]


def many_states_are_pushed_again_as_fast():
    person, deck = large_deck()
    states = [{"card_guid": f"g{n:05}", "is_suspended": True, "updated_at": "2026-01-01T00:00:00Z"} for n in range(10_000)]
    body = {"deck_id": deck, "action": "push", "changes": states}
    assert person.call("sync-suspend-state", body)["cards_updated"] == 10_000
    assert person.call("sync-suspend-state", body)["cards_updated"] == 0
    other = {**body, "changes": [{"card_guid": "g00000", "is_buried": True}]}
    assert person.call("sync-suspend-state", other)["cards_updated"] == 1
    states = person.call("sync-suspend-state", {"deck_id": deck, "action": "pull"})["states"]
    assert states[0]["is_suspended"] is True and states[0]["is_buried"] is True and len(states) == 10_000


def a_field_that_was_removed_is_emptied():
    person, deck = free_deck(0)
    person.push(deck, [card("n", {"Front": "f", "Back": "b", "Extra": "secret"})])
    someone = Person()
    cursor = someone.download(deck)["latest_change_id"]
    person.push(deck, [card("n", {"Front": "f", "Back": "b"})])
    entry, = someone.pull(deck, last_change_id=cursor)["changes"]
    assert (entry["field_name"], entry["old_value"], entry["new_value"]) == ("Extra", "secret", ""), entry
    # Whoever never had it is told nothing of it.
    late = Person()
    late.call("manage-subscription", {"deck_id": deck, "action": "subscribe"})
    assert {one["field_name"] for one in late.pull(deck)["changes"]} == {"Front", "Back"}


def a_pending_edit_hides_no_change_from_another_computer():
    person, deck = free_deck()
    one = Person()
    cursor = one.download(deck)["latest_change_id"]
    two = one.again()
    two.download(deck)
    person.push(deck, [card("g00000", {"Front": "front of g00000", "Back": "v1"})])
    at_v1 = one.pull(deck, last_change_id=cursor)["latest_change_id"]
    one.pull(deck, last_change_id=at_v1)
    one.call("push-changes", {"deck_id": deck, "changes": [edit(old_value="v1", new_value="X")]})
    assert [change["new_value"] for change in two.pull(deck, last_change_id=cursor)["changes"]] == ["v1"]
    assert one.pull(deck, last_change_id=cursor)["changes"] == [], "this computer has it"
    # A conflict was shown: the value of before is a change like all others.
    person.push(deck, [card("g00000", {"Front": "front of g00000", "Back": "v2"})])
    met = one.pull(deck, last_change_id=at_v1)
    assert [c["server_value"] for c in met["conflicts"]] == ["v2"]
    person.push(deck, [card("g00000", {"Front": "front of g00000", "Back": "v1"})])
    back = one.pull(deck, last_change_id=met["latest_change_id"])
    assert [change["new_value"] for change in back["changes"]] == ["v1"], back


def an_import_that_begins_anew_keeps_suggestions():
    person, deck = free_deck(4)
    someone = Person()
    made = someone.call("push-changes", {"deck_id": deck, "changes": [edit(f"g{n:05}", new_value=f"better {n}") for n in range(4)]})
    person.call("admin-import-deck", {"deck_id": deck, "version": "2", "clear_existing": True, "cards": cards(2)})
    gone = person.call("review-suggestion", {"suggestion_id": made["suggestion_ids"][3], "action": "accept"}, 409)
    assert gone["code"] == "SUGGESTION_CARD_GONE"
    person.call("admin-import-deck", {"deck_id": deck, "version": "2", "clear_existing": False, "cards": cards(2, 2)})
    queue = person.call("list-suggestions", {"deck_id": deck})
    assert queue["total"] == 4 and not any(one["is_stale"] for one in queue["suggestions"]), queue
    person.call("review-suggestion", {"suggestion_id": made["suggestion_ids"][3], "action": "accept"})


def a_place_is_noted_with_the_last_page():
    person, deck = free_deck(3)
    someone = Person()
    someone.call("manage-subscription", {"deck_id": deck, "action": "subscribe"})
    page = someone.call("pull-changes", {"deck_id": deck, "full_sync": True, "offset": 0, "limit": 2})
    assert page["has_more"] is True
    local = (now() + datetime.timedelta(hours=5)).replace(tzinfo=None).isoformat()
    assert len(someone.pull(deck, since=local)["changes"]) == 6, "the other pages never came"
    assert len(someone.pull(deck)["changes"]) == 6
    # What is changed between the pages comes with the next pull.
    person.push(deck, [card("g00000", {"Front": "between", "Back": "back of g00000"})])
    assert someone.call("pull-changes", {"deck_id": deck, "full_sync": True, "offset": page["next_offset"]})["has_more"] is False
    assert [one["new_value"] for one in someone.pull(deck, since=local)["changes"]] == ["between"]


def a_cleared_card_comes_whole_to_those_who_never_had_it():
    person, deck = free_deck(3)
    before = Person()
    early = before.download(deck)["latest_change_id"]
    person.call("admin-import-deck", {"deck_id": deck, "version": "2", "clear_existing": True, "cards": cards(2)})
    between = Person()
    cursor = between.download(deck)["latest_change_id"]
    person.push(deck, [card("g00002", {"Front": "front of g00002", "Back": "new"})])
    changes = between.pull(deck, last_change_id=cursor)["changes"]
    assert sorted((one["change_type"], one["field_name"], one["new_value"]) for one in changes) == [
        ("add", "Back", "new"), ("add", "Front", "front of g00002")], changes
    changes = before.pull(deck, last_change_id=early)["changes"]
    assert [(one["change_type"], one["field_name"], one["new_value"]) for one in changes] == [("modify", "Back", "new")], changes


def an_edit_beside_a_whole_card_is_made_on_it():
    person, deck = free_deck()
    whole = card("g00000", {"Front": "pushed", "Back": "pushed"})
    for changes in ([whole, edit(new_value="edited")], [edit(new_value="edited too"), whole]):
        person.call("admin-push-changes", {"deck_id": deck, "changes": changes})
        got = person.download(deck)
        assert field_of(got, "g00000", "Front") == "pushed" and field_of(got, "g00000", "Back").startswith("edited"), got["cards"][0]


def ids_of_decks_that_are_gone_are_not_found():
    person, deck = free_deck()
    someone = Person()
    made = someone.call("push-changes", {"deck_id": deck, "changes": [edit(new_value="x")]})["suggestion_ids"]
    links = someone.call("batch-download", {"deck_ids": [deck]})["downloads"]
    upload = person.call("sync-media", {"deck_id": deck, "file_name": "x.png", "file_hash": hashlib.sha256(b"x").hexdigest(),
                                        "action": "get_upload_url", "size": 1})
    with Session(os.environ["DATABASE_URL"]) as db:
        db.ask(f"DELETE FROM decks WHERE public_id = '{deck}'")
    for who, name, more in ((person, "review-suggestion", {"action": "reject"}), (someone, "withdraw-suggestion", {})):
        assert who.call(name, {"suggestion_ids": made, **more}, 404)["code"] == "SUGGESTION_NOT_FOUND"
    assert fetch("GET", links[0]["download_url"])[0] == 404
    assert fetch("PUT", upload["upload_url"], b"x")[0] == 404


def links_end_with_access():
    person, deck = free_deck()
    someone, maintainer = Person(), Person()
    person.make_maintainer(deck, maintainer)
    url = someone.call("batch-download", {"deck_ids": [deck]})["downloads"][0]["download_url"]
    upload = maintainer.call("sync-media", {"deck_id": deck, "file_name": "x.png", "file_hash": hashlib.sha256(b"x").hexdigest(),
                                            "action": "get_upload_url", "size": 1})["upload_url"]
    own = person.call("batch-download", {"deck_ids": [deck]})["downloads"][0]["download_url"]
    assert fetch("GET", url)[0] == fetch("PUT", upload, b"x")[0] == 200
    person.call("update-deck", {"deck_id": deck, "is_public": False})
    person.call("manage-members", {"deck_id": deck, "action": "remove", "user": maintainer.name})
    assert fetch("GET", url)[0] == 403 and fetch("GET", own)[0] == 200
    assert fetch("PUT", upload, b"x")[0] == 403


def few_packages_are_made_at_once():
    person, deck = free_deck(1)
    data = secrets.token_bytes(9 << 20)
    media = {"deck_id": deck, "file_name": "x.png", "file_hash": hashlib.sha256(data).hexdigest()}
    upload = person.call("sync-media", {**media, "action": "get_upload_url", "size": len(data)})["upload_url"]
    assert fetch("PUT", upload, data)[0] == 200
    person.call("sync-media", {**media, "action": "confirm_upload"})
    url = person.call("batch-download", {"deck_ids": [deck]})["downloads"][0]["download_url"]
    parts = urllib.parse.urlsplit(url)
    with contextlib.ExitStack() as stack:
        def held(source):
            """The status of a download that is not read on. From 127.0.0.1 it counts for no network."""
            one = stack.enter_context(socket.socket())
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.settimeout(60)
            one.bind((source, 0))
            one.connect((parts.hostname, parts.port))
            one.sendall(f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
            return int(one.recv(12).split()[1])

        seen = [held("127.0.0.2") for _ in range(5)]
        assert seen == [200] * 4 + [429], seen
        seen = [held("127.0.0.1") for _ in range(5)]
        assert seen == [200] * 4 + [429], seen
    until(lambda: fetch("GET", url)[0] == 200)


def no_link_to_a_file_is_in_the_log_of_nginx():
    _, deck = free_deck(1)
    url = reader().call("batch-download", {"deck_ids": [deck]})["downloads"][0]["download_url"]
    log = pathlib.Path(os.environ["SYNCLINE_DIR"], "log", "access.log")
    before = log.stat().st_size
    paths = [urllib.parse.urlsplit(url).path, "/deck-media/of-no-file", "/deck-uploads/of-no-file"]
    for path in paths:
        is_upload = path.startswith("/deck-uploads/")
        fetch("PUT" if is_upload else "GET", urllib.parse.urljoin(url, path), b"x" if is_upload else None)

    def lines():
        with log.open() as file:
            file.seek(before)
            return file.read()

    until(lambda: all(f"path=/deck-{kind}/- " in lines() for kind in ("files", "media", "uploads")))
    assert not [path for path in paths if path in lines()]


def suggestions_show_nothing_of_a_deck_that_was_hidden():
    person, deck = free_deck()
    someone = Person()
    someone.call("push-changes", {"deck_id": deck, "changes": [edit(old_value="back of g00000", new_value="mine")]})
    assert someone.call("my-suggestions")["suggestions"][0]["current_value"] == "back of g00000"
    someone.call("manage-subscription", {"deck_id": deck, "action": "unsubscribe"})
    person.call("update-deck", {"deck_id": deck, "is_public": False})
    shown, = someone.call("my-suggestions")["suggestions"]
    assert shown["current_value"] is None and shown["suggested_value"] == "mine", shown


def a_decided_suggestion_is_not_withdrawn():
    person, deck = free_deck()
    someone = Person()
    ids = someone.call("push-changes", {"deck_id": deck, "changes": [edit(f"g{n:05}", new_value="x") for n in range(2)]})["suggestion_ids"]
    person.call("review-suggestion", {"suggestion_id": ids[0], "action": "accept"})
    assert someone.call("withdraw-suggestion", {"suggestion_id": ids[0]}, 409)["code"] == "SUGGESTION_DECIDED_BEFORE"
    for _ in range(2):
        assert someone.call("withdraw-suggestion", {"suggestion_ids": ids})["withdrawn"] == 1


def a_removed_maintainer_does_not_go_on_reading_a_private_deck():
    person = Person(collection=True)
    deck, public = person.deck("A private deck", is_public=False), person.deck("A public deck")
    maintainer, leaver = Person(), Person()
    for one in (deck, public):
        person.push(one, cards(1))
        for who in (maintainer, leaver):
            person.make_maintainer(one, who)
            who.call("manage-subscription", {"action": "subscribe", "deck_id": one})
        person.call("manage-members", {"deck_id": one, "action": "remove", "user": maintainer.name})
        leaver.call("manage-members", {"deck_id": one, "action": "remove", "user": leaver.name})
    maintainer.call("download-deck", {"deck_id": deck}, 403)
    assert maintainer.download(public)["cards"]
    # Who leaves of their own accord is a subscriber as any other.
    assert leaver.download(deck)["cards"]
    counts = {one["id"]: one["subscriber_count"] for one in person.call("get-my-decks")["decks"]}
    assert (counts[deck], counts[public]) == (1, 2), counts


def a_long_history_is_shown_in_part():
    person = Person(collection=True)
    deck = person.deck("Long texts")
    for n in range(7):
        person.push(deck, [card("g", {"Front": f"{n}" + "x" * 900_000, "Back": "b"})])
    shown = person.call("get-card-history", {"deck_id": deck, "card_guid": "g", "limit": 100})
    assert shown["has_more"] is True and 3 <= len(shown["history"]) < 7, len(shown["history"])
    assert [one["new_values"]["Front"][0] for one in shown["history"]] == list("6543210")[:len(shown["history"])]
    assert [one["changes"]["Front"][0] for one in shown["history"]] == list("543210")[:len(shown["history"])]
    few = person.call("get-card-history", {"deck_id": deck, "card_guid": "g", "limit": 2})
    assert few["has_more"] is True and len(few["history"]) == 2


def a_deleted_deck_takes_its_invitations_along():
    person, asked = Person(collection=True), Person()
    for _ in range(2):
        deck = person.deck("Come here")
        person.call("manage-members", {"deck_id": deck, "action": "add", "user": asked.name})
        assert [one["deck_id"] for one in asked.call("check-notifications")["notifications"]] == [deck]
        person.call("delete-user-deck", {"deck_id": deck, "confirm": True})
    assert asked.call("check-notifications")["notifications"] == []


def a_maintainer_may_leave():
    person, deck = free_deck()
    maintainer, other = Person(), Person()
    for one in (maintainer, other):
        person.make_maintainer(deck, one)
    maintainer.call("manage-members", {"deck_id": deck, "action": "remove", "user": other.name}, 403)
    for wrong in ("x", person.call("me")["user"]["id"]):
        person.call("manage-members", {"deck_id": deck, "action": "remove", "user_id": wrong}, 404)
    third = Person()
    person.make_maintainer(deck, third)
    listed = person.call("manage-members", {"deck_id": deck})["maintainers"]
    gone = next(one["id"] for one in listed if one["name"] == third.name)
    person.call("manage-members", {"deck_id": deck, "action": "add", "user_id": gone}, 400)
    person.call("manage-members", {"deck_id": deck, "action": "remove", "user_id": gone})
    third.push(deck, cards(1), 403)
    left = maintainer.call("manage-members", {"deck_id": deck, "action": "remove", "user": maintainer.name.upper()})
    assert [one["name"] for one in left["maintainers"]] == [other.name], left
    maintainer.push(deck, cards(1), 403)


def the_last_version_of_all_can_be_followed():
    person, deck = free_deck()
    person.push(deck, cards(1), 400, version="999999.999999.999999")
    person.push(deck, cards(4), version="999998.999999.999999")
    assert person.push(deck, cards(5))["version"] == "999999.0.0"


def a_plan_lasts_to_the_end_of_its_last_day():
    person = Person()
    today = now().date()
    admin("plan", "give", person.name, "premium", "--until", today.isoformat())
    assert person.call("me")["user"]["subscription_tier"] == "premium" and person.deck()


def a_new_login_does_not_undo_what_was_accepted():
    person, deck = free_deck()
    someone = Person()
    suggestion = someone.call("push-changes", {"deck_id": deck, "changes": [edit("g00001", new_value="better")]})["suggestion_ids"][0]
    person.call("review-suggestion", {"suggestion_id": suggestion, "action": "accept"})
    later = person.again()
    copy = [card("g00000", {"Front": "edited", "Back": "back of g00000"}), *cards(3)[1:]]
    # In batches, and again: a push of an old copy is no sign of a new one.
    for batch in (copy[:1], copy[1:], copy):
        pushed = later.push(deck, batch)
        assert pushed["fields_kept"] == (len(batch) > 1), pushed
    got = someone.download(deck)
    assert field_of(got, "g00001", "Back") == "better" and field_of(got, "g00000", "Front") == "edited"
    # Whoever has looked decides.
    later.install(deck)
    assert later.push(deck, copy)["cards_modified"] == 1


def a_whole_old_copy_undoes_nothing():
    person, deck = free_deck(0)
    person.push(deck, copy := [card("g0", tags=["a", "old"], subdeck_path="One"), card("g1"), card("g2"), card("g3")])
    other = Person()
    person.make_maintainer(deck, other)
    other.download(deck)
    other.push(deck, [card("g0", tags=["a", "b"], subdeck_path="Two"), card("g1", {**card("g1")["fields"], "Extra": "more"}), card("new")],
               deleted_guids=["g2", "g3"])
    copy[0]["tags"] = ["a", "old", "mine"]
    copy[3]["fields"] = {"Front": "edited here", "Back": "back of g3"}
    pushed = person.push(deck, copy, delete_missing=True)
    whole = person.call("pull-changes", {"deck_id": deck, "full_sync": True})
    got = {one["guid"]: one for one in whole["cards"]}
    assert sorted(got) == ["g0", "g1", "g3", "new"] and pushed["cards_processed"] == 4, (sorted(got), pushed)
    assert got["g0"]["tags"] == ["a", "b", "mine"] and got["g0"]["subdeck_path"].endswith("Two"), got["g0"]
    assert got["g1"]["fields"]["Extra"] == "more" and got["g3"]["fields"]["Front"] == "edited here"
    # It has looked: now the same push is meant.
    person.pull(deck, last_change_id=whole["latest_change_id"])
    person.push(deck, copy, delete_missing=True)
    got = {one["guid"]: one for one in person.download(deck)["cards"]}
    assert sorted(got) == ["g0", "g1", "g2", "g3"] and got["g0"]["tags"] == copy[0]["tags"] and "Extra" not in got["g1"]["fields"], got


def a_download_that_does_not_arrive_lets_no_old_copy_undo_anything():
    for way in ({}, {"full_sync": True}):
        person, deck = free_deck()
        old_copy = [card(f"g0000{n}", tags=[]) for n in range(3)]
        other = Person()
        person.make_maintainer(deck, other)
        cursor = other.install(deck)["latest_change_id"]
        edited = card("g00001", {"Front": "edited", "Back": "back of g00001"}, tags=["t"])
        person.push(deck, [edited])
        sent = other.call("pull-changes" if way else "download-deck", {"deck_id": deck, **way})
        assert other.push(deck, old_copy)["fields_kept"] >= 1, "what was sent is not what arrived"
        other.pull(deck, last_change_id=cursor)
        assert other.push(deck, old_copy)["fields_kept"] >= 1, "it goes on with the copy from before"
        got = {one["guid"]: one for one in person.download(deck)["cards"]}["g00001"]
        assert got["fields"]["Front"] == "edited" and got["tags"] == ["t"], got
        # The download is confirmed only by a place that is not before it.
        other.pull(deck, last_change_id=sent["latest_change_id"])
        assert other.push(deck, old_copy)["fields_kept"] == 1, "tags came with no pull"
        assert other.install(deck)["cards"] and other.push(deck, old_copy)["cards_modified"] == 1


def a_second_computer_does_not_undo_the_first():
    person, deck = free_deck()
    two = person.again()
    two.download(deck)
    person.push(deck, [card("g00001", {"Front": "one", "Back": "back of g00001"})])
    assert two.push(deck, cards(3))["fields_kept"] == 1
    # The first computer takes its own change back.
    assert person.push(deck, cards(3))["cards_modified"] == 1
    person.call("push-changes", {"deck_id": deck, "changes": [edit(new_value="edited")]})
    assert person.push(deck, cards(3))["cards_modified"] == 1


def a_finished_version_keeps_its_history():
    person, deck = free_deck()
    other = Person()
    person.make_maintainer(deck, other)
    other.download(deck)

    def push(who, value, version):
        return who.push(deck, [card("g00000", {"Front": value, "Back": "b"})], version=version)["version"]

    def later():
        with Session(os.environ["DATABASE_URL"]) as db:
            db.ask("UPDATE decks_releases SET changed_at = now() - interval '16 minutes' WHERE deck_id = (SELECT deck_id FROM decks "
                   f"WHERE public_id = '{deck}')")

    assert [push(person, "one", "2"), push(person, "two", "2")] == ["2.0.0", "2.0.0"], "batches of one version"
    assert [push(other, "garbage", "2"), push(other, "more of it", "2")] == ["2.0.1", "2.0.1"]
    person.push(deck, cards(1), 400, version="1.9")
    later()
    person.download(deck)
    # A box that always says the same.
    assert [push(person, "three", "2"), push(person, "four", "2")] == ["2.0.2", "2.0.2"]
    later()
    assert push(person, "four", "2") == "2.0.2", "nothing has changed"
    history = person.call("get-card-history", {"deck_id": deck, "card_guid": "g00000"})["history"]
    assert [one["version"] for one in history] == ["2.0.2", "2.0.1", "2.0.0", "1.0.1"], history
    person.call("rollback-card", {"deck_id": deck, "card_guid": "g00000", "target_version": "2.0.0"})
    assert field_of(person.download(deck), "g00000", "Front") == "two"


def states_that_arrive_late_are_pulled():
    person, deck = free_deck()

    def states(**more):
        return person.call("sync-suspend-state", {"deck_id": deck, **more})

    ago = (now() - datetime.timedelta(days=2)).isoformat()
    since = states(action="pull")["server_time"]
    states(states=[{"card_guid": "g00000", "is_suspended": True, "updated_at": ago},
                   {"card_guid": "g00001", "is_buried": True, "updated_at": ago}])
    assert [one["card_guid"] for one in states(action="pull", since=since)["states"]] == ["g00000", "g00001"]
    states(states=[{"card_guid": "g00001", "is_suspended": True}])
    shown = states(action="pull")["states"][1]
    assert shown["is_suspended"] is True and shown["is_buried"] is False, "it was buried for a day"


def many_tags_are_pulled_in_pages():
    person, deck = large_deck()
    since = person.download(deck)["latest_change_id"]
    person.call("sync-tags", {"deck_id": deck, "changes": [{"card_guid": f"g{n:05}", "tags": ["t"]} for n in range(6000)]})
    pages = []
    while not pages or pages[-1]["has_more"]:
        pages.append(person.call("sync-tags", {"deck_id": deck, "action": "pull", "since": since}))
        since = pages[-1]["latest_change_id"]
    assert [len(page["tags"]) for page in pages] == [5000, 1000]
    assert len({one["guid"] for page in pages for one in page["tags"]}) == 6000


def requests_to_remove_what_is_gone_end():
    person, deck = free_deck()
    ids = [Person().call("request-card-removal", {"deck_id": deck, "card_guids": ["g00001"]})["suggestion_ids"][0] for _ in range(2)]
    person.call("review-suggestion", {"suggestion_id": ids[0], "action": "accept"})
    states = {state: person.call("list-suggestions", {"deck_id": deck, "status": state})["total"]
              for state in ("pending", "accepted", "superseded")}
    assert states == {"pending": 0, "accepted": 1, "superseded": 1}, states
    person.push(deck, cards(3))
    assert person.call("list-suggestions", {"deck_id": deck})["total"] == 0


def who_has_left_is_forgotten_and_a_maintainer_is_not():
    person, deck = free_deck()
    maintainer, gone, quiet = Person(), Person(), Person()
    for who in (gone, quiet):
        who.download(deck)
    person.make_maintainer(deck, maintainer)
    for who in (maintainer, gone):
        who.call("protected-fields", {"deck_id": deck, "fields": ["Notes"]})
        who.call("sync-suspend-state", {"deck_id": deck, "states": [{"card_guid": "g00000", "is_suspended": True}]})
        who.call("sync-progress", {"deck_id": deck, "progress": {"total_cards": 3}})
    gone.call("manage-subscription", {"deck_id": deck, "action": "unsubscribe"})
    with Session(os.environ["DATABASE_URL"]) as db:
        db.ask("UPDATE decks_subscriptions SET last_call_at = now() - interval '1000 days' WHERE deck_id = (SELECT deck_id FROM decks "
               f"WHERE public_id = '{deck}')")
        run_upkeep(db)

        def kept(who):
            user = f"user_id = (SELECT user_id FROM users WHERE name = '{who.name}')"
            return [db.number(f"SELECT count(*) FROM decks_{table} WHERE {user}") for table in ("subscriptions", "suspensions", "progress")]

        def followers():
            found, = (one for one in person.call("get-my-decks")["decks"] if one["id"] == deck)
            return found["subscriber_count"]

        until(lambda: kept(gone) == [0, 0, 0])
        assert kept(maintainer) == [1, 1, 1]
        # Who follows and has not called for long counts no more.
        assert kept(quiet)[0] == 1 and followers() == 0, (kept(quiet), followers())


def statements_of(call):
    """How many statements the last request of this call has taken, by the log of the server."""
    log = pathlib.Path(os.environ["SYNCLINE_DIR"], "log")
    found = [int(match) for path in log.glob("*.log*") if path.is_file()
             for match in re.findall(rf"op={call} .*?\bdb=(\d+)", path.read_text(errors="replace"))]
    assert found, call
    return found[-1]


def many_suggestions_are_decided_by_few_statements():
    person, deck = free_deck(0)
    person.push(deck, cards(200))
    one, other = Person(), Person()
    changes = [edit(f"g{n:05}", new_value=f"better {n}") for n in range(200)]
    ids = one.call("push-changes", {"deck_id": deck, "changes": changes})["suggestion_ids"]
    ids += other.call("push-changes", {"deck_id": deck, "changes": [edit("g00000", field_name="Front", new_value="other")]})["suggestion_ids"]
    ids += other.call("request-card-removal", {"deck_id": deck, "card_guids": ["g00001"]})["suggestion_ids"]
    ids += one.call("push-changes", {"deck_id": deck, "changes": [edit("g00001", field_name="Front", new_value="too late")]})["suggestion_ids"]
    decided = person.call("review-suggestion", {"suggestion_ids": ids, "action": "accept"})
    outcomes = [result["status"] for result in decided["results"]]
    assert outcomes == ["accepted"] * 202 + ["card_gone"] and {r["version"] for r in decided["results"][:-1]} == {"1.0.2"}, decided
    assert statements_of("decks.review_suggestion") < 30
    now_there = person.download(deck)
    assert field_of(now_there, "g00199", "Back") == "better 199" and field_of(now_there, "g00000", "Front") == "other"
    assert field_of(now_there, "g00000", "Back") == "better 0" and len(now_there["cards"]) == 199
    with Session(os.environ["DATABASE_URL"]) as db:
        who = [row[0] for row in db.ask(
            "SELECT u.name FROM decks_changes c JOIN decks d USING (deck_id) JOIN users u ON u.user_id = c.user_id "
            f"WHERE d.public_id = '{deck}' AND c.origin = 'suggestion' AND c.guid IN ('g00000', 'g00001') ORDER BY c.guid, c.field")]
    assert who == [one.name, other.name, other.name], who
    told = other.call("check-notifications", {"limit": 100})["notifications"]
    assert [n["type"] for n in told if n["deck_id"] == deck] == ["suggestion_accepted"] * 2, told
    assert person.call("verify-version", {"deck_id": deck, "target_version": "1.0.2"})["matches"]
    again = person.call("review-suggestion", {"suggestion_ids": ids[:2], "action": "reject"})
    assert [result["status"] for result in again["results"]] == ["decided_before"] * 2 and again["decided"] == 0


def a_forced_decision_ends_with_the_last_suggestion():
    person, deck = free_deck()
    people = [Person() for _ in range(3)]
    ids = [one.call("push-changes", {"deck_id": deck, "changes": [edit(new_value=f"by {n}")]})["suggestion_ids"][0]
           for n, one in enumerate(people)]
    first = person.call("review-suggestion", {"suggestion_ids": ids, "action": "accept"})
    assert [one["status"] for one in first["results"]] == ["accepted", "stale", "stale"], first
    forced = person.call("review-suggestion", {"suggestion_ids": ids[1:], "action": "accept", "force": True})
    assert [one["status"] for one in forced["results"]] == ["accepted"] * 2 and forced["version"] == "1.0.3"
    assert field_of(person.download(deck), "g00000", "Back") == "by 2"
    history = person.call("get-card-history", {"deck_id": deck, "card_guid": "g00000"})["history"]
    assert [one["changed_by"] for one in history[:2]] == [people[2].name, people[0].name], history


def a_large_deck_rolls_back_in_steps():
    """More than a step holds: cards that changed, that came, and that went."""
    person, deck = free_deck(0)
    for first in range(0, 1200, 400):
        person.push(deck, cards(400, first), version="2")
    before = person.call("verify-version", {"deck_id": deck, "target_version": "2"})
    changed = [card(f"g{n:05}", {"Front": "x" * 100_000, "Back": f"{n}"}) for n in range(250)]
    person.call("admin-push-changes", {"deck_id": deck, "version": "3", "changes": changed})
    person.push(deck, [card(f"new{n}") for n in range(300)], deleted_guids=[f"g{n:05}" for n in range(800, 1200)], version="3")
    cursor = person.download(deck)["latest_change_id"]
    back = person.call("rollback-deck", {"deck_id": deck, "target_version": "2"})
    counts = [back[name] for name in ("version", "cards_added", "cards_modified", "cards_deleted")]
    assert counts == ["3.0.1", 400, 250, 300], back
    assert statements_of("decks.rollback_deck") > 20, "in several steps, which are held in memory one after the other"
    after = person.call("verify-version", {"deck_id": deck, "target_version": "3.0.1"})
    assert after["matches"] and after["content_hash"] == before["content_hash"] and after["card_count"] == 1200, after
    gone = set()
    while (page := person.pull(deck, last_change_id=cursor))["has_more"]:
        gone |= set(page["deleted_cards"])
        cursor = page["latest_change_id"]
    assert len(gone | set(page["deleted_cards"])) == 300
    assert person.call("rollback-deck", {"deck_id": deck, "target_version": "2"})["version"] == "3.0.1"


def whole_histories_are_read_seldom():
    person, deck = free_deck()
    body = {"deck_id": deck, "target_version": "1.0.1"}
    statuses = [person.ask("verify-version", body).status for _ in range(13)]
    assert statuses[:10] == [200] * 10 and 429 in statuses, statuses
    forget_rates()


def note_types_are_pushed_together():
    person, deck = free_deck()

    def note_type(name, *fields):
        return {"name": name, "fields": list(fields), "templates": [{"name": "One", "qfmt": "{{" + fields[0] + "}}", "afmt": ""}]}

    kept = [note_type(f"Kind {n}", "Front", "Back") for n in range(20)]
    body = {"deck_id": deck, "note_types": [*kept, note_type("basic", "Back")]}
    refused = person.call("sync-note-types", body, 400)
    assert refused["code"] == "FIELD_IN_USE" and refused["details"] == {"note_type": "Basic"}, refused
    assert statements_of("decks.note_types") < 12
    assert len(person.call("sync-note-types", {"deck_id": deck})["note_types"]) == 1, "all or nothing"
    pushed = person.call("sync-note-types", {"deck_id": deck, "note_types": [*kept, note_type("basic", "Back"), note_type("Basic", "Front", "Back")]})
    assert pushed["types_updated"] == 21, "of two with one name the last counts"
    assert person.call("sync-note-types", body | {"note_types": kept})["types_updated"] == 0


def a_plan_keeps_what_is_not_named():
    person = Person(plan="premium", collection=True)
    printed = admin("plan", "give", person.name, "premium", "--lifetime")
    assert "owns the collection" in printed and person.call("me")["user"]["owns_collection"] is True
    admin("plan", "give", person.name, "premium", "--lifetime", "--no-collection")
    assert person.call("me")["user"]["owns_collection"] is False


def an_announcement_is_told_to_followers_or_to_everybody():
    owner, deck = free_deck()
    follower, other = Person(), Person()
    for person, followed in ((follower, deck), (other, free_deck()[1])):
        person.call("manage-subscription", {"action": "subscribe", "deck_id": followed})

    def told(who, title):
        return [(one["title"], one["message"], one["deck_id"], one["metadata"]) for one in who.call("check-notifications")["notifications"]
                if one["type"] == "announcement" and one["title"] == title]

    title = secrets.token_hex(5)
    assert admin("deck", "announce", title, "Exam \u201cA\u201d moved", "--followers-of", deck, "--priority", "high") == "told 1 accounts\n"
    assert told(follower, title) == [(title, "Exam \u201cA\u201d moved", deck, {"priority": "high"})]
    assert told(owner, title) == told(other, title) == []
    for_all = secrets.token_hex(5)
    admin("deck", "announce", for_all, "Maintenance tonight")
    for person in (owner, follower, other):
        assert told(person, for_all) == [(for_all, "Maintenance tonight", None, {"priority": "normal"})], person.name
    for words in (("", "x"), ("x" * 201, "x"), ("x", ""), ("x", "x" * 5001), ("x", "x", "--followers-of", "x")):
        assert try_admin("deck", "announce", *words)[0] == 2, words


def nobody_is_made_a_maintainer_unasked():
    person, deck = free_deck()
    person.call("update-deck", {"deck_id": deck, "is_public": False})
    asked, other = Person(), Person()
    members = {"deck_id": deck}
    known = person.call("manage-members", {**members, "action": "add", "user": asked.name})
    unknown = person.call("manage-members", {**members, "action": "add", "user": "nobody@example.org"})
    assert known == unknown and known["maintainers"] == [], (known, unknown)
    assert person.call("manage-members", {**members, "action": "add", "user": asked.name}) == known
    for answer in [person.call("manage-members", {**members, "action": "remove", "user": name}) for name in (other.name, "nobody")]:
        assert answer["maintainers"] == []
    person.call("manage-members", {**members, "action": "add"}, 400)

    def invitations(who):
        return [one["deck_id"] for one in who.call("check-notifications")["notifications"] if one["type"] == "maintainer_invited"]

    assert invitations(asked) == [deck] and invitations(other) == []

    def open_ones(who):
        return who.call("my-invitations")["invitations"]

    shown, = open_ones(asked)
    title = person.call("get-deck", {"deck_id": deck})["deck"]["title"]
    assert shown["deck_id"] == deck and shown["deck_title"] == title and shown["invited_by"] == person.name and shown["invited_at"], shown
    assert open_ones(other) == [] and open_ones(person) == []
    asked.push(deck, cards(1), 403)
    assert asked.call("browse-decks", {"category": "subscribed"})["decks"] == []
    for action in ("accept", "decline"):
        assert other.call("manage-members", {**members, "action": action}, 404)["code"] == "DECK_NOT_FOUND"
    for _ in range(2):
        asked.call("manage-members", {**members, "action": "decline"})
    asked.call("manage-members", {**members, "action": "accept"}, 404)
    assert open_ones(asked) == []
    person.call("manage-members", {**members, "action": "add", "user": asked.name})
    assert invitations(asked) == [deck], "whoever has declined is left alone"
    person.call("manage-members", {**members, "action": "add", "user": other.name})
    for _ in range(2):
        other.call("manage-members", {**members, "action": "accept"})
    other.push(deck, cards(1))
    assert open_ones(other) == []
    assert [one["name"] for one in person.call("manage-members", members)["maintainers"]] == [other.name]
    joined = [one for one in person.call("check-notifications", {"limit": 100})["notifications"] if one["type"] == "maintainer_joined"]
    assert [one["deck_id"] for one in joined if one["deck_id"] == deck] == [deck]
    # An invitation can be taken back.
    third = Person()
    for action in ("add", "remove"):
        person.call("manage-members", {**members, "action": action, "user": third.name})
    third.call("manage-members", {**members, "action": "accept"}, 404)
    assert open_ones(third) == [] and invitations(third) == []
    # Nor does one stay of a deck that is gone.
    person.call("manage-members", {**members, "action": "add", "user": third.name})
    person.call("delete-user-deck", {"deck_id": deck, "confirm": True})
    third.call("manage-members", {**members, "action": "accept"}, 404)
    assert open_ones(third) == []


def texts_of_a_deck_count_for_its_owner():
    person = new_owner()
    deck = person.deck()
    maintainer = Person()
    person.make_maintainer(deck, maintainer)
    with Session(os.environ["DATABASE_URL"]) as db:
        db.ask(f"UPDATE users SET quota_bytes = 1500000 WHERE name = '{person.name}'")
    texts = [card(f"g{n}", {"Front": f"{n}", "Back": "x" * 100_000}) for n in range(4)]
    person.push(deck, texts)
    refused = maintainer.push(deck, [card(f"h{n}", {"Front": f"{n} h", "Back": "y" * 100_000}) for n in range(4)], 413)
    assert refused["code"] == "OVER_QUOTA", refused
    assert person.push(deck, texts)["cards_modified"] == 0, "nothing is added by a repeat"
    with Session(os.environ["DATABASE_URL"]) as db:
        counted, present = (db.number(f"SELECT {what} FROM decks d WHERE public_id = '{deck}'") for what in (
            "text_bytes", "(SELECT sum(decks_row_bytes(c.fields, c.tags)) FROM decks_cards c WHERE c.deck_id = d.deck_id)"
            " + (SELECT sum(decks_row_bytes(v.fields, v.tags)) FROM decks_card_versions v WHERE v.deck_id = d.deck_id)"
            " + (SELECT sum(200 + octet_length(l.old_value)) FROM decks_changes l WHERE l.deck_id = d.deck_id)"
            " + (SELECT sum(250 + octet_length(coalesce(t.definition, ''))) FROM decks_note_types t WHERE t.deck_id = d.deck_id)"))
        assert counted == present, (counted, present)
    assert person.push(deck, [], deleted_guids=["g0"])["cards_deleted"] == 1, "and room can be made"
    person.call("delete-user-deck", {"deck_id": deck, "confirm": True})
    other = person.deck("Another deck")
    assert person.push(other, texts[:2])["cards_added"] == 2


def run_upkeep(db):
    db.ask("INSERT INTO jobs (kind, args, priority, state, run_at, turn) VALUES ('decks.upkeep', '{}', 0, 'queued', now(), 0);"
           " NOTIFY syncline_jobs")


def what_was_seen_long_ago_is_forgotten():
    person, deck = free_deck()
    gone = Person()
    person.make_maintainer(deck, gone)
    gone.call("sync-suspend-state", {"deck_id": deck, "states": [{"card_guid": "g00000", "is_suspended": True}]})
    gone.call("sync-progress", {"deck_id": deck, "progress": {"total_cards": 3}})
    gone.call("manage-members", {"deck_id": deck, "action": "remove", "user": gone.name})
    taken_back, pending = (gone.call("push-changes", {"deck_id": deck, "changes": [edit(new_value=value)]})["suggestion_ids"][0]
                           for value in ("one", "two"))
    gone.call("withdraw-suggestion", {"suggestion_id": taken_back})
    gone.call("manage-subscription", {"deck_id": deck, "action": "unsubscribe"})
    seen, second = free_deck(), free_deck()
    seen[0].call("manage-members", {"deck_id": seen[1], "action": "add", "user": gone.name})
    gone.call("check-notifications", {"mark_as_read": True})
    second[0].call("manage-members", {"deck_id": second[1], "action": "add", "user": gone.name})
    silent = Person()
    person.make_maintainer(deck, silent)
    silent.call("sync-suspend-state", {"deck_id": deck, "states": [{"card_guid": "g00000", "is_suspended": True}]})
    person.call("manage-members", {"deck_id": deck, "action": "remove", "user": silent.name})
    user = f"user_id IN (SELECT user_id FROM users WHERE name IN ('{gone.name}', '{silent.name}'))"
    with Session(os.environ["DATABASE_URL"]) as db:
        for table, time in (("notices", "created_at"), ("notices", "read_at"), ("suspensions", "received_at"), ("progress", "synced_at"),
                            ("suggestions", "reviewed_at"), ("subscriptions", "last_call_at")):
            db.ask(f"UPDATE decks_{table} SET {time} = {time} - interval '1000 days' WHERE {user}")
        run_upkeep(db)
        until(lambda: [db.number(f"SELECT count(*) FROM decks_{table} WHERE {user}")
                       for table in ("notices", "suspensions", "progress", "suggestions", "subscriptions")] == [1, 0, 0, 1, 0])
    assert [one["suggestion_id"] for one in gone.call("my-suggestions")["suggestions"]] == [pending]
    told = gone.call("check-notifications")["notifications"]
    assert [one["deck_id"] for one in told] == [second[1]], "what was not seen is told for ever"


def lines_of(log, call):
    path = pathlib.Path(os.environ["SYNCLINE_DIR"], "log", log)
    return path.read_text(errors="replace").count(f"op={call} ")


def a_package_is_made_once():
    person, deck = free_deck()
    someone = Person()

    def link():
        return someone.call("batch-download", {"deck_ids": [deck]})["downloads"][0]["download_url"]

    made = lines_of("transfer.log", "decks.file")
    url = link()
    packages = [fetch("GET", one) for one in (url, url, link())]
    assert {one[0] for one in packages} == {200} and len({one[2] for one in packages}) == 1 and packages[0][1]["Content-Length"]
    until(lambda: lines_of("transfer.log", "decks.file") > made)
    assert deck in packages[2][1]["Content-Disposition"] and lines_of("transfer.log", "decks.file") - made == 1
    status, _, part = fetch("GET", url, headers={"Range": "bytes=10-19"})
    assert status == 206 and part == packages[0][2][10:20]
    for change in (lambda: person.push(deck, cards(1, 50)), lambda: person.call("update-deck", {"deck_id": deck, "title": "Another title"}),
                   lambda: upload(person, deck, "x.png", b"new")):
        before = fetch("GET", url)[2]
        change()
        assert fetch("GET", url)[2] != before
    person.call("update-deck", {"deck_id": deck, "is_public": False})
    someone.call("manage-subscription", {"deck_id": deck, "action": "unsubscribe"})
    assert fetch("GET", url)[0] == 403, "kept for those who may read it"


def upload(person, deck, name, data):
    person.call("sync-media", {"deck_id": deck, "action": "upload", "file_name": name, "content_base64": base64.b64encode(data).decode()})


def what_was_replaced_comes_back():
    person, deck = free_deck()
    other = Person()
    person.make_maintainer(deck, other)

    def note_type(front):
        return {"name": "Basic", "fields": ["Front", "Back"], "css": "", "templates": [{"name": "One", "qfmt": front, "afmt": "{{Back}}"}]}

    def shown():
        files = {one["file_name"]: fetch("GET", one["url"])[2] for one in person.call("sync-media", {"deck_id": deck, "action": "download"})["files"]}
        return files, person.call("sync-note-types", {"deck_id": deck})["note_types"][0]["templates"][0]["qfmt"]

    upload(person, deck, "a.png", b"first")
    upload(person, deck, "b.png", b"stays")
    person.call("sync-note-types", {"deck_id": deck, "note_types": [note_type("{{Front}}")]})
    good = person.push(deck, cards(1, 10))["version"]
    before = shown()
    for data in (b"second", b"first", b"second", b"third"):
        upload(other, deck, "a.png", data)
    upload(other, deck, "later.png", b"later")
    other.call("sync-note-types", {"deck_id": deck, "note_types": [note_type("bad {{Front}}")]})
    bad = other.push(deck, [card("g00010", {"Front": "f", "Back": "b", "Extra": "e"})])["version"]
    upload(other, deck, "a.png", b"fourth")
    spoilt = shown()
    assert spoilt[0]["a.png"] == b"fourth" and spoilt[1] == "bad {{Front}}"
    back = person.call("rollback-deck", {"deck_id": deck, "target_version": good})
    assert shown() == ({**before[0], "later.png": b"later"}, before[1]), shown()
    assert person.call("sync-note-types", {"deck_id": deck})["note_types"][0]["fields"] == ["Front", "Back"]
    assert person.call("rollback-deck", {"deck_id": deck, "target_version": good})["version"] == back["version"], "again: the same"
    person.call("rollback-deck", {"deck_id": deck, "target_version": bad})
    assert shown()[0]["a.png"] == b"third" and shown()[1] == "bad {{Front}}"
    # Also what no version ended with has its bytes still.
    named = {"deck_id": deck, "file_name": "a.png", "file_hash": hashlib.sha256(b"second").hexdigest(), "size": 6}
    assert person.call("sync-media", {**named, "action": "get_upload_url"})["already_exists"] is True
    assert shown()[0]["a.png"] == b"second"
    with Session(os.environ["DATABASE_URL"]) as db:
        number, owner = db.ask(f"SELECT deck_id, user_id FROM decks WHERE public_id = '{deck}'")[0]
        held = "SELECT blob_id, count(*) FROM (SELECT blob_id FROM decks_media WHERE deck_id = {0} UNION ALL SELECT blob_id FROM decks_replaced_media WHERE deck_id = {0}) b GROUP BY 1 ORDER BY 1"
        ids = db.ask(held.format(number))
        assert ids == db.ask(f"SELECT blob_id, holders FROM blob_refs WHERE user_id = {owner} AND service = 'decks' AND blob_id IN "
                             f"({', '.join(row[0] for row in ids)}) ORDER BY 1"), "each row holds one reference"
        person.call("delete-user-deck", {"deck_id": deck, "confirm": True})
        until(lambda: db.ask(held.format(number)) == [])


def a_bulk_is_answered_one_by_one():
    person, deck = free_deck(5)
    someone = Person()
    someone.download(deck)
    someone.call("protected-fields", {"deck_id": deck, "fields": ["front"]})
    person.push(deck, [], deleted_guids=["g00001"])
    bulk = [edit(new_value="good"), edit("g00001", new_value="gone"), edit("g00002", field_name="Front", new_value="mine"),
            edit("g00003", new_value="back of g00003"), edit("g00004", field_name="Nothing", new_value="x")]
    answer = someone.call("push-changes", {"deck_id": deck, "changes": bulk})
    assert len(answer["suggestion_ids"]) == 1 and sorted(one["index"] for one in answer["skipped"]) == [1, 2, 3, 4], answer
    assert {one["index"]: one["reason"] for one in answer["skipped"]}[2] == "a protected field", answer
    meant = {"deck_id": deck, "card_guid": "g00002", "field_name": "Front", "suggested_value": "mine"}
    assert someone.call("submit-suggestion", meant)["status"] == "pending", "who names the field means it"


def new_guids_for_all_cards_need_a_confirmation():
    def texts(prefix, first=0):
        return [card(f"{prefix}{n}", {"Front": f"text {n}", "Back": "b"}) for n in range(first, first + 60)]

    person, deck = free_deck(0)
    person.push(deck, texts("old"))
    someone = Person()
    cursor = someone.download(deck)["latest_change_id"]
    for call_name, body in (("push-deck-cards", {"cards": texts("new")}), ("push-deck-cards", {"cards": texts("new"), "delete_missing": True}),
                            ("admin-push-changes", {"changes": texts("new")}),
                            ("admin-import-deck", {"cards": texts("new"), "clear_existing": True})):
        refused = person.call(call_name, {"deck_id": deck, **body}, 400)
        assert refused["code"] == "CONFIRMATION_REQUIRED", refused
        assert refused["details"] == {"new_cards": 60, "same_first_fields": 60, "cards_of_deck": 60}, refused
    assert someone.pull(deck, last_change_id=cursor)["changes"] == []
    replaced = person.push(deck, texts("new"), delete_missing=True, confirm=True)
    assert (replaced["cards_added"], replaced["cards_deleted"]) == (60, 60), replaced
    person.push(deck, texts("old"), 400, delete_missing=True)
    person.push(deck, texts("old"), delete_missing=True, confirm=True)
    assert len(person.call("get-card-history", {"deck_id": deck, "card_guid": "old1"})["history"]) == 3, "the old history"
    # Other texts, or another note type, are no twins; nor are a few.
    person.push(deck, [{**one, "note_type": "Reversed"} for one in texts("reversed")])
    person.push(deck, texts("more", 60))
    person.push(deck, [card(f"few{n}", {"Front": f"text {n}", "Back": "b"}) for n in range(5)])


def progress_of_odd_names_is_kept():
    person, deck = free_deck()
    odd = {f"{n}" + "\u0001" * 900: 1 for n in range(15)}
    assert person.call("sync-progress", {"deck_id": deck, "progress": {**odd, "total_cards": 3}})["synced_count"] == 1


def a_reader_whose_account_is_removed_counts_no_more():
    person, deck = free_deck()
    someone = Person()
    someone.download(deck)
    assert person.call("update-deck", {"deck_id": deck})["deck"]["subscriber_count"] == 1
    admin("user", "remove", someone.name, "--yes")
    with Session(os.environ["DATABASE_URL"]) as db:
        until(lambda: db.number(f"SELECT subscriber_count FROM decks WHERE public_id = '{deck}'") == 0)


def any_text_of_a_card_can_be_suggested():
    person, deck = free_deck(0)
    odd = "<i>\u0000\u202e\U0001f600\\u0000</i>"
    person.push(deck, [card("n", {"Front": odd, "Back": "b"})])
    someone = Person()
    body = {"deck_id": deck, "card_guid": "n", "field_name": "Front", "current_value": odd, "suggested_value": odd + "\u0000!"}
    made = someone.call("submit-suggestion", body)
    assert made["stale"] is False
    person.call("review-suggestion", {"suggestion_id": made["suggestion_id"], "action": "accept"})
    assert field_of(person.download(deck), "n", "Front") == odd + "\u0000!"
    again = someone.call("submit-suggestion", {**body, "field_name": "Back", "current_value": "b", "suggested_value": "c"})["suggestion_id"]
    person.call("review-suggestion", {"suggestion_id": again, "action": "accept", "value": "\u0000"})
    assert field_of(person.download(deck), "n", "Back") == "\u0000"
    for name in ("current_value", "suggested_value"):
        someone.call("submit-suggestion", {**body, name: ["list"]}, 400)


def tags_of_new_cards_are_pulled():
    person, deck = free_deck(2)
    someone = Person()
    since = someone.download(deck)["latest_change_id"]
    person.push(deck, [card("new", tags=["a", "b"]), card("plain")])
    pulled = someone.call("sync-tags", {"deck_id": deck, "action": "pull", "since": since})
    assert [(one["guid"], one["tags"]) for one in pulled["tags"]] == [("new", ["a", "b"])] and pulled["tags_added"] == 2, pulled
    person.push(deck, [], deleted_guids=["new"])
    person.push(deck, [card("new", tags=[])])
    pulled = someone.call("sync-tags", {"deck_id": deck, "action": "pull", "since": pulled["latest_change_id"]})
    assert [(one["guid"], one["tags"]) for one in pulled["tags"]] == [("new", [])], pulled


def what_no_pull_brings_is_not_undone():
    person, deck = free_deck(0)
    copy = [card("g0", tags=["a"], subdeck_path="One"), card("g1", tags=[], subdeck_path="")]
    person.push(deck, copy)
    maintainer = Person()
    person.make_maintainer(deck, maintainer)
    cursor = maintainer.download(deck)["latest_change_id"]
    person.push(deck, [card("g0", tags=["a", "theirs"], subdeck_path="Two"), card("g2", tags=["new"], subdeck_path="Three"), copy[1]])
    person.push(deck, [card("g1", {"Front": "changed", "Back": "b"})])
    for _ in range(2):
        cursor = maintainer.pull(deck, last_change_id=cursor)["latest_change_id"]
    # It has all changes now, but neither tags nor paths.
    copy[1]["fields"] = {"Front": "changed", "Back": "b"}
    copy.append(card("g2", tags=[], subdeck_path=""))

    def push(*tags):
        copy[0]["tags"] = list(tags)
        maintainer.push(deck, copy)
        whole = {one["guid"]: one for one in person.call("pull-changes", {"deck_id": deck, "full_sync": True})["cards"]}
        assert whole["g0"]["subdeck_path"].endswith("Two") and whole["g2"]["subdeck_path"].endswith("Three"), whole
        assert whole["g2"]["tags"] == ["new"] and whole["g1"]["fields"]["Front"] == "changed", whole
        return whole["g0"]["tags"]

    assert push("a") == ["a", "theirs"]
    assert push("a", "own") == ["a", "theirs", "own"]
    # Its own additions and removals are decisions.
    assert push("a") == ["a", "theirs"]
    assert push() == ["theirs"]
    maintainer.install(deck)
    copy[0]["subdeck_path"] = "One"
    maintainer.push(deck, copy[:1])
    assert person.call("pull-changes", {"deck_id": deck, "full_sync": True})["cards"][0]["subdeck_path"].endswith("One")


def a_card_that_came_back_keeps_what_was_edited():
    person, deck = free_deck()
    one, other = Person(), Person()
    for who in (one, other):
        person.make_maintainer(deck, who)
        who.download(deck)
    cursor = person.pull(deck)["latest_change_id"]
    person.push(deck, [], deleted_guids=["g00001"])
    edited = card("g00001", {"Front": "edited", "Back": "back of g00001"}, tags=["t"])
    one.push(deck, [edited])
    assert other.push(deck, cards(3))["fields_kept"] >= 1
    got = {got["guid"]: got for got in person.download(deck)["cards"]}["g00001"]
    assert got["fields"]["Front"] == "edited" and got["tags"] == ["t"], got
    changes = one.pull(deck, last_change_id=cursor)["changes"]
    assert sorted((c["change_type"], c["field_name"], c["new_value"]) for c in changes) == [
        ("add", "Back", "back of g00001"), ("add", "Front", "edited")], changes


def a_card_that_came_back_has_lost_its_fields():
    person, deck = free_deck(0)
    person.push(deck, [card("n", {"Front": "f", "Extra": "secret", "More": "m"})])
    someone = Person()
    cursor = someone.download(deck)["latest_change_id"]
    person.push(deck, [], deleted_guids=["n"])
    person.push(deck, [card("n", {"Front": "f", "More": "m"})])
    person.push(deck, [card("n", {"Front": "f"})])

    def told(who, **more):
        return sorted((one["field_name"], one["new_value"]) for one in who.pull(deck, **more)["changes"])

    assert told(someone, last_change_id=cursor) == [("Extra", ""), ("Front", "f"), ("More", "")]
    # Whoever never had them is told nothing of them.
    late = Person()
    late.call("manage-subscription", {"deck_id": deck, "action": "subscribe"})
    assert told(late) == [("Front", "f")]


if __name__ == "__main__":
    sys.exit(keep(s01_logging_in_by_name_or_address, s02_a_call_needs_a_login, s03_a_refresh_may_be_repeated_for_a_minute,
                  s05_a_new_deck_has_all_members, s06_bad_decks_are_refused, s07_plans_limit_decks, s08_updating_a_deck,
                  s09_a_repeated_push_changes_nothing, s10_a_push_counts_what_it_changes, s11_versions,
                  s12_a_push_is_taken_whole_or_not_at_all, s13_texts_stay_what_they_are, s14_only_editors_change_a_deck,
                  s15_cards_that_a_push_does_not_name, s16_a_download_speaks_all_spellings, s18_who_may_download,
                  s19_a_deck_that_is_hidden_stays_with_its_readers, s20_pages_lose_no_card, s21_limits_of_pages_are_clamped,
                  s22_pulling_what_has_changed, s23_times_as_cursors, s24_a_cursor_of_nowhere_begins_anew,
                  s25_a_removed_card_is_told, s26_protected_fields_are_plain_texts, s27_a_pending_edit_meets_a_change_once,
                  s28_a_suggestion_is_accepted, s29_a_suggestion_is_rejected_or_withdrawn, s30_tags,
                  s31_suspended_cards_are_personal, s32_media_by_links, a_deck_is_a_file_too, an_account_takes_its_decks_along,
                  nginx_keeps_the_bytes_of_a_file, s33_media_in_the_request, s34_note_types,
                  s35_deleting_a_deck, s36_an_import_in_batches, s37_browsing, s38_updates_and_changelog,
                  s39_history_rollback_progress, s40_rates_methods_and_bodies, a_deck_rolls_back_to_the_recorded_hash,
                  an_old_copy_does_not_undo_what_others_changed, a_subscription_is_managed, purchases_list_what_is_followed,
                  the_owner_edits_fields_at_once, a_session_ends_at_logout,
                  values_that_are_no_texts_are_refused_everywhere, a_reader_may_leave_a_deck_that_was_hidden,
                  cards_and_pages_are_bounded_by_bytes, suggestions_are_bounded, a_repeated_suggestion_is_told_once,
                  a_note_type_has_at_most_two_hundred_fields, many_states_are_pushed_again_as_fast,
                  a_field_that_was_removed_is_emptied, a_pending_edit_hides_no_change_from_another_computer,
                  an_import_that_begins_anew_keeps_suggestions, a_place_is_noted_with_the_last_page,
                  a_cleared_card_comes_whole_to_those_who_never_had_it, an_edit_beside_a_whole_card_is_made_on_it,
                  ids_of_decks_that_are_gone_are_not_found, few_packages_are_made_at_once, no_link_to_a_file_is_in_the_log_of_nginx,
                  links_end_with_access,
                  suggestions_show_nothing_of_a_deck_that_was_hidden, a_decided_suggestion_is_not_withdrawn,
                  a_maintainer_may_leave, a_removed_maintainer_does_not_go_on_reading_a_private_deck,
                  a_deleted_deck_takes_its_invitations_along, a_long_history_is_shown_in_part, the_last_version_of_all_can_be_followed, a_plan_lasts_to_the_end_of_its_last_day,
                  a_new_login_does_not_undo_what_was_accepted, a_whole_old_copy_undoes_nothing,
                  a_download_that_does_not_arrive_lets_no_old_copy_undo_anything,
                  a_second_computer_does_not_undo_the_first, a_finished_version_keeps_its_history,
                  states_that_arrive_late_are_pulled, many_tags_are_pulled_in_pages, requests_to_remove_what_is_gone_end,
                  who_has_left_is_forgotten_and_a_maintainer_is_not, progress_of_odd_names_is_kept, a_reader_whose_account_is_removed_counts_no_more,
                  any_text_of_a_card_can_be_suggested, tags_of_new_cards_are_pulled, what_no_pull_brings_is_not_undone,
                  a_card_that_came_back_keeps_what_was_edited, a_card_that_came_back_has_lost_its_fields,
                  many_suggestions_are_decided_by_few_statements, a_forced_decision_ends_with_the_last_suggestion,
                  a_large_deck_rolls_back_in_steps, whole_histories_are_read_seldom, note_types_are_pushed_together,
                  a_plan_keeps_what_is_not_named, an_announcement_is_told_to_followers_or_to_everybody,
                  nobody_is_made_a_maintainer_unasked, texts_of_a_deck_count_for_its_owner,
                  what_was_seen_long_ago_is_forgotten, a_package_is_made_once, what_was_replaced_comes_back,
                  a_text_that_is_too_long_to_suggest_can_be_shortened, whoever_comes_back_is_counted_again, one_deck_is_found_by_its_id,
                  a_bulk_is_answered_one_by_one, new_guids_for_all_cards_need_a_confirmation))
