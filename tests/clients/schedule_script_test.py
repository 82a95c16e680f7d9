"""The client scripts of the original against the server: login, tokens that expire, imports and their repetitions, refusals.

The script is ours (tests/support/timetable_script.py); it takes the steps of theirs. Updates by the server, which versions 1 and 2
ask for, run on an installation with a stand-in of the site.
"""

import datetime
import os
import pathlib
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from database import Session
from installation import forget_wrong_passwords
from promises import keep, until
from stack import Stack
from timetable import Timetable
from timetable_api import Account, Group, lesson
from timetable_runs import Runs, settings
from timetable_script import Script, Settings

MONDAY = datetime.date(2031, 10, 6)
GROUPS = 10
ADMIN = DATABASE = RUNS = None


def script(account=None, slash="", **more):
    if account is not None:
        more.update(email=account.name, password=account.password)
    base = account.base if account is not None and account.base else os.environ["SYNCLINE_HTTP"]
    return Script(Settings(base + "/api" + slash, pause=0.01, **more))


def bodies(count):
    groups = [Group() for _ in range(count)]
    return groups, [group.body([lesson(MONDAY + datetime.timedelta(days=offset), number, teacher_id=None)
                                for offset in range(5) for number in (1, 2)]) for group in groups]


def said(one, text):
    return sum(text in line for line in one.log)


def forty_groups_are_brought_with_an_address_and_a_password():
    groups, all_bodies = bodies(40)
    one = script(ADMIN)
    assert one.bring(all_bodies)
    assert said(one, "Импорт завершен. Групп: 40/40") == 1 and said(one, "создано: 10, обновлено: 0, удалено: 0") == 40, one.log[-3:]
    for group, body in list(zip(groups, all_bodies))[::13]:
        stored = ADMIN.json(f"/schedule/lessons/?group={ADMIN.import_group(group, body['lessons'])['group_id']}")
        sent = sorted(tuple(item[key] for key in ("specific_date", "lesson_number", "subject_name", "room")) for item in body["lessons"])
        assert sorted(tuple(item[key] for key in ("specific_date", "lesson_number", "subject_name", "room")) for item in stored) == sent
    again = script(ADMIN)
    assert again.bring(all_bodies) and said(again, "создано: 0, обновлено: 0, удалено: 0") == 40, again.log[-3:]


def an_expired_token_costs_one_refresh_and_one_repetition():
    _, all_bodies = bodies(3)
    one = script(token="expired", refresh_token=ADMIN.refresh)
    assert one.bring(all_bodies)
    assert (said(one, "Токен истек"), said(one, "успешно обновлен"), said(one, "Импорт OK")) == (1, 1, 3), one.log
    # The next run has the same settings: the same refresh token.
    other = script(token="expired", refresh_token=ADMIN.refresh)
    assert other.bring(all_bodies) and said(other, "успешно обновлен") == 1, other.log
    # With a bad refresh token it logs in.
    third = script(ADMIN, token="expired", refresh_token="bad")
    assert third.bring(all_bodies[:1]) and said(third, "Попытка входа (попытка 1/3)") == 1, third.log


def a_base_address_with_a_slash_works():
    one = script(ADMIN, slash="/")
    assert one.bring(bodies(1)[1]), one.log


def a_student_is_told_at_each_try_and_writes_nothing():
    student = Account()
    _, all_bodies = bodies(1)
    one = script(student)
    assert not one.bring(all_bodies)
    assert said(one, "-> 403 У вас недостаточно прав для выполнения данного действия.") == 8, one.log
    assert DATABASE.number(f"SELECT count(*) FROM schedule_runs WHERE requested_by = {student.user['id']}") == 0


def a_wrong_password_is_told_three_times():
    one = script(email=ADMIN.name, password="wrong")
    assert not one.bring(bodies(1)[1])
    assert said(one, "Ошибка входа (код 400): ['Неверный email или пароль']") == 3, one.log


def a_page_that_failed_takes_nothing_away():
    group = Group()
    one = script(ADMIN)
    lessons = [lesson(MONDAY, teacher_id=None)]
    assert one.bring([group.body(lessons), group.body([]), group.body([])])
    assert said(one, "создано: 0, обновлено: 0, удалено: 0") == 2, one.log
    assert len(ADMIN.json(f"/schedule/lessons/?group={ADMIN.import_group(group, lessons)['group_id']}")) == 1


def two_scripts_at_once_leave_one_of_their_timetables():
    for _ in range(5):
        group = Group()
        sides = [[lesson(MONDAY + datetime.timedelta(days=offset), number, f"Предмет {side}", teacher_id=None)
                  for offset in range(5) for number in (1, 2, 3)] for side in (1, 2)]
        scripts = [script(Account(is_admin=True)) for _ in sides]
        threads = [threading.Thread(target=one.bring, args=([group.body(side)],)) for one, side in zip(scripts, sides)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        group_id = DATABASE.number(f"SELECT group_id FROM schedule_groups WHERE upstream_id = {group.number}")
        stored = ADMIN.json(f"/schedule/lessons/?group={group_id}")
        assert len({item["subject_name"] for item in stored}) == 1 and len(stored) == 15, [item["subject_name"] for item in stored]
        assert all(said(one, "Импорт OK") == 1 for one in scripts), [one.log for one in scripts]


# --- An update by the server. The script logs in because it has no token yet.


def with_a_site(is_admin=True):
    """An account of the installation with the stand-in, which has neither lessons nor runs."""
    RUNS.fresh()
    return Account(is_admin, RUNS.stack.http, RUNS.stack.env["SYNCLINE_ADMIN"])


def an_update_that_the_script_asks_for_tells_its_three_counts():
    one = script(with_a_site())
    lessons = sum(len(rows) for rows in RUNS.site.truth().values())
    assert one.ask_for_update()
    assert said(one, f"Обновлено групп: {GROUPS}, Добавлено занятий: {lessons}, Удалено занятий: 0") == 1, one.log
    assert RUNS.latest()["trigger"] == "script"
    for kind, group in (("add", 8), ("remove", 9)):
        RUNS.site.mutate(kind, RUNS.site.world.groups[group]["name"])
    assert one.ask_for_update()
    assert said(one, f"Обновлено групп: {GROUPS}, Добавлено занятий: 1, Удалено занятий: 1") == 1, one.log


def an_update_that_a_student_asks_for_is_refused_and_not_begun():
    one = script(with_a_site(is_admin=False))
    assert not one.ask_for_update()
    assert said(one, "Ошибка доступа: У вас нет прав администратора") == 1 and said(one, "Ошибка") == 1, one.log
    assert RUNS.number("SELECT count(*) FROM schedule_runs") == 0 and RUNS.site.count() == 0


def an_update_asked_for_while_one_is_active_is_told_apart_from_a_failure():
    one = script(with_a_site())
    RUNS.site.hold("^/$")
    run = RUNS.start()
    until(RUNS.site.waiting)
    assert not one.ask_for_update()
    assert said(one, "Синхронизация уже выполняется: Schedule synchronization is already in progress") == 1, one.log
    assert said(one, "Ошибка") == 0, one.log
    RUNS.site.open_gate()
    assert RUNS.ended(run)["state"] == "success"
    assert RUNS.number("SELECT count(*) FROM schedule_runs") == 1 and RUNS.site.count("^/$") == 1
    # When it is over, the script gets its own.
    assert one.ask_for_update()
    assert said(one, f"Обновлено групп: {GROUPS}, Добавлено занятий: 0, Удалено занятий: 0") == 1, one.log


def main():
    global ADMIN, DATABASE, RUNS
    DATABASE = Session(os.environ["DATABASE_URL"])
    forget_wrong_passwords()
    ADMIN = Account(is_admin=True)
    with Timetable(groups=GROUPS) as site, Stack(settings(site)) as stack:
        RUNS = Runs(stack, site)
        return keep(
            forty_groups_are_brought_with_an_address_and_a_password, an_expired_token_costs_one_refresh_and_one_repetition,
            a_base_address_with_a_slash_works, a_student_is_told_at_each_try_and_writes_nothing, a_wrong_password_is_told_three_times,
            a_page_that_failed_takes_nothing_away, two_scripts_at_once_leave_one_of_their_timetables,
            an_update_that_the_script_asks_for_tells_its_three_counts, an_update_that_a_student_asks_for_is_refused_and_not_begun,
            an_update_asked_for_while_one_is_active_is_told_apart_from_a_failure)


if __name__ == "__main__":
    sys.exit(main())
