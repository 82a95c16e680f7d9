"""Updates of the timetable against a stand-in of its site: what is stored, what is never lost, and what many at once get.

    schedule_test.py            all but the last; each begins with a site and a database without lessons
    schedule_test.py --large    a thousand groups, in an installation of their own; half a minute
"""

import base64
import collections
import concurrent.futures
import contextlib
import datetime
import glob
import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "support"), str(TESTS / "wire")]
import fastcgi
from database import Hold, Session
from promises import Skip, keep, until
from rest_wire import ask, claims_of, script_login
from stack import ROOT, Stack
from timetable import DAY, Timetable, rows_of
from timetable_runs import Runs, settings

GROUPS = 40
WAIT = 8  # schedule_wait_s
PROCESSES = 4  # of the pool api
FAKETIME = sorted(glob.glob("/usr/lib/*/faketime/libfaketime.so.1"))
RUNNING = "Schedule synchronization is already in progress"
LESSONS = "SELECT lesson_id, uid, sequence, modified_at, removed_at FROM schedule_lessons ORDER BY lesson_id"
REVISIONS = "SELECT group_id, revision, changed_at FROM schedule_groups ORDER BY group_id"

stack: Stack
site: Timetable
runs: Runs
db: Session


def sync(status=200):
    """As the script does: starts an update and waits for its end."""
    answer = runs.call("POST", "/api/schedule/updates/trigger_sync_sync/", headers={"content-type": "application/json"})
    assert answer.status == status, answer
    return answer.json


def counts(answer):
    seen = runs.update(answer["update_id"])
    return [seen["lessons_added"], seen["lessons_changed"], seen["lessons_removed"]]


def group_codes(run):
    """{name: error code} of what was not read."""
    rows = runs.call("GET", f"/api/schedule/updates/{run}/groups").json["groups"]
    return {row["group_name"]: row["error_code"] for row in rows if row["state"] in ("failed", "held")}


def names(every=1, first=8):
    """Of groups without irregularities."""
    return [site.world.groups[i]["name"] for i in range(first, len(site.world.groups), every)]


def path_of(name):
    return f"/rasp/group/{site.world.find(name)['number']}$"


def stored_is_truth():
    stored, truth = rows_of(db), {key: rows for key, rows in site.truth().items() if rows}
    assert stored == truth, [(key, set(stored.get(key, [])) ^ set(truth.get(key, []))) for key in {*stored, *truth}
                             if stored.get(key) != truth.get(key)][:2]


# --- what is stored


def an_update_stores_what_the_site_shows_and_says_so():
    runs.fresh()
    answer = sync()
    truth = site.truth()
    lessons = sum(len(rows) for rows in truth.values())
    assert answer["groups_updated"] == GROUPS and answer["lessons_added"] == lessons and answer["lessons_removed"] == 0, answer
    stored_is_truth()
    seen = runs.call("GET", "/api/schedule/updates/latest/").json
    assert seen["status"] == "success" and seen["state"] == "success" and seen["percent"] == 100, seen
    assert seen["groups_done"] == seen["groups_total"] == GROUPS and seen["groups_failed"] == 0, seen
    assert db.number("SELECT count(*) FROM schedule_rooms WHERE name LIKE 'Подгр%'") == 0
    assert db.number("SELECT count(*) FROM schedule_rooms WHERE is_online") == 1
    assert db.number("SELECT count(*) FROM schedule_institutes") == 4
    assert site.count("^/$") == 1 and site.count("/rasp/group/") == GROUPS
    agents = {entry["agent"] for entry in site.journal}
    assert agents == {"timetable mirror (test@example.org)"}, agents
    return f"{lessons} lessons"


def a_second_update_of_an_unchanged_site_changes_nothing():
    runs.fresh(groups=12)
    sync()
    paths = [*calendars(), "/api/schedule/groups/", "/api/schedule/institutes/", "/api/schedule/teachers/", "/api/schedule/rooms/",
             "/api/schedule/lessons/"]
    for group in [row[0] for row in db.ask("SELECT group_id FROM schedule_groups ORDER BY group_id LIMIT 3")]:
        paths += [f"/api/schedule/lessons/?group={group}", f"/api/schedule/lessons/weekly/?group={group}"]
    tags = lambda: {path: runs.call("GET", path).headers["ETag"] for path in paths}
    before = db.ask(LESSONS), db.ask(REVISIONS), tags()
    assert all(before[2].values()), before[2]
    # What differs between the two cannot be seen: it flaps and changes nothing.
    for spelled in (False, True, False, True, False):
        site.clear()
        if spelled:
            site.fault("/rasp/group/", "noise")
        answer = sync()
        assert counts(answer) == [0, 0, 0] and answer["groups_updated"] == 12, answer
        assert (db.ask(LESSONS), db.ask(REVISIONS)) == before[:2]
        after = tags()
        assert after == before[2], [path for path in paths if after[path] != before[2][path]]
    assert db.number("SELECT count(*) FROM schedule_changes WHERE NOT is_first") == 0


def calendars(where="true"):
    """Of the group, the first teacher and the room of a lesson with a date: their addresses, made anew."""
    for feed in runs.call("GET", "/api/schedule/feeds/").json:
        runs.call("DELETE", f"/api/schedule/feeds/{feed['id']}/")
    targets = db.ask("SELECT l.group_id, t.teacher_id, room_id FROM schedule_lessons l JOIN schedule_lesson_teachers t USING (lesson_id)"
                     f" JOIN schedule_groups g USING (group_id) WHERE room_id IS NOT NULL AND slot_date IS NOT NULL AND {where}"
                     " ORDER BY lesson_id, position LIMIT 1")[0]
    answers = [runs.call("POST", "/api/schedule/feeds/", {"kind": kind, "target": int(target)})
               for kind, target in zip(("group", "teacher", "room"), targets)]
    assert all(answer.status == 201 for answer in answers), answers
    return [answer.json["path"] for answer in answers]


@contextlib.contextmanager
def web_process(**env):
    """A process of its own of this installation, with other settings. Yields the path of its socket."""
    with tempfile.TemporaryDirectory(prefix="syncline-web.", dir="/tmp") as directory:
        os.chmod(directory, 0o755)
        path = pathlib.Path(directory, "web.sock")
        own = {"SYNCLINE_DATABASE_URL": stack.env["DATABASE_URL"], "SYNCLINE_REDIS_URL": stack.env["REDIS_URL"],
               "SYNCLINE_SECRET_FILE": str(stack.dir / "secret"), "SYNCLINE_TEMP_DIR": directory}
        program = pathlib.Path(os.environ.get("SYNCLINE_BIN", ROOT / "build"), "syncline-fcgi")
        with (stack.dir / "log" / "web.log").open("ab") as log, subprocess.Popen(
                [program, "--pool", "web", "--slots", "2", "--socket", path], env={**os.environ, **stack.settings, **own, **env},
                stderr=log) as process:
            try:
                until(lambda: path.exists() and fastcgi.ask(path, fastcgi.request("GET", "/readyz")).status == 200, 20)
                yield path
            finally:
                process.terminate()


def a_calendar_is_the_same_bytes_after_a_restart_and_from_a_restored_backup():
    runs.fresh(groups=12)
    sync()
    paths = calendars()
    sights = lambda: [(answer.headers["ETag"], answer.body) for answer in (runs.call("GET", path, login=False) for path in paths)]
    before = sights()
    assert all(tag and b"BEGIN:VEVENT" in body for tag, body in before), before
    stack.restart_one_by_one("api")
    assert sights() == before
    restored = stack.env["DATABASE_URL"].replace("/syncline?", "/restored?")
    owner = stack.env["DATABASE_URL"].replace("user=syncline", "user=postgres")
    with Session(owner) as superuser:
        superuser.ask("DROP DATABASE IF EXISTS restored")
        superuser.ask("CREATE DATABASE restored OWNER syncline TEMPLATE template0")
    with subprocess.Popen(["pg_dump", "-Fc", owner], stdout=subprocess.PIPE) as dump:
        subprocess.run(["pg_restore", "--dbname", owner.replace("/syncline?", "/restored?")], stdin=dump.stdout, check=True)
    # What was changed since the backup is not in it.
    site.mutate("room", names()[0])
    sync()
    with web_process(SYNCLINE_DATABASE_URL=restored) as web:
        answers = [fastcgi.ask(web, fastcgi.request("GET", path)) for path in paths]
        known = [fastcgi.ask(web, fastcgi.request("GET", path, headers={"if-none-match": tag})).status
                 for path, (tag, _) in zip(paths, before)]
    assert [(answer.headers.get("etag"), answer.body) for answer in answers] == before
    assert known == [304] * 3, known


def begin_of(day):
    """The first day that a calendar shows on this day: of the term, or thirty days ago."""
    february = datetime.date(day.year, 2, 1)
    terms = [datetime.date(day.year - 1, 9, 1), february + ((7 - february.weekday()) % 7 + 7) * DAY, datetime.date(day.year, 9, 1)]
    return min(max(term for term in terms if term <= day), day - 30 * DAY)


def yesterday_stays_in_a_calendar_and_a_new_day_is_a_new_tag():
    if not FAKETIME:
        raise Skip("libfaketime is not installed (package faketime)")
    runs.fresh(groups=12)
    sync()
    path = calendars()[1]
    today = site.world.today
    dates_in = lambda body: sorted(datetime.date(*map(int, found)) for found in re.findall(rb"DTSTART[^:\r]*:(\d{4})(\d\d)(\d\d)T\d+\r\nDTEND", body))
    first = runs.call("GET", path, login=False)
    dates = dates_in(first.body)
    assert dates and len(dates) == first.body.count(b"BEGIN:VEVENT"), first.body[:600]
    # By processes whose clocks are ahead.
    for days in (1, 31, 300):
        with web_process(LD_PRELOAD=FAKETIME[-1], FAKETIME=f"+{days}d", FAKETIME_DONT_FAKE_MONOTONIC="1") as web:
            answer = fastcgi.ask(web, fastcgi.request("GET", path, headers={"if-none-match": first.headers["ETag"]}))
        assert answer.status == 200 and answer.headers["etag"] != first.headers["ETag"], (days, answer.status)
        assert dates_in(answer.body) == [date for date in dates if date >= begin_of(today + days * DAY)], days
        assert b"BEGIN:VTIMEZONE" in answer.body and b"X-WR-CALNAME:" in answer.body


def a_known_calendar_of_a_teacher_or_a_room_is_sent_again_exactly_if_it_has_changed():
    runs.fresh(groups=12)
    sync()
    one = site.world.future(names()[0])
    other = next(lesson for lesson in site.world.shown(site.world.find(names()[1])) if lesson["date"] and lesson["date"] > site.world.today
                 and lesson["teachers"] != one["teachers"] and lesson["room"] != one["room"])
    paths = calendars(f"g.name = '{names()[0]}' AND slot_date = '{one['date']}' AND lesson_number = {one['number']}")[1:]
    fetch = lambda path, **headers: runs.call("GET", path, login=False, headers=headers)
    seen = [fetch(path) for path in paths]

    def look(what, is_changed):
        sync()
        for at, path in enumerate(paths):
            known, answer = fetch(path, **{"if-none-match": seen[at].headers["ETag"]}), fetch(path)
            assert (answer.body != seen[at].body) == is_changed, (what, path)
            assert (known.status, known.body) == ((200, answer.body) if is_changed else (304, b"")), (what, path, known)
            seen[at] = answer

    look("nothing", False)
    other["room"] = "9/998"
    look("a lesson of others", False)
    teachers, room, lessons = one["teachers"], one["room"], site.world.find(names()[0])["lessons"]
    one["room"] = "9/999"
    look("another room", True)
    one["room"] = room
    look("back in its room", True)
    one["teachers"] = other["teachers"]
    look("another teacher", True)
    one["teachers"] = teachers
    look("back with its teacher", True)
    lessons.remove(one)
    look("removed", True)
    lessons.append(one)
    look("returned", True)
    site.mutate("rename_teacher", teachers[0][0], "Роса-Туманова В.П.")
    look("the teacher's new name", True)
    site.mutate("rename_group", names()[0], "б-НОВЫ-11")
    look("the group's new name", True)
    # Time alone: a lesson leaves the window, and one that was removed is left out in the end.
    date = f"slot_date = '{one['date']}' AND lesson_number = {one['number']} AND group_id = (SELECT group_id FROM schedule_groups WHERE name = 'б-НОВЫ-11')"
    for change in ("slot_date = '2001-01-01'", "removed_at = now() - interval '31 days'"):
        lesson = db.number(f"UPDATE schedule_lessons SET {change} WHERE {date} RETURNING lesson_id")
        statuses = [fetch(path, **{"if-none-match": seen[at].headers["ETag"]}).status for at, path in enumerate(paths)]
        assert statuses == [200, 200], (change, statuses)
        db.ask(f"UPDATE schedule_lessons SET slot_date = '{one['date']}', removed_at = NULL WHERE lesson_id = {lesson}")
    assert [fetch(path, **{"if-none-match": seen[at].headers["ETag"]}).status for at, path in enumerate(paths)] == [304, 304]


def each_change_of_the_site_is_found_once_and_noted():
    runs.fresh(groups=10)
    sync()
    name = names()[0]
    group = db.number(f"SELECT group_id FROM schedule_groups WHERE name = '{name}'")
    before = {row[0]: row for row in db.ask(f"SELECT lesson_id, uid, sequence FROM schedule_lessons WHERE group_id = {group}")}
    wanted = [0, 0, 0]
    for kind in ("room", "add"):
        wanted = [a + b for a, b in zip(wanted, site.mutate(kind, name))]
    other = names()[1]
    wanted = [a + b for a, b in zip(wanted, site.mutate("remove", other))]
    answer = sync()
    assert counts(answer) == wanted == [1, 1, 1], (counts(answer), wanted)
    stored_is_truth()
    kinds = sorted(row[0] for row in db.ask(f"SELECT kind FROM schedule_changes WHERE run_id = {answer['update_id']}"))
    assert kinds == ["added", "changed", "removed"]
    after = {row[0]: row for row in db.ask(f"SELECT lesson_id, uid, sequence FROM schedule_lessons WHERE group_id = {group}")}
    moved = [(before[key], after[key]) for key in before if before[key] != after[key]]
    assert len(moved) == 1 and moved[0][0][1] == moved[0][1][1] and int(moved[0][1][2]) == int(moved[0][0][2]) + 1, moved
    assert db.number(f"SELECT revision FROM schedule_groups WHERE group_id = {group}") == 2
    for kind in ("teacher", "move", "type"):
        expected = site.mutate(kind, name)
        answer = sync()
        assert counts(answer) == expected, (kind, counts(answer), expected)
        stored_is_truth()


def a_lesson_that_returns_keeps_its_name_and_its_number_goes_on_rising():
    runs.fresh(groups=9)
    sync()
    name = names()[0]
    lesson = site.world.future(name)
    group = site.world.find(name)
    one = f"SELECT lesson_id, uid, sequence, removed_at IS NULL FROM schedule_lessons WHERE lesson_id = %s"
    row = db.ask("SELECT lesson_id FROM schedule_lessons l JOIN schedule_groups g USING (group_id) JOIN schedule_subjects s USING (subject_id)"
                 f" WHERE g.name = '{name}' AND slot_date = '{lesson['date']}' AND lesson_number = {lesson['number']}")[0][0]
    seen = [db.ask(one % row)[0]]
    for present in (False, True, False, True):
        group["lessons"].append(lesson) if present else group["lessons"].remove(lesson)
        sync()
        seen.append(db.ask(one % row)[0])
    assert len({line[1] for line in seen}) == 1 and [line[2] for line in seen] == list("01234"), seen
    assert [line[3] for line in seen] == ["t", "f", "t", "f", "t"]


def what_is_over_stays_when_the_page_moves_on():
    runs.fresh(groups=10)
    sync()
    before = {key: set(rows) for key, rows in rows_of(db).items()}
    site.clock(site.world.today + 14 * DAY)
    answer = sync()
    assert counts(answer)[2] == 0, counts(answer)
    after = {key: set(rows) for key, rows in rows_of(db).items()}
    for key, rows in site.truth().items():
        assert set(rows) <= after[key] and before.get(key, set()) <= after[key], key


def groups_keep_their_identity_when_the_site_gives_new_numbers():
    runs.fresh(groups=12)
    sync()
    a, b, c, d = names()[:4]
    ids = lambda: dict(db.ask("SELECT name, group_id FROM schedule_groups"))
    uids = lambda: db.ask("SELECT lesson_id, uid FROM schedule_lessons ORDER BY lesson_id")
    before, known = ids(), uids()
    site.mutate("swap_ids", a, b)
    site.mutate("new_id", c, 8555)
    site.mutate("rename_group", d, "б-НОВЫ-11")
    answer = sync()
    assert counts(answer) == [0, 0, 0] and runs.update(answer["update_id"])["groups_failed"] == 0
    after = ids()
    assert [after[name] for name in (a, b, c)] == [before[name] for name in (a, b, c)] and after["б-НОВЫ-11"] == before[d]
    assert uids() == known
    stored_is_truth()


def an_institute_that_is_renamed_is_still_the_same():
    runs.fresh(groups=12)
    sync()
    known = "SELECT institute_id, name FROM schedule_institutes WHERE upstream_id = 41"
    before = db.ask(known)[0]
    site.world.institutes[0][1] = "Институт туманов"
    sync()
    assert db.ask(known) == [[before[0], "Институт туманов"]]
    assert db.number("SELECT count(*) FROM schedule_institutes") == 4


def a_teacher_renamed_once_is_renamed_everywhere():
    runs.fresh(groups=10)
    sync()
    site.mutate("rename_teacher", 901, "Роса-Туманова В.П.")
    revisions = db.number("SELECT sum(revision) FROM schedule_groups")
    answer = sync()
    assert counts(answer) == [0, 0, 0]
    stored_is_truth()
    groups = db.number("SELECT count(DISTINCT group_id) FROM schedule_lessons JOIN schedule_lesson_teachers USING (lesson_id)"
                       " JOIN schedule_teachers USING (teacher_id) WHERE upstream_id = 901")
    assert db.number("SELECT sum(revision) FROM schedule_groups") == revisions + groups
    # Flapping is not followed within a day.
    site.mutate("rename_teacher", 901, "Роса В.П.")
    sync()
    assert db.ask("SELECT full_name FROM schedule_teachers WHERE upstream_id = 901")[0][0] == "Роса-Туманова В.П."


def unchanged_pages_are_not_even_sent_if_the_site_has_validators():
    runs.fresh(groups=10)
    site.validators = True
    sync()
    site.clear()
    answer = sync()
    assert answer["groups_updated"] == 10
    assert sum(1 for entry in site.journal if entry["status"] == 304) == 10
    stored_is_truth()


# --- a site that fails


def a_page_with_another_number_is_asked_for_without_old_validators():
    runs.fresh()
    site.validators = True
    sync()
    a, b, c = names()[:3]
    site.mutate("swap_ids", a, b)
    site.mutate("new_id", c, 8556)
    site.clear()
    sync()
    bare = {entry["path"] for entry in site.journal if entry["path"].startswith("/rasp/group/") and not entry["if_none_match"]}
    assert bare == {path_of(name)[:-1] for name in (a, b, c)}, bare
    stored_is_truth()


def a_new_name_of_a_teacher_waits_for_its_day_and_is_not_forgotten():
    runs.fresh()
    sync()
    db.ask("UPDATE schedule_teachers SET renamed_at = now() WHERE upstream_id = 901")
    site.mutate("rename_teacher", 901, "Роса-Туманова В.П.")
    name = "SELECT full_name FROM schedule_teachers WHERE upstream_id = 901"
    sync()
    assert db.ask(name)[0][0] != "Роса-Туманова В.П."
    db.ask("UPDATE schedule_teachers SET renamed_at = now() - interval '2 days' WHERE upstream_id = 901")
    # The pages are as they were the last time.
    assert counts(sync()) == [0, 0, 0]
    assert db.ask(name)[0][0] == "Роса-Туманова В.П."
    stored_is_truth()


def a_group_is_read_by_the_date_of_its_site():
    runs.fresh(today=datetime.date(2031, 12, 28))
    sync()
    before = db.ask(LESSONS)
    group = db.number(f"SELECT group_id FROM schedule_groups WHERE name = '{names()[0]}'")
    db.ask("UPDATE schedule_group_states SET page_hash = NULL")
    answer = runs.call("POST", f"/api/schedule/groups/{group}/sync/")
    seen = runs.ended(answer.json["update_id"])
    assert [seen["lessons_added"], seen["lessons_changed"], seen["lessons_removed"]] == [0, 0, 0] and seen["state"] == "success", seen
    assert db.ask(LESSONS) == before


def a_group_that_loses_its_number_meanwhile_is_not_taken_for_read():
    runs.fresh()
    sync()
    last = db.number("SELECT max(group_id) FROM schedule_groups")
    db.ask(f"UPDATE schedule_groups SET upstream_id = NULL WHERE group_id = {last}")
    site.hold("^/$")
    run = runs.start()
    until(lambda: site.waiting() == 1)
    db.ask(f"INSERT INTO schedule_run_groups (run_id, group_id, position) SELECT {run}, group_id, 999 FROM schedule_groups WHERE group_id = {last}")
    name = db.ask(f"SELECT name FROM schedule_groups WHERE group_id = {last}")[0][0]
    site.mutate("drop_group", name)
    site.open_gate()
    seen = runs.ended(run)
    assert seen["groups_skipped"] == 1 and seen["state"] == "partial", seen


def an_index_of_names_that_nobody_knows_renames_nobody():
    runs.fresh()
    sync()
    before = db.ask("SELECT group_id, name, upstream_id, revision FROM schedule_groups ORDER BY group_id")
    for group in site.world.groups:
        group["name"] = "Р±-" + group["name"]
    answer = sync(500)
    assert answer["code"] == "layout_unknown", answer
    assert db.ask("SELECT group_id, name, upstream_id, revision FROM schedule_groups ORDER BY group_id") == before
    # What stays so for days is right in the end: other groups, and the old ones keep their names.
    db.ask("UPDATE schedule_site SET foreign_since = now() - interval '4 days'")
    sync()
    after = dict(db.ask("SELECT group_id, name FROM schedule_groups"))
    assert len(after) > len(before) and all(after[row[0]] == row[1] for row in before)


def an_index_that_cannot_be_had_fails_the_update_and_nothing_else():
    runs.fresh(groups=9)
    sync()
    before = db.ask(LESSONS)
    for kind, code, requests in (("status", "index_unavailable", 3), ("captcha", "layout_unknown", 1), ("short", "index_unavailable", 3),
                                 ("old_layout", "layout_unknown", 1)):
        site.clear()
        site.fault("^/$", kind, code=503, how="close")
        answer = sync(500)
        assert answer["code"] == code and answer["error"] and re.search("[а-я]", answer["error"]), answer
        seen = runs.update(answer["update_id"])
        assert seen["status"] == "failed" and seen["error_message"] == answer["error"], seen
        assert site.count("^/$") == requests and site.count("/rasp/group/") == 0, (kind, site.journal)
        assert not site.gaps() or site.gaps()[0] >= 0.05, site.gaps()
    assert db.ask(LESSONS) == before and db.number("SELECT count(*) FROM schedule_groups WHERE NOT is_active") == 0


def pages_that_fail_cost_their_groups_nothing():
    runs.fresh()
    sync()
    before = db.ask(LESSONS)
    site.clear()
    wanted = {}
    kinds = [("status", "http_500", {"code": 500}), ("status", "http_404", {"code": 404}), ("short", "upstream_bad_response", {"how": "length"}),
             ("short", "upstream_bad_response", {"how": "chunked"}), ("short", "truncated", {"how": "close"}),
             ("cp1251", "charset", {"how": "neither"}), ("bytes", "charset", {"part": 0.05}), ("other_group", "wrong_group", {}),
             ("nobody", "wrong_group", {}), ("no_weeks", "layout_unknown", {}), ("huge", "upstream_too_large", {}),
             ("broken_gzip", "upstream_bad_response", {}), ("empty_body", "truncated", {}), ("reset", "upstream_connect", {})]
    for name, (kind, code, more) in zip(names(every=2), kinds):
        site.fault(path_of(name), kind, **more)
        wanted[name] = code
    read_anyway = names(every=2, first=9)[:4]
    for name, (kind, more) in zip(read_anyway, [("cp1251", {"how": "header"}), ("cp1251", {"how": "meta"}), ("bytes", {"part": 0.00001}),
                                                 ("unclosed", {})]):
        site.fault(path_of(name), kind, **more)
    answer = sync(500)
    seen = runs.update(answer["update_id"])
    found = group_codes(answer["update_id"])
    found = {name: code for name, code in found.items() if name not in read_anyway}
    connect = {"upstream_connect", "upstream_bad_response"}
    assert {name: code if code not in connect else "connect" for name, code in found.items()} == {
        name: code if code not in connect else "connect" for name, code in wanted.items()}, (found, wanted)
    assert seen["groups_failed"] == len(kinds) and seen["groups_updated"] >= GROUPS - len(kinds) - 1, seen
    removed = db.number(f"SELECT count(*) FROM schedule_changes WHERE run_id = {seen['id']} AND kind = 'removed'")
    assert removed <= 1, removed  # a letter of a page with one invalid byte
    assert len(db.ask(LESSONS)) - len(before) <= 1
    tries = {name: site.count(path_of(name)) for name in wanted}
    assert tries[names(every=2)[0]] == 3 and tries[names(every=2)[1]] == 1, tries


def some_pages_that_fail_make_an_update_partial():
    runs.fresh()
    sync()
    for name in names(every=6)[:5]:
        site.fault(path_of(name), "status", code=500)
    answer = sync()
    seen = runs.update(answer["update_id"])
    assert seen["state"] == "partial" and seen["status"] == "success" and seen["groups_updated"] == GROUPS - 5, seen
    assert seen["groups_failed"] == 5 and "5" in seen["error_message"], seen
    stored_is_truth()


def a_site_that_is_broken_is_left_alone_soon():
    for kind, more, code in (("status", {"code": 500}, "http_500"), ("old_layout", {}, "layout_unknown")):
        runs.fresh()
        sync()
        before = db.ask(LESSONS)
        site.clear()
        site.fault("/rasp/group/", kind, **more)
        answer = sync(500)
        assert answer["code"] == code and answer["error"], answer
        assert site.count("/rasp/group/") < 50, site.count()
        seen = runs.update(answer["update_id"])
        assert seen["state"] == "failed" and seen["groups_failed"] >= 10 and seen["groups_skipped"] > 0, seen
        assert db.ask(LESSONS) == before


def a_page_that_hangs_or_drips_ends_in_time():
    runs.fresh(groups=10)
    sync()
    site.fault(path_of(site.world.groups[8]["name"]), "hang")
    site.fault(path_of(site.world.groups[9]["name"]), "drip")
    begin = time.monotonic()
    run = runs.start()
    seen = runs.ended(run, 40)
    assert seen["groups_updated"] == 8 and seen["groups_failed"] == 2, seen
    assert set(group_codes(run).values()) == {"upstream_timeout"}
    took = time.monotonic() - begin
    assert took < 3 * 2 * 2.5 + 5, took


def a_throttled_run_waits_as_long_as_the_site_asks():
    runs.fresh(groups=8)
    site.fault("/rasp/group/", "status", first=1, code=429, Retry_After=2)
    begin = time.monotonic()
    answer = sync()
    assert answer["groups_updated"] == 8 and time.monotonic() - begin >= 2
    stored_is_truth()


def an_empty_page_must_be_confirmed_by_a_later_update():
    runs.fresh(groups=9)
    sync()
    name = names()[0]
    count = lambda: len(rows_of(db, f" AND g.name = '{name}'").get((name, site.world.find(name)["number"]), []))
    had = count()
    assert had > 0
    # The site recovers: nothing was ever removed.
    site.fault(path_of(name), "empty_slots")
    answer = sync()
    seen = runs.update(answer["update_id"])
    assert seen["groups_held"] == 1 and seen["lessons_removed"] == 0 and seen["warnings"] > 0, seen
    assert group_codes(answer["update_id"]) == {name: "suspicious_shrink"} and count() == had
    site.clear()
    assert counts(sync()) == [0, 0, 0] and count() == had
    # It stays empty: the second look removes them.
    site.mutate("empty_group", name)
    assert counts(sync()) == [0, 0, 0]
    assert counts(sync()) == [0, 0, had]
    stored_is_truth()


def groups_go_only_after_three_complete_indexes_without_them():
    runs.fresh(groups=10)
    sync()
    name = names()[0]
    inactive = lambda: [row[0] for row in db.ask("SELECT name FROM schedule_groups WHERE NOT is_active")]
    for _ in range(4):
        site.clear()
        site.fault("^/$", "half_index")
        sync()
    assert inactive() == []
    site.clear()
    site.mutate("drop_group", name)
    for _ in range(2):
        sync()
        assert inactive() == []
    sync()
    assert inactive() == [name]


# --- many at once


def fifty_triggers_at_once_from_four_processes_start_one_update():
    runs.fresh(groups=8)
    site.hold("^/$")
    processes = stack.pids("api")
    assert len(processes) == PROCESSES
    share = 24 // PROCESSES
    # Names end with the process. Not Hold.wait: what is held waits for some seconds only.
    blocked = lambda pool: {tuple(row) for row in db.ask(
        f"SELECT pid, application_name FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name LIKE 'syncline-fcgi {pool}%'")}
    with concurrent.futures.ThreadPoolExecutor(50) as pool, contextlib.ExitStack() as thaw:
        trigger = lambda path: pool.submit(runs.call, "POST", "/api/schedule/updates/" + path)
        with Hold(stack.env["DATABASE_URL"], "LOCK TABLE schedule_runs IN EXCLUSIVE MODE"):
            for pid in processes.values():
                os.kill(pid, signal.SIGSTOP)
                thaw.callback(os.kill, pid, signal.SIGCONT)
            answers = []
            for number, pid in enumerate(processes.values(), 1):
                # The only one that takes requests. Of one account it runs two at a time.
                os.kill(pid, signal.SIGCONT)
                answers += [trigger("trigger_sync/") for _ in range(share)]
                until(lambda: len(blocked("api")) == 2 * number)  # pylint: disable=cell-var-from-loop
                os.kill(pid, signal.SIGSTOP)
            assert len({name for _, name in blocked("api")}) == PROCESSES, blocked("api")
            thaw.close()
            answers += [trigger("trigger_sync_sync/") for _ in range(25)] + [trigger("trigger_sync/")]
            until(lambda: blocked("realtime"))
        until(lambda: sum(1 for one in answers if one.done()) >= 49, 20)
        until(lambda: site.waiting() == 1)
        site.open_gate()
        statuses = sorted(one.result().status for one in answers)
    assert statuses == [200] + [400] * 49, statuses
    refused = [one.result().json for one in answers if one.result().status == 400]
    assert all(one["error"] == RUNNING and one["code"] == "already_running" for one in refused), refused[0]
    assert db.number("SELECT count(*) FROM schedule_runs") == 1
    until(lambda: runs.latest()["finished_at"])
    assert site.count("^/$") == 1


def a_run_that_waits_for_a_worker_counts_and_none_is_started_without_one():
    runs.fresh(groups=8)
    worker = stack.pids("worker")[1]
    os.kill(worker, signal.SIGSTOP)
    try:
        run = runs.start()
        again = runs.call("POST", "/api/schedule/updates/trigger_sync/")
        assert again.status == 400 and again.json["update_id"] == run, again
        assert runs.update(run)["state"] == "queued"
        cancelled = runs.call("POST", f"/api/schedule/updates/{run}/cancel/")
        assert cancelled.status == 200 and cancelled.json["state"] == "cancelled", cancelled
        db.ask("UPDATE workers SET seen_at = now() - interval '1 hour'")
        for path in ("trigger_sync", "trigger_sync_sync"):
            answer = runs.call("POST", f"/api/schedule/updates/{path}")
            assert answer.status == 503 and answer.json["code"] == "no_worker" and answer.json["error"], answer
        assert db.number("SELECT count(*) FROM schedule_runs") == 1
    finally:
        os.kill(worker, signal.SIGCONT)
    until(lambda: db.number("SELECT count(*) FROM workers WHERE seen_at > now() - interval '5 s'") == 1)
    assert sync()["groups_updated"] == 8 and site.count("^/$") == 1


def only_administrators_start_updates():
    runs.fresh(groups=8)
    for method, path in (("POST", "updates/trigger_sync"), ("POST", "updates/trigger_sync_sync"), ("POST", "groups/1/sync"),
                         ("POST", "updates/1/cancel"), ("GET", "updates/1/groups")):
        student = ask(method, f"/api/schedule/{path}/", headers={"authorization": script_login("student", "a good password", stack.http)},
                      base=stack.http)
        assert student.status == 403 and student.json["error"] and student.json["detail"], student
        nobody = runs.call(method, f"/api/schedule/{path}/", login=False)
        assert nobody.status == 401 and nobody.json["error"], nobody
    assert db.number("SELECT count(*) FROM schedule_runs") == 0
    # Demoted while an update runs: that goes on, the next one is refused.
    site.hold("^/$")
    run = runs.start()
    db.ask(f"UPDATE users SET is_admin = false WHERE name = '{stack.env['SYNCLINE_ADMIN_USER']}'")
    try:
        site.open_gate()
        assert runs.ended(run)["state"] == "success"
        until(lambda: runs.call("POST", "/api/schedule/updates/trigger_sync/").status == 403, 5)
    finally:
        db.ask(f"UPDATE users SET is_admin = true WHERE name = '{stack.env['SYNCLINE_ADMIN_USER']}'")
    until(lambda: runs.call("GET", "/api/schedule/updates/1/groups").status == 404, 5)


def tokens(web=None):
    """Access and refresh token of the administrator, from this installation or from a process of its own."""
    body = {"email": stack.env["SYNCLINE_ADMIN_USER"], "password": stack.env["SYNCLINE_ADMIN_PASSWORD"]}
    if web is None:
        answer = ask("POST", "/api/auth/login/", body, base=stack.http)
    else:
        answer = fastcgi.ask(web, fastcgi.request("POST", "/api/auth/login/", json.dumps(body).encode(), CONTENT_TYPE="application/json"))
    assert answer.status == 200, (answer.status, answer.body)
    found = json.loads(answer.body)
    return found["access"], found["refresh"]


def signed_anew(token):
    """The same claims, signed with a key that is not the server's."""
    head = token.rpartition(".")[0]
    with tempfile.TemporaryDirectory() as directory:
        key, text = pathlib.Path(directory, "key.pem"), pathlib.Path(directory, "text")
        text.write_text(head)
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True)
        signature = subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", key, "-in", text], check=True, stdout=subprocess.PIPE)
    return f"{head}.{base64.urlsafe_b64encode(signature.stdout).decode().rstrip('=')}"


def a_token_that_is_not_good_starts_nothing():
    if not FAKETIME:
        raise Skip("libfaketime is not installed (package faketime)")
    runs.fresh(groups=8)
    access, refresh = tokens()
    # Issued by a process whose clock is two hours behind; a token is good for one.
    with web_process(LD_PRELOAD=FAKETIME[-1], FAKETIME="-2h", FAKETIME_DONT_FAKE_MONOTONIC="1") as web:
        expired, _ = tokens(web=web)
    assert -7300 < claims_of(expired)["exp"] - time.time() < 0, claims_of(expired)
    trigger = lambda path, token: ask("POST", f"/api/schedule/{path}/", token=token, base=stack.http)
    for path in ("updates/trigger_sync", "updates/trigger_sync_sync", "groups/1/sync"):
        for token in (expired, signed_anew(access), refresh, access[:-2] + ("AA" if access[-2:] != "AA" else "BB"), "x"):
            answer = trigger(path, token)
            assert answer.status == 401 and answer.json["code"] == "token_not_valid" and answer.json["error"], (path, answer)
            assert answer.json["messages"] and answer.json["detail"], answer
    assert db.number("SELECT count(*) FROM schedule_runs") == 0 and site.count() == 0
    # The good one of the same login does.
    answer = trigger("updates/trigger_sync", access)
    assert answer.status == 200 and runs.ended(answer.json["update_id"])["state"] == "success", answer


def a_script_gets_its_answer_before_it_gives_up():
    runs.fresh(groups=9)
    site.hold("/rasp/group/")
    begin = time.monotonic()
    answer = sync(504)
    took = time.monotonic() - begin
    assert WAIT - 0.5 < took < WAIT + 3 and answer["code"] == "still_running" and answer["error"], (took, answer)
    site.open_gate()
    assert runs.ended(answer["update_id"])["state"] == "success"
    assert sync()["groups_updated"] == 9


def whoever_leaves_stops_nothing():
    runs.fresh(groups=9)
    site.hold("/rasp/group/")
    ends = lambda: sum(path.read_text(errors="replace").count("op=schedule.trigger_sync_sync") for path in (stack.dir / "log").glob("realtime*"))
    before = ends()
    base = urllib.parse.urlsplit(stack.http)
    connection = http.client.HTTPConnection(base.hostname, base.port)
    connection.request("POST", "/api/schedule/updates/trigger_sync_sync/", headers=runs.admin)
    until(lambda: site.waiting() > 0)
    connection.close()
    until(lambda: ends() > before, 4, "the slot is freed")
    site.open_gate()
    run = runs.latest()["id"]
    assert runs.ended(run)["state"] == "success"


def a_cancelled_update_ends_at_once_and_keeps_what_it_has_written():
    runs.fresh()
    half = site.world.groups[20]["number"]
    site.hold(f"/rasp/group/{half}$")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(runs.call, "POST", "/api/schedule/updates/trigger_sync_sync/")
        until(lambda: site.waiting() == 1)
        run = runs.latest()["id"]
        until(lambda: runs.update(run)["groups_done"] >= 19, 10)
        begin = time.monotonic()
        answers = [runs.call("POST", f"/api/schedule/updates/{run}/cancel/") for _ in range(2)]
        assert answers[0].status == 200 and answers[0].json["update_id"] == run, answers
        assert answers[1].status in (200, 409), answers  # over already
        seen = runs.ended(run, 5)
        assert time.monotonic() - begin < 5 and seen["state"] == "cancelled" and seen["status"] == "failed", seen
        answer = waiting.result()
        assert answer.status == 409 and answer.json["error"], answer
    site.open_gate()
    assert seen["groups_updated"] >= 19 and seen["groups_skipped"] > 0 and len(rows_of(db)) >= 15
    assert runs.call("POST", f"/api/schedule/updates/{run}/cancel/").status == 409
    assert runs.call("POST", "/api/schedule/updates/999999/cancel/").status == 404
    assert sync()["groups_updated"] == GROUPS
    stored_is_truth()


def an_import_and_a_run_of_one_group_do_not_mix():
    runs.fresh(groups=8)
    sync()
    group = site.world.groups[1]
    site.mutate("room", group["name"], "7/777")
    day = str(site.world.last_day())
    body = {"institute": {"name": site.world.institutes[1][1], "sstu_id": 42}, "group": {"name": group["name"], "sstu_id": group["number"]},
            "lessons": [{"subject_name": "Теория росы", "lesson_type": "лек", "room": "1/1", "weekday": site.world.last_day().isoweekday(),
                         "lesson_number": number, "start_time": "08:00:00", "end_time": "09:30:00", "specific_date": day} for number in (1, 2)]}
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        with Hold(stack.env["DATABASE_URL"], f"SELECT 1 FROM schedule_groups WHERE upstream_id = {group['number']} FOR UPDATE") as hold:
            run = pool.submit(runs.call, "POST", "/api/schedule/updates/trigger_sync_sync/")
            hold.wait(1, "syncline-worker")
            importing = pool.submit(runs.call, "POST", "/api/schedule/updates/import_group/", body)
            hold.wait(2)
        assert run.result().status == 200 and importing.result().status == 200, (run.result(), importing.result())
    rows = rows_of(db, f" AND g.upstream_id = {group['number']}")[(group["name"], group["number"])]
    imported = [row for row in rows if row[3] == "Теория росы"]
    assert len(set(rows)) == len(rows)
    ours = site.truth(group["name"])[(group["name"], group["number"])]
    rest = [row for row in rows if row not in imported]
    # The page, then the import, which speaks of one day only; or the import, then the page.
    assert (rest == [row for row in ours if row[0] != day] and len(imported) == 2) or (rest == ours and not imported), rows


# --- progress


def progress_is_told_to_many_for_little():
    runs.fresh()
    site.hold(f"/rasp/group/{site.world.groups[30]['number']}$")
    run = runs.start()
    until(lambda: site.waiting() == 1)
    until(lambda: runs.update(run)["groups_done"] == GROUPS - 1)
    first = runs.call("GET", f"/api/schedule/updates/{run}/")
    tag = first.headers["ETag"]
    # Each poll asks for the run once, and for nothing else of the timetable.
    asked = lambda: collections.Counter(re.findall(r"execute (schedule\.\w+):", "".join(
        line for line in (stack.dir / "log" / "postgres.log").read_text(errors="replace").splitlines(True) if "syncline-fcgi" in line)))
    before = asked()
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: runs.call("GET", f"/api/schedule/updates/{run}", headers={"if-none-match": tag}), range(40)))
    assert {(one.status, one.body) for one in answers} == {(304, b"")}, {one.status for one in answers}
    until(lambda: sum((asked() - before).values()) >= 40, 5)
    assert asked() - before == {"schedule.find_run": 40}, asked() - before
    seen = first.json
    assert seen["status"] == "in_progress" and seen["phase"] == "groups" and 0 < seen["percent"] < 100 and seen["groups_total"] == GROUPS, seen
    events = ask_events(run, lambda: site.open_gate())
    assert events[0][0] == "progress" and events[-1][0] == "end" and events[-1][1]["state"] == "success", events
    missing = runs.call("GET", "/api/schedule/updates/999999/events")
    assert missing.status == 404, missing


def ask_events(run, after_first):
    base = urllib.parse.urlsplit(stack.http)
    connection = http.client.HTTPConnection(base.hostname, base.port, timeout=30)
    connection.request("GET", f"/api/schedule/updates/{run}/events", headers=runs.admin)
    answer = connection.getresponse()
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/event-stream"), answer.headers
    events, name = [], None
    for line in answer:
        line = line.decode().rstrip()
        if line.startswith("event:"):
            name = line[6:].strip()
        elif line.startswith("data:"):
            events.append((name, json.loads(line[5:])))
            if len(events) == 1:
                after_first()
        if name == "end" and events and events[-1][0] == "end":
            break
    connection.close()
    return events


def one_group_is_read_by_itself_beside_an_update_of_all():
    runs.fresh(groups=12)
    sync()
    name = names()[3]
    group = db.number(f"SELECT group_id FROM schedule_groups WHERE name = '{name}'")
    site.hold("^/$")
    run = runs.start()
    until(lambda: site.waiting() == 1)
    expected = site.mutate("room", name)
    answer = runs.call("POST", f"/api/schedule/groups/{group}/sync/")
    assert answer.status == 200 and answer.json["group_id"] == group, answer
    seen = runs.ended(answer.json["update_id"])
    assert [seen["lessons_added"], seen["lessons_changed"], seen["lessons_removed"]] == expected and seen["mode"] == "single", seen
    assert runs.update(run)["state"] == "running"
    site.open_gate()
    runs.ended(run)
    assert runs.call("POST", f"/api/schedule/groups/{group}/sync/").status == 429
    assert runs.call("POST", "/api/schedule/groups/999999/sync/").status == 404
    db.ask("UPDATE schedule_groups SET upstream_id = NULL WHERE group_id <> %d" % group)
    other = db.number(f"SELECT min(group_id) FROM schedule_groups WHERE group_id <> {group}")
    answer = runs.call("POST", f"/api/schedule/groups/{other}/sync/")
    assert answer.status == 400 and answer.json["error"] == "Group does not have SSTU ID", answer


def an_incremental_update_reads_what_somebody_looks_at():
    runs.fresh(groups=16)
    sync()
    name = names()[5]
    group = db.number(f"SELECT group_id FROM schedule_groups WHERE name = '{name}'")
    user = db.number("SELECT user_id FROM users WHERE name = 'student'")
    db.ask(f"INSERT INTO schedule_profiles (user_id, group_id) VALUES ({user}, {group})")
    site.mutate("room", names()[6])
    site.clear()
    printed = stack.admin("schedule", "sync", "--incremental", "--wait")
    assert "success" in printed and site.count("/rasp/group/") == 1 and site.count(path_of(name)) == 1, printed
    sync()
    site.clear()
    # What has changed lately is looked at, too.
    stack.admin("schedule", "sync", "--incremental", "--wait")
    assert site.count("/rasp/group/") == 2, site.journal
    assert "incremental" in stack.admin("schedule", "runs")


def records_are_listed_by_page_and_status():
    runs.fresh(groups=8)
    for _ in range(2):
        sync()
    site.fault("^/$", "status", code=404)
    sync(500)
    page = runs.call("GET", "/api/schedule/updates/").json
    assert page["count"] == 3 and [one["status"] for one in page["results"]] == ["failed", "success", "success"], page
    assert runs.call("GET", "/api/schedule/updates/?status=failed").json["count"] == 1
    assert runs.call("GET", "/api/schedule/updates/?ordering=started_at").json["results"][0]["status"] == "success"
    assert runs.call("GET", "/api/schedule/updates/?status=x").status == 400
    assert runs.call("GET", "/api/schedule/updates/?page=2").status == 404
    assert runs.call("GET", "/api/schedule/updates/?page=0").status == 404
    assert runs.call("GET", "/api/schedule/updates/abc/").status == 404
    shown = stack.admin("schedule", "show", str(page["results"][0]["id"]))
    assert "index_unavailable" in shown, shown
    student = ask("GET", f"/api/schedule/updates/{page['results'][0]['id']}/",
                  headers={"authorization": script_login("student", "a good password", stack.http)}, base=stack.http).json
    assert "error_detail" not in student and student["error_message"], student


# --- behind a flag


def a_thousand_groups_cost_little_memory_and_time_of_the_database():
    groups, lessons, gap, concurrency = 1000, 40, 0.02, 4
    runs.fresh(groups=groups, odd=False, full=True)
    truth = site.truth()
    assert {len(rows) for rows in truth.values()} == {lessons} and len(truth) == groups
    peak = lambda: int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{stack.pids('worker')[1]}/status").read_text())[1]) / 1024
    # Of all sessions; PostgreSQL reports it after the transaction, a second later at most.
    busy = lambda: float(db.ask("SELECT active_time / 1000 FROM pg_stat_database WHERE datname = current_database()")[0][0])
    told = []
    for added in (groups * lessons, 0):
        site.clear()
        before, begin = busy(), time.monotonic()
        run = runs.start()
        seen = until(lambda: (lambda one: one if one["finished_at"] else None)(runs.update(run)), 600, pause=1)
        took = time.monotonic() - begin
        assert seen["state"] == "success" and seen["groups_updated"] == groups and seen["lessons_added"] == added, seen
        starts = sorted(entry["at"] for entry in site.journal)
        in_a_second = max(sum(1 for other in starts[at:at + 200] if other < start + 1) for at, start in enumerate(starts))
        assert site.peak <= concurrency and in_a_second <= 1 / gap + concurrency, (site.peak, in_a_second)
        time.sleep(1)  # see `busy`
        told.append(f"{took:.0f} s, database {busy() - before:.1f} s, worker {peak():.0f} MiB, {site.peak} at once, {in_a_second} in a second")
        assert busy() - before < 60 and peak() < 256, told
    assert rows_of(db) == truth
    return "; unchanged: ".join(told)


def large():
    global site, stack, runs, db
    with Timetable(groups=8) as site, Stack(settings(site, schedule_min_gap_ms=20, schedule_concurrency=4)) as stack:
        runs = Runs(stack, site)
        with Session(stack.env["DATABASE_URL"]) as db:
            return keep(a_thousand_groups_cost_little_memory_and_time_of_the_database)


if __name__ == "__main__":
    if "--large" in sys.argv:
        sys.argv.remove("--large")
        sys.exit(large())
    with Timetable(groups=GROUPS) as site, Stack(settings(
            site, schedule_fetch_s=2, schedule_user_agent="timetable mirror (test@example.org)", schedule_wait_s=WAIT,
            copies_api=PROCESSES, test_postgres="log_statement = all\nlog_parameter_max_length = 0")) as stack:
        stack.add_user("student", "a good password")
        runs = Runs(stack, site)
        with Session(stack.env["DATABASE_URL"]) as db:
            sys.exit(keep(
                an_update_stores_what_the_site_shows_and_says_so,
                a_second_update_of_an_unchanged_site_changes_nothing,
                a_calendar_is_the_same_bytes_after_a_restart_and_from_a_restored_backup,
                yesterday_stays_in_a_calendar_and_a_new_day_is_a_new_tag,
                a_known_calendar_of_a_teacher_or_a_room_is_sent_again_exactly_if_it_has_changed,
                each_change_of_the_site_is_found_once_and_noted,
                a_lesson_that_returns_keeps_its_name_and_its_number_goes_on_rising,
                what_is_over_stays_when_the_page_moves_on,
                groups_keep_their_identity_when_the_site_gives_new_numbers,
                an_institute_that_is_renamed_is_still_the_same,
                a_teacher_renamed_once_is_renamed_everywhere,
                unchanged_pages_are_not_even_sent_if_the_site_has_validators,
                a_page_with_another_number_is_asked_for_without_old_validators,
                a_new_name_of_a_teacher_waits_for_its_day_and_is_not_forgotten,
                a_group_is_read_by_the_date_of_its_site,
                a_group_that_loses_its_number_meanwhile_is_not_taken_for_read,
                an_index_of_names_that_nobody_knows_renames_nobody,
                an_index_that_cannot_be_had_fails_the_update_and_nothing_else,
                pages_that_fail_cost_their_groups_nothing,
                some_pages_that_fail_make_an_update_partial,
                a_site_that_is_broken_is_left_alone_soon,
                a_page_that_hangs_or_drips_ends_in_time,
                a_throttled_run_waits_as_long_as_the_site_asks,
                an_empty_page_must_be_confirmed_by_a_later_update,
                groups_go_only_after_three_complete_indexes_without_them,
                fifty_triggers_at_once_from_four_processes_start_one_update,
                a_run_that_waits_for_a_worker_counts_and_none_is_started_without_one,
                only_administrators_start_updates,
                a_token_that_is_not_good_starts_nothing,
                a_script_gets_its_answer_before_it_gives_up,
                whoever_leaves_stops_nothing,
                a_cancelled_update_ends_at_once_and_keeps_what_it_has_written,
                an_import_and_a_run_of_one_group_do_not_mix,
                progress_is_told_to_many_for_little,
                one_group_is_read_by_itself_beside_an_update_of_all,
                an_incremental_update_reads_what_somebody_looks_at,
                records_are_listed_by_page_and_status))
