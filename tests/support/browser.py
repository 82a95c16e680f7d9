"""Chromium on the pages, used as a person would: by what is read and clicked, never by what is inside.

    with visitors() as visitor:
        anna = visitor()                    # a browser profile of its own: English, 1,280 pixels, light
        anna.open("/account/sign-in")
        anna.page.get_by_label("Password").fill("...")
        anna.look("sign-in")                # pictures of both widths and schemes; axe; nothing wider than the screen

A visitor notices what nobody would look for: errors in the console, parts that the Content-Security-Policy refused,
requests to another host, answers of 500 and more. They fail the test when the visitor leaves, unless it has said that it
expects them. Without Playwright or Chromium a program exits with 77 and the reason.
"""

import atexit
import contextlib
import functools
import json
import os
import pathlib
import re
import shutil
import sys
import urllib.parse

try:
    from axe_playwright_python.base import AXE_FILE_PATH
    from playwright.sync_api import expect, sync_playwright
except ImportError as error:
    print(os.environ.get("SYNCLINE_VENV_PROBLEM") or f"{error}; see tests/clients/requirements.txt")
    sys.exit(77)

CHROMIUM = shutil.which("chromium")
if CHROMIUM is None:
    print("there is no chromium; see packages.txt")
    sys.exit(77)

HTTP = os.environ.get("SYNCLINE_HTTP", "")
PICTURES = pathlib.Path(os.environ.get("SYNCLINE_PICTURES", "build/check/web/pictures"))
SIZES = {"wide": (1280, 900), "narrow": (360, 740)}
# What axe judges by: WCAG 2.2 at level AA, and its own advice.
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], "resultTypes": ["violations"]}

AXE = AXE_FILE_PATH.read_text(encoding="utf-8")

expect.set_options(timeout=10_000)


@functools.lru_cache
def chromium():
    """One for all tests of a program."""
    playwright = sync_playwright().start()
    # As root Chromium has no sandbox; it sees nothing but our own pages.
    started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    atexit.register(lambda: (started.close(), playwright.stop()))
    return started


@contextlib.contextmanager
def visitors():
    """Gives a function that makes a Visitor. At the end all of them leave and are asked for their complaints."""
    made = []

    def visitor(size="wide", scheme="light", locale="en-GB", timezone="Europe/Saratov", base=None, **options):
        width, height = SIZES[size]
        context = chromium().new_context(viewport={"width": width, "height": height}, color_scheme=scheme, locale=locale,
                                         timezone_id=timezone, reduced_motion="reduce", has_touch=size == "narrow",
                                         permissions=["clipboard-read", "clipboard-write"], **options)
        made.append(Visitor(context, base or HTTP))
        return made[-1]

    try:
        yield visitor
        left = [text for one in made for text in one.unexpected()]
        assert not left, left
    finally:
        for one in made:
            one.context.close()


class Visitor:
    def __init__(self, context, base):
        self.context, self.base = context, base
        self.complaints = []
        self.expected = []
        self.requests = []
        context.on("page", self._watch)
        self.page = context.new_page()

    def _watch(self, page):
        page.set_default_timeout(10_000)
        page.on("console", lambda message: message.type in ("error", "warning") and self._complain(f"console: {message.text}"))
        page.on("pageerror", lambda error: self._complain(f"error: {error}"))
        page.on("request", self._check_request)
        page.on("response", lambda answer: answer.status >= 500 and self._complain(f"{answer.status} of {answer.url}"))

    def _complain(self, text):
        # Chromium reports each refusal; what the page makes of it is what tests look at.
        if not re.match(r"console: Failed to load resource: the server responded with a status of 4\d\d", text):
            self.complaints.append(text)

    def _check_request(self, request):
        self.requests.append(request)
        address = urllib.parse.urlsplit(request.url)
        if address.scheme not in ("blob", "data") and f"{address.scheme}://{address.netloc}" != self.base:
            self._complain(f"a request to {request.url}")
        if re.search(r"eyJ[\w-]{10,}", request.url):
            self._complain(f"a token in the address {request.url}")

    def expects(self, pattern):
        """Complaints that match belong to the test."""
        self.expected.append(pattern)

    def unexpected(self):
        return [text for text in self.complaints if not any(re.search(pattern, text) for pattern in self.expected)]

    def open(self, path):
        """Returns when the page has everything that it loads by itself."""
        self.page.goto(self.base + path)
        self.wait()

    def wait(self):
        expect(self.page.locator("[aria-busy]")).to_have_count(0)

    def bring_session(self, user, access, refresh):
        """Has signed in before, in the same browser."""
        kept = json.dumps({"state": {"user": user, "accessToken": access, "refreshToken": refresh, "isAuthenticated": True}, "version": 0})
        # A new tab is empty at first, and has no storage.
        self.context.add_init_script(
            f"origin !== 'null' && (localStorage.getItem('auth-storage') ?? localStorage.setItem('auth-storage', {json.dumps(kept)}))")

    def arrive(self, path, account):
        """Opens a page as somebody who has signed in before. `account` has `user`, `access` and `refresh`."""
        self.bring_session(account.user, account.access, account.refresh)
        self.open(path)

    def stored(self):
        """The session, as scripts and people find it in local storage."""
        return self.page.evaluate("JSON.parse(localStorage.getItem('auth-storage'))")

    def look(self, name):
        """What is shown now: pictures in both widths and both schemes, and axe once with each."""
        before = self.page.viewport_size
        PICTURES.mkdir(parents=True, exist_ok=True)
        for size, (width, height) in SIZES.items():
            self.page.set_viewport_size({"width": width, "height": height})
            for scheme in ("light", "dark"):
                self.page.emulate_media(color_scheme=scheme)
                self.page.screenshot(path=PICTURES / f"{name}-{size}-{scheme}.png", full_page=True)
                if (size == "wide") == (scheme == "light"):
                    self._judge(f"{name}, {size}, {scheme}")
        self.page.set_viewport_size(before)
        self.page.emulate_media(color_scheme="null")

    def _judge(self, what):
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE)
        found = self.page.evaluate("(rules) => axe.run(document, rules)", RULES)["violations"]
        assert not found, (what, [(rule["id"], [node["html"][:200] for node in rule["nodes"][:3]]) for rule in found])
        beyond = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert beyond <= 0, f"{what}: {beyond} pixels wider than the screen"
