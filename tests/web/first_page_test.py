"""The first page, and what all pages have in common, in a browser."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from browser import expect, visitors
from promises import keep
from rest_wire import ask

PAGES = ("/", "/account/sign-in", "/account/register", "/account/", "/schedule/", "/schedule/rooms", "/decks/", "/decks/deck", "/decks/card", "/docs")


def each_client_is_told_the_address_of_this_host():
    with visitors() as visitor:
        anna = visitor()
        anna.open("/")
        anna.look("first-page")
        addresses = [field.input_value() for field in anna.page.get_by_role("textbox").all()]
        assert all(anna.base in address for address in addresses if "localStorage" not in address) and len(addresses) >= 5, addresses
        anna.page.get_by_role("button", name="Copy: address for Anki on a computer").click()
        expect(anna.page.get_by_role("status").filter(has_text="Copied: address for Anki on a computer")).to_have_count(1)
        copied = anna.page.evaluate("navigator.clipboard.readText()")
        assert copied == anna.base + "/", copied
        # Anki appends the path of its first call to what was copied.
        assert ask("POST", "/sync/hostKey", b"").status not in (404, 405)


def the_language_is_the_readers_and_can_be_changed():
    with visitors() as visitor:
        boris = visitor(locale="ru-RU", size="narrow", scheme="dark")
        boris.open("/")
        expect(boris.page.get_by_role("heading", level=1)).to_have_text("Ваш собственный сервер синхронизации")
        assert boris.page.locator("html").get_attribute("lang") == "ru"
        boris.look("first-page-ru")
        boris.page.get_by_role("combobox", name="Язык").select_option("English")
        expect(boris.page.get_by_role("heading", level=1)).to_have_text("Your own sync server")
        boris.open("/account/sign-in")
        expect(boris.page.get_by_role("heading", level=1)).to_have_text("Sign in")
        # Neither of the two languages: English.
        chen = visitor(locale="zh-CN")
        chen.open("/")
        expect(chen.page.get_by_role("heading", level=1)).to_have_text("Your own sync server")


def pages_are_used_by_keyboard_alone():
    with visitors() as visitor:
        anna = visitor()
        anna.open("/")
        anna.page.keyboard.press("Tab")
        expect(anna.page.get_by_role("link", name="Skip to the content")).to_be_focused()
        anna.page.keyboard.press("Enter")
        anna.page.keyboard.press("Tab")
        expect(anna.page.get_by_role("main").get_by_role("link", name="Sign in")).to_be_focused()
        anna.page.keyboard.press("Enter")
        expect(anna.page.get_by_label("E-mail address or name")).to_be_focused()
        # Whatever can be reached shows that it has been.
        for _ in range(4):
            anna.page.keyboard.press("Tab")
            assert anna.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none", \
                anna.page.evaluate("document.activeElement.outerHTML")


def pages_allow_nothing_but_files_of_this_server():
    for path in PAGES:
        answer = ask("GET", path)
        policy = answer.headers["Content-Security-Policy"]
        assert answer.status == 200 and policy.startswith("default-src 'self';") and "unsafe" not in policy and "data:" not in policy, (path, policy)
        assert answer.headers["Cache-Control"] == "no-cache" and answer.headers["X-Content-Type-Options"] == "nosniff", path
    with visitors() as visitor:
        anna = visitor()
        for path in PAGES:
            anna.open(path)
        # A refused part would be a complaint; this shows that it is one.
        anna.expects("Content Security Policy")
        anna.page.evaluate("document.body.append(Object.assign(document.createElement('img'), {src: 'data:image/png;base64,AA'}))")
        expect(anna.page.locator("img")).to_have_count(1)
        anna.page.evaluate("new Promise((resolve) => setTimeout(resolve))")
        assert any("Content Security Policy" in text for text in anna.complaints), anna.complaints


def the_calls_of_the_api_are_found_in_both_languages():
    with visitors() as visitor:
        anna = visitor()
        anna.open("/docs#post-account.login")
        expect(anna.page.get_by_role("navigation", name="Pages").get_by_role("link", name="API")).to_have_attribute("aria-current", "page")
        expect(anna.page).to_have_title("API - Syncline")
        call = anna.page.get_by_role("main").locator("details[open]")
        expect(call).to_have_count(1)
        expect(call).to_contain_text("/auth/login")
        expect(call).to_contain_text("No login.")
        # The whole page is long, and looks the same throughout.
        anna.page.get_by_label("Filter").fill("auth/log")
        expect(anna.page.get_by_role("status").filter(has_text="3 calls")).to_be_visible()
        anna.look("docs")
        anna.page.get_by_label("Filter").fill("get history")
        expect(anna.page.get_by_role("status").filter(has_text="1 call")).to_be_visible()
        expect(anna.page.get_by_role("heading", name="/users/me/list/history")).to_be_visible()
        expect(anna.page.get_by_role("heading", name="/auth/login")).to_have_count(0)
        # An address that nobody has written by hand, but that is none of ours.
        anna.page.goto("about:blank")
        anna.open("/docs#%")
        expect(anna.page.get_by_role("heading", name="/auth/login")).to_be_visible()
        expect(anna.page.get_by_role("main").get_by_role("alert")).to_have_count(0)
        boris = visitor(locale="ru-RU", size="narrow", scheme="dark")
        boris.open("/docs#get-anime.list")
        expect(boris.page.get_by_role("main").locator("details[open]")).to_contain_text("Параметры")
        expect(boris.page.get_by_role("main").locator("details[open]")).to_contain_text("в строке запроса, integer, от 1 до 1")
        boris.page.get_by_label("Фильтр").fill("token")
        expect(boris.page.get_by_role("status").filter(has_text="вызов")).to_be_visible()


def without_javascript_a_page_says_what_it_needs():
    with visitors() as visitor:
        anna = visitor(java_script_enabled=False)
        anna.page.goto(anna.base + "/schedule/")
        said = anna.page.locator("noscript p").first
        expect(said).to_be_visible()
        expect(said).to_contain_text("This page needs JavaScript")


def people_find_pages_and_programs_the_api_below_one_name():
    browser = {"accept": "text/html,application/xhtml+xml"}
    for path in ("/account", "/decks", "/schedule"):
        answer = ask("GET", path, headers=browser)
        assert answer.status == 307 and answer.headers["Location"].endswith(path + "/"), answer
        answer = ask("GET", path + "?group=17&week=2031-10-06", headers=browser)
        assert answer.status == 307 and answer.headers["Location"].endswith(path + "/?group=17&week=2031-10-06"), answer
    assert ask("GET", "/account").status == 401
    for path in ("/account/nothing.js", "/account/nothing", "/schedule/nothing", "/decks/nothing", "/frame/", "/schedule/schedule.js/x"):
        assert ask("GET", path, headers=browser).status == 404, path


if __name__ == "__main__":
    sys.exit(keep(each_client_is_told_the_address_of_this_host, the_language_is_the_readers_and_can_be_changed,
                  pages_are_used_by_keyboard_alone, the_calls_of_the_api_are_found_in_both_languages, pages_allow_nothing_but_files_of_this_server,
                  without_javascript_a_page_says_what_it_needs, people_find_pages_and_programs_the_api_below_one_name))
