#!/usr/bin/env python3
"""Compares our reading and writing of collection files with the real client's, on the same files.

Makes collections with the `anki` package, and for each:
  read       our JSON of every notetype, deck and deck config, and the rows, equal the backend's own legacy JSON
  downgrade  our schema 11 file has the same content as the client's own downgrade
  write      the client opens a file that we wrote row by row, its database check finds nothing to repair, and the rows
             equal those of the original, including sfld and csum
and uses our empty collection like any other.

Left out on purpose: hostile files (tests/unit/collection_file_test.cpp) and the network.
"""

import argparse
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile

try:
    from anki.collection import Collection
except ImportError as e:
    print(f"the real client is not available: {os.environ.get('SYNCLINE_VENV_PROBLEM') or e}")
    sys.exit(77)

passed = failed = 0


def check(name, condition, detail=""):
    global passed, failed
    if condition:
        passed += 1
    else:
        failed += 1
        print(f"FAILED {name} {detail}")


def difference(a, b, path=""):
    """The first place where two JSON values differ in value or type, or None."""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted(set(a) | set(b)):
            if key not in a or key not in b:
                return f"{path}.{key}: {'missing' if key not in a else 'surplus'}: {a.get(key)!r} {b.get(key)!r}"
            found = difference(a[key], b[key], f"{path}.{key}")
            if found:
                return found
        return None
    if isinstance(a, list) and isinstance(b, list):
        if len(a) != len(b):
            return f"{path}: {len(a)} and {len(b)} elements"
        for i, (x, y) in enumerate(zip(a, b)):
            found = difference(x, y, f"{path}[{i}]")
            if found:
                return found
        return None
    if type(a) is not type(b) or a != b:
        return f"{path}: {a!r} is not {b!r}"
    return None


def equal(name, ours, theirs):
    found = difference(ours, theirs)
    check(name, found is None, found or "")


class Tool:
    def __init__(self, path):
        self.path = path

    def run(self, *args, ok=True, stdin=None):
        done = subprocess.run([self.path, *args], capture_output=True, text=True, input=stdin)
        if ok and done.returncode != 0:
            raise RuntimeError(f"{args}: {done.returncode} {done.stdout[:300]} {done.stderr[:300]}")
        return done.stdout

    def dump(self, path):
        return json.loads(self.run("dump", path))


def rows(path, table, columns="*"):
    db = sqlite3.connect(path)
    try:
        return [list(row) for row in db.execute(f"select {columns} from {table} order by 1")]
    finally:
        db.close()


CARD_COLUMNS = "id, nid, did, ord, mod, usn, type, queue, due, ivl, factor, reps, lapses, left, odue, odid, flags, data"
NOTE_COLUMNS = "id, guid, mid, mod, usn, tags, flds"
NOTE_ALL = "id, guid, mid, mod, usn, tags, flds, sfld, csum, flags, data"
INITIAL_CONFIG = (
    "activeDecks", "curDeck", "newSpread", "collapseTime", "timeLim", "estTimes", "dueCounts", "nextPos", "sortType",
    "sortBackwards", "addToCur", "dayLearnFirst", "schedVer", "sched2021",
)
REVLOG_COLUMNS = "id, cid, usn, ease, ivl, lastIvl, factor, time, type"

FIELDS = [
    "plain", "", " spaces ", "42", "007", "1e3", "-5", "3.5", "99999999999999999999", "0x1F",
    "<b>bold</b> and <i>it</i>", "<div>a</div><div>b</div>", "a<br>b", "a&nbsp;b", "a&amp;b&lt;c&gt;", "a & b",
    "&notanentity; &amp;", "&amp", "&#65;&#x42;&#x63;", "&#xD800;", "&#1114112;", "&apos;", "&hearts;&Alpha;&thetasym;",
    "&;", "&#;", "&#x;", "a;b&c;", "&&amp;;", "AT&T; x", "\u00a0hard\u00a0space", "&nbsp;\u00a0",
    '<img src="a b.jpg">', "<img src='q.png' alt=x>", "<img src=plain.gif>", "<img src=plain.gif class=x>",
    '<IMG SRC="Up.JPG">', '<img alt="src=no.png" src="yes.png">', '<img class="x>y" src="in.png">', '<img src="">',
    "<img src=>", "<img src= x>", "<img>", "<img/src=a.png>", "<imgx src=a.png>", '<img data-src="d.png">',
    '<object data="o.swf"></object>', '<audio src=a.mp3 controls></audio>', '<video><source src="v.webm"></video>',
    '<img src="unclosed>', "<img src='mixed\">", '<img title="a>b" data=q>', '<img alt=" src="x.png">',
    "<imgé src=x>", "<img ésrc=x.png>", '<img _src="u.png" src="v.png">', '<img "src=1.png" src=2.png>',
    "<!-- c -->x", "<!-- unclosed", "<style>p{}</style>y", "<STYLE a=b>p</StYle>z", "<script>1<2</script>w",
    "<style>unclosed", "<script x", "a < b > c", "a < b", "a > b", "<", ">", "<>", "x<y", "<!---->t", "<!-->t-->u",
    "[sound:a.mp3]", "[[type:x]]", "{{c1::cloze::hint}}", "日本語 ﬃ ß ĳ", "e\u0301 combining", "\U0001f600 &#128512;",
    "line\nbreak <b\n>x</b\n>", "tab\ttab", "<style><img src=in.png></style>", "<img src=a.png><img src=b.png>",
    "<svg><image href=x></svg>", "&copy;2020&trade;", "<img src=\"a&amp;b.jpg\">", '<source src=s.mp3>', "<b", "b>",
]


def random_field(rng):
    parts = ["<img ", "src=", "data=", '"', "'", ">", "<", "<!--", "-->", "<style", "</style>", "<script>", "</script>",
             "&amp;", "&", ";", "&#65;", "x", " ", "é", "a.png", "<video", "object", "\u00a0", "&nbsp;", "=", "/", "\n"]
    return "".join(rng.choice(parts) for _ in range(rng.randint(1, 14)))


def make_rich(path, seed):
    """A collection with all kinds of content, including odd values."""
    rng = random.Random(seed)
    col = Collection(path)

    # notetypes: unknown keys at all levels, big ids, odd numbers, requirements, browser formats, css with everything
    for i, name in enumerate(["Vokabeln ß", "日本語 \U0001f600", 'quotes "x" \\ /', "Ünïcode"]):
        nt = col.models.copy(col.models.by_name(["Basic", "Cloze", "Basic (and reversed card)", "Image Occlusion"][i]))
        nt["name"] = name
        nt["x_addon"] = {"keep": [1, 2.5, None, True, {"deep": "ü\u0001\u2028"}], "big": 9007199254740993, "f": 1e-7}
        nt["vers"] = []
        nt["tags"] = ["old"]
        nt["flds"][0]["media"] = []
        nt["flds"][0]["id"] = -9223372036854775808 + i
        nt["flds"][0]["description"] = "tab\t\"q\" \u001f"
        nt["flds"][0]["plainText"] = True
        nt["flds"][-1]["rtl"] = True
        nt["flds"][-1]["sticky"] = True
        nt["flds"][-1]["size"] = 65535
        nt["flds"][-1]["collapsed"] = True
        nt["flds"][-1]["excludeFromSearch"] = True
        nt["tmpls"][0]["id"] = 9223372036854775807 - i
        nt["tmpls"][0]["bqfmt"] = "{{" + nt["flds"][0]["name"] + "}} b"
        nt["tmpls"][0]["bafmt"] = "b"
        nt["tmpls"][0]["bfont"] = "Comic"
        nt["tmpls"][0]["bsize"] = 255
        nt["tmpls"][0]["did"] = 1
        nt["tmpls"][0]["t_unknown"] = {"a": "b"}
        nt["sortf"] = i % len(nt["flds"])
        nt["latexsvg"] = i % 2 == 0
        nt["latexPre"] = "pre\n"
        nt["css"] += "/* \u00e9 \\ \" */"
        nt["did"] = 5 if i == 0 else None
        col.models.update_dict(nt)
    # decks
    for i, name in enumerate(["A::B::C", "Ärger::Übung", "日本語", "ﬃ", "ΐ", "spaces  in  it", "a::b2", "Default::x"]):
        did = col.decks.id(name)
        deck = col.decks.get(did)
        deck["desc"] = "desc <b>é</b>\n" * (i % 2)
        if i % 3 == 0:
            deck["md"] = True
        deck["collapsed"] = i % 2 == 0
        deck["browserCollapsed"] = i % 3 == 0
        deck["unknown_deck_key"] = {"n": 1.10, "big": 2**63 - 1, "list": [[], {}]}
        deck["extendNew"] = i
        deck["extendRev"] = 10 * i
        deck["reviewLimit"] = [None, 0, 200][i % 3]
        deck["newLimit"] = [0, None, 4294967295][i % 3]
        deck["reviewLimitToday"] = [None, {"limit": 5, "today": 100}][i % 2]
        deck["newLimitToday"] = [{"limit": 0, "today": 0}, None][i % 2]
        deck["desiredRetention"] = [None, 53, 59, 90, 92, 100, 0, 1][i]
        for key in ("newToday", "revToday", "lrnToday", "timeToday"):
            deck[key] = [800 + i, rng.randint(-5, 1000)]
        col.decks.update_dict(deck)
    # deck configs
    for i in range(6):
        conf = col.decks.add_config(f"conf {i} ß")
        conf["new"]["delays"] = [[], [1.0, 10.0], [0.1, 15.5, 1440.0], [1e-5, 1e10, 33.333332]][i % 4]
        conf["new"]["initialFactor"] = [2500, 1310, 2001, 5000, 1317, 2049][i]
        conf["new"]["ints"] = [i + 1, 4 + i, 0]
        conf["new"]["order"] = i % 2
        conf["new"]["perDay"] = 100 * i
        conf["new"]["bury"] = i % 2 == 1
        conf["new"]["separate"] = True
        conf["rev"]["ease4"] = 1.3 + i / 10
        conf["rev"]["ivlFct"] = 0.5 + i / 7
        conf["rev"]["hardFactor"] = 0.7 + i / 11
        conf["rev"]["minSpace"] = 1
        conf["rev"]["fuzz"] = 0.05
        conf["lapse"]["mult"] = i / 7
        conf["lapse"]["leechAction"] = i % 2
        conf["lapse"]["x"] = {"y": [1.0]}
        conf["timer"] = i % 2
        conf["autoplay"] = i % 2 == 0
        conf["replayq"] = i % 3 == 0
        conf["maxTaken"] = 1 + i * 13
        conf["top_unknown"] = "ü"
        conf["fsrsWeights"] = [0.4, 0.6, 2.4][: i % 4]
        conf["fsrsParams5"] = [rng.random() for _ in range(19)] if i % 2 else []
        conf["fsrsParams6"] = [rng.random() * 100 for _ in range(21)] if i % 3 else []
        conf["desiredRetention"] = 0.7 + i / 25
        conf["sm2Retention"] = 0.7 + i / 20
        conf["weightSearch"] = 'preset:"x" -is:suspended'
        conf["ignoreRevlogsBeforeDate"] = "2020-01-02"
        conf["easyDaysPercentages"] = [rng.choice([0.0, 0.5, 1.0]) for _ in range(7)]
        conf["secondsToShowQuestion"] = i * 1.1
        conf["secondsToShowAnswer"] = i / 3
        conf["questionAction"] = i % 2
        conf["answerAction"] = i % 5
        conf["waitForAudio"] = i % 2 == 0
        conf["stopTimerOnAnswer"] = i % 2 == 0
        conf["newMix"] = i % 3
        conf["interdayLearningMix"] = (i + 1) % 3
        conf["reviewOrder"] = [0, 12, 7, 11, 8, 9][i]
        conf["newSortOrder"] = i % 5
        conf["newGatherPriority"] = i
        conf["buryInterdayLearning"] = i % 2 == 1
        conf["newPerDayMinimum"] = i
        col.decks.update_config(conf)
    # notes with every kind of field, in several decks
    basic = col.models.by_name("Basic")
    sorts = col.models.by_name("日本語 \U0001f600")
    decks = [d.id for d in col.decks.all_names_and_ids()]
    texts = FIELDS + [random_field(rng) for _ in range(3000)]
    for i, text in enumerate(texts):
        note = col.new_note(basic if i % 4 else col.models.by_name("Vokabeln ß"))
        note.fields[0] = text
        note.fields[1] = texts[-i]
        note.tags = [rng.choice(["tag", "Größe::sub", "日本", "TAG2", "ﬃ"])] if i % 3 == 0 else []
        col.add_note(note, rng.choice(decks))
    for i in range(40):
        note = col.new_note(sorts)
        note.fields[0] = f"{{{{c1::x{i}}}}} {{{{c3::y}}}}"
        note.fields[1] = FIELDS[i]
        col.add_note(note, 1)
    # reviews, suspended, buried, flagged, custom data, FSRS memory
    cids = col.db.list("select id from cards order by id")
    for i, cid in enumerate(cids[:60]):
        card = col.get_card(cid)
        card.start_timer()
        col.sched.answerCard(card, 1 + i % 4)
    col.sched.suspend_cards(cids[60:70])
    col.sched.bury_cards(cids[70:80], manual=True)
    col.sched.bury_cards(cids[80:85], manual=False)
    col.set_user_flag_for_cards(3, cids[85:90])
    col.set_config("fsrs", True)
    for i, cid in enumerate(cids[90:95]):
        card = col.get_card(cid)
        card.custom_data = json.dumps({"c": i})
        col.update_card(card)
    col.db.executemany(
        "insert or ignore into revlog values (?,?,?,?,?,?,?,?,?)",
        [[1600000000000 + i * 1000, rng.choice(cids), 0, rng.randint(0, 4), rng.randint(-1000, 1000),
          rng.randint(-1000, 1000), rng.choice([0, 2500, 550, 4294967295]), rng.randint(0, 100000), rng.randint(0, 5)]
         for i in range(3000)],
    )
    # filtered decks
    for i in range(2):
        did = col.decks.new_filtered(f"Filtered {i} é")
        deck = col.decks.get(did)
        deck["terms"] = [['deck:"A::B"', 10 + i, i], ["is:due", 99999, 6]][: 1 + i]
        deck["resched"] = i == 0
        deck["delays"] = [None, [1.5, 10.0]][i]
        deck["previewDelay"] = 10
        deck["previewAgainSecs"] = 60
        deck["previewHardSecs"] = 600
        deck["previewGoodSecs"] = 0
        deck["filtered_unknown"] = i
        col.decks.update_dict(deck)
        col.sched.rebuild_filtered_deck(did)
    # config
    col.set_config("addon", {"a": [1, 2.50, 12345678901234567890, None], "ü": "\u0001", "nested": {"x": {}}})
    col.set_config("text", "\"\\\u2028")
    col.remove_config("backups")
    # what a client does before an upload
    for table in ("cards", "notes", "revlog", "notetypes", "decks", "deck_config", "tags"):
        col.db.execute(f"update {table} set usn = ? where usn = -1", seed)
    col.db.execute("delete from graves")
    col.close()


def read_backend(path):
    """The backend's own view of a collection; changes the file, so pass a copy."""
    original = rows(path, "col", "crt, mod, scm, ls, usn")[0]
    col = Collection(path)
    out = {
        "notetypes": {m["id"]: m for m in col.models.all()},
        "decks": {d["id"]: d for d in col.decks.all()},
        "deck_configs": {c["id"]: c for c in col.decks.all_config()},
        "config": col.all_config(),
        "cards": col.db.all(f"select {CARD_COLUMNS} from cards order by id"),
        "notes": col.db.all(f"select {NOTE_COLUMNS} from notes order by id"),
        "revlog": col.db.all(f"select {REVLOG_COLUMNS} from revlog order by id"),
        "tags": dict(col.db.all("select tag, usn from tags")),
    }
    col.close(downgrade=False)
    out["config"].pop("backups", None)  # set by opening a collection, like col.mod
    out["col"] = original
    return out


def compare_with_backend(name, ours, theirs):
    for kind in ("notetypes", "decks", "deck_configs"):
        mine = {o["id"]: o["json"] for o in ours[kind]}
        equal(f"{name}: {kind}", mine, theirs[kind])
        for o in ours[kind]:
            check(f"{name}: {kind} columns", (o["name"], o["mod"], o["usn"], o["id"]) ==
                  (o["json"]["name"], o["json"]["mod"], o["json"]["usn"], o["json"]["id"]), o["name"])
    for kind in ("config", "tags", "cards", "notes", "revlog"):
        equal(f"{name}: {kind}", ours[kind], theirs[kind])
    equal(f"{name}: meta", ours["meta"], theirs["col"])


def fixed(name, path):
    """Opens a file that we wrote in the client and runs its database check."""
    col = Collection(path)
    problems, ok = col.fix_integrity()
    check(f"{name}: database check", ok and "rebuilt and optimized" in problems.lower() and "\n" not in problems.strip(),
          repr(problems))
    col.close(downgrade=False)


def integrity(name, path):
    """The integrity check that a client runs on a download, on a copy of the file."""
    copy = path + ".integrity"
    shutil.copy(path, copy)
    col = Collection(copy)
    check(f"{name}: integrity_check", col.db.scalar("pragma integrity_check") == "ok")
    col.close(downgrade=False)


def scenario(tool, work, seed):
    name = f"seed {seed}"
    path = os.path.join(work, f"rich{seed}.anki2")
    make_rich(path, seed)
    copy = lambda suffix: shutil.copy(path, os.path.join(work, f"rich{seed}-{suffix}.anki2"))

    ours = tool.dump(path)
    theirs = read_backend(copy("backend"))
    compare_with_backend(name, ours, theirs)

    # downgrade: compares ours with the client's
    mine, reference = copy("ours11"), copy("theirs11")
    tool.run("downgrade", mine)
    col = Collection(reference)
    col.close(downgrade=True)
    mine_col, their_col = rows(mine, "col")[0], rows(reference, "col")[0]
    check(f"{name}: downgraded version", mine_col[4] == 11 == their_col[4])
    for index, column in ((8, "conf"), (9, "models"), (10, "decks"), (11, "dconf"), (12, "tags")):
        wanted = json.loads(their_col[index])
        wanted.pop("backups", None)
        equal(f"{name}: downgraded {column}", json.loads(mine_col[index]), wanted)
    for table in ("notes", "cards", "revlog", "graves"):
        equal(f"{name}: downgraded {table}", rows(mine, table), rows(reference, table))
    equal(f"{name}: downgraded schema",
          sorted(r[0] for r in rows(mine, "sqlite_schema", "name") if not r[0].startswith("sqlite_stat")),
          sorted(r[0] for r in rows(reference, "sqlite_schema", "name") if not r[0].startswith("sqlite_stat")))
    check(f"{name}: downgraded check", tool.run("check", mine).strip() == "ok")
    down = tool.dump(mine)
    compare_with_backend(f"{name} schema 11", down, theirs)
    integrity(f"{name} schema 11", mine)

    # written row by row over an empty collection
    fresh = os.path.join(work, f"rich{seed}-fresh.anki2")
    tool.run("rewrite", path, fresh)
    check(f"{name}: written check", tool.run("check", fresh).strip() == "ok")
    equal(f"{name}: written notes", rows(fresh, "notes", NOTE_ALL), rows(path, "notes", NOTE_ALL))
    for table, columns in (("cards", CARD_COLUMNS), ("revlog", REVLOG_COLUMNS)):
        equal(f"{name}: written {table}", rows(fresh, table, columns), rows(path, table, columns))
    written = tool.dump(fresh)
    for kind in ("decks", "deck_configs"):
        equal(f"{name}: written {kind}", {o["id"]: o["json"] for o in written[kind]},
              {o["id"]: o["json"] for o in ours[kind]})
    integrity(f"{name} written", fresh)
    shutil.copy(fresh, fresh + ".fix")
    fixed(f"{name} written", fresh + ".fix")

    # written over itself, in both schemas: nothing may change
    for suffix, base in (("18", path), ("11", mine)):
        target = os.path.join(work, f"rich{seed}-over{suffix}.anki2")
        shutil.copy(base, target)
        tool.run("update", path, target)
        equal(f"{name}: over {suffix} notes", rows(target, "notes", NOTE_ALL), rows(path, "notes", NOTE_ALL))
        after = tool.dump(target)
        for kind in ("notetypes", "decks", "deck_configs"):
            equal(f"{name}: over {suffix} {kind}", {o["id"]: o["json"] for o in after[kind]},
                  {o["id"]: o["json"] for o in ours[kind]})
        equal(f"{name}: over {suffix} tags", after["tags"], ours["tags"])
        equal(f"{name}: over {suffix} config", after["config"], ours["config"])
        integrity(f"{name} over {suffix}", target)
        fixed(f"{name} over {suffix}", target)


def empty_collection(tool, work):
    path = os.path.join(work, "empty.anki2")
    tool.run("create", path)
    check("empty: check", tool.run("check", path).strip() == "ok")
    integrity("empty", path)
    col = Collection(path)
    names = [n.name for n in col.models.all_names_and_ids()]
    check("empty: notetypes", sorted(names) == sorted([
        "Basic", "Basic (and reversed card)", "Basic (optional reversed card)", "Basic (type in the answer)", "Cloze",
        "Image Occlusion"]), names)
    stock = os.path.join(work, "stock.anki2")
    reference = Collection(stock)
    for theirs in reference.models.all():
        ours, theirs = (json.loads(json.dumps(m)) for m in (col.models.by_name(theirs["name"]), theirs))
        # All but texts and random ids equals upstream.
        for m in (ours, theirs):
            for key in ("id", "css", "latexPre", "latexPost"):
                m.pop(key)
            for part in m["flds"] + m["tmpls"]:
                part.pop("id")
            for t in m["tmpls"]:
                t.pop("qfmt"), t.pop("afmt")
        equal(f"empty: {theirs['name']}", ours, theirs)
    equal("empty: deck", col.decks.all(), reference.decks.all())
    equal("empty: deck config", col.decks.all_config(), reference.decks.all_config())
    ours, theirs = col.all_config(), reference.all_config()
    for key in ("creationOffset", "curModel"):
        check(f"empty: {key}", key in ours)
        ours.pop(key), theirs.pop(key)
    # Using a collection adds more keys.
    theirs = {key: value for key, value in theirs.items() if key in INITIAL_CONFIG}
    ours = {key: value for key, value in ours.items() if key in INITIAL_CONFIG}
    equal("empty: config", ours, theirs)
    reference.close()
    check("empty: current notetype", col.models.current()["name"] == "Basic")
    for name, fields, cards in (
        ("Basic", ["q", "a"], 1), ("Basic (and reversed card)", ["q", "a"], 2),
        ("Basic (optional reversed card)", ["q", "a", ""], 1), ("Basic (optional reversed card)", ["q", "b", "y"], 2),
        ("Basic (type in the answer)", ["q", "a"], 1), ("Cloze", ["{{c1::a}} {{c2::b}}", "x"], 2),
        ("Image Occlusion", ["{{c1::image-occlusion:rect:left=.1:top=.1:width=.1:height=.1}}", '<img src="a.png">', "",
                             "", ""], 1),
    ):
        note = col.new_note(col.models.by_name(name))
        for i, field in enumerate(fields):
            note.fields[i] = field
        col.add_note(note, 1)
        check(f"empty: cards of {name}", len(note.cards()) == cards, len(note.cards()))
        html = note.cards()[0].render_output(reload=True)
        check(f"empty: {name} renders", html.question_text and html.answer_text and "error" not in html.question_text.lower().replace('id="err"', ''))
    problems, ok = col.fix_integrity()
    check("empty: database check", ok, problems)
    card = col.sched.getCard()
    card.start_timer()
    col.sched.answerCard(card, 3)
    check("empty: a review", col.db.scalar("select count() from revlog") == 1)
    col.close(downgrade=False)


def collation(tool, work):
    """Compares our collation with the client's, for every letter that case folding changes and many random pairs."""
    col = Collection(os.path.join(work, "collation.anki2"))
    rng = random.Random(7)
    letters = [chr(c) for c in range(1, 0x1F000) if not 0xD800 <= c < 0xE000
               and (chr(c).lower() != chr(c) or chr(c).casefold() != chr(c))]
    letters += list("aAzZ[_ iıİſKßẞΣσςµ\ufb03\ufb04") + ["\U0001f600", "\uffff", "\u2c2f", "\ua7c0", "\U00010570"]
    pairs = [(c, c.casefold()) for c in letters] + [(c, c.lower()) for c in letters]
    pairs += [("".join(rng.choice(letters) for _ in range(rng.randint(0, 4))),
               "".join(rng.choice(letters) for _ in range(rng.randint(0, 4)))) for _ in range(20000)]
    lines = "".join(json.dumps(x) + "\n" for pair in pairs for x in pair)
    ours = [int(x) for x in tool.run("compare", stdin=lines).split()]
    wrong = []
    for pair, mine in zip(pairs, ours):
        theirs = col.db.scalar("select case when ?1 = ?2 collate unicase then 0 when ?1 < ?2 collate unicase then -1 "
                               "else 1 end", *pair)
        if theirs != mine:
            wrong.append((pair, mine, theirs))
    check("collation", len(ours) == len(pairs) and not wrong, f"{len(wrong)} {wrong[:5]}")
    col.close(downgrade=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tool", default=os.path.join(os.environ.get("SYNCLINE_BIN", "build"), "collection_file_tool"),
                        help="path of collection_file_tool")
    parser.add_argument("--seeds", type=int, default=2, help="number of collections to make")
    args = parser.parse_args()
    tool = Tool(os.path.abspath(args.tool))
    with tempfile.TemporaryDirectory() as work:
        collation(tool, work)
        empty_collection(tool, work)
        for seed in range(1, args.seeds + 1):
            scenario(tool, work, seed)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
