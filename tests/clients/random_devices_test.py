"""Three real clients do random things and sync in random order; in the end all are equal, as on the reference server.

    random_devices_test.py                      a few fixed seeds, then fresh ones for a short time
    random_devices_test.py --seconds 3600       fresh seeds for that long
    random_devices_test.py --seed 17 [--only 1,5,9]   one script, or some of its steps, with its diary and messages
    random_devices_test.py --client PYTHON      one or two devices run with this Python: another version of `anki`

A seed determines a script: the operations on each device, the time on its clock for each of them, and the syncs. Clocks
stand still and are set for every step (libfaketime), and ids depend on the clocks, so a script is the same every time
it is played. It is played against this server and, in parallel, step by step, against the server of the package. Faults
are syncs that fail, unexpected full syncs, devices that differ after all have synced until nothing is left to send,
rows that stay pending, and problems found by Anki's own check. A fault that only this server shows is a failure; a
fault of both is counted. A failing script is played again with fewer and fewer steps and printed with the messages of
its last syncs.
"""

import argparse
import collections
import contextlib
import glob
import json
import multiprocessing
import os
import pathlib
import queue
import random
import re
import secrets
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import traceback

import zstandard

import devices
from devices import HTTP, NOTETYPE, PASSWORD, admin, contents
from official_server import OfficialServer

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from anki_wire import Wire  # noqa: E402

FAKETIME = sorted(glob.glob("/usr/lib/*/faketime/libfaketime.so.1"))
MAKES_TEMPLATE_AT = 1_767_600_000_000
# A client refuses to sync when its clock is more than five minutes off. Scripts stay below, even on a slow machine.
MOST_OFF_MS = 230_000
LONGEST_MS = 40_000
ROUNDS = 6
FIXED_SEEDS = (1, 2, 3, 4, 5, 6)
CHECK_SECONDS = 50
SHRINK_SECONDS = 60

# Relative frequencies of the operations. A script uses only some of them.
WEIGHTS = {
    "add_note": 8, "add_duplicate": 1, "edit_note": 10, "edit_tags": 3, "remove_notes": 5, "remove_cards": 3,
    "remove_empty_cards": 1, "find_replace": 2,
    "answer": 10, "suspend": 2, "unsuspend": 2, "bury": 2, "unbury": 2, "flag": 3, "move_cards": 3, "set_due": 2,
    "forget": 2, "reposition": 2, "custom_study": 1,
    "create_deck": 3, "rename_deck": 4, "change_case": 1, "reparent_deck": 3, "remove_deck": 3, "replace_deck": 2,
    "swap_decks": 2, "shift_decks": 2, "remove_and_shift_decks": 1, "describe_deck": 2, "collapse_deck": 1,
    "select_deck": 1,
    "create_filtered": 3, "rebuild_filtered": 2, "empty_filtered": 2, "remove_filtered": 1, "answer_in_filtered": 3,
    "add_preset": 1, "edit_preset": 2, "rename_preset": 1, "assign_preset": 2, "options_dialog": 1,
    "edit_css": 2, "edit_template": 1, "rename_template": 1, "rename_field": 1, "rename_notetype": 2,
    "swap_notetypes": 1, "shift_notetypes": 1, "copy_notetype": 2,
    "add_tags": 3, "remove_tags": 2, "rename_tag": 2, "reparent_tag": 2, "delete_tag": 1, "clear_tags": 1,
    "collapse_tag": 1, "undo": 4, "redo": 1, "set_key": 2, "remove_key": 1, "switch_fsrs": 1, "preferences": 1,
    "reopen": 1,
}
# Only some scripts have these, because they hide many faults that the others would show.
SELDOM = {
    "schema": {"remove_notetype": 1, "add_field": 1, "remove_field": 1, "move_field": 1, "add_template": 1,
               "remove_template": 1, "change_notetype": 2, "remove_preset": 1},
    "days": {"a_day_passes": 3},
    "case": {"add_case_variant": 5},
    "check": {"check_database": 2},
    "many": {"add_many": 2, "change_many": 4},
    "cuts": {"cut_sync": 12},
}
# Percentage of scripts in which two devices answer in the same millisecond, which makes two reviews with one id.
TWINS = 4


class Script:
    """`steps`: the operations and syncs in order; `last`: the time of the last one."""

    def __init__(self, seed):
        self.seed = seed
        chance = random.Random(seed)
        weights = {name: weight for name, weight in WEIGHTS.items() if chance.random() < 0.6}
        for some in SELDOM.values():
            if chance.random() < 0.2:
                weights.update(some)
        weights.update(add_note=weights.get("add_note", 1))
        self.offsets = [0, 0, 0]
        clocks = chance.random()
        if clocks > 0.5:
            most = 3_000 if clocks < 0.7 else MOST_OFF_MS
            self.offsets = [chance.randint(-most, most) for _ in range(3)]
        has_twins = chance.random() < TWINS / 100
        syncs = chance.uniform(0.1, 0.4)
        count = chance.choice((8, 15, 25, 40))
        longest = LONGEST_MS / count
        self.steps, self.used, self.before, at = [], [], [-10**9] * 3, 0
        acted = 0
        for n in range(count):
            at += chance.choice((20, 300, 1000, 1500)) if chance.random() < 0.9 else int(longest)
            at = min(at, LONGEST_MS)
            who = chance.randrange(3)
            is_sync = chance.random() < syncs
            name = "sync" if is_sync else chance.choices(list(weights), list(weights.values()))[0]
            if name in ("undo", "redo"):
                who = acted
            elif not is_sync:
                acted = who
            moment = self._moment(who, at, 700 if name == "add_many" else 20)
            twins = [step["at"] for step in self.steps if step["name"] == name == "answer" and step["who"] != who]
            if has_twins and twins and twins[-1] > self.before[who]:
                moment = twins[-1]
            self.before[who] = moment
            self.steps.append({"n": n, "who": who, "at": moment, "name": name, "number": chance.randrange(2**31),
                               "upload": chance.random() < 0.4})
        self.order = chance.sample(range(3), 3)
        self.last = at

    def _moment(self, who, at, lasts):
        """The time of a step on the device's clock. New ids are counted up from it, so steps must not overlap."""
        moment = max(at + self.offsets[who], self.before[who] + 20)
        while any(moment < end and begin < moment + lasts for begin, end in self.used):
            moment += 7
        self.used.append((moment, moment + lasts))
        return moment

    def only(self, numbers):
        some = Script(self.seed)
        some.steps = [step for step in self.steps if step["n"] in numbers]
        return some


CHECK = "check database:"
FRESH = " on a fresh device"


def only_here(here, reference):
    """Kinds of faults that only this server shows. Two people can leave problems for Anki's check on any server (one
    deletes a deck while the other adds to it). Whether that happens depends on names and times, so these faults are
    compared only where the reference server shows no other faults. Where devices differ on both servers (nobody is told
    of a deleted tag), a fresh device cannot equal all of them; which one it equals depends on the server."""
    is_comparable = all(kind.startswith(CHECK) for kind in reference.faults)
    return [kind for kind in here.faults if kind.removesuffix(FRESH) not in reference.faults
            and (is_comparable or not kind.startswith(CHECK))]


class Fault(Exception):
    """A fault that a play found. Similar faults have the same kind."""

    def __init__(self, kind, detail):
        super().__init__(kind)
        self.kind, self.detail = kind, detail


def like(text):
    """The text of an error without the parts that differ from run to run."""
    text = re.sub(r"[0-9a-f]{8,}|\d+", "#", text.splitlines()[0] if text else "")[:160]
    return re.sub(r"\b(card|note|deck)s\b", r"\1", text)


# --- Processes ----------------------------------------------------------------------------------------------------

class Host:
    """A process that runs clients of one version."""

    def __init__(self, python):
        self.python = python
        program = pathlib.Path(__file__).with_name("random_device.py")
        environment = os.environ | {"LD_PRELOAD": FAKETIME[-1], "FAKETIME_NO_CACHE": "1", "TZ": "UTC",
                                    "FAKETIME_DONT_FAKE_MONOTONIC": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen([python, str(program), str(MAKES_TEMPLATE_AT)], env=environment,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True)

    def send(self, command):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(json.dumps(command) + "\n")
            self.process.stdin.flush()

    def receive(self):
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        self.process.wait()
        self.errors.seek(0)
        return {"died": self.errors.read().decode(errors="replace")[-2000:]}

    def ask(self, command):
        self.send(command)
        return self.receive()

    def close(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait()


class Ours:
    """This server. Two accounts take turns: while one is in use, the file uploaded for the other is imported."""

    name = "here"

    def __init__(self, template):
        self.url = HTTP + "/"
        self.template = template
        self.psql = subprocess.Popen(
            [sorted(glob.glob("/usr/lib/postgresql/*/bin/psql"))[-1], "-qAtX", os.environ["DATABASE_URL"]],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.accounts = collections.deque()
        for _ in range(2):
            name = "random-" + secrets.token_hex(6)
            admin("user", "add", name, "--password-file", "-", stdin=PASSWORD + "\n")
            keys = [Wire(self.url).log_in(name, PASSWORD).key for _ in range(3)]
            self.accounts.append((self._value(f"SELECT user_id FROM users WHERE name = '{name}'"), keys))
            self._upload(keys[0])
            self.accounts.rotate(1)

    def _value(self, statement):
        self.psql.stdin.write(statement + ";\n")
        self.psql.stdin.flush()
        return self.psql.stdout.readline().strip()

    def _upload(self, key):
        wire = Wire(self.url, key)
        answer = wire.upload(self.template)
        wire.close()
        if answer != "OK":
            raise RuntimeError(f"the first upload was refused: {answer}")

    def account(self):
        """Keys of three devices of an account for which the import of the template has finished."""
        user, keys = self.accounts[0]
        end = time.monotonic() + 60
        while self._value(f"SELECT import_step FROM anki_collections WHERE user_id = {user}") != "3":
            if time.monotonic() > end:
                raise RuntimeError("the import did not finish")
            time.sleep(0.005)
        return keys

    def done(self):
        self._upload(self.accounts[0][1][0])
        self.accounts.rotate(1)

    def close(self):
        self.psql.stdin.close()
        self.psql.wait()


class Reference:
    """The server that comes with the package `anki`."""

    name = "reference"

    def __init__(self, template):
        self.template = template
        self.base = tempfile.mkdtemp(prefix="syncline-random.", dir="/dev/shm")
        self.server = OfficialServer(self.base, {"user": PASSWORD})
        self.server.start()
        self.url = self.server.url
        self.key = Wire(self.url).log_in("user", PASSWORD).key

    def account(self):
        wire = Wire(self.url, self.key)
        wire.upload(self.template)
        wire.close()
        return [self.key] * 3

    def done(self):
        pass

    def close(self):
        self.server.stop()
        shutil.rmtree(self.base, ignore_errors=True)


# --- Playing ------------------------------------------------------------------------------------------------------

class File:
    """The file of a collection, with the interface that devices.contents() needs to read a device."""

    def __init__(self, path):
        self.file = sqlite3.connect(path)
        self.file.create_collation("unicase", lambda one, other: (one > other) - (one < other))
        self.col = self.db = self

    def all(self, statement):
        return [list(row) for row in self.file.execute(statement)]

    def list(self, statement):
        return [row[0] for row in self.file.execute(statement)]

    def close(self):
        self.file.close()


def read(path):
    file = File(path)
    pending = {table: file.list(f"select count() from {table} where usn = -1")[0] for table in
               ("notes", "cards", "revlog", "graves", "notetypes", "decks", "deck_config", "tags")}
    found = contents(file)
    file.close()
    # A tag removed from the tag list on one device stays on the others: no message carries the removal. Therefore only
    # tags of notes are compared.
    worn = {"::".join(parts[:n]) for row in found["notes"] for tag in row[5].split()
            for parts in [tag.lower().split("::")] for n in range(1, len(parts) + 1)}
    found["tags"] = [tag for tag in found["tags"] if tag.lower() in worn]
    return found, pending


def make_older(url, key, path):
    """Makes the collection of the server a day older and changes nothing else in it. A further device could not do
    that: its library would first apply the new day to its own collection."""
    wire = Wire(url, key)
    path.write_bytes(wire.send("download", b"{}"))
    meta = wire.ask("meta", {"v": 11, "cv": "anki,26.08.1 (c32cb291),lin:debian:12"})
    file = File(path)
    counts = [file.list(f"select count() from {table}")[0] for table in
              ("cards", "notes", "revlog", "notetypes", "decks", "deck_config")]
    settings = {key: json.loads(value) for key, value in file.all("select key, val from config")}
    crt = file.list("select crt from col")[0]
    file.close()
    wire.new_session()
    wire.ask("start", {"minUsn": meta["usn"], "lnewer": True, "graves": None})
    wire.ask("applyChanges", {"changes": {"models": [], "decks": [[], []], "tags": [], "conf": settings,
                                          "crt": crt - 86400}})
    wire.ask("chunk")
    verdict = wire.ask("sanityCheck2", {"client": [[0, 0, 0], *counts[:3], 0, *counts[3:]]})
    if verdict["status"] != "ok":
        raise Fault("the counts of the server are wrong", str(verdict))
    wire.ask("finish")
    wire.close()


def difference(one, other):
    """The first few differing rows of two lists: their identifying columns and the columns that differ."""
    lines = []
    for row in [row for row in one if row not in other][:5]:
        twin = next((twin for twin in other if _key(twin) == _key(row)), None)
        lines.append(f"  only in the first: {row}" if twin is None else f"  {_key(row)}: " + ", ".join(
            f"column {at}: {left} / {right}" for at, (left, right) in enumerate(zip(row, twin)) if left != right))
    known = [_key(row) for row in one]
    lines += [f"  only in the second: {row}" for row in other if _key(row) not in known][:5]
    return "\n".join(lines)


COLUMNS = {
    "notes": "id guid mid mod usn tags flds sfld csum flags data", "revlog": "id cid usn ease ivl lastIvl factor time type",
    "cards": "id nid did ord mod usn type queue due ivl factor reps lapses left odue odid flags data",
    "notetypes": "id name mtime usn config", "fields": "ntid ord name config", "templates": "ntid ord name config",
    "decks": "id name mtime usn common kind", "deck_config": "id name mtime usn config", "config": "key value",
    "col": "crt scm",
}


# Columns that two versions of the client may store differently with the same meaning.
OWN_FORMS = {"cards": ("data",), "decks": ("common", "kind"), "deck_config": ("config",), "notetypes": ("config",),
             "fields": ("config",), "templates": ("config",)}


def columns_that_differ(table, one, other):
    """Names of columns that differ; "rows" when the two sides do not have the same rows."""
    if table == "tags":
        if one != other:
            yield "spelling" if sorted(map(str.lower, one)) == sorted(map(str.lower, other)) else "rows"
        return
    left, right = ({_key(row): row for row in rows} for rows in (one, other))
    if set(left) != set(right):
        yield "rows"
    for at, name in enumerate(COLUMNS[table].split()):
        if any(left[key][at] != right[key][at] for key in left if key in right):
            yield name


def _key(row):
    """Fields and templates are identified by two columns, all other rows by one."""
    if not isinstance(row, (list, tuple)):
        return row
    return tuple(row[:2]) if len(row) == 4 else row[0]


class Outcome:
    """The outcome of one script on one server: {kind of fault: detail}, the final contents, and a diary."""

    def __init__(self):
        self.faults, self.contents, self.diary, self.syncs, self.steps = {}, None, [], 0, 0
        self.results = collections.Counter()


class Play:
    """A script on one server. `course` yields (host, command) and receives answers, so that two can run in parallel."""

    def __init__(self, script, side, hosts, zero, template_path, recorders=None):
        self.script, self.side, self.hosts, self.zero, self.template_path = script, side, hosts, zero, template_path
        self.recorders = recorders
        self.outcome = Outcome()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="syncline-random.", dir="/dev/shm"))
        self.paths = [str(self.folder / f"{who}.anki2") for who in range(4)]
        # The last full upload that each device has seen, and the modification time of its schema then and now.
        self.server_epoch, self.epochs, self.seen_schemas, self.schemas = 0, [0] * 4, [0] * 4, [0] * 4
        self.is_open = [False] * 4

    def _ask(self, who, **command):
        answer = yield self.hosts[who], {"device": f"{self.side.name}{who}", "clock": self.zero, **command}
        if "died" in answer:
            self.is_open = [False] * 4
            raise Fault("a client died", answer["died"])
        return answer

    def _open(self, who, key):
        endpoint = self.recorders[who].url if self.recorders else self.side.url
        answer = yield from self._ask(who, do="open", path=self.paths[who], key=key, endpoint=endpoint)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        self.is_open[who] = True
        self.seen_schemas[who] = self.schemas[who] = answer["schema"]

    def _full(self, who, upload, at):
        answer = yield from self._ask(who, do="full", upload=upload, clock=self.zero + at)
        if "error" in answer:
            raise Fault(f"full {'up' if upload else 'down'}load: {like(answer['error'])}", answer["error"])
        self.server_epoch += upload
        self.epochs[who] = self.server_epoch
        self.seen_schemas[who] = self.schemas[who] = answer["schema"]

    def _sync(self, who, at, upload, note, cut=None):
        """Returns whether the sync transferred anything in either direction."""
        endpoint = {"endpoint": cut.url} if cut else {}
        answer = yield from self._ask(who, do="sync", clock=self.zero + at, **endpoint)
        self.outcome.syncs += 1
        self.outcome.diary.append(f"{note} device {who} syncs: {answer}" + (f", cut {cut.where}" if cut else ""))
        if cut and cut.was_made and "error" in answer:
            return True
        if "error" in answer:
            raise Fault(f"sync: {like(answer['error'])}", f"device {who}: {answer['error']}")
        has_changed = self.schemas[who] != self.seen_schemas[who]
        is_due = has_changed or self.epochs[who] != self.server_epoch
        if answer["full"] != is_due:
            raise Fault("an unexpected full sync" if answer["full"] else "a missing full sync",
                        f"device {who}: {answer['required']}")
        if not answer["full"]:
            return answer["changed"]
        # A device that has not changed the schema downloads.
        upload = upload and has_changed
        self.outcome.diary.append(f"{note} device {who} {'up' if upload else 'down'}loads")
        yield from self._full(who, upload, at)
        return True

    def _step(self, step):
        who, note = step["who"], f"[{step['n']}] {step['at'] / 1000:+.3f} s"
        if step["name"] == "sync":
            yield from self._sync(who, step["at"], step["upload"], note)
            return
        if step["name"] == "cut_sync":
            with Cut(step["number"], self.side.url) as cut:
                yield from self._sync(who, step["at"], step["upload"], note, cut)
            return
        command = {"do": "play", "name": step["name"], "number": step["number"], "zero": self.zero}
        if step["name"] == "a_day_passes":
            make_older(self.side.url, self.keys[0], self.folder / "server.anki2")
        for one in range(3) if step["name"] == "a_day_passes" else [who]:
            answer = yield from self._ask(one, **command, clock=self.zero + step["at"])
            if "error" in answer:
                raise RuntimeError(f"{step}: {answer['error']}")
            self.schemas[one] = answer["schema"]
            what = re.sub(r"\b\d{13}\b", self._relative, answer["what"])
            self.outcome.diary.append(f"{note} device {one} {step['name']}: {answer['result']} {what}")
            self.outcome.results[step["name"], answer["result"] + (
                " " + like(answer["what"]) if answer["result"] == "refused" else "")] += 1
            self.outcome.steps += 1

    def _relative(self, found):
        """Replaces an id made during the script by its time relative to the start, which is the same every time."""
        moment = int(found[0]) - self.zero
        return f"#{moment}" if abs(moment) < 3_600_000 else found[0]

    def _until_quiet(self):
        at = self.script.last
        for number in range(ROUNDS):
            is_quiet = True
            for who in self.script.order:
                at += 40
                moment = at + self.script.offsets[who]
                is_quiet &= not (yield from self._sync(who, moment, True, f"[round {number}]"))
            if is_quiet:
                return
        raise Fault("never quiet", f"after {ROUNDS} rounds a device still has something to send")

    def _compare(self):
        yield from self._open(3, self.keys[0])
        yield from self._full(3, False, self.script.last + 5000)
        yield from self._close()
        found = [read(path) for path in self.paths]
        faults = self.outcome.faults
        for who in range(1, 4):
            suffix = FRESH if who == 3 else ""
            for table in found[0][0]:
                one, other = found[0][0][table], found[who][0][table]
                detail = f"device 0 and {who}:\n{difference(one, other)}" if one != other else ""
                for what in columns_that_differ(table, one, other):
                    if self.hosts[who] is not self.hosts[0] and what in OWN_FORMS.get(table, ()):
                        continue
                    faults.setdefault(f"{table} differ: {what}{suffix}", detail)
                    detail = "(as above)"
        for who, (_, pending) in enumerate(found):
            for table, count in pending.items():
                if count:
                    faults.setdefault(f"{table} stay pending", f"device {who}: {count}")
        for who in range(4):
            if who in (0, 3) or faults:
                answer = yield from self._ask(who, do="integrity", path=self.paths[who],
                                              clock=self.zero + self.script.last + 6000)
                for line in answer.get("text", answer.get("error")).splitlines():
                    faults.setdefault(f"{CHECK} {like(line)}", f"device {who}: {line}")
        self.outcome.contents = found[0][0]

    def _close(self):
        for who in range(4):
            if self.is_open[who]:
                self.is_open[who] = False
                yield from self._ask(who, do="close")

    def course(self):
        try:
            self.keys = self.side.account()
            if self.recorders:
                for recorder in self.recorders:
                    recorder.to = self.side.url
            for who in range(3):
                shutil.copyfile(self.template_path, self.paths[who])
                yield from self._open(who, self.keys[who])
            try:
                for step in self.script.steps:
                    yield from self._step(step)
                yield from self._until_quiet()
                yield from self._compare()
            except Fault as fault:
                self.outcome.faults[fault.kind] = fault.detail
            yield from self._close()
        finally:
            self.side.done()
            shutil.rmtree(self.folder, ignore_errors=True)


def side_by_side(plays):
    """Advances the plays together: their commands are sent before any answer is awaited."""
    going = []
    for play in plays:
        course = play.course()
        with contextlib.suppress(StopIteration):
            going.append((course, next(course)))
    while going:
        for _, (host, command) in going:
            host.send(command)
        answers = [host.receive() for _, (host, _) in going]
        still = []
        for (course, _), answer in zip(going, answers):
            with contextlib.suppress(StopIteration):
                still.append((course, course.send(answer)))
        going = still


def end_of(found):
    """The parts of a collection that must be the same on both servers: without values that a client draws at random or
    that a server takes from its clock."""
    left_out = {"notes": (1, 3, 4), "cards": (4, 5), "revlog": (2,), "notetypes": (2, 3), "decks": (2, 3),
                "deck_config": (2, 3)}
    found = {table: [[None if at in left_out[table] else value for at, value in enumerate(row)] for row in found[table]]
             if table in left_out else found[table] for table in found if table != "col"}
    for table, kind in (("fields", NOTETYPE.Field.Config), ("templates", NOTETYPE.Template.Config)):
        found[table] = [[*row[:3], _without_id(kind, *row[3])] for row in found[table]]
    return found


def _without_id(kind, message, other):
    message = kind.FromString(message)
    message.ClearField("id")
    return message.SerializeToString(deterministic=True), other


class Recorder(devices.Proxy):
    """A proxy that keeps the messages of the last sync."""

    def __init__(self):
        self.messages = []
        super().__init__(watch=self._keep)

    def _keep(self, method, body, status, reply):
        if method == "meta":
            self.messages = []
        self.messages.append((method, self._text(body), status, self._text(reply)))

    @staticmethod
    def _text(frame):
        try:
            text = zstandard.ZstdDecompressor().decompressobj().decompress(frame)
        except zstandard.ZstdError:
            text = frame
        if text[:6] == b"SQLite":
            return f"(a file of {len(text)} bytes)"
        text = text.decode(errors="replace")
        return text if len(text) < 3000 else text[:3000] + f"... ({len(text)})"

    def lines(self):
        for method, body, status, reply in self.messages:
            yield f"    {method} {body}"
            yield f"      {status} {reply}"


class Cut(devices.Proxy):
    """A proxy that breaks the connection once, before or after the server receives one of the requests of a sync."""

    METHODS = ("meta", "start", "applyGraves", "applyChanges", "chunk", "applyChunk", "sanityCheck2", "finish")

    def __init__(self, number, url):
        self.method, is_before = self.METHODS[number % len(self.METHODS)], number // 8 % 2
        self.where = f"{'before' if is_before else 'after'} {self.method}"
        self.was_made = False
        super().__init__(**{"before" if is_before else "after": self._break}, to=url)

    def _break(self, method):
        """Returns the value that makes Proxy break the connection: False before the request, None after it."""
        if method != self.method or self.was_made:
            return True
        self.was_made = True
        return False if self.where.startswith("before") else None


class Worker:
    """Plays scripts one after another on both servers."""

    def __init__(self, clients, strict=False):
        self.clients, self.strict = clients, strict
        self.folder = tempfile.mkdtemp(prefix="syncline-random.", dir="/dev/shm")
        self.template_path = self.folder + "/template.anki2"
        self.hosts = {}
        host = self._host("make", sys.executable)
        answer = host.ask({"do": "template", "path": self.template_path, "clock": MAKES_TEMPLATE_AT})
        if answer:
            raise RuntimeError(f"the template could not be made: {answer}")
        # The template looks as if it had been made twenty days ago.
        file = sqlite3.connect(self.template_path)
        day = int(time.time()) // 86400 * 86400 + 4 * 3600 - 20 * 86400
        file.execute("update col set crt = ?", (day,))
        file.commit()
        file.execute("pragma journal_mode = delete")
        file.close()
        template = pathlib.Path(self.template_path).read_bytes()
        self.sides = [Ours(template), Reference(template)]
        self.shrunk = collections.Counter()

    def _host(self, side, python):
        host = self.hosts.get((side, python))
        if host is None or host.process.poll() is not None:
            host = self.hosts[side, python] = Host(python)
        return host

    def _pythons(self, seed):
        """The Python for each device. The first device and the fresh one at the end always have the current version."""
        other = self.clients[seed % len(self.clients)]
        return [sys.executable, other if seed // 10 % 2 else sys.executable, other, sys.executable]

    def play(self, script, recorders=None):
        """Plays the script and returns the outcomes here and on the reference server."""
        zero = int(time.time()) * 1000
        plays = []
        pythons = self._pythons(script.seed)
        for side in self.sides:
            hosts = [self._host(side.name, python) for python in pythons]
            plays.append(Play(script, side, hosts, zero, self.template_path,
                              recorders if recorders and side is self.sides[0] else None))
        side_by_side(plays)
        return [play.outcome for play in plays]

    def shrink(self, script, kind, seconds):
        """Searches for the fewest steps after which only this server shows that kind of fault."""
        end = time.monotonic() + seconds
        kept = [step["n"] for step in script.steps]

        def still_fails(numbers):
            here, reference = self.play(script.only(set(numbers)))
            return kind in (here.faults if self.strict else only_here(here, reference))

        size = max(1, len(kept) // 2)
        while time.monotonic() < end:
            smaller = None
            for start in range(0, len(kept), size):
                without = kept[:start] + kept[start + size:]
                if time.monotonic() < end and still_fails(without):
                    smaller = without
                    break
            if smaller is not None:
                kept = smaller
                size = min(size, max(1, len(kept) // 2))
            elif size == 1:
                break
            else:
                size //= 2
        return kept

    def run(self, seed, shrink_seconds):
        """Plays the script of a seed and returns the result as plain data."""
        script = Script(seed)
        began = time.monotonic()
        here, reference = self.play(script)
        result = {"seed": seed, "syncs": here.syncs, "steps": here.steps, "seconds": time.monotonic() - began,
                  "only_here": {}, "both": [], "only_reference": [], "otherwise": [], "report": "",
                  "results": [[*key, count] for key, count in here.results.items()]}
        result["both"] = sorted(set(here.faults) & set(reference.faults)) if not self.strict else []
        result["only_reference"] = sorted(set(reference.faults) - set(here.faults))
        counted = here.faults if self.strict else only_here(here, reference)
        result["only_here"] = {kind: here.faults[kind] for kind in counted}
        if not here.faults and not reference.faults:
            one, other = end_of(here.contents), end_of(reference.contents)
            result["otherwise"] = sorted(f"{table}: {what}" for table in one
                                         for what in columns_that_differ(table, one[table], other[table]))
        if result["only_here"]:
            kind = next(iter(result["only_here"]))
            result["report"] = self.report(script, kind, shrink_seconds)
        return result

    def report(self, script, kind, shrink_seconds):
        numbers = [step["n"] for step in script.steps]
        self.shrunk[kind] += 1
        if self.shrunk[kind] <= 2:
            numbers = self.shrink(script, kind, shrink_seconds)
        return self.tell(script.only(set(numbers)))

    def tell(self, script):
        """Plays the script once more and reports everything."""
        with contextlib.ExitStack() as stack:
            recorders = [stack.enter_context(Recorder()) for _ in range(4)]
            here, reference = self.play(script, recorders)
            other = self._pythons(script.seed)[2]
            lines = [f"replay: random_devices_test.py --seed {script.seed} --only "
                     + ",".join(str(step["n"]) for step in script.steps)
                     + (f" --client {other}" if other != sys.executable else ""),
                     f"clocks are off by {script.offsets} ms", "here:", *(f"  {line}" for line in here.diary)]
            lines.append("different on the reference server:")
            lines += [f"  {line}" for line in reference.diary if line not in here.diary]
            for name, outcome in (("here", here), ("reference", reference)):
                for kind, detail in outcome.faults.items():
                    lines.append(f"{name}: {kind}: {detail}"[:3000])
                if not outcome.faults:
                    lines.append(f"{name}: no fault")
            if here.contents and reference.contents:
                one, other = end_of(here.contents), end_of(reference.contents)
                for table in one:
                    if one[table] != other[table]:
                        lines.append(f"final contents differ from the reference server: {table}\n"
                                     f"{difference(one[table], other[table])}"[:3000])
            if here.faults:
                for who, recorder in enumerate(recorders):
                    lines += [f"last sync of device {who} here:", *recorder.lines()]
        return "\n".join(lines)

    def close(self):
        for host in self.hosts.values():
            host.close()
        for side in self.sides:
            side.close()
        shutil.rmtree(self.folder, ignore_errors=True)


# --- The program --------------------------------------------------------------------------------------------------

def work(first, seconds, results, options):
    """Runs in a separate process: plays these seeds and then fresh ones, until the time is over."""
    shrink_seconds = SHRINK_SECONDS if options.shrink is None else options.shrink
    end = time.monotonic() + seconds
    fresh = random.SystemRandom()
    worker = None
    try:
        while time.monotonic() < end:
            seed = first.pop(0) if first else fresh.randrange(1000, 10**9)
            try:
                worker = worker or Worker(options.clients, options.strict)
                results.put(worker.run(seed, shrink_seconds))
            except Exception:  # pylint: disable=broad-except
                # Perhaps not the fault of a server, but it must be reported.
                if worker:
                    worker.close()
                worker = None
                results.put({"seed": seed, "syncs": 0, "steps": 0, "both": [], "only_reference": [], "otherwise": [],
                             "results": [], "only_here": {"the test itself failed": ""},
                             "report": traceback.format_exc()})
    finally:
        if worker:
            worker.close()
    results.put(None)


class Tally:
    def __init__(self):
        self.began = time.monotonic()
        self.passed = self.failed = self.syncs = self.steps = 0
        self.kinds = {name: collections.Counter() for name in ("only here", "reference too", "only reference",
                                                               "ends otherwise")}
        self.results = collections.Counter()
        self.example = {}

    def add(self, result):
        self.syncs += result["syncs"]
        self.steps += result["steps"]
        for name, kinds in (("only here", result["only_here"]), ("reference too", result["both"]),
                            ("only reference", result["only_reference"]), ("ends otherwise", result["otherwise"])):
            for kind in kinds:
                self.kinds[name][kind] += 1
                self.example.setdefault((name, kind), result["seed"])
        for name, did, count in result["results"]:
            self.results[name, did] += count
        if result["only_here"]:
            self.failed += 1
            print(f"FAILED seed {result['seed']}: {', '.join(result['only_here'])}")
            print(result["report"], flush=True)
        else:
            self.passed += 1

    def end(self, verbose):
        if verbose:
            for (name, did), count in sorted(self.results.items()):
                print(f"{name:24} {did}: {count}")
        for name, kinds in self.kinds.items():
            for kind, count in kinds.most_common():
                print(f"{name}: {count} seeds: {kind} (seed {self.example[name, kind]})")
        minutes = (time.monotonic() - self.began) / 60
        seeds = self.passed + self.failed
        print(f"{seeds} seeds, {self.steps} operations, {self.syncs} syncs in {minutes:.1f} minutes: "
              f"{seeds / minutes:.0f} seeds a minute")
        print(f"{self.passed} passed, {self.failed} failed")
        return self.failed > 0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, help="play fresh seeds for that many seconds")
    parser.add_argument("--seed", type=int, action="append", help="play this seed and print its script and messages")
    parser.add_argument("--only", help="play only these steps of the seed: 1,5,9")
    parser.add_argument("--jobs", type=int, default=1, help="play that many scripts at once")
    parser.add_argument("--client", action="append", default=[], help="the Python of an environment with another version "
                        "of anki, for one or two of the devices; several of them alternate with the current version")
    parser.add_argument("--shrink", type=float, help="search for fewer steps of a failing script for that many seconds")
    parser.add_argument("--strict", action="store_true", help="also fail for faults that the reference server shows")
    parser.add_argument("--verbose", action="store_true", help="print how often operations succeeded or were refused")
    options = parser.parse_args()
    # A replay uses exactly the given client; other runs use the current version, too.
    options.clients = options.client if options.seed and options.client else [sys.executable, *options.client]
    return options


def main():
    options = arguments()
    if not FAKETIME:
        print("skipped: libfaketime is not installed (package faketime)")
        sys.exit(77)
    if options.seed:
        worker = Worker(options.clients, options.strict)
        failed = 0
        for seed in options.seed:
            if options.only is None and options.shrink:
                result = worker.run(seed, options.shrink)
                print(result["report"] or "no fault")
                failed += bool(result["only_here"])
                continue
            script = Script(seed)
            if options.only is not None:
                script = script.only({int(number) for number in options.only.split(",") if number})
            text = worker.tell(script)
            print(text)
            failed += "\nhere: no fault" not in text
        worker.close()
        print(f"{len(options.seed) - failed} passed, {failed} failed")
        sys.exit(failed > 0)
    seconds = options.seconds or CHECK_SECONDS
    first = [] if options.seconds else list(FIXED_SEEDS)
    results = multiprocessing.Queue()
    # If this process is terminated, its child processes must end, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    workers = [multiprocessing.Process(target=work, args=(first[n::options.jobs], seconds, results, options), daemon=True)
               for n in range(options.jobs)]
    for worker in workers:
        worker.start()
    tally, at_work = Tally(), len(workers)
    while at_work:
        try:
            result = results.get(timeout=5)
        except queue.Empty:
            if any(worker.exitcode for worker in workers):
                sys.exit("a worker process of this test died")
            continue
        if result is None:
            at_work -= 1
        else:
            tally.add(result)
    sys.exit(tally.end(options.verbose))


if __name__ == "__main__":
    main()
