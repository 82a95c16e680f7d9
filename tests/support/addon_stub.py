"""Runs the code of the AnkiPH add-on without Anki's window: `aqt` is a stub, the collection is a real one.

What the add-on reads back from Qt has behaviour: texts, check boxes, lists, tables. Questions are answered with yes, what runs in
the background runs at once. Everything else swallows what is done to it. One add-on per process: it keeps its state in modules.

CALLS are the requests that it made, with their outcome; SHOWN what its message boxes told; TROUBLE what it told of failures.
"""

import builtins
import importlib
import logging
import pathlib
import sys
import types

CALLS, SHOWN, TROUBLE = [], [], []


def _tell_trouble(text):
    if "\u274c" in text or "\u2717" in text:  # its signs for a failure
        TROUBLE.append(text)


class _Anything:
    """Whatever the add-on asks of a widget."""

    def __init__(self, *_args, **_keywords):
        self.__dict__["_text"] = str(_args[0]) if _args and isinstance(_args[0], str) else ""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _Anything()

    def __call__(self, *_args, **_keywords):
        return _Anything()

    def __or__(self, _other):
        return self

    __and__ = __or__

    def __invert__(self):
        return self

    def __bool__(self):
        return True

    def __iter__(self):
        return iter(())

    def __int__(self):
        return 0

    def text(self):
        return self.__dict__.get("_text", "")

    def setText(self, text):
        if not isinstance(text, str):
            raise TypeError(f"setText(): unexpected type {type(text).__name__!r}")  # as Qt does
        self.__dict__["_text"] = text
        _tell_trouble(text)

    def append(self, text):
        self.__dict__["_text"] = self.text() + text + "\n"
        _tell_trouble(text)

    def clear(self):
        self.__dict__["_text"] = ""

    def toPlainText(self):
        return self.text()

    setPlainText = setHtml = setText


class _Meta(type):
    """Names of a class, such as QDialog.DialogCode."""

    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _Anything()


class Widget(_Anything, metaclass=_Meta):
    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return _Anything()


class QCheckBox(Widget):
    def setChecked(self, is_checked):
        self.__dict__["_checked"] = bool(is_checked)

    def isChecked(self):
        return self.__dict__.get("_checked", False)


class QListWidgetItem(Widget):
    def __init__(self, text=""):
        if not isinstance(text, str):
            raise TypeError(f"QListWidgetItem: unexpected type {type(text).__name__!r}")
        super().__init__(text)

    def setData(self, _role, value):
        self.__dict__["_data"] = value

    def data(self, _role=None):
        return self.__dict__.get("_data")


class QListWidget(Widget):
    def __init__(self, *_):
        super().__init__()
        self.__dict__.update(_items=[], _row=-1)

    def addItem(self, item):
        self._items.append(item)

    def clear(self):
        self._items.clear()
        self.__dict__["_row"] = -1

    def count(self):
        return len(self._items)

    def item(self, index):
        return self._items[index]

    def row(self, item):
        return self._items.index(item)

    def takeItem(self, row):
        return self._items.pop(row)

    def setCurrentRow(self, row):
        self.__dict__["_row"] = row

    def currentItem(self):
        return self._items[self._row] if 0 <= self._row < len(self._items) else None


class QComboBox(Widget):
    def __init__(self, *_):
        super().__init__()
        self.__dict__.update(_items=[], _row=0)

    def addItem(self, text, data=None):
        self._items.append((text, data))

    def addItems(self, texts):
        for text in texts:
            self.addItem(text)

    def clear(self):
        self._items.clear()
        self.__dict__["_row"] = 0

    def setCurrentIndex(self, row):
        self.__dict__["_row"] = row

    def currentIndex(self):
        return self._row

    def currentText(self):
        return self._items[self._row][0] if self._items else ""

    def currentData(self):
        return self._items[self._row][1] if self._items else None

    def findText(self, text):
        return next((row for row, one in enumerate(self._items) if one[0] == text), -1)

    def findData(self, data):
        return next((row for row, one in enumerate(self._items) if one[1] == data), -1)

    def choose(self, wanted):
        """For a test: the entry whose text or data this is true of."""
        self.__dict__["_row"] = next(row for row, one in enumerate(self._items) if wanted(*one))


class QTableWidget(Widget):
    def selectRow(self, row):
        self.__dict__["_row"] = row

    def selectedIndexes(self):
        row = self.__dict__.get("_row")
        return [] if row is None else [types.SimpleNamespace(row=lambda: row)]


class QMessageBox(Widget):
    class StandardButton:
        Yes, No, Ok, Cancel = 1, 2, 3, 4

    @staticmethod
    def question(*_args, **_keywords):
        return QMessageBox.StandardButton.Yes

    @staticmethod
    def information(_parent, title, text, *_):
        SHOWN.append(f"{title}: {text}")

    @staticmethod
    def warning(_parent, title, text, *_):
        SHOWN.append(f"{title}: {text}")
        if "Confirm" not in title:
            TROUBLE.append(f"{title}: {text}")
        return QMessageBox.StandardButton.Yes

    critical = warning


class QueryOp:
    def __init__(self, parent, op, success):
        del parent
        self.op, self.success, self.fail = op, success, None

    def failure(self, fail):
        self.fail = fail
        return self

    def run_in_background(self):
        try:
            result = self.op(sys.modules["aqt"].mw.col)
        except Exception as error:  # pylint: disable=broad-except
            self.fail(error)
        else:
            self.success(result)


class AddonManager:
    def __init__(self):
        self.config = None

    def getConfig(self, _name):
        return self.config

    def writeConfig(self, _name, config):
        self.config = config

    def addonFromModule(self, _module):
        return "addon"


class MainWindow(Widget):
    def __init__(self, collection):
        super().__init__()
        self.__dict__.update(addonManager=AddonManager(), col=collection, pm=types.SimpleNamespace(name="test"),
                             taskman=types.SimpleNamespace(run_on_main=lambda call: call()))


def _module(name, **members):
    module = types.ModuleType(name)
    module.__getattr__ = lambda member: members.get(member, Widget)
    module.__dict__.update(members)
    sys.modules[name] = module
    return module


def _watch(api):
    """Notes what becomes of each request."""
    post = api.post

    def watched(path, *args, **keywords):
        try:
            answer = post(path, *args, **keywords)
        except Exception as error:
            CALLS.append((path, getattr(error, "status_code", None) or repr(error)))
            raise
        CALLS.append((path, 200 if answer.get("success") is True else f"{answer.get('code')}: {answer.get('message')}"))
        return answer

    api.post = watched


class _Errors(logging.Handler):
    def emit(self, record):
        TROUBLE.append(record.getMessage())


def _print(*args, **_keywords):
    _tell_trouble(" ".join(map(str, args)))


def install(folder, collection, base_url, with_requests=True):
    """Loads the add-on in `folder` on this collection, talking to `base_url`; returns its package."""
    if not with_requests:
        sys.modules["requests"] = None  # its import fails
    window = MainWindow(collection)
    _module("aqt.qt", QListWidget=QListWidget, QListWidgetItem=QListWidgetItem, QMessageBox=QMessageBox, QCheckBox=QCheckBox,
            QRadioButton=QCheckBox, QComboBox=QComboBox, QTableWidget=QTableWidget, QTimer=types.SimpleNamespace(singleShot=lambda _ms, call: call()))
    _module("aqt.utils", **{name: (lambda *args, **_: SHOWN.append(str(args[0]) if args else "")) for name in (
        "showInfo", "showWarning", "showCritical", "tooltip")})
    _module("aqt.operations", QueryOp=QueryOp)
    _module("aqt.gui_hooks")
    sys.modules["aqt"] = types.ModuleType("aqt")
    sys.modules["aqt"].__dict__.update(mw=window, qt=sys.modules["aqt.qt"], utils=sys.modules["aqt.utils"], __path__=[])
    sys.modules["aqt"].__getattr__ = lambda _name: _Anything()
    # Its __init__.py makes menus.
    package = types.ModuleType("addon")
    package.__path__ = [str(pathlib.Path(folder))]
    sys.modules["addon"] = package
    client = importlib.import_module("addon.api_client")
    client.api.base_url = base_url
    _watch(client.api)
    package.window = window
    if (pathlib.Path(folder) / "logger.py").exists():
        log = logging.getLogger("AnkiPH")
        log.handlers[:] = [_Errors(level=logging.ERROR)]
        log.propagate = False
    return package


def hear_prints():
    """Its older builds tell of failures by print."""
    builtins.print = _print
