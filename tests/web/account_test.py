"""Signing in and the account page, in a browser."""

import json
import pathlib
import re
import sys
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from browser import expect, visitors
from installation import forget_wrong_passwords
from promises import keep, until
from rest_wire import PASSWORD, Client, ask, basic, new_email

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
NOBODY = {"user": None, "accessToken": None, "refreshToken": None, "isAuthenticated": False}


def signed_in(visitor, **options):
    """(visitor on the account page, another client of the API with the same account)"""
    client = Client().register()
    answer = ask("POST", "/api/auth/login/", {"email": client.email, "password": PASSWORD}, headers={"user-agent": BROWSER})
    assert answer.status == 200, answer
    anna = visitor(**options)
    anna.bring_session(answer.json["user"], answer.json["access"], answer.json["refresh"])
    anna.open("/account/")
    return anna, client


def fill_sign_in(where, name, password=PASSWORD):
    """`where`: a page, or the dialog at the end of a session."""
    where.get_by_label("E-mail address or name").fill(name)
    where.get_by_label("Password", exact=True).fill(password)


def sign_out(person):
    person.page.get_by_role("button", name="Sign out", exact=True).click()


def dialog(person):
    return person.page.get_by_role("dialog")


def part(person, name):
    return person.page.get_by_role("region", name=name)


def key(person, name):
    return person.page.get_by_role("listitem").filter(has_text=name)


def somebody_registers_leaves_and_comes_back():
    with visitors() as visitor:
        anna = visitor()
        email = new_email()
        anna.open("/")
        anna.page.get_by_role("link", name="Create an account").click()
        anna.page.get_by_label("E-mail address").fill(email)
        anna.page.get_by_label("Password", exact=True).fill(PASSWORD)
        anna.page.get_by_role("button", name="Create an account").click()
        expect(anna.page.get_by_role("heading", name="Hello")).to_contain_text(email)
        anna.wait()
        anna.look("overview-new")
        sign_out(anna)
        expect(anna.page.get_by_role("heading", name="Your own sync server")).to_be_visible()
        assert anna.stored() == {"state": NOBODY, "version": 0}
        # A page that needs a session leads through the sign-in and back to where it was.
        anna.page.goto(anna.base + "/account/#devices")
        fill_sign_in(anna.page, email.upper())
        anna.page.keyboard.press("Enter")
        anna.page.wait_for_url(anna.base + "/account/#devices")


def what_was_typed_stays_when_the_server_refuses():
    taken = Client().register().email
    with visitors() as visitor:
        anna = visitor()
        anna.open("/account/register")
        email = anna.page.get_by_label("E-mail address")
        anna.page.get_by_role("button", name="Create an account").click()
        expect(email).to_be_focused()
        expect(email).to_have_accessible_description(re.compile("Fill this in"))
        email.fill(taken)
        anna.page.get_by_label("Password", exact=True).fill("short")
        anna.page.keyboard.press("Enter")
        expect(anna.page.get_by_label("Password", exact=True)).to_have_accessible_description(re.compile("At least 8 characters"))
        anna.page.get_by_label("Password", exact=True).fill(PASSWORD)
        anna.page.keyboard.press("Enter")
        expect(email).to_have_accessible_description(re.compile("An account with this address already exists"))
        expect(email).to_have_value(taken)
        expect(email).to_be_focused()
        expect(anna.page.get_by_role("alert").filter(has_text="Request")).to_contain_text(re.compile("Request [0-9a-f]{16,}"))
        anna.look("register-refused")
        anna.open("/account/sign-in")
        fill_sign_in(anna.page, taken, "wrong, wrong")
        anna.page.keyboard.press("Enter")
        expect(anna.page.get_by_label("Password", exact=True)).to_have_accessible_description(re.compile("wrong"))
        expect(anna.page.get_by_label("E-mail address or name")).to_have_value(taken)
        anna.look("sign-in-refused")
        # The password is shown while somebody wants to see it.
        anna.page.get_by_role("button", name="Show the password").click()
        assert anna.page.get_by_label("Password", exact=True).get_attribute("type") == "text"


def the_address_after_a_sign_in_is_of_this_server():
    email = Client().register().email
    with visitors() as visitor:
        anna = visitor()
        # The last two: a path that by itself is the address of another server, and no address at all.
        for elsewhere in ("https://example.org/", "/\\example.org", "/.//example.org/x", "/x/..//example.org", "http://"):
            anna.open("/account/sign-in?next=" + elsewhere.replace("\\", "%5C"))
            fill_sign_in(anna.page, email)
            anna.page.keyboard.press("Enter")
            expect(anna.page).not_to_have_url(re.compile("/account/sign-in"))
            assert anna.page.evaluate("origin") == anna.base and anna.stored()["state"]["isAuthenticated"], anna.page.url
            # Nor with a session that is there already.
            anna.page.goto(anna.base + "/account/sign-in?next=" + elsewhere.replace("\\", "%5C"), wait_until="commit")
            expect(anna.page).not_to_have_url(re.compile("/account/sign-in"))
            assert anna.page.evaluate("origin") == anna.base, anna.page.url
            anna.page.evaluate("localStorage.clear()")


def scripts_find_the_token_in_local_storage():
    with visitors() as visitor:
        client = Client().register()
        anna = visitor()
        anna.open("/account/sign-in")
        fill_sign_in(anna.page, client.email)
        anna.page.get_by_role("button", name="Sign in").click()
        expect(anna.page.get_by_role("button", name="Sign out", exact=True)).to_be_visible()
        stored = anna.stored()
        assert stored["version"] == 0 and set(stored["state"]) == {"user", "accessToken", "refreshToken", "isAuthenticated"}, stored
        assert stored["state"]["isAuthenticated"] is True and stored["state"]["user"]["email"] == client.email, stored
        assert ask("GET", "/account", token=stored["state"]["accessToken"]).status == 200


def break_token(person):
    person.page.evaluate("""() => {
        const kept = JSON.parse(localStorage.getItem("auth-storage"));
        kept.state.accessToken += "x";
        localStorage.setItem("auth-storage", JSON.stringify(kept));
    }""")


def an_access_token_that_has_expired_is_renewed_once():
    with visitors() as visitor:
        anna, _ = signed_in(visitor)
        begun = anna.stored()["state"]
        break_token(anna)
        anna.requests.clear()
        anna.open("/account/")
        expect(part(anna, "Devices and sessions")).to_contain_text("this browser")
        renewed = anna.stored()["state"]
        assert renewed["accessToken"] != begun["accessToken"] and renewed["user"] == begun["user"]
        refreshes = [request for request in anna.requests if request.method == "POST"]
        assert len(refreshes) == 1, [request.url for request in refreshes]


def two_tabs_that_renew_at_once_stay_signed_in():
    """A refresh token may be good for one exchange: the second one would end the session."""
    with visitors() as visitor:
        anna, _ = signed_in(visitor)
        other = anna.context.new_page()
        for _ in range(2):
            break_token(anna)
            anna.page.goto(anna.base + "/account/", wait_until="commit")
            other.goto(anna.base + "/account/", wait_until="commit")
            for page in (anna.page, other):
                expect(page.get_by_role("region", name="Devices and sessions")).to_contain_text("this browser")


def somebody_who_has_registered_is_told_so():
    """The account is there as soon as the first answer is, whatever becomes of the next question."""
    with visitors() as visitor:
        anna = visitor()
        anna.expects("503")
        anna.page.route("**/api/auth/profile/", lambda route: route.fulfill(status=503), times=1)
        anna.open("/account/register")
        email = new_email()
        anna.page.get_by_label("E-mail address").fill(email)
        anna.page.get_by_label("Password", exact=True).fill(PASSWORD)
        anna.page.keyboard.press("Enter")
        expect(anna.page.get_by_role("heading", name="Hello")).to_contain_text(email)


def a_browser_that_keeps_nothing_is_told_what_is_missing():
    with visitors() as visitor:
        anna = visitor()
        anna.context.add_init_script("Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError'); }})")
        anna.open("/")
        expect(anna.page.get_by_role("heading", name="Your own sync server")).to_be_visible()
        anna.open("/account/sign-in")
        fill_sign_in(anna.page, Client().register().email)
        anna.page.keyboard.press("Enter")
        refusal = anna.page.get_by_role("alert").filter(has_text="does not let this page store data")
        expect(refusal).to_be_visible()
        expect(refusal).to_be_focused()


def a_sign_out_ends_the_session_though_the_token_has_expired():
    with visitors() as visitor:
        anna, client = signed_in(visitor)
        client.log_in()
        begun = anna.stored()["state"]
        assert browsers_of(client) == 1
        break_token(anna)
        sign_out(anna)
        expect(anna.page.get_by_role("heading", name="Your own sync server")).to_be_visible()
        assert anna.stored()["state"] == NOBODY
        assert browsers_of(client) == 0
        assert ask("POST", "/api/auth/token/refresh/", {"refresh": begun["refreshToken"]}).status == 401


def browsers_of(client):
    return sum("Chrome" in device["name"] for device in client.get("/account/devices").json)


def a_token_that_arrives_late_brings_no_session_back():
    with visitors() as visitor:
        anna, client = signed_in(visitor)
        client.log_in()
        break_token(anna)
        held = []
        anna.page.route("**/api/auth/token/refresh/", lambda route: held.append(route))
        anna.page.goto(anna.base + "/account/", wait_until="commit")
        until_held(anna, held)
        sign_out(anna)
        held[0].continue_()
        expect(anna.page.get_by_role("heading", name="Your own sync server")).to_be_visible()
        assert anna.stored()["state"] == NOBODY
        assert browsers_of(client) == 0


def until_held(person, held):
    """Requests arrive only while Playwright is waiting for the page."""
    until(lambda: held or person.page.wait_for_timeout(20))


def a_page_that_the_browser_kept_is_not_shown_to_the_next_person():
    """Chromium keeps no pages while it is driven by a program, so the event by which they come back is made here."""
    with visitors() as visitor:
        anna, client = signed_in(visitor)
        expect(part(anna, "Profile")).to_contain_text(client.email)
        # In the same tab: there is no event for this.
        anna.page.evaluate("(state) => localStorage.setItem('auth-storage', JSON.stringify({state, version: 0}))", NOBODY)
        anna.page.evaluate("void setTimeout(() => dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true})))")
        expect(anna.page.get_by_role("button", name="Sign in")).to_be_visible()
        expect(anna.page.get_by_text(client.email)).to_have_count(0)


def what_one_person_asked_for_is_not_done_for_another():
    with visitors() as visitor:
        anna, client = signed_in(visitor)
        boris = Client().register()
        part(anna, "App passwords").get_by_role("button", name="New app password").click()
        dialog(anna).get_by_label("What is it for?").fill("of the first one")
        dialog(anna).get_by_label("Current password").fill(PASSWORD)
        client.log_in()
        assert client.post("/auth/logout-all").status == 200
        dialog(anna).get_by_role("button", name="Create").click()
        again = anna.page.get_by_role("dialog", name="Your session has ended")
        fill_sign_in(again, boris.email)
        again.get_by_role("button", name="Sign in").click()
        expect(part(anna, "Profile")).to_contain_text(boris.email)
        expect(part(anna, "App passwords")).to_contain_text("None yet")
        assert not any(device["name"] == "of the first one" for device in boris.get("/account/devices").json)


def a_dialog_that_is_left_late_does_not_end_a_new_session():
    with visitors() as visitor:
        anna, client = signed_in(visitor)
        client.log_in()
        assert client.post("/auth/logout-all").status == 200
        part(anna, "Devices and sessions").get_by_role("button", name="Rename").first.click()
        dialog(anna).get_by_role("button", name="Rename").click()
        again = anna.page.get_by_role("dialog", name="Your session has ended")
        expect(again).to_be_visible()
        fresh = ask("POST", "/api/auth/login/", {"email": client.email, "password": PASSWORD}).json
        other = anna.context.new_page()
        other.goto(anna.base + "/docs")
        other.evaluate("""([access, refresh]) => {
            const kept = JSON.parse(localStorage.getItem("auth-storage"));
            Object.assign(kept.state, {accessToken: access, refreshToken: refresh});
            localStorage.setItem("auth-storage", JSON.stringify(kept));
        }""", [fresh["access"], fresh["refresh"]])
        expect(again).to_have_count(0)
        assert anna.stored()["state"]["accessToken"] == fresh["access"]


def a_dialog_can_be_left_without_a_keyboard():
    with visitors() as visitor:
        anna, client = signed_in(visitor, size="narrow")
        expect(anna.page.get_by_role("banner").get_by_text(client.email, exact=True)).to_be_visible()
        part(anna, "Delete the account").get_by_role("button", name="Delete the account").click()
        dialog(anna).get_by_role("button", name="Cancel").click()
        expect(dialog(anna)).to_have_count(0)
        expect(part(anna, "Delete the account").get_by_role("button", name="Delete the account")).to_be_focused()
        # While the form is sent its result is waited for.
        held = []
        anna.page.route("**/account/app-passwords", lambda route: held.append(route))
        part(anna, "App passwords").get_by_role("button", name="New app password").click()
        dialog(anna).get_by_label("What is it for?").fill("a script")
        dialog(anna).get_by_label("Current password").fill(PASSWORD)
        dialog(anna).get_by_role("button", name="Create").click()
        until_held(anna, held)
        anna.page.keyboard.press("Escape")
        dialog(anna).get_by_role("button", name="Cancel").click()
        held[0].continue_()
        expect(dialog(anna).get_by_label("App password", exact=True)).to_have_value(re.compile(r"\w+\.[\w-]{43}"))


def a_session_that_ended_loses_nothing_that_was_typed():
    with visitors() as visitor:
        anna, client = signed_in(visitor)
        part(anna, "App passwords").get_by_role("button", name="New app password").click()
        dialog(anna).get_by_label("What is it for?").fill("a script with a long name")
        dialog(anna).get_by_label("Current password").fill(PASSWORD)
        client.log_in()
        assert client.post("/auth/logout-all").status == 200
        dialog(anna).get_by_role("button", name="Create").click()
        again = anna.page.get_by_role("dialog", name="Your session has ended")
        anna.look("session-ended")
        fill_sign_in(again, client.email)
        again.get_by_role("button", name="Sign in").click()
        expect(anna.page.get_by_role("dialog", name="App password: a script with a long name")).to_be_visible()


def leaving_one_tab_leaves_the_others():
    with visitors() as visitor:
        anna, _ = signed_in(visitor)
        other = anna.context.new_page()
        other.goto(anna.base + "/account/")
        expect(other.get_by_role("region", name="Profile")).to_be_visible()
        sign_out(anna)
        expect(other.get_by_role("button", name="Sign in")).to_be_visible()


def a_device_is_renamed_and_locked_out():
    with visitors() as visitor:
        anna, client = signed_in(visitor)
        client.access = ask("POST", "/account/login", {"name": client.email, "password": PASSWORD}, headers={"user-agent": "<b>phone</b> & co"}).json["access_token"]
        anna.open("/account/")
        expect(key(anna, "this browser")).to_contain_text("Chrome on Linux")
        anna.look("account")
        key(anna, "<b>phone</b> & co").get_by_role("button", name="Rename").click()
        name = dialog(anna).get_by_label("New name")
        expect(name).to_have_value("<b>phone</b> & co")
        name.fill("The old phone")
        anna.page.keyboard.press("Enter")
        expect(key(anna, "The old phone")).to_be_visible()
        key(anna, "The old phone").get_by_role("button", name="Revoke").click()
        expect(dialog(anna)).to_contain_text("Revoke The old phone?")
        dialog(anna).get_by_role("button", name="Cancel").click()
        assert client.get("/account").status == 200
        key(anna, "The old phone").get_by_role("button", name="Revoke").click()
        dialog(anna).get_by_role("button", name="Revoke").click()
        expect(anna.page.get_by_role("status").filter(has_text="The old phone was revoked")).to_be_visible()
        expect(key(anna, "The old phone")).to_have_count(0)
        until(lambda: client.get("/account").status == 401, 2)


def an_app_password_is_shown_once_and_works_until_it_is_revoked():
    with visitors() as visitor:
        anna, client = signed_in(visitor, size="narrow", scheme="dark")
        passwords = part(anna, "App passwords")
        expect(passwords).to_contain_text("None yet")
        passwords.get_by_role("button", name="New app password").click()
        dialog(anna).get_by_label("What is it for?").fill("backup script")
        dialog(anna).get_by_label("Current password").fill("not this one")
        dialog(anna).get_by_role("button", name="Create").click()
        expect(dialog(anna).get_by_label("Current password")).to_have_accessible_description(re.compile("wrong"))
        expect(dialog(anna).get_by_label("What is it for?")).to_have_value("backup script")
        dialog(anna).get_by_label("Current password").fill(PASSWORD)
        dialog(anna).get_by_role("button", name="Create").click()
        made = dialog(anna).get_by_label("App password", exact=True)
        expect(made).to_have_value(re.compile(r"\w+\.[\w-]{43}"))
        anna.look("app-password")
        password = made.input_value()
        dialog(anna).get_by_role("button", name="Copy").click()
        assert anna.page.evaluate("navigator.clipboard.readText()") == password
        dialog(anna).get_by_role("button", name="Done").click()
        login = basic(client.email, password)
        assert ask("GET", "/account", headers=login).status == 200
        anna.open("/account/")
        assert password not in anna.page.content()
        key(anna, "backup script").get_by_role("button", name="Revoke").click()
        dialog(anna).get_by_role("button", name="Revoke").click()
        expect(passwords).to_contain_text("None yet")
        until(lambda: ask("GET", "/account", headers=login).status == 401, 2)


def password_and_address_change():
    with visitors() as visitor:
        anna, client = signed_in(visitor)
        client.log_in()
        panel = part(anna, "Change the password")
        panel.get_by_label("Current password").fill(PASSWORD)
        panel.get_by_label("New password").fill("another good password")
        panel.get_by_role("button", name="Change the password").click()
        expect(anna.page.get_by_role("status").filter(has_text="password was changed")).to_be_visible()
        expect(panel.get_by_label("New password")).to_have_value("")
        assert ask("POST", "/auth/login", {"email": client.email, "password": PASSWORD}).status == 401
        until(lambda: client.get("/account").status == 401, 2)
        taken, email = Client().register().email, new_email()
        part(anna, "Profile").get_by_role("button", name="Change the e-mail address").click()
        dialog(anna).get_by_label("New e-mail address").fill(taken)
        dialog(anna).get_by_label("Current password").fill("another good password")
        anna.page.keyboard.press("Enter")
        expect(dialog(anna).get_by_label("New e-mail address")).to_have_accessible_description(re.compile("already"))
        dialog(anna).get_by_label("New e-mail address").fill(email)
        anna.page.keyboard.press("Enter")
        expect(part(anna, "Profile")).to_contain_text(email)
        expect(anna.page.get_by_role("banner")).to_contain_text(email)
        assert ask("POST", "/auth/login", {"email": email, "password": "another good password"}).status == 200


def everything_is_exported_as_a_zip():
    with visitors() as visitor:
        anna, client = signed_in(visitor)
        part(anna, "Export everything").get_by_role("status").evaluate("""(status) => {
            window.said = [];
            new MutationObserver(() => window.said.push(status.textContent)).observe(status, {childList: true, subtree: true});
        }""")
        with anna.page.expect_download() as download:
            part(anna, "Export everything").get_by_role("button", name="Export everything").click()
        with zipfile.ZipFile(download.value.path()) as files:
            assert json.loads(files.read("account/account.json"))["account"]["email"] == client.email, files.namelist()
        expect(part(anna, "Export everything").get_by_role("status")).to_contain_text("Done")
        # Aloud each step, and not how much has come.
        said = anna.page.evaluate("said")
        assert len(said) == 3 and not any(character.isdigit() for text in said for character in text), said


# The body of what `path` answers breaks off.
BREAK_OFF = """(path) => {
    const real = window.fetch;
    window.fetch = async (asked, options) => {
        const answer = await real(asked, options);
        if (asked !== path) return answer;
        const broken = new ReadableStream({pull: (controller) => controller.error(new TypeError("network error"))});
        return new Response(broken, answer);
    };
}"""


def a_connection_that_breaks_off_is_not_called_a_broken_page():
    with visitors() as visitor:
        anna, _ = signed_in(visitor)
        anna.page.evaluate(BREAK_OFF, "/account/export")
        part(anna, "Export everything").get_by_role("button", name="Export everything").click()
        expect(anna.page.get_by_role("alert").filter(has_text="Check your connection")).to_be_visible()
        anna.context.add_init_script(f"({BREAK_OFF})('/account/devices')")
        anna.open("/account/")
        expect(part(anna, "Devices and sessions").get_by_role("alert")).to_contain_text("Check your connection")


def what_was_typed_stays_in_another_language():
    with visitors() as visitor:
        anna = visitor()
        anna.open("/account/register")
        anna.page.get_by_label("E-mail address").fill("anna@example.com")
        anna.page.get_by_label("Password", exact=True).fill(PASSWORD)
        anna.page.get_by_role("button", name="Show the password").click()
        anna.page.get_by_role("combobox", name="Language").select_option("Русский")
        expect(anna.page.get_by_label("Электронная почта")).to_have_value("anna@example.com")
        # A password is kept nowhere.
        expect(anna.page.get_by_label("Пароль", exact=True)).to_have_value("")
        assert PASSWORD not in anna.page.evaluate("JSON.stringify({...sessionStorage, ...localStorage})")
        anna.open("/account/register")
        expect(anna.page.get_by_label("Электронная почта")).to_have_value("")


def a_message_stands_in_front_of_a_dialog():
    with visitors() as visitor:
        anna, _ = signed_in(visitor)
        anna.expects("Failed to load resource: net::")
        failed = anna.page.get_by_role("alert").filter(has_text="cannot be reached")

        def fail():
            anna.page.route("**/auth/logout-all", lambda route: route.abort(), times=1)
            anna.page.get_by_role("button", name="Sign out of all browsers").click()
            dialog(anna).get_by_role("button", name="Sign out of all browsers").click()
            expect(failed).to_be_visible()

        fail()
        part(anna, "App passwords").get_by_role("button", name="New app password").click()
        failed.get_by_role("button", name="Close").click()
        expect(failed).to_have_count(0)
        dialog(anna).get_by_role("button", name="Cancel").click()
        fail()


def a_message_that_is_pointed_at_stays():
    with visitors() as visitor:
        anna, client = signed_in(visitor)
        client.log_in()
        anna.page.clock.install()
        anna.open("/account/")
        key(anna, "Browser or program").filter(has_not_text="this browser").get_by_role("button", name="Revoke").first.click()
        dialog(anna).get_by_role("button", name="Revoke").click()
        said = anna.page.get_by_role("status").get_by_text("was revoked")
        said.hover()
        anna.page.clock.run_for(20_000)
        expect(said).to_be_visible()
        anna.page.mouse.move(0, 0)
        anna.page.clock.run_for(2_000)
        expect(said).to_have_count(0)


def an_account_that_goes_can_be_kept():
    with visitors() as visitor:
        anna, client = signed_in(visitor)
        client.log_in()
        part(anna, "Delete the account").get_by_role("button", name="Delete the account").click()
        expect(dialog(anna)).to_contain_text(f"Everything of {client.email} will be lost")
        expect(dialog(anna)).to_contain_text("14 days to change your mind")
        anna.look("delete")
        dialog(anna).get_by_label("Current password").fill(PASSWORD)
        dialog(anna).get_by_role("button", name="Delete the account").click()
        expect(anna.page.get_by_role("alert").filter(has_text="will be deleted on")).to_be_visible()
        anna.look("deletion-pending")
        assert client.get("/account").json["deletes_at"] is not None
        anna.open("/")
        expect(anna.page.get_by_role("main")).to_contain_text("will be deleted on")
        anna.open("/account/")
        anna.page.get_by_role("button", name="Keep the account").first.click()
        expect(anna.page.get_by_role("status").filter(has_text="The account is kept")).to_be_visible()
        expect(anna.page.get_by_role("alert").filter(has_text="will be deleted on")).to_have_count(0)
        assert client.get("/account").json["deletes_at"] is None


def a_part_that_could_not_be_loaded_says_so_and_recovers():
    with visitors() as visitor:
        anna, _ = signed_in(visitor)
        anna.expects("Failed to load resource: net::")
        anna.context.set_offline(True)
        anna.page.get_by_role("button", name="Sign out of all browsers").click()
        dialog(anna).get_by_role("button", name="Sign out of all browsers").click()
        expect(anna.page.get_by_role("alert").filter(has_text="cannot be reached")).to_be_visible()
        anna.context.set_offline(False)
        anna.page.route("**/account/devices", lambda route: route.abort())
        anna.open("/account/")
        broken = part(anna, "Devices and sessions").get_by_role("alert")
        expect(broken).to_contain_text("Check your connection")
        anna.look("failed")
        anna.page.unroute("**/account/devices")
        broken.get_by_role("button", name="Try again").click()
        expect(part(anna, "Devices and sessions")).to_contain_text("this browser")


def where_nobody_may_register_the_page_says_so():
    with visitors() as visitor:
        anna = visitor()

        def close(route):
            answer = route.fetch()
            route.fulfill(response=answer, json={**answer.json(), "registration": "closed"})

        # Settings of a running installation do not change, so the answer is changed on its way.
        anna.page.route("**/account/registration", close)
        anna.open("/account/register")
        expect(anna.page.get_by_role("main")).to_contain_text("Registration is closed")
        expect(anna.page.get_by_role("textbox")).to_have_count(0)


if __name__ == "__main__":
    forget_wrong_passwords()
    sys.exit(keep(somebody_registers_leaves_and_comes_back, somebody_who_has_registered_is_told_so,
                  a_browser_that_keeps_nothing_is_told_what_is_missing, what_was_typed_stays_when_the_server_refuses,
                  the_address_after_a_sign_in_is_of_this_server, scripts_find_the_token_in_local_storage,
                  an_access_token_that_has_expired_is_renewed_once, two_tabs_that_renew_at_once_stay_signed_in,
                  a_sign_out_ends_the_session_though_the_token_has_expired, a_token_that_arrives_late_brings_no_session_back,
                  a_page_that_the_browser_kept_is_not_shown_to_the_next_person, what_one_person_asked_for_is_not_done_for_another,
                  a_dialog_that_is_left_late_does_not_end_a_new_session, a_dialog_can_be_left_without_a_keyboard,
                  a_session_that_ended_loses_nothing_that_was_typed, leaving_one_tab_leaves_the_others, a_device_is_renamed_and_locked_out,
                  an_app_password_is_shown_once_and_works_until_it_is_revoked, password_and_address_change,
                  everything_is_exported_as_a_zip, a_connection_that_breaks_off_is_not_called_a_broken_page,
                  what_was_typed_stays_in_another_language, a_message_stands_in_front_of_a_dialog, a_message_that_is_pointed_at_stays,
                  an_account_that_goes_can_be_kept, a_part_that_could_not_be_loaded_says_so_and_recovers,
                  where_nobody_may_register_the_page_says_so))
