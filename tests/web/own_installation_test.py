"""Pages of an installation with settings of its own, in a browser: the green button of the timetable's page (progress, result,
cancel, who else sees it) against a stand-in of the university's site, which holds a page back where a test looks at an update
that is half done; and registration by invitation."""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from browser import expect, visitors
from database import Session
from promises import keep, until
from rest_wire import PASSWORD, new_email
from stack import Stack
from timetable import Timetable
from timetable_api import Account

GROUPS = 12
HELD = "/rasp/group/7009$"


class Place:
    """An installation, its site, and an administrator and a student on it."""

    def __enter__(self):
        self.site = Timetable(groups=GROUPS)
        settings = {"SCHEDULE_SITE_URL": self.site.url, "OUTBOUND_NETWORKS": "127.0.0.0/8", "SCHEDULE_MIN_GAP_MS": "0", "SCHEDULE_RETRY_MS": "1", "SCHEDULE_TRIES": "1",
                    "SCHEDULE_CONCURRENCY": "1", "SCHEDULE_EVERY_HOURS": "0", "ACCOUNT_REGISTRATION": "invitation"}
        self.stack = Stack({f"SYNCLINE_{name}": value for name, value in settings.items()}).__enter__()
        self.admin, self.student = (Account(is_admin, base=self.stack.http, admin_command=self.stack.env["SYNCLINE_ADMIN"])
                                    for is_admin in (True, False))
        return self

    def __exit__(self, *error):
        self.site.__exit__()
        self.stack.__exit__(*error)

    def visit(self, visitor, account, locale="ru-RU", **options):
        anna = visitor(base=self.stack.http, locale=locale, **options)
        anna.arrive("/schedule/", account)
        return anna

    def latest(self):
        return self.admin.json("/schedule/updates/latest/")

    def wait_for_end(self):
        return until(lambda: (run := self.latest())["status"] != "in_progress" and run)


def the_button(anna):
    return anna.page.get_by_role("main").get_by_role("button", name=re.compile("Обновить расписание|Синхронизация..."))


def press(anna):
    anna.page.get_by_role("button", name="Обновить расписание").click()


def streams(person):
    return [request.url for request in person.requests if request.url.endswith("/events/")]


def turn(person, is_hidden):
    """As if another tab came to the front, or this one."""
    person.page.evaluate("""(isHidden) => {
        Object.defineProperty(document, "hidden", {value: isHidden, configurable: true});
        document.dispatchEvent(new Event("visibilitychange"));
    }""", is_hidden)


def an_update_shows_its_progress_to_all_who_look_and_then_its_result():
    with visitors() as visitor:
        anna = PLACE.visit(visitor, PLACE.admin)
        late = PLACE.visit(visitor, PLACE.admin)
        expect(anna.page.get_by_role("main")).to_contain_text("Успешных обновлений ещё не было")
        PLACE.site.hold(HELD)
        press(anna)
        expect(the_button(anna)).to_be_disabled()
        expect(the_button(anna)).to_have_text("Синхронизация...")
        until(PLACE.site.waiting)
        panel = anna.page.get_by_role("region", name="Расписание обновляется")
        expect(panel).to_contain_text(re.compile(rf"Обработано [1-9]\d* из {GROUPS} групп, ошибок: 0"))
        expect(panel.get_by_role("progressbar")).to_have_attribute("max", str(GROUPS))
        anna.look("update-running")
        # A reload, a second tab and another person find it; only administrators may cancel it.
        anna.open("/schedule/")
        expect(panel).to_contain_text("Обработано")
        expect(the_button(anna)).to_have_text("Синхронизация...")
        boris = PLACE.visit(visitor, PLACE.student, size="narrow")
        expect(boris.page.get_by_role("region", name="Расписание обновляется")).to_contain_text("Обработано")
        expect(boris.page.get_by_role("button", name="Отменить обновление")).to_have_count(0)
        # Whoever presses the button meanwhile joins.
        press(late)
        expect(late.page.get_by_role("status").filter(has_text="Синхронизация уже выполняется")).to_be_visible()
        expect(late.page.get_by_role("region", name="Расписание обновляется")).to_contain_text("Обработано")
        # Only administrators hold a stream, and nobody asks anything for a page that is not seen.
        assert not streams(boris) and streams(anna) and streams(late)
        turn(late, is_hidden=True)
        late.requests.clear()
        PLACE.site.open_gate()
        run = PLACE.wait_for_end()
        expect(anna.page.get_by_role("region", name="Расписание обновлено")).to_be_visible()
        assert not [request.url for request in late.requests if "/updates/" in request.url]
        turn(late, is_hidden=False)
        for one in (anna, late, boris):
            done = one.page.get_by_role("region", name="Расписание обновлено")
            expect(done).to_contain_text(re.compile(rf"{run['groups_updated']}\s*Обновлено групп|Обновлено групп\s*{run['groups_updated']}"))
            expect(one.page.get_by_role("status").filter(
                has_text=f"Синхронизация завершена! Обновлено групп: {run['groups_updated']}, Добавлено занятий: ")).to_be_visible()
        assert run["groups_updated"] == GROUPS and run["state"] == "success", run
        expect(the_button(anna)).to_be_enabled()
        expect(the_button(anna)).to_have_text("Обновить расписание")
        expect(anna.page.get_by_role("main")).to_contain_text("Последнее успешное обновление: в эту минуту")
        anna.look("update-done")
        # What it has read is there at once.
        anna.page.get_by_role("combobox", name="Институт").select_option("Институт облачных наук")
        anna.page.get_by_role("combobox", name="Группа", exact=True).select_option(index=1)
        anna.page.get_by_role("button", name="Показать расписание").click()
        expect(anna.page.locator(".lesson").first).to_be_visible()
        anna.look("schedule-of-the-site")


def a_cancelled_update_keeps_what_it_has_read():
    with visitors() as visitor:
        anna = PLACE.visit(visitor, PLACE.admin)
        PLACE.site.hold(HELD)
        press(anna)
        until(PLACE.site.waiting)
        anna.page.get_by_role("button", name="Отменить обновление").click()
        expect(anna.page.get_by_role("region", name="Обновление отменено")).to_be_visible()
        PLACE.site.open_gate()
        expect(the_button(anna)).to_have_text("Обновить расписание")
        assert PLACE.wait_for_end()["state"] == "cancelled"


def lengthen_reasons(route):
    answer = route.fetch()
    groups = [{**group, "error_detail": "https://uni.example/" + "x" * 200} for group in answer.json()["groups"]]
    route.fulfill(response=answer, json={**answer.json(), "groups": groups})


def a_page_that_failed_is_named_in_the_details():
    with visitors() as visitor:
        PLACE.site.fault("/rasp/group/7003$", "status", code=500)
        anna = PLACE.visit(visitor, PLACE.admin, locale="en-GB")
        anna.page.get_by_role("button", name="Update the timetable").click()
        # A long word of the site must not make the page wider than a phone.
        anna.page.route("**/updates/*/groups/", lengthen_reasons)
        result = anna.page.get_by_role("region", name="Updated, but not completely")
        result.get_by_text("Details").click()
        PLACE.site.clear()
        expect(result.get_by_role("row").nth(1)).to_contain_text("not read")
        anna.look("update-partial")


def an_update_that_fails_says_why():
    with visitors() as visitor:
        PLACE.site.fault("^/$", "status", code=503)
        anna = PLACE.visit(visitor, PLACE.admin, size="narrow", scheme="dark")
        press(anna)
        expect(anna.page.get_by_role("region", name="Обновление не удалось")).to_contain_text("недоступен")
        PLACE.site.clear()
        anna.look("update-failed")
        english = PLACE.visit(visitor, PLACE.admin, locale="en-GB")
        PLACE.site.fault("^/$", "status", code=503)
        english.page.get_by_role("button", name="Update the timetable").click()
        expect(english.page.get_by_role("region", name="The update failed")).to_contain_text("cannot be reached")
        PLACE.site.clear()


def an_old_timetable_is_called_old():
    with Session(PLACE.stack.env["DATABASE_URL"]) as session, visitors() as visitor:
        session.ask("UPDATE schedule_runs SET finished_at = now() - interval '2 days' WHERE finished_at IS NOT NULL")
        session.ask("UPDATE schedule_group_states SET last_ok_at = now() - interval '2 days 1 hour' WHERE last_ok_at IS NOT NULL")
        boris = PLACE.visit(visitor, PLACE.student)
        expect(boris.page.get_by_role("main")).to_contain_text("Последнее успешное обновление: позавчера")
        expect(boris.page.get_by_role("main")).to_contain_text("Данные устарели")
        boris.look("update-old")
        # Lessons that a program has sent since count, too.
        session.ask("UPDATE schedule_group_states SET last_ok_at = now() WHERE last_ok_at IS NOT NULL")
        boris.open("/schedule/")
        expect(boris.page.get_by_role("main")).to_contain_text("Последнее подтверждение данных: в эту минуту")
        expect(boris.page.get_by_role("main")).not_to_contain_text("Данные устарели")


def whoever_is_no_administrator_any_more_is_refused():
    with Session(PLACE.stack.env["DATABASE_URL"]) as session, visitors() as visitor:
        anna = PLACE.visit(visitor, PLACE.admin)
        session.ask(f"UPDATE users SET is_admin = false WHERE user_id = {PLACE.admin.user['id']}")
        until(lambda: PLACE.admin.post("/schedule/updates/0/cancel/").status == 403, 2)
        press(anna)
        expect(anna.page.get_by_role("alert").filter(has_text="Это может делать только администратор")).to_be_visible()
        expect(the_button(anna)).to_have_count(0)
        anna.look("update-refused")
        session.ask(f"UPDATE users SET is_admin = true WHERE user_id = {PLACE.admin.user['id']}")


def somebody_with_an_invitation_registers():
    invitation = re.search(r"[\w-]{16,}", PLACE.stack.admin("user", "invite"))[0]
    with visitors() as visitor:
        anna = visitor(base=PLACE.stack.http)
        email = new_email()
        anna.open("/account/register")
        anna.page.get_by_label("E-mail address").fill(email)
        anna.page.get_by_label("Password", exact=True).fill(PASSWORD)
        anna.page.get_by_label("Invitation").fill("not this one")
        anna.page.keyboard.press("Enter")
        expect(anna.page.get_by_label("Invitation")).to_have_accessible_description(re.compile("wrong, used up or too old"))
        anna.page.get_by_label("Invitation").fill(invitation)
        anna.page.keyboard.press("Enter")
        expect(anna.page.get_by_role("heading", name="Hello")).to_contain_text(email)


if __name__ == "__main__":
    with Place() as PLACE:
        code = keep(an_update_shows_its_progress_to_all_who_look_and_then_its_result, a_cancelled_update_keeps_what_it_has_read,
                    a_page_that_failed_is_named_in_the_details, an_update_that_fails_says_why, an_old_timetable_is_called_old,
                    whoever_is_no_administrator_any_more_is_refused, somebody_with_an_invitation_registers)
    sys.exit(code)
