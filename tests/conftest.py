"""How the tests are shared out to processes: a file stays in one, and so do all tests that stand on the same long preparation."""

import os
import signal

import pytest

# The workers of pytest-xdist have the width of the terminal that it was started in; what is printed is tested as in a pipe.
os.environ.pop("COLUMNS", None)
# In the background of a script Ctrl-C is ignored, and processes started from here would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Fixtures of many seconds, made once in a process, and the folders that use one.
SHARED_FIXTURES = ("outcomes",)
SHARED_FOLDERS = ("verify_report", "verify_region")


def _group(item: pytest.Item) -> str:
    for fixture in SHARED_FIXTURES:
        if fixture in getattr(item, "fixturenames", ()):
            return fixture
    folder = item.path.parent.name
    return folder if folder in SHARED_FOLDERS else str(item.path)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))
