"""The timetable's API as its clients use it: sessions, reads, imports of a group, and refusals."""

import datetime
import json
import os
import pathlib
import re
import secrets
import sys
import threading
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from database import Hold, Session
from installation import admin
from promises import keep, until
from rest_wire import ask, claims_of
from timetable_api import Account, Group, lesson, new_number

TODAY = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=4))).date()
MONDAY = TODAY + datetime.timedelta(days=14 - TODAY.weekday())
DIR = pathlib.Path(os.environ["SYNCLINE_DIR"])
ADMIN = STUDENT = DATABASE = None
IMPORT = "/schedule/updates/import_group/"


def day(offset):
    return MONDAY + datetime.timedelta(days=offset)


def has_error(answer, status, **members):
    assert answer.status == status, answer
    assert answer.headers["Content-Type"].startswith("application/json"), answer.headers
    body = answer.json
    assert all(isinstance(body[key], str) and body[key] for key in ("error", "detail", "code")), body
    for key, value in members.items():
        assert body[key] == value, (key, body)
    return body


def quoted(text):
    return urllib.parse.quote(text)


def value(sql):
    return DATABASE.ask(sql)[0][0]


# --- Sessions

def a_login_gives_tokens_and_the_user():
    account = Account()
    assert account.access and account.refresh
    keys = {"id", "email", "username", "first_name", "last_name", "role", "role_display", "is_email_verified",
            "can_access_admin_panel", "group", "group_name", "created_at", "updated_at"}
    assert keys <= account.user.keys(), account.user
    assert (account.user["role"], account.user["email"], account.user["can_access_admin_panel"]) == ("student", account.name, False)
    assert ADMIN.user["role"] == "admin" and ADMIN.user["role_display"] == "Администратор"
    claims = claims_of(account.access)
    assert claims["exp"] - claims["iat"] == 3600
    claims = claims_of(account.refresh)
    assert claims["exp"] - claims["iat"] == 7 * 86400


def a_refused_login_is_a_400_that_the_page_and_the_script_can_read():
    text = "Неверный email или пароль"
    for email in (STUDENT.name, "nobody@example.com"):
        answer = ask("POST", "/api/auth/login/", {"email": email, "password": "wrong"})
        assert has_error(answer, 400, error=text)["non_field_errors"] == [text]
    body = has_error(ask("POST", "/api/auth/login/", {"email": ""}), 400)
    assert body["email"] == ["Это поле не может быть пустым."] and body["password"] == ["Обязательное поле."], body
    body = has_error(ask("POST", "/api/auth/login/", b"{", headers={"content-type": "application/json"}), 400)
    assert body["detail"].startswith("JSON parse error"), body
    blocked = Account()
    admin("user", "disable", blocked.name)
    answer = ask("POST", "/api/auth/login/", {"email": blocked.name, "password": blocked.password})
    assert has_error(answer, 400)["non_field_errors"] == ["Аккаунт заблокирован"]
    # Not only at the login: the original let blocked users go on.
    until(lambda: blocked.get("/auth/profile/").status == 401, 5)


def an_account_without_an_address_logs_in_by_its_name():
    name, password = f"timetable-{secrets.token_hex(6)}", secrets.token_hex(8)
    admin("user", "add", name, "--password-file", "-", stdin=password + "\n")
    answer = ask("POST", "/api/auth/login/", {"email": name, "password": password})
    assert answer.status == 200 and answer.json["user"]["username"] == name, answer


def a_refresh_token_stays_good_after_it_was_used():
    account = Account()
    first = ask("POST", "/api/auth/token/refresh/", {"refresh": account.refresh})
    second = ask("POST", "/api/auth/token/refresh/", {"refresh": account.refresh})
    assert first.status == second.status == 200, (first, second)
    third = ask("POST", "/api/auth/token/refresh/", {"refresh": first.json["refresh"]})
    assert third.status == 200, third
    for access in (account.access, first.json["access"], second.json["access"], third.json["access"]):
        assert ask("GET", "/api/auth/profile/", token=access).status == 200
    # Those of the tracker are still good for one exchange.
    tokens = ask("POST", "/account/login", {"name": account.name, "password": account.password}).json
    assert ask("POST", "/auth/refresh", {"refresh_token": tokens["refresh_token"]}).status == 200
    assert ask("POST", "/auth/refresh", {"refresh_token": tokens["refresh_token"]}).status == 401


def a_refresh_token_of_another_login_is_good_for_one_exchange_here_too():
    account = Account()
    here = lambda token: ask("POST", "/api/auth/token/refresh/", {"refresh": token})
    first = ask("POST", "/account/login", {"name": account.name, "password": account.password}).json["refresh_token"]
    second = here(first)
    assert second.status == 200 and second.json["refresh"] != first, second
    third = ask("POST", "/auth/refresh", {"refresh_token": second.json["refresh"]})
    assert third.status == 200, third
    # A stolen copy that comes too late ends the session, here as there.
    has_error(here(first), 401, code="token_not_valid")
    assert ask("POST", "/auth/refresh", {"refresh_token": third.json["refresh_token"]}).status == 401
    # One of a login here stays good wherever it is exchanged.
    for _ in range(2):
        assert ask("POST", "/auth/refresh", {"refresh_token": account.refresh}).status == 200
    assert here(account.refresh).status == 200


def a_blocked_account_refreshes_nothing_and_is_told_so_with_a_401():
    account = Account()
    admin("user", "disable", account.name)
    body = has_error(ask("POST", "/api/auth/token/refresh/", {"refresh": account.refresh}), 401)
    assert "messages" not in body, body


def refused_refreshes_have_the_code_that_the_script_expects():
    for token in (ADMIN.access, "x", ADMIN.refresh[:-3] + "abc"):
        has_error(ask("POST", "/api/auth/token/refresh/", {"refresh": token}), 401, code="token_not_valid")
    body = has_error(ask("POST", "/api/auth/token/refresh/", {}), 400)
    assert body["refresh"] == ["Обязательное поле."], body


def every_call_needs_a_token_and_says_what_is_wrong_with_it():
    body = has_error(ask("GET", "/api/schedule/groups/"), 401)
    assert body["detail"] == "Учетные данные не были предоставлены.", body
    assert ask("GET", "/api/schedule/groups/").headers["WWW-Authenticate"] == 'Bearer realm="api"'
    has_error(ask("GET", "/api/schedule/groups/", headers={"authorization": "Bearer"}), 401, code="bad_authorization_header")
    has_error(ask("GET", "/api/schedule/groups/", headers={"authorization": "Bearer a b"}), 401, code="bad_authorization_header")
    head, middle, _ = ADMIN.access.split(".")
    for token in ("x", ADMIN.refresh, f"{head}.{middle}.{'A' * 86}"):
        for path, method in (("/schedule/groups/", "GET"), (IMPORT, "POST")):
            body = has_error(ask(method, "/api" + path, {} if method == "POST" else None, token), 401, code="token_not_valid")
            assert path == IMPORT or body["messages"][0]["token_type"] == "access", body
    has_error(ask("POST", "/api" + IMPORT, {}), 401)


def a_student_imports_nothing_and_nobody_makes_himself_an_administrator():
    runs = value("SELECT count(*) FROM schedule_runs")
    group = Group()
    body = has_error(STUDENT.post(IMPORT, group.body([lesson(day(0))])), 403, code="role_missing")
    assert body["error"] == body["detail"] == "У вас недостаточно прав для выполнения данного действия.", body
    assert value("SELECT count(*) FROM schedule_runs") == runs
    answer = STUDENT.patch("/auth/profile/", {"role": "admin", "is_staff": True, "first_name": "Вера"})
    assert answer.status == 200 and answer.json["role"] == "student" and answer.json["first_name"] == "Вера", answer
    assert STUDENT.json("/auth/profile/")["role"] == "student"
    assert STUDENT.post(IMPORT, group.body([])).status == 403


def a_demoted_administrator_loses_the_right_at_once():
    account = Account(is_admin=True)
    assert account.post(IMPORT, Group().body([])).status == 200
    DATABASE.ask(f"UPDATE users SET is_admin = false WHERE name = '{account.name}'")
    until(lambda: account.post(IMPORT, Group().body([])).status == 403, 5)


def a_profile_has_a_group_a_subgroup_and_names():
    account, group = Account(), Group()
    group_id = ADMIN.import_group(group, [lesson(day(0)), lesson(day(0), 2, additional_info="Подгр. 1"),
                                          lesson(day(0), 3, additional_info="Подгр. 2")])["group_id"]
    has_error(account.get("/schedule/groups/my_group/"), 404, error="User has no group assigned")
    has_error(account.get("/schedule/lessons/my_schedule/"), 404, error="User has no group assigned")
    answer = account.patch("/auth/profile/", {"group": group_id})
    assert answer.json["group"] == group_id and answer.json["group_name"] == group.name, answer
    assert account.json("/schedule/groups/my_group/")["name"] == group.name
    assert len(account.json("/schedule/lessons/my_schedule/")) == 3
    account.patch("/auth/profile/", {"subgroup": 1})
    assert [item["subgroup"] for item in account.json("/schedule/lessons/my_schedule/")] == [None, 1]
    assert len(account.json(f"/schedule/lessons/my_schedule/?weekday={day(1).isoweekday()}")) == 0
    has_error(account.get("/schedule/lessons/my_schedule/?weekday=x"), 400)
    for wrong in (2147483647, 0, "x", [1]):
        assert "group" in has_error(account.patch("/auth/profile/", {"group": wrong}), 400), wrong
    assert account.json("/auth/profile/")["group"] == group_id
    assert account.patch("/auth/profile/", {"group": None, "subgroup": None}).json["group"] is None
    has_error(account.get("/schedule/groups/my_group/"), 404)


# --- Paths

def slashes_make_no_difference_and_nothing_redirects():
    for path in ("/api/schedule/groups", "/api/schedule/groups/", "/api//schedule//groups/", "//api/schedule/groups//"):
        assert ask("GET", path, token=STUDENT.access).status == 200, path
    for path in ("/api/auth/login", "/api//auth/login/", "/api/auth/login//"):
        answer = ask("POST", path, {"email": STUDENT.name, "password": STUDENT.password})
        assert answer.status == 200, (path, answer)
    for path in ("/api/schedule/updates/import_group", "/api//schedule/updates/import_group/"):
        assert ask("POST", path, Group().body([]), ADMIN.access).status == 200, path


def what_is_not_there_and_what_is_not_allowed_is_json():
    for path in ("/api/schedule/groups/2147483647/", "/api/schedule/nothing/", "/api/auth/nothing/", "/api/schedule/groups/x/",
                 "/api/schedule/lessons/0/", "/api/schedule/lessons/99999999999999999999/"):
        body = has_error(ask("GET", path, token=STUDENT.access), 404)
        assert body["detail"] == "Страница не найдена.", body
    for path in ("/api/", "/api/nothing/"):
        has_error(ask("GET", path), 404)
    body = has_error(STUDENT.post("/schedule/groups/", {}), 405)
    assert body["detail"] == 'Метод "POST" не разрешен.', body
    # Those of the packages of Anki are where they were.
    assert ask("GET", "/api/sync/export").status == 308
    assert ask("POST", "/api/sync/import/", b"").status in (401, 403)


# --- Reading

def lists_have_the_keys_and_the_envelopes_of_the_original():
    group = Group()
    group_id = ADMIN.import_group(group, [lesson(day(0))])["group_id"]
    page = STUDENT.json("/schedule/institutes/?search=" + quoted(group.institute["name"]))
    assert (page["count"], page["next"], page["previous"]) == (1, None, None), page
    institute = page["results"][0]
    assert institute.keys() == {"id", "name", "sstu_id", "created_at", "updated_at"}
    assert STUDENT.json(f"/schedule/institutes/{institute['id']}/") == institute
    found = STUDENT.json(f"/schedule/groups/?institute={institute['id']}")
    assert found == [{"id": group_id, "name": group.name, "sstu_id": group.number, "institute": institute["id"],
                      "institute_name": group.institute["name"], "education_form": "full_time", "degree_type": "bachelor",
                      "course_number": 1}], found
    whole = STUDENT.json(f"/schedule/groups/{group_id}/")
    assert whole["institute"] == institute and "institute_name" not in whole and whole["created_at"], whole
    item = STUDENT.json(f"/schedule/lessons/?group={group_id}")[0]
    keys = {"id", "group", "group_name", "subject", "subject_name", "teacher", "teacher_name", "lesson_type", "lesson_type_display",
            "room", "weekday", "weekday_display", "lesson_number", "start_time", "end_time", "specific_date", "week_number",
            "is_active", "additional_info", "subgroup", "teachers", "parity", "is_online", "week_index"}
    assert keys <= item.keys(), keys - item.keys()
    assert (item["start_time"], item["end_time"], item["specific_date"]) == ("08:00:00", "09:30:00", day(0).isoformat())
    assert (item["lesson_type"], item["lesson_type_display"], item["weekday_display"]) == ("лек", "Лекция", "Понедельник"), item
    detail = STUDENT.json(f"/schedule/lessons/{item['id']}/")
    assert detail["group"]["name"] == group.name and detail["subject"]["name"] == "Теория тумана"
    assert detail["teacher"]["sstu_id"] == 901 and detail["created_at"], detail
    assert STUDENT.json(f"/schedule/teachers/{item['teacher']}/")["sstu_profile_url"].startswith("https://")
    assert STUDENT.json(f"/schedule/subjects/{item['subject']}/") == {"id": item["subject"], "name": "Теория тумана"}
    room = STUDENT.json(f"/schedule/rooms/{item['room_id']}/")
    assert room == {"id": item["room_id"], "name": "4/215", "building": "4", "is_online": False}, room
    assert room in STUDENT.json("/schedule/rooms/?search=4/215")
    assert STUDENT.json("/schedule/").keys() == {"institutes", "groups", "teachers", "subjects", "lessons", "updates"}


def lists_are_searched_filtered_and_ordered():
    mark = secrets.token_hex(4)
    group, other = Group(f"б-Ёлка{mark}-11"), Group(f"м-Туман{mark}-21")
    group_id = ADMIN.import_group(group, [
        lesson(day(0), 2, f"Ёжиковедение {mark}", teacher_name=f"Ёлкина {mark} А.А.", teacher_id=None, room=f"7/{mark}"),
        lesson(day(0), 1, f"Туман {mark}"), lesson(day(1), 1, f"Туман {mark}", lesson_type="лаб"),
        lesson(day(2), 3, f"Снег {mark}", lesson_type="экз", specific_date=None)])["group_id"]
    ADMIN.import_group(other, [lesson(day(0), 1, f"Туман {mark}")])
    def names(path):
        return [item["name"] for item in STUDENT.json(path)]
    for typed in (f"елка{mark}", f"ЁЛКА{mark}", f"{mark} б-", f"Б-ЁЛ {mark}"):
        assert names("/schedule/groups/?search=" + quoted(typed)) == [group.name], typed
    assert names(f"/schedule/groups/?search={mark}&ordering=-name") == [other.name, group.name]
    assert names(f"/schedule/groups/?search={mark}&ordering=created_at") == [group.name, other.name]
    assert names(f"/schedule/groups/?search={mark}&ordering=nonsense&institute=") == [group.name, other.name]
    assert names("/schedule/groups/?search=%25%25") == []
    assert [item["full_name"] for item in STUDENT.json("/schedule/teachers/?search=" + quoted(f"ЕЛКИНА {mark}"))] == [f"Ёлкина {mark} А.А."]
    def numbers(query):
        return [(item["weekday"], item["lesson_number"], item["subject_name"].split()[0])
                for item in STUDENT.json(f"/schedule/lessons/?group={group_id}{query}")]
    every = [(1, 1, "Туман"), (1, 2, "Ёжиковедение"), (2, 1, "Туман"), (3, 3, "Снег")]
    assert numbers("") == every, numbers("")
    assert numbers("&ordering=-weekday,lesson_number") == [(3, 3, "Снег"), (2, 1, "Туман"), (1, 1, "Туман"), (1, 2, "Ёжиковедение")]
    assert numbers("&ordering=-lesson_number") == [(3, 3, "Снег"), (1, 2, "Ёжиковедение"), (1, 1, "Туман"), (2, 1, "Туман")]
    assert numbers("&weekday=2") == [(2, 1, "Туман")]
    assert numbers("&lesson_number=1") == [(1, 1, "Туман"), (2, 1, "Туман")]
    assert numbers("&lesson_type=" + quoted("лаб")) == [(2, 1, "Туман")]
    assert numbers("&lesson_type=" + quoted("экз")) == [(3, 3, "Снег")]
    # Days are inclusive; what has no date always passes.
    assert numbers(f"&date_from={day(1)}&date_to={day(1)}") == [(2, 1, "Туман"), (3, 3, "Снег")]
    assert numbers(f"&date_to={day(0)}") == [(1, 1, "Туман"), (1, 2, "Ёжиковедение"), (3, 3, "Снег")]
    assert numbers("&search=" + quoted(f"ежик {mark}")) == [(1, 2, "Ёжиковедение")]
    assert numbers("&search=" + quoted(f"ёлкина 7/{mark}")) == [(1, 2, "Ёжиковедение")]
    teacher = STUDENT.json(f"/schedule/teachers/?search={mark}")[0]["id"]
    everywhere = STUDENT.json(f"/schedule/lessons/?teacher={teacher}")
    assert [item["group"] for item in everywhere] == [group_id]
    room = STUDENT.json(f"/schedule/rooms/?search={mark}")[0]["id"]
    assert [item["room_id"] for item in STUDENT.json(f"/schedule/lessons/?room={room}")] == [room]
    subject = STUDENT.json(f"/schedule/subjects/?search={quoted('туман')}%20{mark}")["results"][0]["id"]
    assert len(STUDENT.json(f"/schedule/lessons/?subject={subject}")) == 3
    institute = STUDENT.json(f"/schedule/groups/{group_id}/")["institute"]["id"]
    assert {item["group"] for item in STUDENT.json(f"/schedule/lessons/?institute={institute}")} == {group_id}
    # All groups, as a stream.
    whole = STUDENT.get(f"/schedule/lessons/?date_from={day(0)}&lesson_number=1")
    assert {group_id} <= {item["group"] for item in whole.json} and "ETag" in whole.headers


def subjects_come_in_pages():
    mark = secrets.token_hex(4)
    ADMIN.import_group(Group(), [lesson(day(i % 7), 1 + i // 7, f"Предмет {mark} {i:02}") for i in range(41)])
    path = f"/schedule/subjects/?search={mark}&ordering=name"
    first, last = STUDENT.json(path), STUDENT.json(path + "&page=3")
    assert (first["count"], len(first["results"]), first["previous"]) == (41, 20, None)
    assert first["next"].startswith("http") and first["next"].endswith(f"/api{path}&page=2"), first["next"]
    assert (len(last["results"]), last["next"]) == (1, None) and last["previous"].endswith("page=2")
    for page in ("4", "0", "x", "-1", "99999999999999999999"):
        assert has_error(STUDENT.get(path + "&page=" + page), 404)["detail"] == "Неправильная страница"
    has_error(STUDENT.get("/schedule/institutes/?page=2"), 404)


def bad_queries_are_refused_by_name():
    for path, name in (("/schedule/lessons/?date_from=31.12", "date_from"), ("/schedule/lessons/?date_to=2031-02-30", "date_to"),
                       ("/schedule/lessons/?institute=abc", "institute"), ("/schedule/lessons/?group=abc", "group"),
                       ("/schedule/lessons/?group=2147483647", "group"), ("/schedule/lessons/?teacher=2147483647", "teacher"),
                       ("/schedule/lessons/?institute=2147483647", "institute"), ("/schedule/lessons/?weekday=8", "weekday"),
                       ("/schedule/lessons/?lesson_type=x", "lesson_type"), ("/schedule/lessons/weekly/?group=abc", "group"),
                       ("/schedule/groups/?institute=2147483647", "institute"), ("/schedule/groups/?institute=x", "institute"),
                       ("/schedule/groups/?education_form=x", "education_form"), ("/schedule/groups/?course_number=x", "course_number"),
                       ("/schedule/changes/?group=1&since=x", "since"), ("/schedule/changes/?group=2147483647", "group"),
                       ("/schedule/rooms/free/", "lesson_number"), ("/schedule/rooms/free/?lesson_number=12", "lesson_number"),
                       ("/schedule/search/", "q"), ("/schedule/lessons/?search=%FF", "search"),
                       ("/schedule/week/?date=x", "date")):
        body = has_error(STUDENT.get(path), 400)
        assert isinstance(body[name], list) and body[name] and body["error"].startswith(name), (path, body)
    has_error(STUDENT.get("/schedule/lessons/weekly/"), 400, error="group parameter is required")
    has_error(STUDENT.get("/schedule/lessons/weekly/?group=2147483647"), 404, error="Group not found")


def a_week_is_grouped_by_weekday():
    group = Group()
    group_id = ADMIN.import_group(group, [lesson(day(0)), lesson(day(7)), lesson(day(2), 3)])["group_id"]
    week = STUDENT.json(f"/schedule/lessons/weekly/?group={group_id}")
    assert week["group"]["name"] == group.name
    assert {name: len(items) for name, items in week["schedule"].items()} == {"Понедельник": 2, "Среда": 1}, week
    one = STUDENT.json(f"/schedule/lessons/weekly/?group={group_id}&date={day(3)}")["schedule"]
    assert {name: len(items) for name, items in one.items()} == {"Понедельник": 1, "Среда": 1}, one
    teacher = STUDENT.json(f"/schedule/lessons/?group={group_id}")[0]["teacher"]
    assert STUDENT.json(f"/schedule/lessons/weekly/?teacher={teacher}&date={day(3)}")["teacher"]["id"] == teacher
    this = STUDENT.json(f"/schedule/week/?date={day(0)}")
    assert this["monday"] == day(0).isoformat() and this["sunday"] == day(6).isoformat()
    assert len(this["pairs"]) == 8 and this["pairs"][0] == {"lesson_number": 1, "start_time": "08:00:00", "end_time": "09:30:00"}
    assert this["parity"] == ("odd" if this["week_index"] % 2 else "even") and this["today"] == TODAY.isoformat()
    assert STUDENT.json(f"/schedule/lessons/?group={group_id}&date_to={day(0)}")[0]["week_index"] == this["week_index"]


def answers_are_known_again_until_something_changes():
    group, other = Group(), Group()
    lessons = [lesson(day(0)), lesson(day(1), 2)]
    group_id = ADMIN.import_group(group, lessons)["group_id"]
    paths = (f"/schedule/lessons/?group={group_id}", f"/schedule/lessons/weekly/?group={group_id}", f"/schedule/groups/{group_id}/",
             f"/schedule/changes/?group={group_id}")
    tags = {}
    for path in paths:
        answer = STUDENT.get(path)
        tags[path] = answer.headers["ETag"]
        assert answer.headers["Cache-Control"] == "private, no-cache", answer.headers
        again = STUDENT.get(path, headers={"if-none-match": tags[path]})
        assert (again.status, again.body, again.headers["ETag"]) == (304, b"", tags[path]), again
    assert STUDENT.get(paths[0]).headers["X-Data-As-Of"].startswith(str(datetime.datetime.now(datetime.timezone.utc).year))
    # The same again, and another group, change nothing.
    assert ADMIN.import_group(group, lessons)["lessons_updated"] == 0
    ADMIN.import_group(other, lessons)
    for path in paths:
        assert STUDENT.get(path, headers={"if-none-match": tags[path]}).status == 304, path
    assert STUDENT.get(paths[0] + "&weekday=1", headers={"if-none-match": tags[paths[0]]}).status == 200
    assert ADMIN.import_group(group, [lesson(day(0), room="4/216"), lesson(day(1), 2)])["lessons_updated"] == 1
    for path in paths:
        answer = STUDENT.get(path, headers={"if-none-match": tags[path]})
        assert answer.status == 200 and answer.headers["ETag"] != tags[path], path


def one_box_finds_groups_teachers_subjects_and_rooms():
    mark = "".join(secrets.choice("абвгдежзиклмнопрст") for _ in range(8))
    group = Group(f"б-{mark.upper()}-11")
    ADMIN.import_group(group, [lesson(day(0), 1, f"Основы {mark} ёлок", teacher_name=f"{mark.title()} А.А.", teacher_id=None, room=f"9/{mark}")])
    found = STUDENT.json("/schedule/search/?q=" + quoted(mark))
    assert not found["is_similar"]
    assert [item["name"] for item in found["groups"]] == [group.name]
    assert [item["name"] for item in found["teachers"]] == [f"{mark.title()} А.А."]
    assert [item["name"] for item in found["subjects"]] == [f"Основы {mark} ёлок"]
    assert [item["name"] for item in found["rooms"]] == [f"9/{mark}"]
    assert STUDENT.json("/schedule/search/?q=" + quoted(f"елок {mark[:6]}"))["subjects"], "two words, folded"
    wrong = mark[:3] + ("ы" if mark[3] != "ы" else "ю") + mark[4:]
    similar = STUDENT.json("/schedule/search/?q=" + quoted(wrong))
    assert similar["is_similar"] and [item["name"] for item in similar["teachers"]] == [f"{mark.title()} А.А."], similar
    for nothing in ("%25", "%5C", "''", "%00"):
        assert STUDENT.get(f"/schedule/search/?q={nothing}").status in (200, 400), nothing
    assert not STUDENT.json("/schedule/search/?q=%20")["groups"]


def free_rooms_are_known_ones_without_a_lesson():
    mark = secrets.token_hex(4)
    def at(offset, number, room, **more):
        return lesson(day(offset), number, f"Предмет {mark}", teacher_name=None, room=room, **more)
    group = Group()
    ADMIN.import_group(group, [at(0, 1, f"{mark}/1"), at(1, 1, f"{mark}/2"), at(0, 2, f"{mark}/3", specific_date=None),
                               at(0, 3, "Дистанционно " + mark), at(0, 4, "-"),
                               # Longer than its number says.
                               at(0, 5, f"{mark}/4", end_time="18:00:00")])
    def free(offset, number):
        answer = STUDENT.json(f"/schedule/rooms/free/?date={day(offset)}&lesson_number={number}&building={mark}")
        assert answer["data_as_of"] and answer["date"] == day(offset).isoformat()
        return [room["name"].split("/")[1] for room in answer["rooms"]]
    assert free(0, 1) == ["2", "3", "4"]
    assert free(1, 1) == ["1", "3", "4"]
    assert free(0, 2) == ["1", "2", "4"]
    assert free(7, 2) == ["1", "2", "4"], "on its weekday"
    assert free(0, 6) == ["1", "2", "3"]
    names = {room["name"] for room in STUDENT.json(f"/schedule/rooms/free/?date={day(3)}&lesson_number=1")["rooms"]}
    assert not names & {"-", "Дистанционно " + mark}, names


def changes_are_told_in_order_and_go_on_where_they_were():
    group = Group()
    group_id = ADMIN.import_group(group, [lesson(day(0)), lesson(day(1))])["group_id"]
    first = STUDENT.json(f"/schedule/changes/?group={group_id}")
    assert [change["kind"] for change in first["changes"]] == ["added", "added"] and first["changes"][0]["is_first_import"]
    assert not first["has_more"]
    ADMIN.import_group(group, [lesson(day(0), room="5/1"), lesson(day(2))])
    since = STUDENT.json(f"/schedule/changes/?group={group_id}&since={first['latest']}")
    kinds = sorted((change["kind"], change["date"]) for change in since["changes"])
    assert kinds == [("added", day(2).isoformat()), ("changed", day(0).isoformat()), ("removed", day(1).isoformat())], kinds
    changed = next(change for change in since["changes"] if change["kind"] == "changed")
    assert (changed["before"]["room"], changed["after"]["room"]) == ("4/215", "5/1"), changed
    rest, pages = first["latest"], []
    while True:
        page = STUDENT.json(f"/schedule/changes/?group={group_id}&since={rest}&limit=2")
        pages += page["changes"]
        rest = page["latest"]
        if not page["has_more"]:
            break
    assert pages == since["changes"]
    assert STUDENT.json(f"/schedule/changes/?group={group_id}&since={rest}")["latest"] == rest
    assert len(STUDENT.json(f"/schedule/changes/?group={group_id}&since={TODAY}")["changes"]) == 5
    tomorrow = TODAY + datetime.timedelta(days=1)
    assert STUDENT.json(f"/schedule/changes/?group={group_id}&since={tomorrow}") == {
        "changes": [], "latest": since["latest"], "has_more": False}
    account = Account()
    has_error(account.get("/schedule/changes/"), 404)
    account.patch("/auth/profile/", {"group": group_id})
    assert len(account.json("/schedule/changes/")["changes"]) == 5


def freshness_is_told():
    ADMIN.import_group(Group(), [lesson(day(0))])
    fresh = STUDENT.json("/schedule/freshness/")
    assert fresh["data_as_of"] and fresh["is_stale"] is False and fresh["groups"] >= 1, fresh


# --- Imports

def an_import_answers_what_the_script_logs():
    group = Group()
    lessons = [lesson(day(0)), lesson(day(0)), lesson(day(1), 8, lesson_type="экз", room="x" * 120, teacher_id=None)]
    answer = ADMIN.import_group(group, lessons)
    assert answer["message"] == "Imported group schedule" and answer["group_name"] == group.name
    counts = ("lessons_received", "lessons_deduped", "lessons_created", "lessons_updated", "lessons_removed", "lessons_rejected")
    assert [answer[key] for key in counts] == [3, 2, 2, 0, 0, 0], answer
    assert [ADMIN.import_group(group, lessons)[key] for key in counts] == [3, 2, 0, 0, 0, 0]
    stored = ADMIN.json(f"/schedule/lessons/?group={answer['group_id']}")
    assert [item["lesson_number"] for item in stored] == [1, 8]
    assert (stored[1]["room"], stored[1]["lesson_type"], stored[1]["start_time"]) == ("x" * 120, "экз", "20:20:00"), stored[1]


def numbers_given_anew_rename_no_group():
    groups = [Group() for _ in range(3)]
    for group in groups[1:]:
        group.institute = groups[0].institute
    ids = [ADMIN.import_group(group, [lesson(day(0))])["group_id"] for group in groups]
    numbers = [group.number for group in groups] + [new_number()]
    # The script sends the newcomer first, which has the first number now; the others have moved on by one.
    newcomer = Group()
    newcomer.institute = groups[0].institute
    for group, number in zip([newcomer, *groups], numbers):
        group.number = number
    after = [ADMIN.import_group(group, [lesson(day(0))]) for group in (newcomer, *groups)]
    assert after[0]["is_new"] and [answer["group_id"] for answer in after[1:]] == ids, (ids, after)
    for group, answer in zip((newcomer, *groups), after):
        seen = ADMIN.json(f"/schedule/groups/{answer['group_id']}/")
        assert (seen["name"], seen["sstu_id"]) == (group.name, group.number), seen


def one_name_in_two_institutes_is_two_groups_and_two_institutes_of_one_name_are_two():
    one, other = Group(), Group()
    other.name = one.name
    first = [ADMIN.import_group(one, [lesson(day(0))])["group_id"], ADMIN.import_group(other, [lesson(day(1))])["group_id"]]
    assert first[0] != first[1]
    for _ in range(2):
        for group, group_id, at in ((one, first[0], day(0)), (other, first[1], day(1))):
            answer = ADMIN.import_group(group, [lesson(at)])
            assert (answer["group_id"], answer["lessons_created"], answer["lessons_removed"]) == (group_id, 0, 0), answer
    a, b = Group(), Group()
    b.institute = {"name": a.institute["name"], "sstu_id": new_number()}
    for group in (a, b, a):
        ADMIN.import_group(group, [lesson(day(0))])
        seen = value(f"SELECT count(*) FROM schedule_institutes WHERE upstream_id IN ({a.institute['sstu_id']}, {b.institute['sstu_id']})")
    assert seen == "2", seen


def a_teacher_named_without_a_link_beside_two_namesakes_is_somebody():
    group, name, numbers = Group(), f"Петров {secrets.token_hex(4)}", (new_number(), new_number(), new_number())
    teacher = lambda offset, number: lesson(day(offset), teacher_name=name, teacher_id=number)
    answer = ADMIN.import_group(group, [teacher(0, numbers[0]), teacher(1, numbers[1]), teacher(2, None)])
    assert answer["lessons_created"] == 3, answer
    rows = DATABASE.ask(f"SELECT count(*), count(upstream_id) FROM schedule_teachers WHERE full_name = '{name}'")
    assert rows == [["3", "2"]], rows
    # One of them known before, the other one new.
    name = name + " 2"
    assert ADMIN.import_group(Group(), [teacher(0, numbers[2])])["lessons_created"] == 1
    numbers = (numbers[2], new_number())
    assert ADMIN.import_group(Group(), [teacher(0, numbers[1]), teacher(1, None)])["lessons_created"] == 2


def an_import_is_acknowledged_though_another_group_is_locked():
    group, other, name, number = Group(), Group(), f"Роса {secrets.token_hex(4)}", new_number()
    taught = lambda number: [lesson(day(0), teacher_name=name, teacher_id=number)]
    locked = ADMIN.import_group(other, taught(None))["group_id"]
    path = f"/schedule/lessons/?group={locked}"
    tag = STUDENT.get(path).headers["ETag"]
    with Hold(os.environ["DATABASE_URL"], f"SELECT FROM schedule_groups WHERE group_id = {locked} FOR UPDATE"):
        # The number changes the other group's answers, too: that waits for a later import.
        assert ADMIN.import_group(group, taught(number))["lessons_created"] == 1
    assert STUDENT.get(path, headers={"if-none-match": tag}).status == 304
    ADMIN.import_group(Group(), [lesson(day(0))])
    assert STUDENT.get(path, headers={"if-none-match": tag}).status == 200


def an_address_below_a_calendar_is_not_logged():
    token = secrets.token_urlsafe(32)
    assert STUDENT.get(f"/schedule/feeds/{token}/events.ics").status == 404
    assert STUDENT.get("/schedule/nothing").status == 404
    logs = "\n".join(path.read_text(errors="replace") for path in (DIR / "log").glob("api*"))
    assert logs and token not in logs


def a_teacher_who_gets_a_number_or_a_name_changes_every_answer_that_shows_him():
    one, other, name, number = Group(), Group(), f"Роса {secrets.token_hex(4)}", new_number()
    plain = [lesson(day(0), teacher_name=name, teacher_id=None)]
    ids = [ADMIN.import_group(group, plain)["group_id"] for group in (one, other)]
    path = f"/schedule/lessons/?group={ids[1]}"
    tag = STUDENT.get(path).headers["ETag"]
    linked = lambda name: [lesson(day(0), teacher_name=name, teacher_id=number)]
    assert ADMIN.import_group(one, linked(name))["lessons_updated"] == 0
    answer = STUDENT.get(path, headers={"if-none-match": tag})
    assert answer.status == 200 and answer.json[0]["teachers"][0]["sstu_id"] == number, answer
    # Past and cancelled lessons are in calendars, too.
    past = lesson(TODAY - datetime.timedelta(days=5), teacher_name=name, teacher_id=number)
    third = Group()
    ADMIN.import_group(third, [*linked(name), lesson(day(1), teacher_name=name, teacher_id=number), past])
    ADMIN.import_group(third, [*linked(name), lesson(day(2)), past])
    sequences = lambda: [int(row[0]) for row in DATABASE.ask(
        "SELECT sequence FROM schedule_lessons JOIN schedule_lesson_teachers USING (lesson_id) JOIN schedule_teachers USING (teacher_id)"
        f" WHERE upstream_id = {number} ORDER BY lesson_id")]
    before = sequences()
    assert len(before) == 5, before
    ADMIN.import_group(one, linked(name + " новая"))
    assert value(f"SELECT full_name FROM schedule_teachers WHERE upstream_id = {number}") == name + " новая"
    assert sequences() == [sequence + 1 for sequence in before], (before, sequences())
    # Another name within a day waits, and is not forgotten although its page does not change any more.
    ADMIN.import_group(one, linked(name + " третья"))
    assert value(f"SELECT full_name FROM schedule_teachers WHERE upstream_id = {number}") == name + " новая"
    DATABASE.ask(f"UPDATE schedule_teachers SET renamed_at = now() - interval '2 days' WHERE upstream_id = {number}")
    ADMIN.import_group(Group(), [])
    assert value(f"SELECT full_name FROM schedule_teachers WHERE upstream_id = {number}") == name + " третья"


def a_group_that_moves_to_another_institute_changes_the_answers_of_both():
    group, other = Group(), Group()
    ADMIN.import_group(other, [lesson(day(0))])
    ADMIN.import_group(group, [lesson(day(0))])
    institute = value(f"SELECT institute_id FROM schedule_institutes WHERE upstream_id = {other.institute['sstu_id']}")
    path = f"/schedule/lessons/?institute={institute}"
    before = STUDENT.get(path)
    group.institute = other.institute
    ADMIN.import_group(group, [lesson(day(0))])
    after = STUDENT.get(path, headers={"if-none-match": before.headers["ETag"]})
    assert after.status == 200 and len(after.json) == len(before.json) + 1, after


def a_slip_of_a_date_takes_no_history_away():
    group = Group()
    old = [lesson(TODAY - datetime.timedelta(days=20 + i)) for i in range(12)]
    group_id = ADMIN.import_group(group, old)["group_id"]
    # One lesson of two months ago beside those of this week: all between is within the window.
    answer = ADMIN.import_group(group, [lesson(TODAY - datetime.timedelta(days=60)), lesson(TODAY)])
    assert answer["lessons_removed"] == 0 and answer["lessons_created"] == 2, answer
    assert len(ADMIN.json(f"/schedule/lessons/?group={group_id}&date_from={day(-90)}")) == 14


def a_thousand_lessons_at_one_time_are_taken_as_far_as_they_go():
    group = Group()
    answer = ADMIN.import_group(group, [lesson(day(0), room=f"9/{i}") for i in range(1010)])
    assert answer["lessons_created"] == 999 and answer["lessons_rejected"] == 0, answer


def other_counts_of_weeks_are_no_change():
    group = Group()
    group_id = ADMIN.import_group(group, [lesson(day(0))])["group_id"]
    row = f"SELECT sequence FROM schedule_lessons WHERE group_id = {group_id}"
    before, tag = value(row), STUDENT.get(f"/schedule/lessons/?group={group_id}").headers["ETag"]
    assert ADMIN.import_group(group, [lesson(day(0), week_number=41)])["lessons_updated"] == 0
    assert value(row) == before
    answer = STUDENT.get(f"/schedule/lessons/?group={group_id}", headers={"if-none-match": tag})
    assert answer.status == 200 and answer.json[0]["week_number"] == 41, answer


def searches_use_their_indexes():
    folder = pathlib.Path(__file__).resolve().parents[2] / "sql/queries/schedule"
    calls = {"search_names": "'{%роса%,%в%}', 'роса%', 10, '%роса%'", "search_similar_names": "'тумманов', 10",
             "list_groups": "NULL, NULL, NULL, NULL, '{%облк%}', 'name', '%облк%'", "list_teachers": "'{%роса%}', 'full_name', '%роса%'",
             "list_rooms": "'{%4/2%}', '%4/2%'", "page_subjects": "'{%туман%}', 'name', 10, 0, '%туман%'"}
    with Session(os.environ["DATABASE_URL"]) as session:
        session.ask("SET enable_seqscan = off; SET plan_cache_mode = force_custom_plan; SET pg_trgm.word_similarity_threshold = 0.3")
        for name, values in calls.items():
            statement = re.sub(r"^-- include: (.*)$", lambda line: (folder / f"{line[1]}.part").read_text(),
                               (folder / f"{name}.sql").read_text(), flags=re.M)
            session.ask(f"PREPARE {name} AS {statement}")
            plan = "\n".join(row[0] for row in session.ask(f"EXPLAIN EXECUTE {name}({values})"))
            for table in ("groups", "teachers", "rooms", "subjects"):
                if f" on schedule_{table} " in plan:
                    # Of few groups the index of the active ones may be cheaper.
                    is_small = table == "groups" and "schedule_groups_name" in plan
                    assert is_small or f"schedule_{table}_search" in plan, (name, table, plan)


def nothing_never_wipes_a_group():
    group = Group()
    group_id = ADMIN.import_group(group, [lesson(day(0)), lesson(day(1))])["group_id"]
    for _ in range(3):
        answer = ADMIN.import_group(group, [])
        assert answer["skipped_empty"] and answer["lessons_removed"] == 0, answer
    assert ADMIN.import_group(group, [{"weekday": 1}])["skipped_empty"]
    assert len(ADMIN.json(f"/schedule/lessons/?group={group_id}")) == 2
    assert ADMIN.import_group(Group(), [])["skipped_empty"] is False


def past_lessons_stay_and_are_read_with_their_dates():
    group = Group()
    past = [lesson(day(-14 - i)) for i in range(1, 4)]
    group_id = ADMIN.import_group(group, past)["group_id"]
    answer = ADMIN.import_group(group, [lesson(day(0))])
    assert answer["lessons_removed"] == 0, answer
    found = ADMIN.json(f"/schedule/lessons/?group={group_id}&date_from={day(-30)}")
    assert len(found) == 4 and len(ADMIN.json(f"/schedule/lessons/?group={group_id}&date_from={day(-1)}")) == 1


def a_wrong_frame_is_a_400_and_a_bad_lesson_is_counted():
    group = Group()
    frames = (([], ""), ({}, ""), ({"institute": "x"}, "/institute"), (group.body("x"), ""),
              ({**group.body([]), "group": {"name": "x", "sstu_id": "7"}}, "/group/sstu_id"),
              ({**group.body([]), "institute": {"name": 5}}, "/institute/name"))
    for body, pointer in frames:
        assert has_error(ADMIN.post(IMPORT, body), 400).get("pointer", "") == pointer, body
    has_error(ADMIN.post(IMPORT, b'{"institute":{"name":"\xff"}}'), 400, code="body_not_utf8")
    has_error(ADMIN.post(IMPORT, {"institute": {}}), 400, error="Missing institute.name")
    has_error(ADMIN.post(IMPORT, {"institute": {"name": "x"}, "group": {"name": "x"}}), 400, error="Missing group.sstu_id or group.name")
    has_error(ADMIN.post(IMPORT, group.body("x")), 400, error="lessons must be a list")
    bad = [lesson(day(0), weekday="x"), lesson(day(0), specific_date="12.01.2026"), lesson(day(0), lesson_number=77), "x"]
    answer = ADMIN.import_group(group, [lesson(day(0)), *bad, lesson(day(1), lesson_type="???")])
    assert (answer["lessons_created"], answer["lessons_rejected"]) == (2, 4), answer
    assert [(one["index"], one["reason"]) for one in answer["rejected"]] == [
        (1, "weekday"), (2, "specific_date"), (3, "lesson_number"), (4, "object")], answer
    assert {item["lesson_type"] for item in ADMIN.json(f"/schedule/lessons/?group={answer['group_id']}")} == {"лек", "other"}


def large_bodies_are_taken_to_two_megabytes_and_then_refused_in_json():
    group = Group()
    body = json.dumps(group.body([lesson(day(0))], padding="x" * (2 << 20))).encode()
    assert ADMIN.post(IMPORT, body).status == 200
    has_error(ADMIN.post(IMPORT, b" " * (3 << 20)), 413)
    has_error(ADMIN.patch("/auth/profile/", b" " * (20 << 10)), 413)
    has_error(ADMIN.patch("/auth/profile/", b" " * (200 << 10)), 413)


def a_known_name_with_another_number_is_the_same_group():
    group = Group()
    group_id = ADMIN.import_group(group, [lesson(day(0))])["group_id"]
    old, group.number = group.number, Group().number
    answer = ADMIN.import_group(group, [lesson(day(0))])
    assert answer["group_id"] == group_id and answer["is_rebound"] and answer["lessons_created"] == 0, answer
    assert ADMIN.json(f"/schedule/groups/{group_id}/")["sstu_id"] == group.number != old
    institute = Group()
    institute.institute = {"name": group.institute["name"], "sstu_id": Group().number}
    assert ADMIN.import_group(institute, [])["is_new"]


def imports_of_ten_minutes_are_one_record_that_is_never_in_progress():
    account = Account(is_admin=True)
    groups = [Group() for _ in range(3)]
    for group in groups:
        account.import_group(group, [lesson(day(0)), {}])
    account.import_group(groups[0], [lesson(day(0), room="1/1")])
    rows = DATABASE.ask("SELECT state, kind, groups_updated, lessons_added, lessons_changed, lessons_removed, warnings, finished_at IS NOT NULL"
                        f" FROM schedule_runs WHERE requested_by = {account.user['id']}")
    assert rows == [["success", "client_import", "3", "3", "1", "0", "3", "t"]], rows
    DATABASE.ask(f"UPDATE schedule_runs SET started_at = now() - interval '11 minutes' WHERE requested_by = {account.user['id']}")
    account.import_group(groups[0], [lesson(day(0), room="1/2")])
    assert value(f"SELECT count(*) FROM schedule_runs WHERE requested_by = {account.user['id']}") == "2"


def readers_see_the_old_timetable_until_an_import_is_done():
    group = Group()
    group_id = ADMIN.import_group(group, [lesson(day(0))])["group_id"]
    path = f"/schedule/lessons/?group={group_id}"
    with Hold(os.environ["DATABASE_URL"], f"SELECT 1 FROM schedule_groups WHERE group_id = {group_id} FOR UPDATE") as hold:
        results = []
        thread = threading.Thread(target=lambda: results.append(ADMIN.import_group(group, [lesson(day(1)), lesson(day(2))])))
        thread.start()
        hold.wait()
        assert [item["specific_date"] for item in STUDENT.json(path)] == [day(0).isoformat()]
        hold.let_go()
        thread.join()
    assert results and results[0]["lessons_created"] == 2
    assert [item["specific_date"] for item in STUDENT.json(path)] == [day(1).isoformat(), day(2).isoformat()]


def main():
    global ADMIN, STUDENT, DATABASE
    DATABASE = Session(os.environ["DATABASE_URL"])
    ADMIN, STUDENT = Account(is_admin=True), Account()
    return keep(
        a_login_gives_tokens_and_the_user, a_refused_login_is_a_400_that_the_page_and_the_script_can_read,
        an_account_without_an_address_logs_in_by_its_name, a_refresh_token_stays_good_after_it_was_used,
        refused_refreshes_have_the_code_that_the_script_expects, every_call_needs_a_token_and_says_what_is_wrong_with_it,
        a_student_imports_nothing_and_nobody_makes_himself_an_administrator, a_demoted_administrator_loses_the_right_at_once,
        a_profile_has_a_group_a_subgroup_and_names, slashes_make_no_difference_and_nothing_redirects,
        what_is_not_there_and_what_is_not_allowed_is_json, lists_have_the_keys_and_the_envelopes_of_the_original,
        lists_are_searched_filtered_and_ordered, subjects_come_in_pages, bad_queries_are_refused_by_name, a_week_is_grouped_by_weekday,
        answers_are_known_again_until_something_changes, one_box_finds_groups_teachers_subjects_and_rooms,
        free_rooms_are_known_ones_without_a_lesson, changes_are_told_in_order_and_go_on_where_they_were, freshness_is_told,
        an_import_answers_what_the_script_logs, nothing_never_wipes_a_group, past_lessons_stay_and_are_read_with_their_dates,
        a_wrong_frame_is_a_400_and_a_bad_lesson_is_counted, large_bodies_are_taken_to_two_megabytes_and_then_refused_in_json,
        a_known_name_with_another_number_is_the_same_group, imports_of_ten_minutes_are_one_record_that_is_never_in_progress,
        readers_see_the_old_timetable_until_an_import_is_done,
        a_refresh_token_of_another_login_is_good_for_one_exchange_here_too, a_blocked_account_refreshes_nothing_and_is_told_so_with_a_401,
        numbers_given_anew_rename_no_group, one_name_in_two_institutes_is_two_groups_and_two_institutes_of_one_name_are_two,
        a_teacher_named_without_a_link_beside_two_namesakes_is_somebody,
        a_teacher_who_gets_a_number_or_a_name_changes_every_answer_that_shows_him,
        a_group_that_moves_to_another_institute_changes_the_answers_of_both, a_slip_of_a_date_takes_no_history_away,
        a_thousand_lessons_at_one_time_are_taken_as_far_as_they_go, other_counts_of_weeks_are_no_change, searches_use_their_indexes,
        an_import_is_acknowledged_though_another_group_is_locked, an_address_below_a_calendar_is_not_logged)


if __name__ == "__main__":
    sys.exit(main())
