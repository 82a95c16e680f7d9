"""The page of the timetable in a browser: its week, search, changes and calendars."""

import datetime
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from browser import expect, visitors
from promises import keep
from rest_wire import ask
from timetable import site_today
from timetable_api import Account, Group, lesson

MONDAY = site_today() - datetime.timedelta(days=site_today().weekday())
TUESDAY, WEDNESDAY = (MONDAY + datetime.timedelta(days=days) for days in (1, 2))
EVIL = "<img src=x onerror=alert(1)> & «тумана»"
ADMIN = Account(is_admin=True)


def new_group():
    group = Group()
    ADMIN.import_group(group, timetable_of(group))
    return group


def timetable_of(group):
    return [lesson(MONDAY, 1, EVIL, teacher_name=f"Роса В. {group.number}", teacher_id=group.number, room=f"4/{group.number}"),
            lesson(TUESDAY, 2, "Иностранный язык", lesson_type="лаб", additional_info="Подгр. 1", room="4/301"),
            lesson(TUESDAY, 2, "Иностранный язык", lesson_type="лаб", additional_info="Подгр. 2", room="4/302"),
            lesson(TUESDAY, 8, "Ночная метеорология", specific_date=None, lesson_type="конс", room="Дистанционно"),
            lesson(MONDAY + datetime.timedelta(days=7), 3, "Физкультура", lesson_type="пр")]


def arrive(visitor, path="/schedule/", account=None, **options):
    """(visitor, account): a student, if no account is given."""
    account = account or Account()
    anna = visitor(**options)
    anna.arrive(path, account)
    return anna, account


def find_group(anna, group, label="Group, teacher or room"):
    box = anna.page.get_by_role("combobox", name=label)
    box.fill(group.name[2:].lower())
    expect(anna.page.get_by_role("listbox").get_by_role("option").filter(has_text=group.name)).to_be_visible()
    box.press("ArrowDown")
    box.press("Enter")
    expect(anna.page.get_by_role("heading", name=group.name)).to_be_focused()


def day(anna, name):
    return anna.page.get_by_role("group", name=name)


def a_student_finds_a_group_and_it_is_there_the_next_time():
    group = new_group()
    with visitors() as visitor:
        boris, account = arrive(visitor, size="narrow", scheme="dark", locale="ru-RU")
        expect(boris.page.get_by_role("main")).to_contain_text("Выберите выше группу")
        expect(boris.page.get_by_role("button", name="Обновить расписание")).to_have_count(0)
        boris.look("schedule-nothing-chosen")
        find_group(boris, group, "Группа, преподаватель или аудитория")
        boris.page.get_by_role("button", name="Это моя группа").click()
        expect(boris.page.get_by_role("heading", name=group.name)).to_contain_text("моя группа")
        boris.page.get_by_role("combobox", name="Подгруппа").select_option("подгр. 2")
        expect(boris.page.get_by_text("4/302")).to_be_visible()
        expect(boris.page.get_by_text("4/301")).to_have_count(0)
        boris.look("schedule-own-week")
        kept = account.json("/auth/profile/")
        assert (kept["group_name"], kept["subgroup"]) == (group.name, 2), kept
        boris.open("/schedule/")
        expect(boris.page.get_by_role("heading", name=group.name)).to_be_visible()
        expect(boris.page.get_by_text("4/301")).to_have_count(0)
        boris.open("/")
        expect(boris.page.get_by_role("region", name="Сегодня")).to_contain_text(re.compile(r"занятий нет|\d\d:\d\d"))
        boris.open("/schedule/")
        boris.page.get_by_role("button", name="Не моя группа").click()
        expect(boris.page.get_by_role("status").filter(has_text="больше не ваша")).to_be_visible()
        assert account.json("/auth/profile/")["group"] is None


def a_group_is_found_by_its_institute():
    first, second = new_group(), Group()
    second.institute = first.institute
    ADMIN.import_group(second, timetable_of(second))
    with visitors() as visitor:
        anna, _ = arrive(visitor)
        anna.page.get_by_role("combobox", name="Institute").select_option(first.institute["name"])
        groups = anna.page.get_by_role("combobox", name="Group", exact=True)
        expect(groups).to_be_enabled()
        # By keyboard the way to the second group leads over the first one.
        groups.press("ArrowDown")
        groups.press("ArrowDown")
        expect(groups).to_have_value(re.compile(r"\d+"))
        expect(anna.page.get_by_text(re.compile("Choose a group, a teacher or a room above"))).to_be_visible()
        groups.press("Tab")
        anna.page.keyboard.press("Enter")
        expect(anna.page.get_by_role("heading", name=second.name)).to_be_focused()


def a_lesson_shows_its_own_time_where_that_is_another_one():
    group = Group()
    late = {"start_time": "08:30:00", "end_time": "10:00:00"}
    ADMIN.import_group(group, [
        lesson(MONDAY, 1), lesson(TUESDAY, 1, **late), lesson(WEDNESDAY, 1), lesson(WEDNESDAY, 1, "Химия росы", additional_info="Подгр. 1", **late)])
    with visitors() as visitor:
        anna, _ = arrive(visitor)
        find_group(anna, group)

        def times(name):
            """Those that are seen; the usual one stands beside the week."""
            return [box.inner_text() for box in day(anna, name).get_by_text(re.compile(r"\d\d:\d\d")).all() if box.bounding_box()["width"] > 1]

        expect(day(anna, "Monday")).to_contain_text("Теория тумана")
        assert (times("Monday"), times("Tuesday"), times("Wednesday")) == ([], ["pair 1 08:30–10:00"], ["pair 1 08:30–10:00"]), times("Wednesday")
        expect(day(anna, "Wednesday").get_by_role("listitem")).to_contain_text(re.compile("08:00–09:30.*Теория тумана.*08:30–10:00.*Химия росы"))


def the_way_to_the_content_loads_nothing_again():
    group = new_group()
    with visitors() as visitor:
        anna, _ = arrive(visitor)
        find_group(anna, group)
        anna.page.evaluate("addEventListener('popstate', () => { window.moved = true; })")
        anna.requests.clear()
        anna.page.get_by_role("link", name="Skip to the content").press("Enter")
        anna.page.wait_for_function("window.moved")
        assert not [request.url for request in anna.requests if "/api/" in request.url]


def free_rooms_are_found_by_day_pair_and_building():
    group = Group()
    one, other = f"{group.number}", f"{group.number + 1}"
    ADMIN.import_group(group, [lesson(MONDAY, 1, room=f"{one}/10"), lesson(MONDAY, 2, room=f"{one}/9"), lesson(TUESDAY, 3, room=f"{one}/9"),
                               lesson(MONDAY, 3, room=f"{other}/1"), lesson(MONDAY, 4, room=f"Гараж {one}"), lesson(MONDAY, 4, room="Дистанционно")])
    with visitors() as visitor:
        anna, account = arrive(visitor)
        anna.page.get_by_role("navigation", name="Timetable").get_by_role("link", name="Free rooms").click()
        # The day is that of the university, the hour that of the reader.
        expect(anna.page.get_by_label("Day")).to_have_value(ADMIN.json("/schedule/week/")["today"])
        found = anna.page.get_by_role("region", name=f"Building {one}").get_by_role("listitem")
        anna.page.get_by_label("Day").fill(f"{MONDAY}")
        pair = anna.page.get_by_label("Pair")
        pair.select_option("pair 1, 08:00–09:30")
        expect(found).to_have_text([f"{one}/9"])
        expect(anna.page.get_by_role("region", name="Other rooms")).to_contain_text(f"Гараж {one}")
        expect(anna.page.get_by_role("main")).not_to_contain_text("Дистанционно")
        # By keyboard; the focus stays.
        pair.press("ArrowDown")
        expect(found).to_have_text([f"{one}/10"])
        pair.press("ArrowDown")
        expect(found).to_have_text([f"{one}/9", f"{one}/10"])
        expect(pair).to_be_focused()
        # Of one building.
        building = anna.page.get_by_label("Building", exact=True)
        building.select_option(f"Building {other}")
        expect(anna.page.get_by_role("main")).to_contain_text("No room of this building is free then")
        building.select_option(f"Building {one}")
        expect(found).to_have_count(2)
        expect(anna.page.get_by_role("region", name="Other rooms")).to_have_count(0)
        expect(anna.page.get_by_role("status").filter(has_text="2 free rooms")).to_be_visible()
        expect(anna.page).to_have_title(re.compile("^Free rooms, .*, pair 3 - Timetable - Syncline$"))
        anna.look("rooms")
        # A day that is half typed asks for nothing.
        anna.requests.clear()
        anna.page.get_by_label("Day").fill("")
        anna.page.get_by_label("Day").dispatch_event("change")
        expect(found).to_have_count(2)
        assert not [request.url for request in anna.requests if "/api/" in request.url]
        # The address is enough for somebody else.
        boris = visitor(locale="ru-RU", size="narrow", scheme="dark")
        boris.arrive(anna.page.url[len(anna.base):], account)
        expect(boris.page.get_by_label("Пара")).to_have_value("3")
        expect(boris.page.get_by_label("Корпус", exact=True)).to_have_value(one)
        expect(boris.page.get_by_role("region", name=f"Корпус {one}").get_by_role("listitem")).to_have_count(2)
        boris.page.get_by_role("link", name=f"{one}/10").click()
        expect(boris.page.get_by_role("heading", name=f"{one}/10")).to_be_visible()
        expect(boris.page.get_by_role("group", name="понедельник")).to_contain_text("Теория тумана")


def free_rooms_that_could_not_be_loaded_can_be_asked_for_again():
    with visitors() as visitor:
        anna, _ = arrive(visitor, path="/docs")
        anna.expects("Failed to load resource: net::")
        anna.page.clock.set_fixed_time(datetime.datetime.fromisoformat("2031-10-06T09:50+04:00"))
        anna.page.route("**/rooms/free/*", lambda route: route.abort(), times=1)
        # What the address says wrongly is not asked for.
        anna.open("/schedule/rooms?date=2031-02-30&pair=9")
        expect(anna.page.get_by_label("Pair")).to_have_value("2")
        broken = anna.page.get_by_role("alert").filter(has_text="Check your connection")
        expect(broken).to_be_visible()
        broken.get_by_role("button", name="Try again").click()
        expect(anna.page.get_by_role("status").filter(has_text="free room")).to_be_visible()


def a_week_shows_its_lessons_and_leads_to_others():
    group = new_group()
    with visitors() as visitor:
        anna, _ = arrive(visitor)
        find_group(anna, group)
        monday, tuesday = day(anna, "Monday"), day(anna, "Tuesday")
        # Foreign text is text.
        expect(monday).to_contain_text(EVIL)
        expect(monday).to_contain_text("Lecture")
        expect(tuesday).to_contain_text("subgroup 1")
        expect(tuesday.get_by_role("listitem")).to_have_count(2)  # two subgroups at one time, and what takes place every week
        expect(tuesday).to_contain_text("every week")
        expect(day(anna, site_today().strftime("%A")).get_by_text("today")).to_be_visible()
        expect(anna.page).to_have_title(re.compile(rf"^{group.name}, .*\d{{4}} - Timetable - Syncline$"))
        about = ADMIN.json(f"/schedule/week/?date={MONDAY}")
        expect(anna.page.get_by_text(f"week {about['week_index']}, {about['parity']}")).to_be_visible()
        anna.look("schedule-week")
        anna.page.get_by_role("button", name="Week after").click()
        expect(monday).to_contain_text("Физкультура")
        expect(anna.page.get_by_text("today", exact=True)).to_have_count(0)
        expect(anna.page.get_by_role("button", name="Week after")).to_be_focused()
        assert f"week={MONDAY + datetime.timedelta(days=7)}" in anna.page.url, anna.page.url
        anna.page.go_back()
        expect(monday).to_contain_text(EVIL)
        anna.page.get_by_role("button", name="Week before").click()
        expect(tuesday).to_contain_text("Ночная метеорология")
        expect(monday).to_contain_text("No lessons")
        anna.page.get_by_role("button", name="This week").click()
        expect(monday).to_contain_text(EVIL)


def weeks_are_those_of_the_university_wherever_the_reader_is():
    """At the Line Islands it is 10 hours later than in Saratov, at Midway 15 hours earlier: in one of the two it is another day."""
    group = new_group()
    about = ADMIN.json("/schedule/week/")
    # The clock of the browser stands in the first and in the last hour of the week of the university.
    for zone, at in (("Pacific/Midway", f"{about['monday']}T00:30:00+04:00"), ("Pacific/Kiritimati", f"{plus(about['monday'], 6)}T23:30:00+04:00")):
        with visitors() as visitor:
            anna, account = arrive(visitor, path="/docs", timezone=zone)
            anna.page.clock.set_fixed_time(datetime.datetime.fromisoformat(at))
            anna.open("/schedule/")
            find_group(anna, group)
            expect(day(anna, "Monday")).to_contain_text(EVIL)
            expect(anna.page.get_by_role("button", name="This week")).to_be_disabled()
            assert "week=" not in anna.page.url, anna.page.url


def plus(text, days):
    return (datetime.date.fromisoformat(text) + datetime.timedelta(days=days)).isoformat()


def teachers_and_rooms_have_a_timetable():
    group = new_group()
    with visitors() as visitor:
        anna, _ = arrive(visitor)
        find_group(anna, group)
        day(anna, "Monday").get_by_role("link", name=f"Роса В. {group.number}").click()
        expect(anna.page.get_by_role("heading", name=f"Роса В. {group.number}")).to_be_focused()
        expect(day(anna, "Monday").get_by_role("link", name=group.name)).to_be_visible()
        day(anna, "Monday").get_by_role("link", name=f"4/{group.number}").click()
        expect(anna.page.get_by_role("heading", name=f"4/{group.number}")).to_be_focused()
        day(anna, "Monday").get_by_role("link", name=group.name).click()
        expect(anna.page.get_by_role("heading", name=group.name)).to_be_focused()
        anna.page.get_by_role("combobox", name="Group, teacher or room").fill("не бывает такого")
        expect(anna.page.get_by_role("listbox")).to_contain_text("Nothing found")


def what_changed_is_told_with_the_old_and_the_new():
    group = new_group()
    lessons = timetable_of(group)
    lessons[0]["room"] = "1/110"
    lessons[1:2] = [lesson(TUESDAY + datetime.timedelta(days=1), 4, "Философия", lesson_type="пр")]
    ADMIN.import_group(group, lessons)
    with visitors() as visitor:
        anna, _ = arrive(visitor)
        find_group(anna, group)
        anna.page.get_by_role("button", name="What changed").click()
        changes = anna.page.get_by_role("listitem")
        changed = changes.filter(has_text="Changed:").first
        expect(changed).to_contain_text(EVIL)
        expect(changed.get_by_role("deletion")).to_contain_text(f"4/{group.number}")
        expect(changed.get_by_role("insertion")).to_contain_text("1/110")
        expect(changes.filter(has_text="New:").filter(has_text="Философия")).to_have_count(1)
        expect(changes.filter(has_text="Cancelled:").filter(has_text="Иностранный язык")).to_have_count(1)
        expect(anna.page).to_have_title(f"{group.name}, What changed - Timetable - Syncline")
        anna.look("schedule-changes")
        quiet, _ = arrive(visitor)
        find_group(quiet, new_group())
        quiet.page.get_by_role("button", name="What changed").click()
        expect(quiet.page.get_by_role("main")).to_contain_text("Nothing has changed")


def a_calendar_is_made_copied_and_revoked():
    group = new_group()
    with visitors() as visitor:
        anna, _ = arrive(visitor)
        find_group(anna, group)
        anna.page.get_by_role("button", name="To my calendar").click()
        name = anna.page.get_by_role("dialog").get_by_label("Name in the calendar")
        # What the server refuses stands beside its field, in the language of the page.
        name.evaluate("(input) => input.removeAttribute('maxlength')")
        name.fill("x" * 300)
        anna.page.get_by_role("button", name="Create the address").click()
        expect(name).to_have_accessible_description("This is too long.")
        expect(anna.page.get_by_role("dialog")).to_contain_text("Part of your input is not accepted.")
        name.fill("My lessons")
        anna.page.get_by_role("button", name="Create the address").click()
        made = anna.page.get_by_role("dialog", name="Calendar: My lessons")
        anna.look("schedule-calendar")
        made.get_by_role("button", name="Copy").click()
        address = anna.page.evaluate("navigator.clipboard.readText()")
        assert address.startswith(anna.base + "/api/schedule/feeds/"), address
        answer = ask("GET", address[len(anna.base):])
        assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/calendar") and "Физкультура" in answer.body.decode(), answer
        made.get_by_role("button", name="Done").click()
        row = anna.page.get_by_role("listitem").filter(has_text="My lessons")
        expect(row.get_by_role("textbox")).to_have_value(address)
        row.get_by_role("button", name="Revoke").click()
        expect(anna.page.get_by_role("dialog")).to_contain_text("Revoke the calendar My lessons?")
        anna.page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
        expect(row).to_have_count(0)
        assert ask("GET", address[len(anna.base):]).status == 404


if __name__ == "__main__":
    sys.exit(keep(a_student_finds_a_group_and_it_is_there_the_next_time, a_group_is_found_by_its_institute,
                  a_lesson_shows_its_own_time_where_that_is_another_one, the_way_to_the_content_loads_nothing_again,
                  free_rooms_are_found_by_day_pair_and_building, free_rooms_that_could_not_be_loaded_can_be_asked_for_again,
                  a_week_shows_its_lessons_and_leads_to_others, weeks_are_those_of_the_university_wherever_the_reader_is, teachers_and_rooms_have_a_timetable,
                  what_changed_is_told_with_the_old_and_the_new, a_calendar_is_made_copied_and_revoked))
