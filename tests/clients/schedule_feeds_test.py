"""Calendars of the timetable as calendar programs fetch and read them: by two independent readers, over nginx.

Needs the Python packages icalendar and vobject; without them the tests are skipped.
"""

import datetime
import email.utils
import gzip
import io
import json
import os
import pathlib
import ssl
import sys
import time
import urllib.request
import zipfile
import zoneinfo

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from database import Session
from installation import admin
from promises import Skip, keep
from rest_wire import ask
from timetable_api import Account, Group, lesson

try:
    import icalendar
    import vobject
except ImportError as missing:
    icalendar, problem = None, missing

ZONE = zoneinfo.ZoneInfo("Europe/Saratov")
TODAY = datetime.datetime.now(ZONE).date()
MONDAY = TODAY + datetime.timedelta(days=14 - TODAY.weekday())
ADMIN = DATABASE = None


def day(offset):
    return MONDAY + datetime.timedelta(days=offset)


def fetch(path, **headers):
    return ask("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})


def new_feed(account, **feed):
    answer = account.post("/schedule/feeds/", feed)
    assert answer.status == 201, answer
    return answer.json


def read(path):
    """The events of a feed by UID, after everything that a reader may rely on was checked."""
    answer = fetch(path)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/calendar; charset=utf-8"), answer
    return events_of(answer.body)


def events_of(body):
    check_lines(body)
    calendar = icalendar.Calendar.from_ical(body)
    assert not calendar.errors, calendar.errors
    assert (calendar["VERSION"], calendar["CALSCALE"], "METHOD" in calendar) == ("2.0", "GREGORIAN", False)
    assert calendar["X-WR-CALNAME"] == calendar["NAME"] and calendar["NAME"]
    assert calendar["REFRESH-INTERVAL"].params["VALUE"] == "DURATION" and calendar["REFRESH-INTERVAL"].dt == datetime.timedelta(hours=3)
    zones = calendar.walk("VTIMEZONE")
    assert [str(zone["TZID"]) for zone in zones] == ["Europe/Saratov"], zones
    events = calendar.walk("VEVENT")
    keys = [(event["DTSTART"].dt, event["UID"]) for event in events]
    assert keys == sorted(keys), "the order is fixed"
    assert len({event["UID"] for event in events}) == len(events), "UIDs are unique"
    for event in events:
        assert not event.errors, event.errors
        assert event["DTSTART"].params["TZID"] == event["DTEND"].params["TZID"] == "Europe/Saratov"
        assert event["DTSTART"].dt.replace(tzinfo=ZONE).utcoffset() == event["DTSTART"].dt.utcoffset()
        assert event["DTSTAMP"].dt == event["LAST-MODIFIED"].dt
        assert not {"RRULE", "EXDATE", "METHOD"} & event.keys(), event
    # Another reader finds the same.
    other = next(vobject.readComponents(body.decode()))
    assert {str(event.uid.value) for event in getattr(other, "vevent_list", [])} == {str(event["UID"]) for event in events}
    return {str(event["UID"]): event for event in events}


def check_lines(body):
    assert body.endswith(b"\r\n")
    for line in body.removesuffix(b"\r\n").split(b"\r\n"):
        assert len(line) <= 75, line
        assert line.decode().strip(" \t"), "no line of blanks"
        assert b"\n" not in line and b"\r" not in line, line


def shown(event):
    return {key: str(event.get(key, "")) for key in ("SUMMARY", "LOCATION", "DESCRIPTION", "STATUS")}


def uid_of(events, start):
    found = [uid for uid, event in events.items() if event["DTSTART"].dt.date() == start]
    assert len(found) == 1, (start, found)
    return found[0]


def groups_teachers_rooms_and_ones_own_lessons_are_calendars():
    mark = Group().number
    group = Group()
    group_id = ADMIN.import_group(group, [
        lesson(day(0), teacher_name=f"Роса {mark}", teacher_id=None, room=f"{mark}/1"),
        lesson(day(0), 2, teacher_name=None, room=f"{mark}/2", additional_info="Подгр. 1"),
        lesson(day(0), 2, "Физкультура", teacher_name=f"Роса {mark}", teacher_id=None, room="Спортзал", additional_info="Подгр. 2"),
        lesson(day(1), 3, specific_date=None)])["group_id"]
    account = Account()
    teacher = account.json(f"/schedule/teachers/?search={mark}")[0]["id"]
    room = account.json(f"/schedule/rooms/?search={mark}/1")[0]["id"]
    account.patch("/auth/profile/", {"group": group_id, "subgroup": 2})
    expected = {("group", group_id): 3, ("teacher", teacher): 2, ("room", room): 1, ("own", None): 2}
    for (kind, target), count in expected.items():
        feed = new_feed(account, kind=kind, **({"target": target} if target else {}))
        assert (feed["kind"], feed["target"]) == (kind, target) and feed["url"].endswith(feed["path"]), feed
        events = read(feed["path"])
        assert len(events) == count, (kind, list(map(shown, events.values())))
        assert all((group.name in str(event["SUMMARY"])) == (kind in ("teacher", "room")) for event in events.values())
    first = read(new_feed(account, kind="group", target=group_id, subgroup=1)["path"])
    assert sorted(str(event["LOCATION"]) for event in first.values()) == [f"{mark}/1", f"{mark}/2"]
    event = events_of(fetch(new_feed(account, kind="room", target=room)["path"]).body).popitem()[1]
    assert event["DTSTART"].dt.astimezone(datetime.timezone.utc) == datetime.datetime.combine(
        day(0), datetime.time(4), datetime.timezone.utc)
    assert str(event["LOCATION"]) == f"{mark}/1" and f"Роса {mark}" in str(event["DESCRIPTION"])


def uids_stay_and_sequences_tell_each_visible_change_once():
    group = Group()
    lessons = [lesson(day(0)), lesson(day(0), 3), lesson(day(1), room="1/1"), lesson(day(1), room="1/2"), lesson(day(2))]
    group_id = ADMIN.import_group(group, lessons)["group_id"]
    path = new_feed(ADMIN, kind="group", target=group_id)["path"]
    first = read(path)
    assert len(first) == 5
    body, tag = fetch(path).body, fetch(path).headers["ETag"]
    for number in range(10):
        ADMIN.import_group(group, list(reversed(lessons)) if number % 2 else lessons)
        answer = fetch(path)
        assert (answer.body, answer.headers["ETag"]) == (body, tag), "an import that changes nothing changes no byte"
    changed = [lesson(day(0), room="9/9"), *lessons[1:4]]
    for number in range(10):
        ADMIN.import_group(group, changed)
        events = read(path)
        assert events.keys() == first.keys()
    gone = uid_of(events, day(2))
    moved = next(uid for uid, event in events.items() if str(event["LOCATION"]) == "9/9")
    for uid, event in events.items():
        raised = 1 if uid in (moved, gone) else 0
        assert event["SEQUENCE"] == first[uid]["SEQUENCE"] + raised, (uid, shown(event))
        assert (event["LAST-MODIFIED"].dt > first[uid]["LAST-MODIFIED"].dt) <= bool(raised)
        assert str(event["STATUS"]) == ("CANCELLED" if uid == gone else "CONFIRMED")
    # Returned, it is the same event, and its number goes on rising.
    ADMIN.import_group(group, lessons)
    back = read(path)
    assert back.keys() == first.keys() and str(back[gone]["STATUS"]) == "CONFIRMED"
    assert back[gone]["SEQUENCE"] == first[gone]["SEQUENCE"] + 2 and back[moved]["SEQUENCE"] == first[moved]["SEQUENCE"] + 2
    # Thirty days after its removal a lesson is left out.
    ADMIN.import_group(group, lessons[:4])
    assert gone in read(path)
    DATABASE.ask(f"UPDATE schedule_lessons SET removed_at = now() - interval '32 days' WHERE uid = '{gone}'")
    assert gone not in read(path)
    ADMIN.import_group(group, lessons)
    assert read(path)[gone]["SEQUENCE"] == back[gone]["SEQUENCE"] + 2


def the_same_feed_is_the_same_bytes_whoever_asks_and_when():
    group_id = ADMIN.import_group(Group(), [lesson(day(offset), number) for offset in range(5) for number in (1, 2, 3)])["group_id"]
    path = new_feed(ADMIN, kind="group", target=group_id)["path"]
    begin = fetch(path)
    answers = [fetch(path) for _ in range(20)]  # of several processes
    time.sleep(1.1)  # DTSTAMP has seconds
    answers.append(fetch(path))
    assert {(answer.body, answer.headers["ETag"]) for answer in answers} == {(begin.body, begin.headers["ETag"])}


def whole_url(path, scheme):
    return os.environ["SYNCLINE_" + scheme] + path


def follow(address):
    """Status, type, body and the number of redirects, as a program sees them that follows all."""
    redirects = 0

    class Counting(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *args):
            nonlocal redirects
            redirects += 1
            return super().redirect_request(*args)
    trusting = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=os.environ["SYNCLINE_CA"]))
    with urllib.request.build_opener(Counting, trusting).open(address, timeout=30) as answer:
        return answer.status, answer.headers["Content-Type"], answer.read(), redirects


def programs_fetch_in_all_kinds_of_ways():
    group_id = ADMIN.import_group(Group(), [lesson(day(offset), number) for offset in range(5) for number in (1, 2)])["group_id"]
    feed = new_feed(ADMIN, kind="group", target=group_id)
    path, shown_url = feed["path"], feed["url"]
    whole = fetch(path)
    for headers in ({}, {"accept": "text/html"}, {"accept": "*/*"}, {"user_agent": "Google-Calendar-Importer"}, {"authorization": "Basic eDp4"}):
        answer = fetch(path, **headers)
        assert (answer.status, answer.body) == (200, whole.body), headers
    assert fetch(path + "?x=1").body == fetch(path.replace("/api/", "//api//")).body == whole.body
    head = ask("HEAD", path)
    assert (head.status, head.body, head.headers["Content-Type"]) == (200, b"", "text/calendar; charset=utf-8")
    assert head.headers["ETag"] == whole.headers["ETag"]
    packed = fetch(path, accept_encoding="gzip")
    assert packed.headers["Content-Encoding"] == "gzip" and gzip.decompress(packed.body) == whole.body
    assert len(packed.body) < len(whole.body) / 4, (len(packed.body), len(whole.body))
    for tag in (whole.headers["ETag"], packed.headers["ETag"], f'"x", {whole.headers["ETag"]}', "*"):
        known = fetch(path, if_none_match=tag)
        assert (known.status, known.body) == (304, b""), (tag, known)
    assert fetch(path, if_none_match='"x"').status == 200
    for address in (whole_url(path, "HTTP"), whole_url(path, "HTTPS"), whole_url(path, "HTTP") + "/", shown_url):
        status, kind, body, redirects = follow(address)
        assert (status, kind, body, redirects) == (200, "text/calendar; charset=utf-8", whole.body, 0), (address, status, redirects)
    robots = ask("GET", "/robots.txt")
    assert robots.status == 404 or b"Disallow: /\n" not in robots.body + b"\n", robots
    for method in ("PROPFIND", "PUT", "OPTIONS"):
        assert ask(method, path).status == 405, method
    for wrong in (path[:-5] + ("A" if path[-5] != "A" else "B") + ".ics", path.removesuffix(".ics"), "/api/schedule/feeds/x.ics",
                  "/api/schedule/feeds/1.ics"):
        answer = fetch(wrong)
        assert answer.status == 404 and answer.json["code"] == "no_such_feed", (wrong, answer)
    token = path.split("/")[-1].removesuffix(".ics")
    logs = "".join(file.read_text(errors="replace") for file in pathlib.Path(os.environ["SYNCLINE_DIR"], "log").rglob("*") if file.is_file())
    assert token not in logs and token[:20] not in logs, "the address is in no log"


def a_calendar_is_placed_by_its_own_time_zone_and_not_by_its_name():
    group_id = ADMIN.import_group(Group(), [lesson(day(offset), number) for offset in (0, 3, 30, 60) for number in (1, 8)])["group_id"]
    body = fetch(new_feed(ADMIN, kind="group", target=group_id)["path"]).body
    for text in (body, body.replace(b"Europe/Saratov", b"X")):
        calendar = icalendar.Calendar.from_ical(text)
        zone, = calendar.walk("VTIMEZONE")
        assert not zone.walk("DAYLIGHT") and b"RRULE" not in text
        offsets = sorted((part["DTSTART"].dt, part["TZOFFSETTO"].td) for part in zone.walk("STANDARD"))
        events = calendar.walk("VEVENT")
        assert len(events) == 8
        for event in events:
            for time_of, clocks in (("DTSTART", ("08:00", "20:20")), ("DTEND", ("09:30", "21:50"))):
                assert event[time_of].params["TZID"] == zone["TZID"] and not event[time_of].to_ical().endswith(b"Z")
                local = event[time_of].dt.replace(tzinfo=None)
                assert local.strftime("%H:%M") in clocks, local
                offset = [offset for begin, offset in offsets if begin <= local][-1]
                assert local - offset == local.replace(tzinfo=ZONE).astimezone(datetime.timezone.utc).replace(tzinfo=None), (local, offset)


def a_calendar_with_nothing_ahead_is_still_one_and_the_term_stays_in_it():
    february = datetime.date(TODAY.year, 2, 1)
    terms = [datetime.date(TODAY.year - 1, 9, 1), february + datetime.timedelta(days=(7 - february.weekday()) % 7 + 7),
             datetime.date(TODAY.year, 9, 1)]
    first = min(max(term for term in terms if term <= TODAY), TODAY - datetime.timedelta(days=30))
    for ago in (1, 29, 40, 400):
        date = TODAY - datetime.timedelta(days=ago)
        group_id = ADMIN.import_group(Group(), [lesson(date)])["group_id"]
        events = read(new_feed(ADMIN, kind="group", target=group_id)["path"])
        assert [event["DTSTART"].dt.date() for event in events.values()] == ([date] if date >= first else []), (ago, first)
    # What was never read, or has no lessons.
    mark = Group().number
    for kind, sql in (("group", f"INSERT INTO schedule_groups (name, name_key, search_text) VALUES ('г{mark}', 'г{mark}', 'г{mark}')"),
                      ("teacher", f"INSERT INTO schedule_teachers (full_name, name_key, search_text) VALUES ('т{mark}', 'т{mark}', 'т{mark}')"),
                      ("room", "INSERT INTO schedule_rooms (name, name_key, search_text, is_online)"
                               f" VALUES ('а{mark}', 'а{mark}', 'а{mark}', false)")):
        target = DATABASE.number(f"{sql} RETURNING {kind}_id")
        path = new_feed(ADMIN, kind=kind, target=target)["path"]
        assert read(path) == {}, kind
        answer = fetch(path)
        assert str(mark).encode() in answer.body and fetch(path, if_none_match=answer.headers["ETag"]).status == 304


def dates_never_fall_and_tell_what_has_changed():
    group, other = Group(), Group()
    group_id = ADMIN.import_group(group, [lesson(day(0), teacher_name=f"Т{group.number}", teacher_id=None)])["group_id"]
    ADMIN.import_group(other, [lesson(day(0), teacher_name=f"Т{group.number}", teacher_id=None)])
    teacher = ADMIN.json(f"/schedule/teachers/?search={group.number}")[0]["id"]
    paths = [new_feed(ADMIN, kind="group", target=group_id)["path"], new_feed(ADMIN, kind="teacher", target=teacher)["path"]]
    seen = {path: datetime.datetime.min.replace(tzinfo=datetime.timezone.utc) for path in paths}
    def look():
        time.sleep(2.1)  # a younger date would be that of two versions
        for path in paths:
            answer = fetch(path)
            date = email.utils.parsedate_to_datetime(answer.headers["Last-Modified"])
            assert date >= seen[path], path
            seen[path] = date
            assert fetch(path, if_modified_since=answer.headers["Last-Modified"]).status == 304
    look()
    before = dict(seen)
    ADMIN.import_group(other, [lesson(day(0), teacher_name=None)])  # leaves the teacher
    look()
    assert seen[paths[0]] == before[paths[0]]
    assert len(read(paths[1])) == 1
    ADMIN.import_group(group, [lesson(day(0), room="7/7", teacher_name=f"Т{group.number}", teacher_id=None)])
    old = email.utils.format_datetime(before[paths[0]], usegmt=True)
    assert [fetch(path, if_modified_since=old).status for path in paths] == [200, 200]
    look()


def a_change_of_what_an_own_calendar_shows_changes_its_tag():
    account, group = Account(), Group()
    feed = new_feed(account, kind="own", name="Мои занятия")
    empty = fetch(feed["path"])
    assert events_of(empty.body) == {} and "Мои занятия".encode() in empty.body
    group_id = ADMIN.import_group(group, [lesson(day(0)), lesson(day(1), additional_info="Подгр. 1")])["group_id"]
    tags = [empty.headers["ETag"]]
    for change, count in (({"group": group_id}, 2), ({"subgroup": 2}, 1), ({"subgroup": 1}, 2), ({"group": None}, 0)):
        account.patch("/auth/profile/", change)
        answer = fetch(feed["path"], if_none_match=tags[-1])
        assert answer.status == 200 and len(events_of(answer.body)) == count, change
        tags.append(answer.headers["ETag"])
    named = account.patch(f"/schedule/feeds/{feed['id']}/", {"name": "Другое"}).json
    assert named["path"] == feed["path"] and named["name"] == "Другое"
    answer = fetch(feed["path"], if_none_match=tags[-1])
    assert answer.status == 200 and "Другое".encode() in answer.body


def text_of_the_site_stays_text():
    strange = "Тема; \"часть\", \\ 1\r\nEND:VEVENT\r\nBEGIN:VEVENT 🔊 " + "Ж" * 80
    group_id = ADMIN.import_group(Group("б-Тест,;:\\-" + str(Group().number)), [
        lesson(day(0), subject=strange, room="4,2;1\\5", teacher_name="О'Нил, «Ё»; Б.", teacher_id=None),
        lesson(day(1), subject="x" * 61 + " y")])["group_id"]
    events = read(new_feed(ADMIN, kind="group", target=group_id, name="Имя, с; \\ всем\nпрочим " + "Ё" * 100)["path"])
    assert len(events) == 2
    event = events[uid_of(events, day(0))]
    assert str(event["SUMMARY"]).startswith("Тема; \"часть\", \\ 1 END:VEVENT BEGIN:VEVENT 🔊 " + "Ж" * 80), event["SUMMARY"]
    assert str(event["LOCATION"]) == "4,2;1\\5" and "О'Нил, «Ё»; Б." in str(event["DESCRIPTION"])


def addresses_are_shown_again_to_their_owner_until_they_are_revoked():
    account = Account()
    feed = new_feed(account, kind="own")
    listed = account.get("/schedule/feeds/")
    assert listed.json == [feed] and listed.headers["Cache-Control"] == "private, no-store", listed
    assert fetch(feed["path"]).status == 200
    assert account.json("/schedule/feeds/")[0]["last_used_at"], "noted"
    assert Account().json("/schedule/feeds/") == []
    assert Account().delete(f"/schedule/feeds/{feed['id']}/").status == 404
    assert account.delete(f"/schedule/feeds/{feed['id']}/").status == 204
    assert fetch(feed["path"]).status == 404 and account.json("/schedule/feeds/") == []
    assert account.delete(f"/schedule/feeds/{feed['id']}/").status == 404
    second = new_feed(account, kind="own")
    admin("user", "disable", account.name)
    assert fetch(second["path"]).status == 404


def calendars_of_what_does_not_exist_and_too_many_are_refused():
    account = Account()
    for body, status in (({"kind": "x"}, 400), ({}, 400), ({"kind": "group"}, 400), ({"kind": "group", "target": "x"}, 400),
                         ({"kind": "group", "target": 2147483647}, 404), ({"kind": "teacher", "target": 2147483647}, 404),
                         ({"kind": "room", "target": 2147483647}, 404), ({"kind": "own", "subgroup": 100}, 400),
                         ({"kind": "own", "name": "x" * 201}, 400), ([], 400)):
        assert account.post("/schedule/feeds/", body).status == status, body
    for _ in range(50):
        new_feed(account, kind="own")
    answer = account.post("/schedule/feeds/", {"kind": "own"})
    assert (answer.status, answer.json["code"]) == (422, "too_many_feeds"), answer


def one_address_may_be_fetched_often_but_not_without_end():
    path = new_feed(Account(), kind="own")["path"]
    statuses = [fetch(path).status for _ in range(60)]
    assert statuses == [200] * 60
    for _ in range(300):
        answer = fetch(path)
        if answer.status != 200:
            break
    assert answer.status == 429 and int(answer.headers["Retry-After"]) >= 1 and answer.json["error"], answer
    assert fetch(new_feed(Account(), kind="own")["path"]).status == 200


def an_export_of_the_account_has_its_profile_and_calendars():
    account = Account()
    group_id = ADMIN.import_group(Group(), [lesson(day(0))])["group_id"]
    account.patch("/auth/profile/", {"group": group_id, "first_name": "Вера"})
    feed = new_feed(account, kind="group", target=group_id, name="Мой")
    answer = ask("GET", "/account/export", token=account.access)
    assert answer.status == 200, answer
    with zipfile.ZipFile(io.BytesIO(answer.body)) as files:
        profile, feeds = (json.loads(files.read(f"schedule/{name}.json")) for name in ("profile", "feeds"))
        token = feed["path"].split("/")[-1].removesuffix(".ics").encode()
        assert not any(token in files.read(name) for name in files.namelist()), "no address in a file"
    assert (profile["group"], profile["first_name"]) == (group_id, "Вера"), profile
    assert [(one["kind"], one["target"], one["name"]) for one in feeds] == [("group", group_id, "Мой")], feeds


def main():
    global ADMIN, DATABASE
    if icalendar is None:
        def calendars_are_read_by_other_programs():
            raise Skip(f"no reader of calendars: {problem}")
        return keep(calendars_are_read_by_other_programs)
    DATABASE = Session(os.environ["DATABASE_URL"])
    ADMIN = Account(is_admin=True)
    return keep(
        groups_teachers_rooms_and_ones_own_lessons_are_calendars, uids_stay_and_sequences_tell_each_visible_change_once,
        the_same_feed_is_the_same_bytes_whoever_asks_and_when, programs_fetch_in_all_kinds_of_ways,
        a_calendar_is_placed_by_its_own_time_zone_and_not_by_its_name, a_calendar_with_nothing_ahead_is_still_one_and_the_term_stays_in_it,
        dates_never_fall_and_tell_what_has_changed, a_change_of_what_an_own_calendar_shows_changes_its_tag, text_of_the_site_stays_text,
        addresses_are_shown_again_to_their_owner_until_they_are_revoked, calendars_of_what_does_not_exist_and_too_many_are_refused,
        one_address_may_be_fetched_often_but_not_without_end, an_export_of_the_account_has_its_profile_and_calendars)


if __name__ == "__main__":
    sys.exit(main())
