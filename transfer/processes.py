"""Whether a process lives, and how to start and end one.

A clock that is set, an hour on or back, makes no difference to any answer: when a
process began is measured from the start of the machine, and what passes meanwhile by
a clock that only runs forward.

A process can also live and do nothing any more. Native code can take Python's lock
(the GIL) and never give it back; then no thread of Python runs, the one that shows
signs of life neither, so another process must look.
"""

import contextlib
import os
import socket
import time
import uuid
from collections.abc import Callable, Collection
from pathlib import Path

import psutil

#: Seconds without a sign of life after which a process that lives is given up. Longest
#: of all native calls that hold all threads, OpenVINO's conversion held them 2.0 s for
#: ResNet50, with a dozen busy programs on two cores; it grows with the parameters, of
#: which the largest backbone has 14 times as many. Import of Keras: 0.4 s.
LIMIT = 60.0

#: A look counts for no more seconds than this: if much more passed since the last one,
#: the whole machine slept, and the process had no time to show that it lives.
_MOST_SECONDS = 1.0

#: Seconds for processes to end by themselves before they are killed.
_GRACE = 1.0
#: How nice a session is made, how often that is tried, and seconds between two tries.
_OF_SESSION, _TRIES, _TRY_AGAIN = 5, 10, 0.1
#: A start above this is one by the calendar, in seconds since 1970; one that is counted
#: from the start of the machine is below: no machine runs for thirty years.
_BY_THE_CALENDAR = 1e9
#: Where Linux says what a container may have.
CGROUP = Path("/sys/fs/cgroup")


def this_machine() -> str:
    """What this machine is called among those of one store: `TRANSFER_MACHINE`.

    Else its name in the network. Numbers of processes are asked for only where the
    machine of a job is this one.
    """
    return os.environ.get("TRANSFER_MACHINE") or socket.gethostname()


def identity() -> str:
    """Where numbers of processes mean the same: one start of a machine or container."""
    with contextlib.suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        # The containers of a machine share its start, and have numbers of their own.
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    return f"{socket.gethostname()} {uuid.getnode():x}"


def claim() -> float | None:
    """When the job that this process does was taken, where a cluster was asked for it.

    It may come late: until the cluster has room, the job may be another process'.
    """
    told = os.environ.get("TRANSFER_CLAIM")
    return float(told) if told else None


def start_of(pid: int) -> float:
    """When a process began; 0 if there is none of that number.

    Together with its number it names a process for good, for the same number may be
    given again. In seconds since the start of the machine on Linux, where the kernel
    counts in steps of 0.01 s; elsewhere in seconds since 1970, as the system noted them
    then, so that a clock which is set later changes nothing.
    """
    try:
        # The name of the program, in brackets, may hold spaces and brackets itself.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, IndexError, ValueError, AttributeError):
        pass
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return 0.0


def find(pid: int | None, started_at: float | None, name: str) -> psutil.Process | None:
    """The living process of this number and start; `None` if it is gone.

    A zombie is gone, and so is a process that only got the same number later.

    Args:
        started_at: What `start_of` said when the number was noted.
        name: A word of its command line, by which it is known where an earlier version
            noted the start by the calendar.
    """
    if not pid or started_at is None:
        return None
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        same = abs(start_of(pid) - started_at) < 0.005
        if not same and started_at > _BY_THE_CALENDAR:
            # psutil counts from the start of the machine, too, and adds what the
            # calendar says of that now: an hour more once the clock was set.
            near = abs(process.create_time() - started_at) < 1.0
            same = near or name in process.cmdline()
        return process if same else None
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return None


class Tree:
    """A process and all that it has started."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process

    def terminate(self) -> None:
        """Asks each to end."""
        self._tell(psutil.Process.terminate)

    def kill(self) -> None:
        """Ends each."""
        self._tell(psutil.Process.kill)

    def _tell(self, what: Callable[[psutil.Process], None]) -> None:
        for one in [*self._process.children(recursive=True), self._process]:
            with contextlib.suppress(psutil.NoSuchProcess):
                what(one)


def end_children() -> None:
    """Ends all that this process has started, by force where need be."""
    children = psutil.Process().children(recursive=True)
    for one in children:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.terminate()
    _, left = psutil.wait_procs(children, _GRACE)
    for one in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.kill()
    psutil.wait_procs(left, _GRACE)


#: What a process that works for us is told of the environment: where things are, how
#: libraries are to compute, the way to the internet, and what is ours.
_OF_USE = frozenset(
    """HOME LANG LANGUAGE LOGNAME PATH SHELL TERM TZ USER TMPDIR VIRTUAL_ENV KERAS_HOME
    SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE http_proxy https_proxy no_proxy
    HTTP_PROXY HTTPS_PROXY NO_PROXY
    TRANSFER_HOME TRANSFER_ROOTS TRANSFER_DATABASE_URL TRANSFER_CACHE_GB
    TRANSFER_MAX_RUNNING TRANSFER_AUTH TRANSFER_MACHINE TRANSFER_LIMITS
    TRANSFER_INSTRUCTOR_LIMITS TRANSFER_ENGINE TRANSFER_CORES TRANSFER_CLAIM
    RAY_ADDRESS""".split()
)
_OF_USE_FROM = (
    *("LC_", "LD_", "DYLD_", "PYTHON", "XDG_", "MALLOC_", "GLIBC_"),
    *("TF_", "XLA_", "KERAS_", "OMP_", "KMP_", "MKL_", "OPENBLAS_", "NUMEXPR_"),
    *("ONEDNN_", "DNNL_", "OPENVINO_", "OV_", "CUDA_", "NVIDIA_", "RAY_AUTH_"),
    # Windows does not work without these.
    *("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "TEMP", "TMP"),
    *("APPDATA", "LOCALAPPDATA", "USERPROFILE", "PROGRAMDATA", "NUMBER_OF_PROCESSORS"),
)


class Watch:
    """Says for how long signs of life have not changed, as one looks again and again.

    Args:
        clock: Seconds, from any start.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[str, tuple[object, float, float]] = {}

    def seconds(self, name: str, sign: object) -> float:
        """Seconds for which the sign of this name has been the same.

        Args:
            name: Who gives it.
            sign: Anything that changes while all is well.
        """
        now = self._clock()
        last, still, looked_at = self._seen.get(name, (None, 0.0, now))
        still += min(now - looked_at, _MOST_SECONDS)
        self._seen[name] = sign, still if sign == last else 0.0, now
        return self._seen[name][1]

    def forget_all_but(self, names: Collection[str]) -> None:
        """Keeps nothing of who is not looked at any more."""
        self._seen = {name: self._seen[name] for name in self._seen if name in names}

    def forget(self, name: str) -> None:
        """Begins anew with this name."""
        self._seen.pop(name, None)


def environment() -> dict[str, str]:
    """What this process' environment has for one that works for it.

    In it `transfer` can be imported from anywhere. What is not known to be of use stays
    behind: passwords and tokens of the server, of its people, of whoever started it.

    A process started in it keeps the current folder, so that relative paths mean the
    same to it; PYTHONSAFEPATH keeps modules that lie there from being imported.
    """
    package_parent = str(Path(__file__).resolve().parents[1])
    paths = [package_parent, os.environ.get("PYTHONPATH", "")]
    return {
        **{name: value for name, value in os.environ.items() if _is_of_use(name)},
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "PYTHONSAFEPATH": "1",
        "PYTHONUNBUFFERED": "1",
        "TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "3"),
    }


def limit_memory(size: int | None = None) -> None:
    """Gives this process so many bytes of its own at most, where the system can.

    Should memory run out all the same, Linux ends it before the server and whatever
    else goes on here.

    Args:
        size: `None` is as many as the machine has, but without a limit where there is a
            GPU, whose libraries were not tried with one.
    """
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")
    if size is None and Path("/dev/nvidiactl").exists():
        return
    size = size or psutil.virtual_memory().total
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415  Windows has no such module

        # Not the address space: libraries reserve much of it and use little.
        resource.setrlimit(resource.RLIMIT_DATA, (size, size))


def give_way(niceness: int = 10) -> None:
    """Lets others go first from now on, and before what this process starts too.

    It has a quarter of a core that another session wants, and all that is left.

    Args:
        niceness: As of `nice`; one that gives way more already stays as it is.
    """
    with contextlib.suppress(OSError, AttributeError):  # Windows has none
        os.nice(max(0, niceness - os.nice(0)))
        if os.getsid(0) == os.getpid():
            _give_way_with_session()


def _give_way_with_session() -> None:
    # Linux shares cores between sessions first (sched(7), autogroup): a worker, in one
    # of its own, took half of a core from pages and predictions however nice it was.
    for _ in range(_TRIES):
        try:
            Path("/proc/self/autogroup").write_text(str(_OF_SESSION))
            return
        except BlockingIOError:  # somebody did so just now
            time.sleep(_TRY_AGAIN)


def available_memory() -> float:
    """Bytes that can be had without swapping, of the machine or of its container."""
    free = float(psutil.virtual_memory().available)
    # No container, or one without a limit.
    with contextlib.suppress(OSError, ValueError, KeyError):
        most = int((CGROUP / "memory.max").read_text())
        lines = (CGROUP / "memory.stat").read_text().splitlines()
        stat = dict(line.split() for line in lines)
        # Files that were read are in memory as well, and give way.
        used = int((CGROUP / "memory.current").read_text()) - int(stat["inactive_file"])
        free = min(free, most - used)
    return free


def cores() -> int:
    """Cores that this process may use, of the machine or of its container.

    `TRANSFER_CORES` has fewer for a process beside others that work for us too.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    found = len(affinity(0)) if affinity else os.cpu_count() or 1
    with contextlib.suppress(OSError, ValueError):
        quota, period = (CGROUP / "cpu.max").read_text().split()
        found = min(found, max(int(quota) // int(period), 1))
    return min(found, int(os.environ.get("TRANSFER_CORES", found)))


def _is_of_use(name: str) -> bool:
    # Windows knows names in any case.
    return name in _OF_USE or name.upper().startswith(_OF_USE_FROM)
