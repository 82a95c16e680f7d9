"""A stand-in for the web site of a university's timetable, on this machine: the server's runs talk to it unchanged.

    with Timetable(groups=40) as site:                  # site.url is for the setting schedule_site_url
        site.fault("/rasp/group/7003$", "status", code=500)
        ...
        assert site.count("^/$") == 1 and rows_of(database) == site.truth()

As a program it prints its two addresses, the site's and that of the control API, and runs until its input ends:

    python3 tests/support/timetable.py [--groups N] [--today 2031-10-06]

What the pages show is a plain list of lessons, made from a seed; tests compare the database with that list and never with
pages. None of the people and subjects exists. The first groups have every irregularity that the real site is known for.

Control API: POST /control/reset {"seed", "groups", "today"}; /control/clock {"today"}; /control/mutate [[name, argument...]]
answers the expected differences; /control/faults [{"path", "kind", ...}] replaces all; /control/gate {"path"} or {} to open;
GET /control/truth[?group=name]; GET /control/journal.

Left out on purpose: pages of teachers; TLS and proxies, which http_out_test has.
"""

import argparse
import contextlib
import datetime
import gzip
import http.server
import json
import random
import re
import socket
import socketserver
import struct
import sys
import threading
import time
import urllib.parse
import zoneinfo

WEEKDAYS = ("Понедельник", "Вторник", "Среда", "Четверг", "Пятница", "Суббота", "Воскресенье")
MONTHS = ("января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа", "сентября", "октября", "ноября", "декабря")
TIMES = {1: ("08:00", "09:30"), 2: ("09:45", "11:15"), 3: ("11:30", "13:00"), 4: ("13:40", "15:10"), 5: ("15:20", "16:50"),
         6: ("17:00", "18:30"), 7: ("18:40", "20:10"), 8: ("20:20", "21:50")}
TYPES = {"лекц": "lecture", "лек": "lecture", "прак": "practice", "лаб": "lab", "экзам": "exam", "зачет": "credit",
         "зачет с оценкой": "credit", "конс": "consultation", "курс. проект": "course", "диспут": "other"}
SUBJECTS = ["Теория тумана", "Иностранный язык", "Физкультура", "Ночная метеорология", "Основы облаковедения", "Химия росы",
            "Статистика капель", "История зонта", "Механика ветра", "Экономика града", "Радуги и <призмы>", 'Курс "Иней"',
            "Ёлочная акустика", "Снежинки \u2744", "Анализ & синтез"]
FAMILIES = ["Роса", "Иней", "Град", "Вьюгин", "Туманова", "Капель", "Морозов", "Лужин", "Ветрова", "Облаков"]
TEACHERS = [(901 + i, f"{family} {chr(1040 + i)}.{chr(1045 + i)}.") for i, family in enumerate(FAMILIES)]
SHOWN_WEEKS = 2
MADE_WEEKS = 8
DAY = datetime.timedelta(days=1)


def escaped(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def site_today():
    """The date at the university, which is not always that of this computer."""
    return datetime.datetime.now(zoneinfo.ZoneInfo("Europe/Saratov")).date()


class World:
    """What the site would know: institutes, groups, lessons. `full`: each page has 40 lessons."""

    def __init__(self, seed=1, groups=40, today=None, odd=True, full=False):
        self.full = full
        self.today = today or site_today()
        self.start = self.today - self.today.weekday() * DAY
        self.rng = random.Random(seed)
        self.institutes = [[41, "Институт облачных наук"], [42, "Институт осадков"], [43, "Институт осадков"],
                           [None, "Центр ясной погоды"]]
        self.teacher_names = dict(TEACHERS)
        self.groups = [self._group(i) for i in range(groups)]
        if odd and groups >= 8:
            self._make_odd()

    def _group(self, i):
        forms = [("Очная", "Бакалавриат", "б", ""), ("Очная", "Магистратура", "м", ""), ("Очно-заочная", "Бакалавриат", "б", "оз"),
                 ("Заочная (сокращенная)", "Специалитет", "с", "з")]
        form, degree, prefix, suffix = forms[i // 10 % 4]
        stem = "".join("ОБЛКТУМНРСВГ"[(i // 8 * 5 + k * 3) % 12] for k in range(4)) + suffix
        name = f"{prefix}-{stem}{i // 96 or ''}-{i // 2 % 4 + 1}{i % 2 + 1}"
        lessons = []
        for day in range(MADE_WEEKS * 7):
            if day % 7 == 6:
                continue
            count = (4 if day % 7 < 4 else 2) if self.full else self.rng.randint(0, 4)
            for number in sorted(self.rng.sample(range(1, 7), count)):
                lessons.append(self._lesson(self.start + day * DAY, number))
        return {"number": 7001 + i, "name": name, "institutes": [i % 4], "form": form, "degree": degree, "lessons": lessons,
                "heading": True, "exams": []}

    def _lesson(self, date, number, **more):
        number_of, name = self.rng.choice(TEACHERS)
        lesson = {"date": date, "weekday": date.isoweekday(), "number": number, "subject": self.rng.choice(SUBJECTS),
                  "type_text": self.rng.choice(list(TYPES)), "subgroup": 0, "room": f"{self.rng.randint(1, 9)}/{self.rng.randint(100, 599)}",
                  "teachers": [(number_of, name)], "times": TIMES[number], "shape": "plain"}
        lesson.update(more)
        return lesson

    def _make_odd(self):
        """The irregularities, on the numbers 7 and 8, which no other lesson has."""
        day = [self.start + (7 + i) * DAY for i in range(6)]
        add = lambda group, *args, **more: self.groups[group]["lessons"].append(self._lesson(*args, **more))
        # Subgroups, each with a room and a teacher (V1).
        for subgroup in (1, 2):
            add(0, day[0], 7, subject="Иностранный язык", type_text="прак", subgroup=subgroup, room=f"4/30{subgroup}",
                teachers=[TEACHERS[subgroup]], shape="triple")
        add(0, day[0], 8, subgroup=2, shape="marked", type_text="прак")                                        # V2
        for room in ("5/101", "5/102"):
            add(0, day[1], 7, subject="Физкультура", type_text="прак", teachers=[], room=room, shape="repeated")  # V3
            add(0, day[2], 7, subject="Химия росы", type_text="лаб", room=room, shape="cells")                   # V4
        add(0, day[3], 7, teachers=[TEACHERS[0], TEACHERS[3]])                                                   # V5
        add(1, day[0], 8, type_text="экзам")
        add(1, day[1], 7, teachers=[(None, "Безссылкин О.О.")])
        add(1, day[2], 7, room="К" * 120)
        add(1, day[3], 7, subject="Часть первая Часть вторая", shape="broken")
        add(1, day[4], 7, room="")
        add(1, day[5], 7, room="Дистанционно")
        add(2, day[6 - 1] + DAY, 7)                                                                              # a Sunday
        self.groups[2]["lessons"].append({**self._lesson(day[0], 7, shape="undated"), "date": None})
        self.groups[2]["exams"].append(("Экзамен:", "Архитектура льда", self.start + 30 * DAY, "exam"))
        self.groups[3]["heading"] = False
        self.groups[4]["institutes"] = [0, 1]                                                                    # in two cards
        self.groups[5]["name"] = self.groups[1]["name"] + " (ин.)"
        # One name in two institutes is two groups.
        self.groups[6]["name"] = self.groups[7]["name"]

    # --- what is shown

    def first_day(self, group):
        """A page may begin in the middle of a week."""
        monday = self.today - self.today.weekday() * DAY
        return self.today if not self.full and self.groups.index(group) % 3 == 2 else monday

    def last_day(self):
        return self.today - self.today.weekday() * DAY + (SHOWN_WEEKS * 7 - 1) * DAY

    def is_shown(self, group, lesson):
        return lesson["date"] is None or self.first_day(group) <= lesson["date"] <= self.last_day()

    def shown(self, group):
        return [lesson for lesson in group["lessons"] if self.is_shown(group, lesson)]

    def truth(self, group):
        """Sorted tuples: date, weekday, number, subject, type, subgroup, room, begin, end, names of teachers."""
        rows = []
        for lesson in self.shown(group):
            names = sorted(self.teacher_names[number] if number else name for number, name in lesson["teachers"])
            rows.append((str(lesson["date"] or ""), lesson["weekday"], lesson["number"], lesson["subject"],
                         TYPES[lesson["type_text"]], lesson["subgroup"], lesson["room"], *lesson["times"], ", ".join(names)))
        for _, subject, date, kind in group["exams"]:
            if date >= self.first_day(group):
                rows.append((str(date), date.isoweekday(), 0, subject, kind, 0, "", "00:00", "00:00", ""))
        return sorted(rows)

    def find(self, name):
        return next(group for group in self.groups if group["name"] == name)

    # --- pages

    def index(self):
        year = self.today.year if self.today.month >= 9 else self.today.year - 1
        term = "Первый" if self.today.month >= 9 or self.today.month == 1 else "Второй"
        out = [f'<div class="rasp-period">\n  {term} семестр {year}/{year + 1} учебного года </div>',
               f'<div class="rasp-date">Сегодня, {self.today.day} {MONTHS[self.today.month - 1]}</div>',
               '<div class="accordion rasp-structure" id="raspStructure">']
        for at, (number, name) in enumerate(self.institutes):
            groups = [group for group in self.groups if at in group["institutes"]]
            if not groups:
                continue
            out.append(f'<div class="card"><div class="card-header" id="heading{number or ""}">\n'
                       f'<div class="institute collapsed">\n   {escaped(name)}\n </div></div><div><div class="card-body">')
            state = None
            for group in groups:
                if (group["form"], group["degree"]) != state:
                    state = group["form"], group["degree"]
                    out.append(f'<div class="edu-form">{state[0]}</div><div class="group-type">{state[1]}</div>'
                               '<div class="row groups"><div class="col-auto group-start d-none"> ОБЛК </div></div>')
                host = "http://site.example" if group["number"] % 5 == 0 else ""
                query = "?from=index" if group["number"] % 7 == 0 else ""
                link = f'<a href="{host}/rasp/group/{group["number"]}{query}">{escaped(group["name"])}</a>' if group["number"] else escaped(group["name"])
                out.append(f'<div class="col-auto group">{link}</div>')
            out.append("</div></div></div>")
        out.append('</div><div class="accordion rasp-structure" id="raspNir"><div class="card"><div class="card-header" id="headingNir5">'
                   '<div class="institute collapsed">Заочная</div></div><div class="card-body"><a class="file" href="/files/nir/x.docx">'
                   'План НИР</a></div></div></div>')
        return self.whole("Расписание", "\n".join(out))

    @staticmethod
    def whole(title, body):
        return f'<!DOCTYPE html>\n<html><head><title>{title}</title></head>\n<body>\n{body}\n</body>\n</html>\n'

    def page(self, group):
        title = f"Расписание группы {escaped(group['name'])}" if group["heading"] else "Расписание"
        out = ['<div class="calendar">']
        if group["exams"]:
            out.append('<div class="lesson-warnings">')
            for caption, subject, date, _ in group["exams"]:
                out.append(f'<div class="lesson-warning">{caption}</div><div class="lesson-warning-text">{escaped(subject)} ({date:%d.%m.%Y})</div>')
            out.append("</div>")
        day, last = self.first_day(group), self.last_day()
        undated = [lesson for lesson in group["lessons"] if lesson["date"] is None]
        while day <= last:
            out.append('<div class="week"><div class="day day-header-color-blue"><div class="day-header day-header-hour">Пары</div>'
                       '<div class="day-lesson"><span>1</span>08:00 - 09:30</div></div>')
            while True:
                out.append(self.day(group, day, [lesson for lesson in group["lessons"] if lesson["date"] == day]))
                day += DAY
                if day.weekday() == 0 or day > last:
                    break
            if undated:
                out.append(self.day(group, None, undated))
                undated = []
            out.append("</div>")
        out.append("</div>")
        return self.whole(title, "\n".join(out))

    def day(self, group, date, lessons):
        weekday = date.weekday() if date else lessons[0]["weekday"] - 1
        head = f"<span>{WEEKDAYS[weekday]}</span>" + (f"{date:%d.%m}" if date else "")
        week = (date.isocalendar()[1] if date else 1) % 100
        out = [f'<div class="{"day day-current" if date == self.today else "day "}"><div class="day-header"><div>{head}</div></div>']
        for number in range(1, 9):
            here = [lesson for lesson in lessons if lesson["number"] == number]
            tag = f'data-lesson="w{week:02}n{number}"'
            if not here:
                out.append(f'<div class="day-lesson day-lesson-empty" {tag}></div>')
            elif here[0]["shape"] == "triple":
                out.append(f'<div class="day-lesson" {tag}><div>{self.cell(here[0], here)}</div></div>')
            elif here[0]["shape"] == "cells":
                out.append(f'<div class="day-lesson" {tag}>' + "".join(f"<div>{self.cell(one)}</div>" for one in here) + "</div>")
            else:
                out += [f'<div class="day-lesson" {tag}><div>{self.cell(one)}</div></div>' for one in here]
        return "".join(out) + "</div>"

    def cell(self, lesson, triples=()):
        begin, end = lesson["times"]
        subject = lesson["subject"]
        shown = subject.replace(" Часть", "<br>Часть") if lesson["shape"] == "broken" else escaped(subject).replace(" ", "&nbsp;", 1)
        out = [f'<div class="lesson-hour">{begin} - {end}<span>&mdash;</span></div>']
        room = f'<div class="lesson-room">{escaped(lesson["room"])}</div>' if lesson["room"] else ""
        if not triples:
            out.append(room)
        out.append(f'<div class="lesson-name">{shown}</div><div class="lesson-type">({lesson["type_text"]})</div>')
        for one in triples:
            out.append(f'<div class="lesson-room lesson-room-1">Подгр. {one["subgroup"]}</div><div class="lesson-room mt-1">{one["room"]}</div>')
            out.append(self.teacher(*one["teachers"][0]))
        if not triples:
            out += [self.teacher(*one) for one in lesson["teachers"]]
        if lesson["shape"] == "marked":
            out.append(f'<div class="lesson-room mt-2">Подгр. {lesson["subgroup"]}</div>')
        return "".join(out)

    def teacher(self, number, name):
        if number is None:
            return f'<div class="lesson-teacher">{escaped(name)}</div>'
        host = "https://www.uni.example" if number % 2 else ""
        return (f'<div class="lesson-teacher"><a href="{host}/teachers/{number}-someone.html">'
                f'{escaped(self.teacher_names[number])}</a></div>')

    # --- mutations. Each returns what a run must find: added, changed, removed.

    def future(self, name, at=0):
        group = self.find(name)
        return [lesson for lesson in self.shown(group) if lesson["date"] and lesson["date"] > self.today and lesson["shape"] == "plain"][at]

    def mutate(self, kind, *args):
        return getattr(self, "mutate_" + kind)(*args)

    def mutate_add(self, name):
        group = self.find(name)
        free = next(self.last_day() - i * DAY for i in range(14)
                    if not any(l["date"] == self.last_day() - i * DAY and l["number"] == 6 for l in group["lessons"]))
        group["lessons"].append(self._lesson(free, 6))
        return [1, 0, 0]

    def mutate_remove(self, name):
        self.find(name)["lessons"].remove(self.future(name))
        return [0, 0, 1]

    def mutate_room(self, name, room="9/999"):
        self.future(name)["room"] = room
        return [0, 1, 0]

    def mutate_teacher(self, name):
        lesson = self.future(name)
        lesson["teachers"] = [next(one for one in TEACHERS if one not in lesson["teachers"])]
        return [0, 1, 0]

    def mutate_move(self, name):
        lesson = self.future(name)
        lesson["number"], lesson["times"] = 8, TIMES[8]
        return [1, 0, 1]

    def mutate_type(self, name):
        lesson = self.future(name)
        lesson["type_text"] = "лаб" if TYPES[lesson["type_text"]] != "lab" else "прак"
        return [1, 0, 1]

    def mutate_rename_group(self, name, new):
        self.find(name)["name"] = new
        return [0, 0, 0]

    def mutate_rename_teacher(self, number, new):
        self.teacher_names[number] = new
        return [0, 0, 0]

    def mutate_swap_ids(self, one, other):
        a, b = self.find(one), self.find(other)
        a["number"], b["number"] = b["number"], a["number"]
        return [0, 0, 0]

    def mutate_new_id(self, name, number):
        self.find(name)["number"] = number
        return [0, 0, 0]

    def mutate_drop_group(self, name):
        self.groups.remove(self.find(name))
        return [0, 0, 0]

    def mutate_empty_group(self, name):
        group = self.find(name)
        gone = len(self.shown(group))
        group["lessons"] = [lesson for lesson in group["lessons"] if not self.is_shown(group, lesson)]
        return [0, 0, gone]


OLD_LAYOUT = "<div class='rasp-table'><div class='rasp-table-col'><div class='rasp-table-col__head'>Понедельник 06.10</div></div></div>"


class Reset(Exception):
    """The connection ends without another word."""


class Timetable:
    """The server. Attributes of its world may be changed under `lock`."""

    def __init__(self, seed=1, groups=40, today=None, odd=True, delay=0.0):
        self.lock = threading.RLock()
        self.world = World(seed, groups, today, odd)
        self.delay = delay
        self.faults, self.journal = [], []
        self.validators = False
        self._gate, self._opened = None, threading.Condition()
        self._waiting = self._running = self.peak = 0
        self._server = self._serve(_Site)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def _serve(self, handler):
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler, bind_and_activate=False)
        server.allow_reuse_address = server.daemon_threads = True
        server.request_queue_size = 256
        server.server_bind()
        server.server_activate()
        server.site = self
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return server

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.open_gate()
        self._server.shutdown()
        self._server.server_close()

    # --- control

    def reset(self, **world):
        with self.lock:
            self.world = World(**world)
            self.faults, self.journal, self.peak = [], [], 0
        self.open_gate()

    def clock(self, today):
        with self.lock:
            self.world.today = today

    def mutate(self, kind, *args):
        with self.lock:
            return self.world.mutate(kind, *args)

    def fault(self, path, kind, first=None, **more):
        """`first`: only of the first n requests."""
        with self.lock:
            self.faults.append({"path": path, "kind": kind, "first": first, "seen": 0, **more})

    def clear(self):
        with self.lock:
            self.faults, self.journal, self.peak = [], [], 0

    def hold(self, path):
        """Requests for such a path wait until open_gate()."""
        with self._opened:
            self._gate = path

    def open_gate(self):
        with self._opened:
            self._gate = None
            self._opened.notify_all()

    def waiting(self):
        return self._waiting

    def truth(self, name=None):
        with self.lock:
            return {(group["name"], group["number"]): self.world.truth(group) for group in self.world.groups if name in (None, group["name"])}

    def count(self, path=""):
        with self.lock:
            return sum(1 for entry in self.journal if re.search(path, entry["path"]))

    def gaps(self):
        """Seconds between the starts of requests, the smallest first."""
        starts = sorted(entry["at"] for entry in self.journal)
        return sorted(b - a for a, b in zip(starts, starts[1:]))

    # --- of a request

    def pass_gate(self, path):
        with self._opened:
            if self._gate is None or not re.search(self._gate, path):
                return
            self._waiting += 1
            self._opened.wait_for(lambda: self._gate is None or not re.search(self._gate, path), 120)
            self._waiting -= 1

    def fault_of(self, path):
        with self.lock:
            for fault in self.faults:
                if not re.search(fault["path"], path):
                    continue
                fault["seen"] += 1
                if fault["first"] is None or fault["seen"] <= fault["first"]:
                    return fault
        return None

    def begin(self, entry):
        with self.lock:
            self.journal.append(entry)
            self._running += 1
            self.peak = max(self.peak, self._running)

    def end(self):
        with self.lock:
            self._running -= 1

    def body(self, path):
        """None: no such page."""
        with self.lock:
            world = self.world
            if path in ("/", "/rasp/"):
                return world.index()
            found = re.fullmatch(r"/rasp/group/(\d+)", path)
            group = next((one for one in world.groups if found and one["number"] == int(found[1])), None)
            return world.page(group) if group else None

    def other_body(self, path):
        """Of another group."""
        with self.lock:
            numbers = [group["number"] for group in self.world.groups if group["number"]]
            mine = int(path.rpartition("/")[2])
            return self.body(f"/rasp/group/{numbers[(numbers.index(mine) + 1) % len(numbers)]}")


class _Site(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass

    def do_GET(self):  # pylint: disable=invalid-name
        site = self.server.site
        path = self.path
        if path.startswith("/relay?"):
            path = urllib.parse.urlsplit(urllib.parse.parse_qs(urllib.parse.urlsplit(path).query)["url"][0]).path
        entry = {"at": time.monotonic(), "path": path, "agent": self.headers.get("User-Agent"), "relay": self.path.startswith("/relay"),
                 "if_none_match": self.headers.get("If-None-Match"), "status": None}
        site.begin(entry)
        try:
            site.pass_gate(path)
            if site.delay:
                time.sleep(site.delay)
            self.serve(site, path, entry)
        except (Reset, OSError):
            self.close_connection = True
        finally:
            site.end()

    def serve(self, site, path, entry):
        fault = site.fault_of(path)
        kind = fault["kind"] if fault else None
        html = site.body(path)
        if html is None and kind != "status":
            entry["status"] = 404
            return self.answer(404, b"<html><body>404</body></html>")
        data = (html or "").encode()
        headers = [("Content-Type", "text/html; charset=utf-8")]
        if kind is None:
            if site.validators:
                tag = f'"{hash(data) & 0xffffffff:x}"'
                headers.append(("ETag", tag))
                if self.headers.get("If-None-Match") == tag:
                    entry["status"] = 304
                    return self.answer(304, None, headers)
            entry["status"] = 200
            return self.answer(200, data, headers)
        entry["status"] = kind
        return getattr(self, "fault_" + kind)(site, path, data, headers, fault)

    def answer(self, status, data, headers=()):
        if data is not None and "gzip" in self.headers.get("Accept-Encoding", "") and len(data) > 500:
            data, headers = gzip.compress(data, 1), [*headers, ("Content-Encoding", "gzip")]
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if data is not None:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if data is not None:
            self.wfile.write(data)

    # --- faults

    def fault_status(self, _site, _path, _data, _headers, fault):
        more = [(name.replace("_", "-"), str(fault[name])) for name in ("Retry_After", "Location") if name in fault]
        self.answer(fault["code"], b"<html><body>no</body></html>", more)

    def fault_hang(self, *_):
        time.sleep(60)
        raise Reset

    def fault_drip(self, _site, _path, data, headers, _fault):
        self.send_response(200)
        for name, value in [*headers, ("Content-Length", str(len(data)))]:
            self.send_header(name, value)
        self.end_headers()
        for byte in data:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(1)

    def fault_reset(self, *_):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Reset

    def fault_short(self, _site, _path, data, headers, fault):
        """Cut in the middle: `how` is length, chunked or close."""
        half = data[:len(data) // 2 + 1]
        self.send_response(200)
        for name, value in headers:
            self.send_header(name, value)
        if fault["how"] == "length":
            self.send_header("Content-Length", str(len(data)))
        elif fault["how"] == "chunked":
            self.send_header("Transfer-Encoding", "chunked")
            half = b"%x\r\n%s\r\n" % (len(half), half)
        else:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(half)
        raise Reset

    def fault_cp1251(self, _site, _path, data, _headers, fault):
        """`how`: header, meta or neither says so."""
        html = data.decode()
        if fault["how"] == "meta":
            html = html.replace("<head>", '<head><meta http-equiv="Content-Type" content="text/html; charset=windows-1251">')
        header = "text/html; charset=windows-1251" if fault["how"] == "header" else "text/html"
        self.answer(200, html.encode("cp1251", "xmlcharrefreplace"), [("Content-Type", header)])

    def fault_bytes(self, _site, _path, data, headers, fault):
        """Invalid bytes instead of a part of the letters."""
        data, rng = bytearray(data), random.Random(1)
        letters = [at for at in range(data.index(b"calendar"), len(data)) if data[at] >= 0x80]
        for at in rng.sample(letters, max(1, int(len(letters) * fault["part"]))):
            data[at] = 0xFF
        self.answer(200, bytes(data), headers)

    def fault_captcha(self, _site, _path, _data, headers, _fault):
        self.answer(200, World.whole("Проверка", "<div>Подтвердите, что вы не робот</div>").encode(), headers)

    def fault_other_group(self, site, path, _data, headers, _fault):
        self.answer(200, site.other_body(path).encode(), headers)

    def fault_nobody(self, site, path, _data, headers, _fault):
        html = re.sub(r"<title>.*?</title>", "<title>Расписание</title>", site.other_body(path))
        self.answer(200, html.encode(), headers)

    def fault_half_index(self, site, _path, _data, headers, fault):
        with site.lock:
            groups = site.world.groups
            site.world.groups = groups[:int(len(groups) * fault.get("part", 0.5))]
            html = site.world.index()
            site.world.groups = groups
        self.answer(200, html.encode(), headers)

    def fault_empty_slots(self, site, path, _data, headers, _fault):
        with site.lock:
            group = next(one for one in site.world.groups if path.endswith(f"/{one['number']}"))
            kept = group["lessons"], group["exams"]
            group["lessons"], group["exams"] = [], []
            html = site.world.page(group)
            group["lessons"], group["exams"] = kept
        self.answer(200, html.encode(), headers)

    def fault_no_weeks(self, _site, _path, _data, headers, _fault):
        self.answer(200, World.whole("Расписание", '<div class="calendar"></div>').encode(), headers)

    def fault_old_layout(self, _site, _path, _data, headers, _fault):
        self.answer(200, World.whole("Расписание", OLD_LAYOUT).encode(), headers)

    def fault_unclosed(self, _site, _path, data, headers, _fault):
        self.answer(200, data.replace(b"</span>", b"").replace(b"<body>", b"<body><b><i>"), headers)

    def fault_empty_body(self, _site, _path, _data, headers, _fault):
        self.answer(200, b"", headers)

    def fault_huge(self, _site, _path, _data, headers, _fault):
        self.send_response(200)
        for name, value in [*headers, ("Content-Length", str(50 << 20))]:
            self.send_header(name, value)
        self.end_headers()
        for _ in range(50):
            self.wfile.write(b"<p>" * ((1 << 20) // 3))

    def fault_broken_gzip(self, _site, _path, data, headers, _fault):
        data = gzip.compress(data)
        self.send_response(200)
        for name, value in [*headers, ("Content-Encoding", "gzip"), ("Content-Length", str(len(data)))]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data[:20] + bytes(len(data) - 20))

    def fault_noise(self, site, path, data, headers, _fault):
        """Differences that nobody sees."""
        html = data.decode().replace("&nbsp;", " ").replace('class="lesson-name"', 'class="lesson-name bold"')
        html = re.sub(r'\((лекц|прак|лаб)\)', lambda found: f"({found[1].upper()})<br>({found[1]})", html)
        html = re.sub(r'class="day-lesson" (data-lesson="\w+")', r'\1 class="day-lesson"', html)
        # Two teachers, two subgroups, two cells of a slot and two slots of one number, each in the other order.
        html = re.sub(rf"({_TEACHER})({_TEACHER})", r"\2\1", html)
        html = re.sub(rf"({_SUBGROUP})({_SUBGROUP})", r"\2\1", html)
        html = re.sub(rf"({_CELL})({_CELL})(?=</div>)", r"\2\1", html)
        html = re.sub(rf'(<div data-lesson="\w+" class="day-lesson">{_CELL}</div>)(<div data-lesson="\w+" class="day-lesson">{_CELL}</div>)',
                      lambda found: found[2] + found[1] if found[1][:25] == found[2][:25] else found[0], html)
        html = html.replace("Теория", "Тео&shy;рия").replace("Химия", "Хи\u200bмия").replace("й", "и\u0306").replace("\n", "\r\n")
        html = re.sub("<title>(.*?)</title>", lambda found: f"<title>{found[1].replace('-', chr(0x2011))}</title>", html)
        self.answer(200, html.encode(), headers)


_TEACHER = r'<div class="lesson-teacher">(?:(?!</div>).)*</div>'
_SUBGROUP = r'<div class="lesson-room lesson-room-1">Подгр\. \d</div><div class="lesson-room mt-1">[^<]*</div>' + _TEACHER
_CELL = r'<div><div class="lesson-hour">(?:(?!<div class="lesson-hour">|data-lesson).)*?</div></div>'


# --- the database, as the list of the site names it

ROWS = """SELECT g.name, g.upstream_id, coalesce(l.slot_date::text, ''), l.weekday, l.lesson_number, s.name, l.lesson_type, l.subgroup,
       coalesce(r.name, ''), to_char(l.start_time, 'HH24:MI'), to_char(l.end_time, 'HH24:MI'),
       coalesce((SELECT string_agg(t.full_name, ', ' ORDER BY t.full_name COLLATE "C") FROM schedule_lesson_teachers lt
                 JOIN schedule_teachers t USING (teacher_id) WHERE lt.lesson_id = l.lesson_id), '')
FROM schedule_groups g JOIN schedule_lessons l USING (group_id) JOIN schedule_subjects s USING (subject_id)
LEFT JOIN schedule_rooms r USING (room_id) WHERE l.removed_at IS NULL"""


def rows_of(session, where=""):
    """{(name, number): rows} as Timetable.truth() has them. `session`: database.Session."""
    found = {}
    for name, number, date, weekday, lesson, subject, kind, subgroup, room, begin, end, teachers in session.ask(ROWS + where):
        found.setdefault((name, int(number or 0)), []).append(
            (date, int(weekday), int(lesson), subject, kind, int(subgroup), room, begin, end, teachers))
    return {key: sorted(rows) for key, rows in found.items()}


# --- as a program


class _Control(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass

    def reply(self, value):
        data = json.dumps(value, ensure_ascii=False, default=str).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):  # pylint: disable=invalid-name
        site = self.server.site
        url = urllib.parse.urlsplit(self.path)
        if url.path == "/control/truth":
            name = urllib.parse.parse_qs(url.query).get("group", [None])[0]
            return self.reply({f"{key[0]} #{key[1]}": rows for key, rows in site.truth(name).items()})
        gaps = site.gaps()
        return self.reply({"requests": site.journal, "peak": site.peak, "smallest_gap": gaps[0] if gaps else None})

    def do_POST(self):  # pylint: disable=invalid-name
        site = self.server.site
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or "{}")
        answer = {}
        if self.path == "/control/reset":
            if "today" in body:
                body["today"] = datetime.date.fromisoformat(body["today"])
            site.reset(**body)
        elif self.path == "/control/clock":
            site.clock(datetime.date.fromisoformat(body["today"]))
        elif self.path == "/control/mutate":
            answer = [site.mutate(*one) for one in body]
        elif self.path == "/control/faults":
            site.clear()
            for one in body:
                site.fault(**one)
        elif self.path == "/control/gate":
            site.hold(body["path"]) if body.get("path") else site.open_gate()
        return self.reply(answer)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--groups", type=int, default=40)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--delay", type=float, default=0)
    options.add_argument("--today", type=datetime.date.fromisoformat)
    wanted = options.parse_args()
    with Timetable(wanted.seed, wanted.groups, wanted.today, delay=wanted.delay) as site, contextlib.ExitStack() as both:
        control = site._serve(_Control)  # pylint: disable=protected-access
        both.callback(control.shutdown)
        print(site.url, f"http://127.0.0.1:{control.server_address[1]}", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
