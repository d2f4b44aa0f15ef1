"""Which process lives, and who gives no new sign of life, and since when."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from transfer import processes
from transfer.processes import Watch


@pytest.fixture
def waits() -> Iterator[subprocess.Popen[bytes]]:
    """A process that waits for the end of its input; `abcdef01` is its argument."""
    command = [sys.executable, "-c", "import sys; sys.stdin.read()", "abcdef01"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def set_clock(monkeypatch: pytest.MonkeyPatch, by: float) -> None:
    """The calendar goes on from another time, and with it all times of creation."""
    now, created = time.time, psutil.Process.create_time
    monkeypatch.setattr(time, "time", lambda: now() + by)
    monkeypatch.setattr(psutil.Process, "create_time", lambda one: created(one) + by)


def test_find__a_living_process() -> None:
    started = processes.start_of(os.getpid())
    assert processes.find(os.getpid(), started, "none") == psutil.Process()


def test_find__a_zombie_is_gone(zombie: int) -> None:
    assert processes.find(zombie, processes.start_of(zombie), "none") is None


def test_find__another_process_of_the_same_number_is_not_it() -> None:
    for moment in (0.02, -0.02, 3600.0):
        started = processes.start_of(os.getpid()) + moment
        assert processes.find(os.getpid(), started, "python") is None
    assert processes.find(None, None, "python") is None


@pytest.mark.parametrize("hours", [-1, 1])
def test_find__a_clock_that_was_set_loses_no_process_and_finds_no_other(
    waits: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    started = processes.start_of(waits.pid)
    set_clock(monkeypatch, 3600.0 * hours)
    assert processes.find(waits.pid, started, "none")
    assert processes.find(waits.pid, started + 3600.0 * hours, "none") is None


@pytest.mark.parametrize("hours", [-1, 0, 1])
def test_find__what_an_earlier_version_started_is_known_by_its_command(
    waits: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    by_the_calendar = psutil.Process(waits.pid).create_time()
    set_clock(monkeypatch, 3600.0 * hours)
    assert processes.find(waits.pid, by_the_calendar, "abcdef01")
    other = processes.find(waits.pid, by_the_calendar, "abcdef02")
    assert (other is None) == (hours != 0)


def test_start_of__no_process() -> None:
    assert processes.start_of(1 << 30) == 0.0


class Clock:
    """Seconds that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def seconds(watch: Watch, clock: Clock, *signs: object, pause: float = 1.0) -> float:
    """What is said of the last of these signs, each seen a pause after the other."""
    for sign in signs:
        clock.now += pause
        said = watch.seconds("one", sign)
    return said


def test_seconds__counts_while_the_sign_stays(clock: Clock) -> None:
    assert seconds(Watch(clock), clock, *[7] * 41, pause=0.5) == 20.0


def test_seconds__a_new_sign_begins_anew(clock: Clock) -> None:
    watch = Watch(clock)
    seconds(watch, clock, *[7] * 50)
    assert seconds(watch, clock, 8) == 0.0
    assert seconds(watch, clock, 8, 8) == 2.0


def test_seconds__a_machine_that_slept_for_a_night_counts_one(clock: Clock) -> None:
    watch = Watch(clock)
    seconds(watch, clock, 7, 7)
    assert seconds(watch, clock, 7, pause=30_000.0) == 2.0


def test_forget__begins_anew(clock: Clock) -> None:
    watch = Watch(clock)
    seconds(watch, clock, *[7] * 50)
    watch.forget("one")
    assert seconds(watch, clock, 7) == 0.0


def test_environment__has_what_is_of_use_and_no_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    needed = {
        **{"TRANSFER_HOME": "/a", "TRANSFER_ROOTS": "/b", "TRANSFER_CACHE_GB": "1"},
        **{"KERAS_HOME": "/c", "OMP_NUM_THREADS": "2", "ONEDNN_MAX_CPU_ISA": "AVX2"},
        **{"https_proxy": "d", "LC_ALL": "C.UTF-8", "SystemRoot": "e"},
    }
    secret = {
        **{"TRANSFER_ADMIN": "word", "TRANSFER_METRICS_TOKEN": "word"},
        **{"AWS_SECRET_ACCESS_KEY": "word", "GITHUB_TOKEN": "word"},
        **{"STREAMLIT_SERVER_COOKIE_SECRET": "word", "SSH_AUTH_SOCK": "/f"},
        **{"TRANSFER_SOMETHING_NEW": "word"},
    }
    for name, value in {**needed, **secret}.items():
        monkeypatch.setenv(name, value)
    found = processes.environment()
    assert {name: found.get(name) for name in needed} == needed
    assert not secret.keys() & found.keys()
    assert "word" not in found.values()


@pytest.mark.skipif(sys.platform != "linux", reason="others count it otherwise")
def test_limit_memory__ends_what_takes_more() -> None:
    code = (
        "from transfer import processes; processes.limit_memory(300_000_000);"
        "small = bytearray(50_000_000); print('fits', flush=True);"
        "large = bytearray(400_000_000)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "fits\n" and "MemoryError" in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="others count it otherwise")
def test_limit_memory__without_a_size_is_the_machine_and_goes_first() -> None:
    code = (
        "import resource; from pathlib import Path; from transfer import processes;"
        "processes.limit_memory(); print(resource.getrlimit(resource.RLIMIT_DATA)[0],"
        "Path('/proc/self/oom_score_adj').read_text())"
    )
    said = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    has_gpu = Path("/dev/nvidiactl").exists()
    assert int(said[0]) == (-1 if has_gpu else psutil.virtual_memory().total)
    assert said[1] == "500"


AUTOGROUP = Path("/proc/self/autogroup")


@pytest.mark.skipif(not AUTOGROUP.exists(), reason="sessions share no cores here")
@pytest.mark.parametrize(("own_session", "expected"), [(True, 5), (False, 0)])
def test_give_way__takes_its_session_along_if_it_is_its_own(
    own_session: bool, expected: int
) -> None:
    # In a session in any case, so that no test's is made nice.
    lines = (
        "import os, sys, pathlib",
        "from transfer import processes",
        "leads = os.getsid(0) == os.getpid()",
        "child = 0 if leads == (sys.argv[1] == 'True') else os.fork()",
        "if child: sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))",
        "processes.give_way()",
        f"print(os.nice(0), pathlib.Path('{AUTOGROUP}').read_text().split()[-1])",
    )
    ran = subprocess.run(
        [sys.executable, "-c", "\n".join(lines), str(own_session)],
        start_new_session=True,
        capture_output=True,
        text=True,
        check=True,
    )
    niceness, of_session = map(int, ran.stdout.split())
    assert niceness >= 10
    assert of_session == expected
