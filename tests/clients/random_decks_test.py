"""Four people with several computers each work at random on a shared deck; in the end all have what was decided.

    random_decks_test.py                      a few fixed seeds
    random_decks_test.py --seconds 900        fresh seeds for that long
    random_decks_test.py --seed 17 [--only 1,5,9]   one round, or some of its steps, with its diary

An owner, a maintainer and two subscribers edit, push whole decks or single fields, suggest, decide, protect, remove and add again,
roll back and log in anew. After each step the deck is what a model says (tests/support/deck_model.py), and these promises hold: what
somebody edited is there after a push, what they left alone stays as others made it; the same push again changes nothing. In the
end each computer that has pulled everything has exactly the deck, but for protected fields and edits that are pending or were
kept, and each version rebuilds to its hash. Each step draws from its own numbers, so a failing round is played again with
fewer and fewer steps.

SYNCLINE_ADDON_DIR names a checkout of the AnkiPH add-on: then its own api_client speaks. SYNCLINE_HTTP, SYNCLINE_ADMIN and
DATABASE_URL locate the server (`<dir>/env` of ./run).
"""

import argparse
import collections
import copy
import itertools
import json
import os
import pathlib
import random
import sys
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from database import Session  # noqa: E402
from deck_model import Account, By, Card, Deck, joined  # noqa: E402
from decks_wire import Person, forget_rates  # noqa: E402

ADDON = os.environ.get("SYNCLINE_ADDON_DIR", "").split(os.pathsep)[0]
FIXED_SEEDS = (1, 2, 3)
STEPS = 60
SHRINK_SECONDS = 120
FIELDS = ("Front", "Back", "Extra", "Notes")
TAGS = ("law", "law::torts", "Bar", "\u00e9t\u00e9", "x" * 100, "<i>", "\U0001f600", "a'b\"c")
PATHS = ("", "Part 1", "Part 1::Sub", "<b>\u202eX")
TEXTS = ("<b onclick='x'>", "<script>alert(1)</script>", "\U0001f600\U00010348\u2764\ufe0f", "\u202eright\u202c to \u200fleft", "\u0000\u0001\u001f",
         "\u00e9 e\u0301 \ufeff", "\u2028\u2029", "\"\\\\u0000\\", "';DROP TABLE decks;--", " blank \t\r\n", "{{c1::cloze}} $$ [sound:x.mp3]", "y" * 3000, "")
GUIDS = ("k{2Z!q)*:_#;", "\"quoted\"", "<i>guid</i>", "\U0001f600", "\u202eguid", "a b", "z" * 250, "{}", "%s", "null")
WEIGHTS = {"edit": 14, "push_whole": 10, "push_fields": 5, "push_tags": 2, "pull": 12, "suggest": 8, "decide": 6, "withdraw": 1, "add": 3,
           "remove": 3, "tag": 4, "move": 1, "drop_field": 1, "revert": 1, "roll_back_card": 1, "roll_back_deck": 1, "protect": 2,
           "suspend": 2, "log_in": 2, "push_again": 3, "install": 1, "lose_download": 2, "ask_to_remove": 1, "suggest_tags": 1}

# With a checkout of the add-on: how its client makes the calls that it has methods for.
METHODS = {
    "pull-changes": lambda api, b: api.pull_changes(b["deck_id"], last_change_id=b.get("last_change_id"), full_sync=b.get("full_sync", False),
                                                    offset=b.get("offset", 0), limit=b.get("limit", 1000)),
    "download-deck": lambda api, b: api.download_deck(b["deck_id"]),
    "push-changes": lambda api, b: api.push_changes(b["deck_id"], b["changes"]),
    "push-deck-cards": lambda api, b: api.push_deck_cards(b["deck_id"], b["cards"], b["delete_missing"], b.get("version"))
    if not b.get("deleted_guids") else api.post("/addon-push-deck-cards", json_body=b),
    "admin-push-changes": lambda api, b: api.admin_push_changes(b["deck_id"], b["changes"], b["version"])
    if b.get("version") else api.post("/addon-admin-push-changes", json_body=b),
    "submit-suggestion": lambda api, b: api.submit_suggestion(b["deck_id"], b["card_guid"], b["field_name"], b["current_value"], b["suggested_value"]),
    "get-protected-fields": lambda api, b: api.get_protected_fields(b["deck_id"]),
    "rollback-card": lambda api, b: api.rollback_card(b["deck_id"], b["card_guid"], b["target_version"]),
}


def addon_package():
    """The add-on, loaded once."""
    import shutil  # pylint: disable=import-outside-toplevel
    import tempfile  # pylint: disable=import-outside-toplevel
    import addon_stub  # pylint: disable=import-outside-toplevel
    if "addon" not in sys.modules:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="decks-addon-")) / "addon"
        shutil.copytree(ADDON, folder, ignore=shutil.ignore_patterns(".git", "__pycache__"))
        addon_stub.install(folder, None, os.environ["SYNCLINE_HTTP"] + "/functions/v1")
        import logging  # pylint: disable=import-outside-toplevel
        logging.disable(logging.CRITICAL)
    return sys.modules["addon.api_client"]


class Wire:
    """One login, which speaks by the add-on's client if that is there."""

    def __init__(self, person):
        self.person = person
        self.api = None
        if ADDON:
            module = addon_package()
            self.api = module.ApiClient(person.token, os.environ["SYNCLINE_HTTP"] + "/functions/v1")
            self.error = module.AnkiPHAPIError

    def call(self, name, body, status=200):
        if self.api is None:
            return self.person.call(name, body, status)
        try:
            how = METHODS.get(name)
            answer = how(self.api, body) if how else self.api.post(f"/addon-{name}", json_body=body)
            found = 200
        except self.error as error:
            found, answer = error.status_code, error.details
        assert found == status, (name, found, answer)
        return answer


_people = {}


def person(role):
    if role not in _people:
        _people[role] = Person(collection=role == "owner")
    return _people[role]


class Computer:
    """One that somebody works on: notes as its last pull left them (`base`), and as they are (`notes`)."""

    def __init__(self, account, role, numbers):
        self.account, self.role, self.name, self.numbers = account, role, f"{role}-{next(numbers)}", numbers
        self.cursor = self.tag_cursor = None
        self.cursor_seq, self.told = 0, False
        self.notes, self.base, self.known = {}, {}, set()
        self.diverged, self.protected = set(), []  # of a subscriber: what is meant to differ from the deck
        self.conflicts = set()  # that this login was told
        self.last_push = None
        self.log_in()

    @property
    def is_editor(self):
        return self.role in ("owner", "maintainer")

    def log_in(self):
        self.wire, self.device = Wire(person(self.role).again()), next(self.numbers)
        self.conflicts.clear()

    def edited(self):
        """{(guid, field)} that differ from what came from the server, of cards that did."""
        return {(guid, field) for guid, note in self.notes.items() if guid in self.base
                for field in {**note.fields, **self.base[guid].fields}
                if note.fields.get(field, "") != self.base[guid].fields.get(field, "")}

    def by(self, **more):
        return By(self.account, self.device, **more)


class World:
    def __init__(self, seed):
        self.seed, self.diary = seed, []
        self.model, self.values = Deck(), itertools.count(1)
        self.accounts = {role: Account(role) for role in ("owner", "maintainer", "one", "two")}
        for role in (*self.accounts, "watcher"):  # the account's oldest logins end when it has many
            person(role).log_in()
        numbers = itertools.count(1)
        self.computers = [Computer(self.accounts[role], role, numbers) for role in ("owner", "owner", "maintainer", "one", "one", "two")]
        self.owner, self.watcher = self.computers[0], Wire(person("watcher"))
        self.deck = person("owner").deck(f"Random {seed}")
        person("owner").make_maintainer(self.deck, person("maintainer"))
        self.states = {role: {} for role in self.accounts}
        self.rng = random.Random(seed)
        for number in range(8):
            self._make_card(self.owner, f"g{number}" if number < 5 else GUIDS[number])
        self._push(self.owner)
        for computer in self.computers:
            self._install(computer)

    def close(self):
        person("owner").call("delete-user-deck", {"deck_id": self.deck, "confirm": True})

    # --- Pieces

    def _text(self, computer):
        return f"{self.rng.choice(TEXTS)}{computer.name} {next(self.values)}"

    def _make_card(self, computer, guid):
        fields = {name: self._text(computer) for name in FIELDS[:self.rng.choice((2, 4))]}
        computer.notes[guid] = Card(fields, joined(self.rng.sample(TAGS, self.rng.choice((0, 1, 2)))), self.rng.choice(PATHS))

    def _editor(self):
        return self.rng.choice([one for one in self.computers if one.is_editor])

    def _subscriber(self):
        return self.rng.choice([one for one in self.computers if not one.is_editor])

    def _download(self, wire=None):
        answer = (wire or self.watcher).call("download-deck", {"deck_id": self.deck, "include_media": True})
        return answer, {one["guid"]: self._read(one) for one in answer["cards"]}

    def _read(self, one):
        path = one["subdeck_path"]
        title = f"Random {self.seed}"
        assert path == title or path.startswith(title + "::"), path
        return Card(one["fields"], tuple(one["tags"]), path[len(title) + 2:])

    def _check_deck(self):
        """The deck is what the model says."""
        answer, cards = self._download()
        expected = self.model.alive()
        assert set(cards) == set(expected), f"cards there {sorted(set(cards) - set(expected))}, missing {sorted(set(expected) - set(cards))}"
        for guid, card in expected.items():
            assert cards[guid].content() == card.content(), f"{guid}: {cards[guid].content()} is not {card.content()}"
        assert answer["version"] == show(self.model.version), (answer["version"], self.model.version)
        return cards

    # --- Pushes

    def _body(self, computer, **more):
        cards = [{"card_guid": guid, "note_type": "Basic", "fields": note.fields, "tags": list(note.tags), "subdeck_path": note.path}
                 for guid, note in computer.notes.items()]
        return {"deck_id": self.deck, "cards": cards, "delete_missing": False, **more}

    def _push(self, computer, kind=None):
        """The whole deck, by one of the ways that there are. `kind`: what becomes of cards that it has removed."""
        way = "push-deck-cards" if kind else self.rng.choice(("push-deck-cards",) * 3 + ("admin-push-changes", "admin-import-deck"))
        removed = sorted(guid for guid in computer.known if guid not in computer.notes)
        kind = kind or self.rng.choice(("keep", "missing", "named")) if way == "push-deck-cards" else "keep"
        version = None
        if self.rng.random() < 0.15:
            version = self.model.version[0], self.model.version[1] + 1, 0
        body = self._body(computer, **({"version": show(version)} if version else {}))
        if kind == "missing":
            body["delete_missing"] = True
        elif kind == "named":
            body["deleted_guids"] = removed
        if way == "admin-push-changes":
            body["changes"] = [{**one, "change_type": "modify"} for one in body.pop("cards")]
        self._do_push(computer, way, body, version)
        computer.last_push = way, body
        return f"{way} {kind} {version or ''} removed {removed}"

    def _do_push(self, computer, way, body, version):
        before, edited = copy.deepcopy(self.model.cards), computer.edited()
        *_, is_own = computer.account.place(computer.device)
        counts = self.model.push(computer.by(is_copy=True, version=version), computer.notes, body.get("deleted_guids", ()), body["delete_missing"])
        answer = computer.wire.call(way, body)
        assert (answer["cards_added"], answer["cards_modified"], answer["cards_deleted"]) == counts, (answer, counts)
        after = self._check_deck()
        for guid, note in computer.notes.items():
            was = before.get(guid)
            base = computer.base.get(guid)
            if was and base and was.removed is None and is_own:
                assert note.tags != base.tags or after[guid].tags == was.tags, f"tags of {guid} were left alone"
                assert note.path != base.path or after[guid].path == was.path, f"the path of {guid} was left alone"
            for field in note.fields if was else ():
                if (guid, field) in edited or guid not in computer.base:
                    assert guid in after and after[guid].fields.get(field, "") == note.fields[field], f"the edit of {guid} {field} is lost"
                elif was.removed is None and is_own:
                    assert after[guid].fields.get(field, "") == was.fields.get(field, ""), f"{guid} {field} was left alone"
        computer.known |= set(computer.notes)
        if body["delete_missing"] or "deleted_guids" in body:
            computer.known &= set(computer.notes)
        # It has what it has pushed; the rest comes with its next pull.
        for guid, note in computer.notes.items():
            computer.base[guid] = Card(dict(note.fields), note.tags, note.path)
        computer.base = {guid: card for guid, card in computer.base.items() if guid in computer.known}

    def do_push_whole(self):
        return self._push(self._editor())

    def do_push_again(self):
        """A call that is repeated, at once."""
        computer = self._editor()
        self._push(computer)
        way, body = computer.last_push
        head, version = self.model.head, self.model.version
        again = computer.wire.call(way, body)
        self.model.push(computer.by(is_copy=True, version=self.model.version if body.get("version") else None), computer.notes,
                        body.get("deleted_guids", ()), body["delete_missing"])
        assert self.model.head == head, "the model"
        assert again["cards_added"] == again["cards_modified"] == again["cards_deleted"] == 0 and again["version"] == show(version), again
        self._check_deck()
        return f"{computer.name} {way}"

    def do_push_fields(self):
        computer = self._editor()
        edited = sorted(computer.edited())
        edits = [(guid, field, computer.base[guid].fields.get(field, ""), computer.notes[guid].fields[field])
                 for guid, field in self.rng.sample(edited, min(len(edited), 3)) if field in computer.notes[guid].fields]
        good, expected_conflicts = [], []
        for guid, field, old, new in edits:
            now = self.model.alive().get(guid)
            if now is None or field not in now.fields or now.fields[field] == new:
                continue
            if now.fields[field] == old:
                good.append((guid, field, new))
            else:
                expected_conflicts.append((guid, field, now.fields[field]))
        self.model.edit(computer.by(), good)
        answer = computer.wire.call("push-changes", {"deck_id": self.deck, "changes": [
            {"card_guid": guid, "field_name": field, "old_value": old, "new_value": new} for guid, field, old, new in edits]})
        found = [(one["card_guid"], one["field_name"], one["server_value"]) for one in answer["conflicts"]]
        assert answer["status"] == "applied" and found == expected_conflicts and answer["changes_pushed"] == len(good), (answer, good, expected_conflicts)
        for guid, field, new in good:
            computer.base[guid].fields[field] = new
        for guid, field, server in found:  # whoever edits it takes the server's, or goes on with their own
            computer.base[guid].fields[field] = server
            if self.rng.random() < 0.5:
                computer.notes[guid].fields[field] = server
        self._check_deck()
        return f"{computer.name} {edits}"

    def do_push_tags(self):
        computer = self._editor()
        guids = sorted(computer.notes)
        chosen = self.rng.sample(guids, min(2, len(guids)))
        cards = {}
        for guid in chosen:
            now = self.model.alive().get(guid)
            if now and {tag.lower() for tag in now.tags} != {tag.lower() for tag in computer.notes[guid].tags}:
                cards[guid] = Card(dict(now.fields), computer.notes[guid].tags, None)
        self.model.push(computer.by(), cards)
        computer.wire.call("sync-tags", {"deck_id": self.deck, "action": "push", "tags": [
            {"card_guid": guid, "tags": list(computer.notes[guid].tags)} for guid in chosen]})
        for guid in chosen:
            if guid in computer.base:
                computer.base[guid].tags = computer.notes[guid].tags
        self._check_deck()
        return f"{computer.name} {chosen}"

    # --- Work on a computer

    def _note(self, computer):
        guids = sorted(computer.notes)
        return self.rng.choice(guids) if guids else None

    def do_edit(self):
        computer = self._editor()
        guid = self._note(computer)
        if guid is None:
            return ""
        field = self.rng.choice(sorted(computer.notes[guid].fields))
        computer.notes[guid].fields[field] = self._text(computer)
        return f"{computer.name} {guid} {field} = {computer.notes[guid].fields[field]!r:.60}"

    def do_drop_field(self):
        computer = self._editor()
        guid = self._note(computer)
        names = [name for name in computer.notes[guid].fields if name not in ("Front", "Back")] if guid else []
        if names:
            del computer.notes[guid].fields[names[0]]
        return f"{computer.name} {guid} {names[:1]}"

    def do_revert(self):
        """Somebody who has seen everything takes a text back that was there before: that is a decision."""
        computer = self._editor()
        self._pull(computer)
        olds = [(one.guid, one.field, one.old) for one in self.model.log if one.kind == "modify" and one.old and one.guid in computer.notes
                and one.field in computer.notes[one.guid].fields]
        if not olds or computer.cursor_seq < self.model.head:  # a place that no pull can tell
            return ""
        guid, field, old = self.rng.choice(olds)
        computer.notes[guid].fields[field] = old
        self._push(computer)
        assert self.model.cards[guid].fields[field] == old, "the model"
        return f"{computer.name} {guid} {field}"

    def do_tag(self):
        computer = self._editor()
        guid = self._note(computer)
        if guid:
            note, tag = computer.notes[guid], self.rng.choice(TAGS)
            note.tags = tuple(one for one in note.tags if one != tag) if tag in note.tags else (*note.tags, tag)
        return f"{computer.name} {guid}"

    def do_move(self):
        computer = self._editor()
        guid = self._note(computer)
        if guid:
            computer.notes[guid].path = self.rng.choice(PATHS)
        return f"{computer.name} {guid}"

    def do_add(self):
        """A new card, or one that was there before."""
        computer = self._editor()
        gone = sorted(guid for guid in self.model.cards if guid not in computer.notes)
        guid = self.rng.choice(gone) if gone and self.rng.random() < 0.5 else self.rng.choice(GUIDS) + str(next(self.values))
        if guid in self.model.alive():  # its next pull brings it
            return ""
        self._make_card(computer, guid)
        computer.base.pop(guid, None)
        return f"{computer.name} {guid}"

    def do_remove(self):
        computer = self._editor()
        guid = self._note(computer)
        if guid and len(computer.notes) > 2:
            del computer.notes[guid]
        return f"{computer.name} {guid}"

    def do_log_in(self):
        """The old login is forgotten, not ended: it may be that of another computer."""
        computer = self.rng.choice(self.computers)
        computer.log_in()
        return computer.name

    # --- Reading

    def _install(self, computer):
        answer, cards = self._download(computer.wire)
        computer.notes, computer.base = cards, copy.deepcopy(cards)
        computer.known = set(cards)
        computer.cursor = computer.tag_cursor = answer["latest_change_id"]
        computer.cursor_seq, computer.told = self.model.head, computer.cursor is not None
        computer.account.is_sent(computer.device, self.model.head)
        computer.diverged.clear()
        computer.protected = list(computer.protected)

    def do_install(self):
        computer = self.rng.choice(self.computers)
        if computer.is_editor and (computer.edited() or set(computer.notes) != computer.known):
            return ""
        self._install(computer)
        return computer.name

    def do_lose_download(self):
        """A download of the whole deck that is sent, and does not arrive: the computer goes on with what it has. Not if
        that has the cursor of the download, too: then nobody can tell whether it arrived."""
        computer = self.rng.choice(self.computers)
        if computer.cursor_seq >= self.model.head:
            return ""
        self._download(computer.wire)
        computer.account.is_sent(computer.device, self.model.head)
        return computer.name

    def do_pull(self):
        computer = self.rng.choice(self.computers)
        return f"{computer.name} {self._pull(computer, self.rng.random() < 0.5)}"

    def _pull(self, computer, with_tags=True):
        """As the add-on does: until nothing comes. It takes no tags."""
        limit = 1000 if computer.is_editor else self.rng.choice((1, 3, 1000))
        count = 0
        for _ in range(400):
            body = {"deck_id": self.deck, "full_sync": False, "offset": 0, "limit": limit}
            if computer.cursor:
                body["last_change_id"] = computer.cursor
                computer.account.names(computer.device, computer.cursor_seq)
            answer = computer.wire.call("pull-changes", body)
            assert not answer.get("cursor_reset"), answer
            for change in answer["changes"]:
                self._apply(computer, change)
            for conflict in answer["conflicts"]:
                self._meet(computer, conflict)
            count += len(answer["changes"]) + len(answer["conflicts"])
            computer.cursor_seq = self.model.end_of_pull(computer.cursor_seq, computer.cursor is not None) if limit == 1000 else 0
            computer.cursor = answer["latest_change_id"]
            if not answer["changes"] and not answer["conflicts"] and not answer["has_more"]:
                if with_tags:
                    self._pull_tags(computer)
                return count
        raise AssertionError("its pulls come to no end")

    def _apply(self, computer, change):
        guid, field, value = change["card_guid"], change["field_name"], change["new_value"]
        if change["change_type"] == "delete":
            computer.notes.pop(guid, None)
            computer.base.pop(guid, None)
            computer.known.discard(guid)
            computer.diverged -= {one for one in computer.diverged if one[0] == guid}
            return
        assert change["change_type"] == "add" or guid in computer.known or guid in computer.notes or guid not in computer.base, change
        if guid not in computer.notes and guid in computer.known:
            return  # removed here, and not pushed yet
        computer.known.add(guid)
        for cards in (computer.base, computer.notes):
            cards.setdefault(guid, Card({}, (), ""))
        computer.base[guid].fields[field] = value
        if field in computer.protected:
            computer.diverged.add((guid, field))
            return
        computer.notes[guid].fields[field] = value
        computer.diverged.discard((guid, field))

    def _meet(self, computer, conflict):
        key = conflict["card_guid"], conflict["field_name"], conflict["suggestion_id"]
        assert key not in computer.conflicts, f"told twice: {conflict}"
        computer.conflicts.add(key)
        guid, field = key[:2]
        assert conflict["server_value"] == self.model.cards[guid].fields.get(field, ""), conflict
        if guid not in computer.notes:
            return
        if self.rng.random() < 0.5 and field not in computer.protected:
            computer.notes[guid].fields[field] = conflict["server_value"]
            computer.diverged.discard((guid, field))
        else:
            computer.notes[guid].fields[field] = conflict["local_value"]
            computer.diverged.add((guid, field))

    def _pull_tags(self, computer):
        answer = computer.wire.call("sync-tags", {"deck_id": self.deck, "action": "pull", **({"since": computer.tag_cursor} if computer.tag_cursor else {})})
        computer.tag_cursor = answer["latest_change_id"]
        for one in answer["tags"]:
            if one["card_guid"] in computer.notes:
                computer.notes[one["card_guid"]].tags = tuple(one["tags"])
                if one["card_guid"] in computer.base:
                    computer.base[one["card_guid"]].tags = tuple(one["tags"])

    # --- Suggestions

    def do_suggest(self):
        computer = self._subscriber()
        guid = self._note(computer)
        if guid is None:
            return ""
        field = self.rng.choice(sorted(computer.notes[guid].fields))
        old, new, now = computer.notes[guid].fields[field], self._text(computer), self.model.alive().get(guid)
        is_known = now is not None and field in now.fields
        if self.rng.random() < 0.5:
            answer = computer.wire.call("push-changes", {"deck_id": self.deck, "changes": [
                {"card_guid": guid, "field_name": field, "old_value": old, "new_value": new}]})
            is_known = is_known and field not in computer.protected  # an edit of such a field stays where it is
            assert answer["status"] == "pending_review" and len(answer["suggestion_ids"]) == is_known, answer
            number = answer["suggestion_ids"][0] if is_known else None
            computer.notes[guid].fields[field] = new  # edited here, too
            computer.diverged.add((guid, field))
        else:
            body = {"deck_id": self.deck, "card_guid": guid, "field_name": field, "current_value": old, "suggested_value": new, "reason": None}
            answer = computer.wire.call("submit-suggestion", body, 200 if is_known else 404 if now is None else 400)
            number = answer.get("suggestion_id")
            if is_known:
                assert computer.wire.call("submit-suggestion", body)["suggestion_id"] == number, "a repeated one is the same"
        if is_known:
            self.model.suggestions.append({"id": number, "account": computer.account, "kind": "field", "guid": guid, "field": field, "base": old,
                                           "value": new, "state": "pending"})
        return f"{computer.name} {guid} {field}"

    def do_suggest_tags(self):
        computer = self._subscriber()
        guid = self._note(computer)
        now = self.model.alive().get(guid)
        tags = joined(self.rng.sample(TAGS, 2))
        if now is None or {tag.lower() for tag in tags} == {tag.lower() for tag in now.tags}:
            return ""
        answer = computer.wire.call("sync-tags", {"deck_id": self.deck, "action": "push", "tags": [{"card_guid": guid, "tags": list(tags)}]})
        assert answer["status"] == "pending_review" and answer["cards_updated"] == 1, answer
        self._learn_suggestion(computer, guid, "tags", now.tags, tags)
        return f"{computer.name} {guid}"

    def do_ask_to_remove(self):
        computer = self._subscriber()
        guid = self._note(computer)
        if guid is None:
            return ""
        known = guid in self.model.alive()
        computer.wire.call("request-card-removal", {"deck_id": self.deck, "card_guids": [guid]}, 200 if known else 404)
        if known:
            self._learn_suggestion(computer, guid, "delete", "", "")
        return f"{computer.name} {guid}"

    def _learn_suggestion(self, computer, guid, kind, base, value):
        """A pending one that says the same is the same one."""
        new = {"id": None, "account": computer.account, "kind": kind, "guid": guid, "field": "", "base": base, "value": value, "state": "pending"}
        if any(all(one[name] == new[name] for name in ("account", "kind", "guid", "value", "state")) for one in self.model.suggestions):
            return
        known = {one["id"] for one in self.model.suggestions}
        found = [one for one in self.owner.wire.call("list-suggestions", {"deck_id": self.deck, "limit": 100})["suggestions"]
                 if one["suggestion_id"] not in known]
        assert len(found) == 1 and found[0]["kind"] == kind, found
        new["id"] = found[0]["suggestion_id"]
        self.model.suggestions.append(new)

    def do_decide(self):
        computer = self._editor()
        if not self.model.suggestions:
            return ""
        pending = [one for one in self.model.suggestions if one["state"] == "pending"]
        one = self.rng.choice(pending if pending and self.rng.random() < 0.9 else self.model.suggestions)
        body = {"suggestion_id": one["id"], "action": self.rng.choice(("accept", "accept", "reject"))}
        if self.rng.random() < 0.5:
            body["force"] = True
        if one["kind"] == "field" and body["action"] == "accept" and self.rng.random() < 0.3:
            body["value"] = self._text(computer)
        computer.wire.call("review-suggestion", body, self._decide(one, body))
        self._check_deck()
        return f"{computer.name} {one['kind']} of {one['account'].name} for {one['guid']} {one['field']}: {body['action']} is {one['state']}"

    def _decide(self, one, body):
        """Does it in the model; returns the status of the answer."""
        if one["state"] != "pending":
            return 409
        if body["action"] == "reject":
            one["state"] = "rejected"
            return 200
        card = self.model.alive().get(one["guid"])
        if card is None or (one["kind"] == "field" and one["field"] not in card.fields):
            return 409
        present = {"field": lambda: card.fields[one["field"]], "tags": lambda: card.tags, "delete": lambda: ""}[one["kind"]]()
        if present != one["base"] and not body.get("force"):
            return 409
        one["state"] = "accepted"
        by = By(one["account"], None, origin="suggestion", suggestion=one)
        if one["kind"] == "field":
            self.model.edit(by, [(one["guid"], one["field"], body.get("value", one["value"]))])
        elif one["kind"] == "tags":
            self.model.push(by, {one["guid"]: Card(dict(card.fields), one["value"], None)})
        else:
            self.model.push(by, {}, [one["guid"]])
        return 200

    def do_withdraw(self):
        own = [one for one in self.model.suggestions if one["state"] == "pending"]
        if not own:
            return ""
        one = self.rng.choice(own)
        wire = next(c for c in self.computers if c.account is one["account"]).wire
        wire.call("withdraw-suggestion", {"suggestion_id": one["id"]})
        one["state"] = "withdrawn"
        return one["id"]

    # --- Going back, and what is personal

    def do_roll_back_card(self):
        computer = self._editor()
        guid, version = self.rng.choice(sorted(self.model.cards)), self.rng.choice(sorted(self.model.versions))
        was = self.model.versions[version].get(guid)
        if was is None:
            computer.wire.call("rollback-card", {"deck_id": self.deck, "card_guid": guid, "target_version": show(version)}, 404)
        else:
            by = By(computer.account, None, origin="rollback")
            self.model.push(by, {} if was.removed else {guid: was}, [guid] if was.removed else [])
            computer.wire.call("rollback-card", {"deck_id": self.deck, "card_guid": guid, "target_version": show(version)})
        self._check_deck()
        return f"{computer.name} {guid} {version}"

    def do_roll_back_deck(self):
        computer = self._editor()
        version = self.rng.choice(sorted(self.model.versions))
        was = dict(sorted(self.model.at(version).items(), key=lambda one: one[0].encode()))
        self.model.push(By(computer.account, None, origin="rollback"), was, [guid for guid in self.model.alive() if guid not in was])
        computer.wire.call("rollback-deck", {"deck_id": self.deck, "target_version": show(version)})
        self._check_deck()
        return f"{computer.name} {version}"

    def do_protect(self):
        computer = self._subscriber()
        names = self.rng.sample(FIELDS, self.rng.choice((0, 1, 2)))
        computer.wire.call("protected-fields", {"deck_id": self.deck, "fields": names})
        for one in self.computers:
            if one.account is computer.account:
                one.protected = one.wire.call("get-protected-fields", {"deck_id": self.deck})["protected_fields"]
                assert one.protected == names, one.protected
        return f"{computer.name} {names}"

    def do_suspend(self):
        computer = self.rng.choice(self.computers)
        guid, is_suspended = self._note(computer), self.rng.random() < 0.5
        if guid is None:
            return ""
        states = self.states[computer.account.name]
        computer.wire.call("sync-suspend-state", {"deck_id": self.deck, "action": "push", "states": [{"card_guid": guid, "is_suspended": is_suspended}]})
        if guid in self.model.alive():
            states[guid] = is_suspended
        return f"{computer.name} {guid} {is_suspended}"

    # --- The end

    def settle(self):
        """All editors push what they have, all pull everything: then they have the deck."""
        self.rng = random.Random(f"{self.seed}/end")
        for computer in self.computers:
            if computer.is_editor:
                self._pull(computer)
                self._push(computer, "named")
        for computer in self.computers:
            self._pull(computer)
        cards = self._check_deck()
        for computer in self.computers:
            assert set(computer.notes) == set(cards), f"{computer.name} has {sorted(set(computer.notes) ^ set(cards))} more or less"
            for guid, card in cards.items():
                note = computer.notes[guid]
                for field in {**note.fields, **card.fields}:
                    if (guid, field) not in computer.diverged:
                        mine, theirs = note.fields.get(field, ""), card.fields.get(field, "")
                        assert mine == theirs, f"{computer.name} has {guid} {field}: {mine!r} and not {theirs!r}"
                assert sorted(note.tags) == sorted(card.tags), f"{computer.name} has the tags {note.tags} of {guid} and not {card.tags}"
        self._check_whole(cards)
        for version in self.model.versions:
            forget_rates()
            check = self.owner.wire.call("verify-version", {"deck_id": self.deck, "target_version": show(version)})
            assert check["matches"] is True and check["card_count"] == len(self.model.at(version)), (version, check)
        for computer in self.computers:
            pulled = computer.wire.call("sync-suspend-state", {"deck_id": self.deck, "action": "pull"})["states"]
            found = {one["card_guid"]: one["is_suspended"] for one in pulled if one["is_suspended"]}
            expected = {guid: True for guid, state in self.states[computer.account.name].items() if state and guid in cards}
            assert {guid: state for guid, state in found.items() if guid in cards} == expected, (computer.name, found, expected)
        self._check_database(cards)

    def _check_whole(self, cards):
        """By pages it is the same deck."""
        found, offset = {}, 0
        while True:
            page = self.watcher.call("pull-changes", {"deck_id": self.deck, "full_sync": True, "offset": offset, "limit": 5})
            found |= {one["guid"]: self._read(one) for one in page["cards"]}
            if not page["has_more"]:
                break
            offset = page["next_offset"]
        assert {guid: card.content() for guid, card in found.items()} == {guid: card.content() for guid, card in cards.items()}

    def _check_database(self, cards):
        """Texts are there byte for byte: nobody has escaped or mended anything."""
        with Session(os.environ["DATABASE_URL"]) as db:
            rows = db.ask(f"SELECT encode(convert_to(c.guid, 'UTF8'), 'hex'), encode(convert_to(c.fields, 'UTF8'), 'hex') FROM decks_cards c "
                          f"JOIN decks d USING (deck_id) WHERE d.public_id = '{self.deck}' AND c.removed_seq IS NULL")
        stored = {bytes.fromhex(guid).decode(): json.loads(bytes.fromhex(fields)) for guid, fields in rows}
        assert stored == {guid: card.fields for guid, card in cards.items()}, "the database has other texts"


def show(version):
    return ".".join(map(str, version))


def play(seed, only=None, counts=None):
    """One round; returns its diary and its fault, if any."""
    forget_rates()
    world, diary, fault = World(seed), [], None
    names = sorted(WEIGHTS)
    step = 0
    try:
        for step in range(1, STEPS + 1):
            if only is not None and step not in only:
                continue
            world.rng = random.Random(f"{seed}/{step}")
            world.values = itertools.count(step * 1000)
            name, = world.rng.choices(names, [WEIGHTS[one] for one in names])
            diary.append(f"{step}: {name}")
            diary[-1] += f" {getattr(world, 'do_' + name)() or ''}"
            if counts is not None:
                counts[name] += 1
            if step % 15 == 0:
                forget_rates()
        step = STEPS + 1
        diary.append("the end")
        forget_rates()
        world.settle()
    except Exception:  # pylint: disable=broad-except
        fault = traceback.format_exc()
    forget_rates()
    world.close()
    return diary, fault, step


def shrink(seed, last):
    """As few steps as still fail, within some time."""
    steps, end = list(range(1, min(last, STEPS) + 1)), time.monotonic() + SHRINK_SECONDS
    size = max(len(steps) // 2, 1)
    while time.monotonic() < end:
        for first in range(0, len(steps), size):
            fewer = steps[:first] + steps[first + size:]
            if time.monotonic() > end:
                break
            if play(seed, fewer)[1]:
                steps = fewer
                break
        else:
            if size == 1:
                break
            size //= 2
    return steps


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, help="play fresh seeds for that many seconds")
    parser.add_argument("--seed", type=int, help="play this seed and show its diary")
    parser.add_argument("--only", help="only these steps of the seed: 1,5,9")
    options = parser.parse_args()
    if options.seed is not None:
        diary, fault, _ = play(options.seed, {int(one) for one in options.only.split(",")} if options.only else None)
        print("\n".join(diary), fault or "no fault", sep="\n")
        print(f"{int(not fault)} passed, {int(bool(fault))} failed")
        return int(bool(fault))
    seeds = iter(FIXED_SEEDS) if options.seconds is None else (random.randrange(10 ** 9) for _ in itertools.count())
    end = time.monotonic() + (options.seconds or 1000)
    passed, failed, counts = 0, 0, collections.Counter()
    for seed in seeds:
        if time.monotonic() > end or failed >= 3:
            break
        diary, fault, last = play(seed, counts=counts)
        passed, failed = passed + (fault is None), failed + (fault is not None)
        if fault:
            steps = shrink(seed, last) if options.seconds is not None else list(range(1, last + 1))
            diary, fault, _ = play(seed, steps)
            print("\n".join(diary), fault, f"FAILED  again: {sys.argv[0]} --seed {seed} --only {','.join(map(str, steps))}", sep="\n", flush=True)
    never = sorted(set(WEIGHTS) - set(counts))
    print(f"{passed + failed} rounds, {sum(counts.values())} steps" + (f"; never: {', '.join(never)}" if never else ""))
    print(f"{passed} passed, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
