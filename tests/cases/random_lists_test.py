#!/usr/bin/env python3
"""Random operations on two accounts' lists, compared with a simple model: entries, filters, pages, statistics, history,
entity tags, automatic rules, and lists that are exported and imported again. See random_work.py for the options.

SYNCLINE_HTTP and SYNCLINE_ADMIN locate the server (`<dir>/env` of ./run); its worker imports.
"""

import copy
import datetime
import pathlib
import random
import secrets
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from installation import admin
from list_wire import ListClient
from random_work import run
from rest_wire import HTTP

STATUSES = ("watching", "completed", "plan_to_watch", "dropped", "on_hold")
FIELDS = ("status", "score", "progress", "started_on", "finished_on", "rewatches", "rewatching", "notes", "priority", "tags", "private")
EMPTY = {"score": None, "progress": None, "started_on": None, "finished_on": None, "rewatches": 0, "rewatching": False, "notes": None,
         "priority": 0, "tags": [], "private": False}
IN_HISTORY = ("status", "score", "progress", "rewatches")
MOST = 2_147_483_647


class Refused(Exception):
    """The model expects a 422."""


def today():
    return datetime.datetime.now(datetime.timezone.utc).date().isoformat()


def changed(before, change, episodes, has_rules):
    """What an entry becomes; the rules are those of handlers/anime/entry_rules.h, said again."""
    entry = {**(before or EMPTY), **copy.deepcopy(change)}
    old, new = (before or EMPTY)["progress"] or 0, entry["progress"] or 0
    moved = "progress" in change and new != old
    if has_rules:
        at_end = moved and episodes and new == episodes
        if moved and episodes and new > episodes:
            raise Refused
        if entry["rewatching"]:
            if at_end:
                entry["rewatching"] = False
                if "rewatches" not in change:
                    entry["rewatches"] = min(entry["rewatches"] + 1, 1000)
                if "status" not in change:
                    entry["status"] = "completed"
        else:
            if "status" not in change and at_end:
                entry["status"] = "completed"
            elif "status" not in change and moved and old == 0:
                entry["status"] = "watching"
            if moved and old == 0 and not entry["started_on"] and "started_on" not in change:
                entry["started_on"] = today()
            if entry["status"] == "completed" and (before or {}).get("status") != "completed":
                if episodes and "progress" not in change:
                    entry["progress"] = episodes
                if not entry["finished_on"] and "finished_on" not in change:
                    entry["finished_on"] = today()
    if change.keys() & {"started_on", "finished_on"} and entry["started_on"] and entry["finished_on"] \
            and entry["finished_on"] < entry["started_on"]:
        raise Refused
    return entry


class Owner:
    """An account and what its list should be: entries by the titles' ids, the newest last."""

    def __init__(self):
        self.client = ListClient(HTTP, lambda name, password: admin("user", "add", name, "--password-file", "-", stdin=password + "\n"))
        self.entries, self.history, self.has_rules = {}, [], False
        self.tags = {}  # title: the latest entity tag, and one before it
        self.updates = self.imports = 0

    def ask(self, *request, **more):
        return self.client.ask(*request, **more)

    def import_list(self, file, query=""):
        self.imports += 1
        return self.client.import_list(file, query)

    def may_import(self):
        """30 an hour."""
        return self.imports < 30

    def store(self, title, fields):
        """None deletes. Keeps what the history must say."""
        before = self.entries.get(title)
        states = [None if entry is None else {name: entry[name] for name in IN_HISTORY} for entry in (before, fields)]
        if states[0] != states[1]:
            self.history.append((title, *states))
        if fields is None:
            del self.entries[title]
            self.tags.pop(title)
        else:
            self.updates += 1
            self.entries[title] = {**fields, "updated": self.updates}

    def tagged(self, title, answer):
        self.tags[title] = (answer.headers["etag"], self.tags.get(title, (None,))[0])


class Lists:
    weights = {"add": 5, "change": 8, "put": 3, "delete": 2, "increment": 4, "page": 5, "read_whole": 3, "go_out_and_come_back": 0.4,
               "bring_back_what_was_deleted": 0.4, "switch_rules": 0.5}

    def __init__(self, rng: random.Random):
        self.rng, self.owners = rng, [Owner(), Owner()]
        self.titles = {}  # id: (mal_id, name, episodes)
        mark = "".join(secrets.choice("bcdfghjklmnpqrstvwxz") for _ in range(8))  # of this run
        first = 1_000_000_000 + secrets.randbelow(10 ** 9)
        for n in range(25):
            name, episodes = f"{mark} {rng.choice(['moth', 'tide', 'salt'])} {n:03}", rng.choice([None, 0, 1, 2, 12, 24])
            body = {"mal_id": first + n, "title": name, "episodes": episodes, "score": rng.choice([None, 7.25])}
            answer = self.owners[0].ask("POST", "/anime/", body)
            assert answer.status == 201 and "x-existing" not in answer.headers, answer
            self.titles[answer.json["id"]] = (first + n, name, episodes)

    # --- Choosing

    def some(self):
        """(owner, a title of its list or, at times, one that is not in it)"""
        owner = self.rng.choice(self.owners)
        listed = list(owner.entries)
        return owner, self.rng.choice(listed if listed and self.rng.random() < 0.9 else list(self.titles))

    def change(self):
        make = {
            "status": lambda: self.rng.choice(STATUSES), "score": lambda: self.rng.choice([None, 0, 10, 7.5, self.rng.randrange(1000) / 100]),
            "progress": lambda: self.rng.choice([None, 0, 1, 2, 3, 12, 24, 25, MOST]),
            "started_on": lambda: self.rng.choice([None, "2019-04-06", "2020-02-29", "2024-12-31"]),
            "finished_on": lambda: self.rng.choice([None, "2019-04-05", "2019-04-06", "2025-01-01"]),
            "rewatches": lambda: self.rng.choice([0, 1, 254, 1000]), "rewatching": lambda: self.rng.random() < 0.5,
            "notes": lambda: self.rng.choice([None, "", "a note", "\u043d\u0435 <b>&amp; ]]>\n2", "x" * 5000]),
            "priority": lambda: self.rng.randrange(3), "tags": lambda: self.rng.choice([[], ["a"], ["to do", "\u00fc", "c"]]),
            "private": lambda: self.rng.random() < 0.5}
        return {name: make[name]() for name in self.rng.sample(FIELDS, self.rng.randint(1, 4))}

    def spoiled(self):
        """A change that no model accepts."""
        return self.rng.choice([
            {"status": "seen"}, {"status": None}, {"score": 10.5}, {"score": "x"}, {"progress": -1}, {"progress": MOST + 1},
            {"started_on": "2019-02-29"}, {"finished_on": "29.2.2020"}, {"rewatches": 1001}, {"rewatching": None}, {"notes": "x" * 5001},
            {"notes": "a\0"}, {"priority": 3}, {"tags": ["x"] * 33}, {"tags": [""]}, {"tags": "a"}, {"private": 5}])

    # --- Comparing

    def same(self, shown, owner, title):
        mal_id, name, episodes = self.titles[title]
        expected = {field: owner.entries[title][field] for field in FIELDS}
        assert {field: shown[field] for field in FIELDS} == expected, (shown, expected)
        assert (shown["anime_id"], shown["anime"]["mal_id"], shown["anime"]["title"], shown["anime"]["episodes"]) == (
            title, mal_id, name, episodes), shown
        assert shown["created_at"] <= shown["updated_at"], shown

    def stored(self, answer, statuses, owner, title, fields):
        assert answer.status in statuses, answer
        owner.store(title, fields)
        owner.tagged(title, answer)
        self.same(answer.json, owner, title)

    def refused(self, answer, status, owner, title):
        """And nothing has changed."""
        assert answer.status == status, (answer, status)
        found = owner.ask("GET", f"/users/me/list/{title}?fields=full")
        if title in owner.entries:
            self.same(found.json, owner, title)
            assert found.headers["etag"] == owner.tags[title][0]
        else:
            assert found.status == 404, found

    # --- Operations

    def do_add(self):
        owner = self.rng.choice(self.owners)
        title = self.rng.choice(list(self.titles))
        change = {"status": self.rng.choice(STATUSES), **self.change()}
        answer = owner.ask("POST", "/users/me/list?fields=full", {"anime_id": title, **change})
        if title in owner.entries:
            return self.refused(answer, 409, owner, title)
        try:
            fields = changed(None, change, self.titles[title][2], owner.has_rules)
        except Refused:
            return self.refused(answer, 422, owner, title)
        return self.stored(answer, (201,), owner, title, fields)

    def do_add_in_vain(self):
        owner, title = self.some()
        body = {"anime_id": title, "status": "watching", **self.spoiled()}
        self.refused(owner.ask("POST", "/users/me/list", body), 422, owner, title)
        assert owner.ask("POST", "/users/me/list", {"anime_id": MOST, "status": "watching"}).status == 404

    def do_change(self):
        owner, title = self.some()
        change, headers = self.change(), {}
        tags = owner.tags.get(title, ('"1"', None))
        is_stale = self.rng.random() < 0.2 and title in owner.entries
        if self.rng.random() < 0.5:
            headers["if-match"] = tags[0]
        if is_stale:
            headers["if-match"] = tags[1] or '"0"'
        answer = owner.ask("PATCH", f"/users/me/list/{title}?fields=full", change, headers)
        if title not in owner.entries:
            return self.refused(answer, 412 if headers else 404, owner, title)
        if is_stale:
            return self.refused(answer, 412, owner, title)
        try:
            fields = changed(owner.entries[title], change, self.titles[title][2], owner.has_rules)
        except Refused:
            return self.refused(answer, 422, owner, title)
        return self.stored(answer, (200,), owner, title, fields)

    def do_change_in_vain(self):
        owner, title = self.some()
        self.refused(owner.ask("PATCH", f"/users/me/list/{title}", {**self.change(), **self.spoiled()}), 422, owner, title)
        self.refused(owner.ask("PATCH", f"/users/me/list/{title}", {"unknown": 1}), 422, owner, title)

    def do_put(self):
        owner, title = self.some()
        change, is_new = self.change(), title not in owner.entries
        answer = owner.ask("PUT", f"/users/me/list/by-mal/{self.titles[title][0]}?fields=full", change)
        try:
            if is_new and "status" not in change:
                raise Refused
            fields = changed(owner.entries.get(title), change, self.titles[title][2], owner.has_rules)
        except Refused:
            return self.refused(answer, 422, owner, title)
        return self.stored(answer, (201,) if is_new else (200,), owner, title, fields)

    def do_increment(self):
        owner, title = self.some()
        answer = owner.ask("POST", f"/users/me/list/{title}/increment?fields=full")
        if title not in owner.entries:
            return self.refused(answer, 404, owner, title)
        change = {"progress": min((owner.entries[title]["progress"] or 0) + 1, MOST)}
        try:
            fields = changed(owner.entries[title], change, self.titles[title][2], owner.has_rules)
        except Refused:
            return self.refused(answer, 422, owner, title)
        return self.stored(answer, (200,), owner, title, fields)

    def do_delete(self):
        owner, title = self.some()
        headers = {"if-match": owner.tags[title][1]} if title in owner.entries and owner.tags[title][1] and self.rng.random() < 0.2 else {}
        answer = owner.ask("DELETE", f"/users/me/list/{title}", headers=headers)
        if title not in owner.entries or headers:
            return self.refused(answer, 412 if headers else 404, owner, title)
        assert answer.status == 204 and not answer.body, answer
        return owner.store(title, None)

    def do_read_whole(self):
        owner = self.rng.choice(self.owners)
        status = self.rng.choice([None, *STATUSES])
        answer = owner.ask("GET", "/users/me/list?fields=full" + (f"&status={status}" if status else ""))
        expected = [title for title in reversed(owner.entries) if status in (None, owner.entries[title]["status"])]
        assert [entry["anime_id"] for entry in answer.json] == expected, (answer.json, expected)
        assert int(answer.headers["x-total-count"]) == len(expected)
        for entry in answer.json:
            self.same(entry, owner, entry["anime_id"])

    def do_page(self):
        owner = self.rng.choice(self.owners)
        status, word = self.rng.choice([None, *STATUSES]), self.rng.choice([None, "moth", "TIDE", "salt 0", "nowhere"])
        order, limit, offset = self.rng.choice(["created", "updated", "title", "score", "progress"]), self.rng.randint(1, 8), self.rng.randint(0, 9)
        query = f"?sort={order}&limit={limit}&offset={offset}" + (f"&status={status}" if status else "")
        query += f"&search={word.replace(' ', '%20')}" if word else ""
        newest = list(reversed(owner.entries))
        found = [title for title in newest if status in (None, owner.entries[title]["status"])
                 and (word is None or word.lower() in self.titles[title][1])]
        keys = {"created": lambda title: 0, "updated": lambda title: -owner.entries[title]["updated"], "title": lambda title: self.titles[title][1],
                "score": lambda title: -1 if owner.entries[title]["score"] is None else owner.entries[title]["score"],
                "progress": lambda title: -1 if owner.entries[title]["progress"] is None else owner.entries[title]["progress"]}
        found.sort(key=keys[order], reverse=order in ("score", "progress"))
        answer = owner.ask("GET", "/users/me/list" + query)
        assert [entry["anime_id"] for entry in answer.json] == found[offset:offset + limit], (query, answer, found)
        assert int(answer.headers["x-total-count"]) == len(found), (query, answer.headers)

    def do_count(self):
        owner = self.rng.choice(self.owners)
        stats, entries = owner.ask("GET", "/users/me/list/stats").json, owner.entries.values()
        assert stats["total"] == len(entries) and stats["rewatches"] == sum(entry["rewatches"] for entry in entries), stats
        assert stats["by_status"] == {status: sum(entry["status"] == status for entry in entries) for status in STATUSES}, stats
        scores = [entry["score"] for entry in entries if entry["score"] is not None]
        assert stats["scored"] == len(scores), stats
        assert not scores or abs(stats["mean_score"] - sum(scores) / len(scores)) <= 0.0051, (stats, scores)

    def do_read_history(self):
        owner = self.rng.choice(self.owners)
        title = self.rng.choice([None, *self.titles]) if self.rng.random() < 0.5 else None
        limit = self.rng.randint(1, 40)
        expected = [change for change in reversed(owner.history) if title in (None, change[0])]
        query, shown = f"?limit={limit}" + (f"&anime_id={title}" if title else ""), []
        for _ in range(2):
            page = owner.ask("GET", "/users/me/list/history" + query + (f"&before={shown[-1]['id']}" if shown else "")).json
            assert len(page) == min(limit, len(expected) - len(shown)), (len(page), len(expected))
            shown += page
            if not page:
                break
        seen = [(one["anime_id"], one["before"], one["after"]) for one in shown]
        assert seen == expected[:len(shown)], (seen[:3], expected[:3])

    def do_switch_rules(self):
        owner = self.rng.choice(self.owners)
        owner.has_rules = not owner.has_rules
        assert owner.ask("PATCH", "/users/me/list/settings", {"auto_rules": owner.has_rules}).json == {"auto_rules": owner.has_rules}
        assert owner.ask("GET", "/users/me/list/settings").json == {"auto_rules": owner.has_rules}

    def do_look_into_the_other_list(self):
        """One's tag, one's title: of another account they mean nothing."""
        owner, title = self.some()
        other = self.owners[owner is self.owners[0]]
        if title not in other.entries:
            self.refused(other.ask("PATCH", f"/users/me/list/{title}", {"score": 1}), 404, other, title)
            self.refused(other.ask("DELETE", f"/users/me/list/{title}"), 404, other, title)

    def do_go_out_and_come_back(self):
        owner = self.rng.choice(self.owners)
        strategy = self.rng.choice(["keep", "newer", "overwrite"])
        if not owner.may_import():
            return
        before = owner.client.list()
        result = owner.import_list(owner.client.export(), f"?strategy={strategy}")
        assert (result["added"], result["updated"], result["failed_count"]) == (0, 0, 0), result
        assert result["unchanged"] == len(owner.entries), (result, len(owner.entries))
        assert owner.client.list() == before

    def do_bring_back_what_was_deleted(self):
        """As far as the file says it: whole scores, no word of privacy."""
        owner = self.rng.choice(self.owners)
        if not owner.may_import():
            return
        file, titles = owner.client.export(), self.rng.sample(list(owner.entries), min(3, len(owner.entries)))
        was = {title: owner.entries[title] for title in titles}
        for title in titles:
            assert owner.ask("DELETE", f"/users/me/list/{title}").status == 204
            owner.store(title, None)
        result = owner.import_list(file)
        assert (result["added"], result["updated"], result["failed_count"]) == (len(titles), 0, 0), result
        now = {entry["anime_id"]: entry for entry in owner.client.list().values()}
        for title in sorted(titles, key=lambda one: now[one]["id"]):
            score = was[title]["score"]
            rounded = None if score is None else float(int(score + 0.5)) or None
            fields = {**was[title], "score": rounded, "progress": was[title]["progress"] or 0, "private": False, "notes": was[title]["notes"] or None}
            fields["rewatches"] = 0 if fields["rewatches"] == 255 else fields["rewatches"]
            owner.store(title, {field: fields[field] for field in FIELDS})
            owner.tags[title] = (owner.ask("GET", f"/users/me/list/{title}").headers["etag"], None)
            self.same(now[title], owner, title)


if __name__ == "__main__":
    sys.exit(run(Lists))
