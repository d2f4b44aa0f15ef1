"""A class at work: 30 sessions click through data, model, run and predict; one trains.

`python -m tests.benchmarks.sessions [--sessions 30] [--minutes 5] [--browsers 2]`: a
server as a workshop has it, with a person for each session, who has a dataset and a run
that waits; all look at the instructor's photographs and at his run, which trains. Each
makes a click, looks on for some seconds, and makes the next. The time of a click goes
from the click until the page is whole: its script has run, its pictures are there.

Chromium draws some of the sessions. The others speak Streamlit's protocol as it does
and draw nothing (`visitor`): 30 that are drawn take more than the two cores that the
server and the training have. Before and after, the training goes on alone, which tells
by how much it was slowed. What the sessions themselves compute would be on other
machines: once they have left, a process computes as much as they did, in pieces as
short, and the training beside it tells how much of the slowing was theirs.

Wanted: no error, 95 of 100 clicks within 1.5 s, less than 2.5 GB for the server and its
process of predictions, training slowed by at most 15 % by what the server does.
"""

import argparse
import asyncio
import itertools
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, closing, suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import psutil
from playwright.async_api import Browser, Page, async_playwright

from tests.benchmarks import bench
from tests.benchmarks.visitor import Visitor
from tests.benchmarks.watchers import serving
from tests.end_to_end.conftest import FLAGS
from tests.patience import wait_for
from tests.pictures import make_pictures, noisy_picture
from transfer.config import TrainConfig
from transfer.datasets.ingest import importer
from transfer.errors import TransferError
from transfer.people import rule, sessions
from transfer.runs import queue
from transfer.store.people import Person, Role
from transfer.store.record import Run
from transfer.store.runs import Store

#: Seconds that somebody looks at what a click brought, at the least and at the most.
LOOKS = 2.0, 6.0
#: Seconds for which the training goes on alone, before and after, and beside what
#: computes as much as the sessions did.
ALONE = 60.0
#: Computes a part of the time, which is its one argument.
AS_MUCH = """
import sys, time
share, start = float(sys.argv[1]), time.monotonic()
while True:
    while time.process_time() < share * (time.monotonic() - start):
        sum(range(1000))
    time.sleep(0.01)
"""
#: What is wanted: seconds of a click, bytes of memory, part of the training's speed.
CLICK, MEMORY, SLOWED = 1.5, 2.5e9, 0.15
#: How participants see the instructor's photographs among the datasets.
SHARED = "flowers · Tom"
#: Nothing is learnt by heart, so that it does not end before the sessions do.
ENDLESS = (
    *("--freeze", "last:3", "--head-epochs", "1", "--fine-tune-epochs", "1000"),
    *("--learning-rate", "1e-7", "--fine-tune-learning-rate", "1e-8"),
)
#: Resolves with the milliseconds of a click: until the last change of the page that is
#: followed by some rest, its script ended and the pictures of what is seen there. Where
#: a minute did not bring that, also with what it still waited for.
SETTLES = """() => new Promise(done => {
  const app = document.querySelector('[data-testid=stApp]');
  const start = performance.now();
  let last = 0, changed = '';
  const seen = new MutationObserver(all => {
    last = performance.now();
    const at = all.at(-1).target;
    changed = (at.outerHTML ?? at.parentElement?.outerHTML ?? '').slice(0, 300);
  });
  const all = { subtree: true, childList: true, attributes: true, characterData: true };
  seen.observe(document.body, all);
  const isSeen = one => one.checkVisibility() &&
    one.getBoundingClientRect().top < innerHeight &&
    one.getBoundingClientRect().bottom > 0;
  const look = () => {
    const state = app.dataset.testScriptState;
    const missing = [...document.images].filter(one => !one.complete && isSeen(one));
    const now = performance.now();
    const settled = last && state === 'notRunning' && !missing.length &&
      now - last > 250;
    if (settled || now - start > 60000) {
      seen.disconnect();
      const absent = missing.map(one => one.src);
      const waits = [state, last && now - last, changed, ...absent];
      done([(last || now) - start, settled ? '' : waits.join(' | ')]);
    } else setTimeout(look, 20);
  };
  look();
})"""


class Click(NamedTuple):
    """A click, whoever made it, and the seconds that it took."""

    what: str
    by: str
    seconds: float


Step = Callable[[], Coroutine[Any, Any, float]]


class World(NamedTuple):
    """What all sessions look at: who they are, a run with a model, one that trains."""

    store: Store
    people: Sequence[Person]
    model: str
    live: str

    def cookie(self, person: Person) -> str:
        """The cookie of a new session."""
        return sessions.cookie_for(sessions.begin(self.store, person))


class Talking:
    """A session that draws nothing."""

    by = "protocol"

    def __init__(self, port: int, world: World, number: int) -> None:
        self._world, self._number = world, number
        person = world.people[number]
        self.visitor = Visitor(port, {sessions.COOKIE: world.cookie(person)})
        self.watch = self.visitor.watch

    def steps(self) -> Iterator[tuple[str, Step]]:
        """What is clicked, one after another, for ever."""
        open_, own = self.visitor.open, f"dataset={_own(self._number)}"
        click, world = self.visitor.click, self._world
        for count in itertools.count():
            yield "Data", partial(open_, "start", own)
            chosen = {"string_value": SHARED}
            yield (
                "Data, another dataset",
                partial(click, "selectbox", "Dataset", **chosen),
            )
            yield "Model", partial(open_, "model", own)
            for name in ("Last block", "Head only"):
                turned = {"string_array_value": {"data": [name]}}
                yield (
                    "Model, the dial",
                    partial(click, "button_group", "What trains", **turned),
                )
            yield "Runs", partial(open_, "runs")
            yield "Runs, the live one", partial(open_, "runs", f"run={world.live}")
            yield "Predict", partial(open_, "predict", f"run={world.model}")
            seed = 1000 * self._number + count
            upload = partial(self.visitor.upload, "Photographs", f"{seed}.png")
            yield "Predict, a picture", partial(upload, picture(seed))


class Drawn:
    """A session in Chromium."""

    by = "browser"

    def __init__(self, page: Page, address: str, world: World, number: int) -> None:
        self._page, self._address = page, address
        self._world, self._number = world, number
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("response", self._note)

    async def watch(self, seconds: float) -> None:
        """Looks at the page for so long."""
        await asyncio.sleep(seconds)
        if await self._page.get_by_text("Something went wrong").count():
            self.errors.append("Something went wrong")

    def steps(self) -> Iterator[tuple[str, Step]]:
        """As `Talking.steps`."""
        page = self._page
        option = partial(page.get_by_role, "option", exact=True)
        for count in itertools.count():
            yield "Data", partial(self._link, "Data")
            other = SHARED if count % 2 == 0 else _own(self._number)
            yield "Data, another dataset", partial(self._choose, option(name=other))
            yield "Model", partial(self._link, "Model")
            for name in ("Last block", "Head only"):
                dial = page.get_by_role("radio", name=name, exact=True)
                yield "Model, the dial", partial(self._click, dial)
            yield "Runs", partial(self._link, "Runs")
            live = page.get_by_role("link", name="The live one").first
            yield "Runs, the live one", partial(self._click, live)
            yield "Predict", partial(self._link, "Predict")
            yield "Predict, a picture", partial(self._upload, count)

    async def _link(self, name: str) -> float:
        return await self._click(self._page.get_by_role("link", name=name, exact=True))

    async def _choose(self, option: Any) -> float:
        await self._page.get_by_role("combobox", name="Dataset").last.click()
        return await self._click(option)

    async def _click(self, what: Any) -> float:
        await what.wait_for()
        settles = asyncio.create_task(self._page.evaluate(SETTLES))
        await asyncio.sleep(0)
        await what.click()
        return self._settled(await settles)

    async def _upload(self, count: int) -> float:
        seed = 1000 * self._number + count
        files = self._page.locator(".st-key-photographs input[type=file]")
        settles = asyncio.create_task(self._page.evaluate(SETTLES))
        file = {"name": f"{seed}.png", "mimeType": "image/png", "buffer": picture(seed)}
        await files.set_input_files([file])  # type: ignore[list-item]
        return self._settled(await settles)

    def _settled(self, told: Any) -> float:
        milliseconds, waits = told
        if waits:
            self.errors.append(f"Not settled: {waits}")
        return float(milliseconds) / 1000

    def _note(self, response: Any) -> None:
        if response.status >= 400:
            self.errors.append(f"{response.status} of {response.url}")


class Meter:
    """Memory and CPU of the server and of its process of predictions, looked at twice a
    second.

    Attributes:
        most: Bytes of both at the most, and of the server alone.
    """

    def __init__(self, server: psutil.Process) -> None:
        self._server = server
        self.most = (0, 0)

    async def look(self) -> None:
        """Looks until it is cancelled."""
        while True:
            memory = [one.memory_info().rss for one in self._processes()]
            of_both = sum(memory), memory[0]
            self.most = max(self.most[0], of_both[0]), max(self.most[1], of_both[1])
            await asyncio.sleep(0.5)

    def seconds(self) -> list[float]:
        """CPU seconds of the server, of its process of predictions, of this program
        with its browser.
        """
        server, *others = map(_computed, self._processes())
        own = psutil.Process()
        of_server = {self._server, *self._server.children(recursive=True)}
        browser = {*own.children(recursive=True)} - of_server
        return [server, sum(others), sum(map(_computed, [own, *browser]))]

    def _processes(self) -> list[psutil.Process]:
        found = self._server.children(recursive=True)
        return [self._server, *(one for one in found if "prediction" in _words(one))]


def _computed(process: psutil.Process) -> float:
    with suppress(psutil.Error):
        times = process.cpu_times()
        return float(times.user + times.system)
    return 0.0


def _words(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""


def picture(seed: int) -> bytes:
    """A photograph that nobody else brings."""
    with tempfile.SpooledTemporaryFile() as file:
        noisy_picture(seed % 7 / 7, (240, 320), seed=seed).save(file, "PNG")
        file.seek(0)
        return file.read()


def prepare(folder: Path, count: int) -> World:
    """A workshop with so many people, the instructor's photographs and his runs."""
    bench.import_flowers(folder)
    instant = ("--dataset", "flowers", "--method", "instant")
    model = bench.transfer(folder, "train", *instant)["run"]
    store = Store()
    people = [_person(store, f"Person {n}", Role.PARTICIPANT) for n in range(count)]
    tom = _person(store, "Tom", Role.INSTRUCTOR)
    store.datasets.own("flowers", tom.id)
    store.datasets.share("flowers", "read")
    store.share(model, "read")
    for number, person in enumerate(people):
        source = folder / _own(number)
        make_pictures(source, {"cat": 40, "dog": 40}, (96, 96), seed=number)
        importer.import_path(source, source.name)
        store.datasets.own(source.name, person.id)
    told = bench.transfer(folder, "train", "--dataset", "flowers", "--detach", *ENDLESS)
    store.share(told["run"], "read")
    store.describe(told["run"], name="The live one")
    for number, person in enumerate(people):
        config = TrainConfig.of(dataset=_own(number))
        queue.submit(store.view_for(rule.scope(person)), config)
    return World(store, people, model, told["run"])


def _person(store: Store, name: str, role: Role) -> Person:
    made = store.people.add(subject=f"name:{name}", name=name, role=role)
    assert made
    return made


def _own(number: int) -> str:
    return f"pets-{number}"


def training(world: World) -> Run:
    """The run that trains; the benchmark ends where it does not any more."""
    run = world.store.get(world.live)
    if run.status.is_final:
        sys.exit(f"The training ended too soon: {run.error or run.status}")
    return run


async def steps_a_second(world: World, waits: Coroutine[Any, Any, Any]) -> float:
    """Training steps a second while something is waited for."""
    training(world)
    before, start = world.store.metrics.count_done(world.live)[0], time.monotonic()
    await waits
    training(world)
    done = world.store.metrics.count_done(world.live)[0] - before
    return done / (time.monotonic() - start)


async def click_on(
    session: Talking | Drawn, until: float, seed: int, clicks: list[Click]
) -> None:
    """Clicks and looks until it is over."""
    chance = np.random.default_rng(seed)
    await asyncio.sleep(chance.uniform(0, LOOKS[1]))  # nobody begins together
    for what, does in session.steps():
        if time.monotonic() > until:
            return
        clicks.append(Click(what, session.by, await does()))
        await session.watch(chance.uniform(*LOOKS))


@asynccontextmanager
async def chromium(count: int) -> AsyncIterator[Browser | None]:
    """The browser, if any session is drawn."""
    if not count:
        yield None
        return
    async with async_playwright() as playwright:
        found = shutil.which("chromium") or shutil.which("google-chrome")
        browser = await playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        await browser.close()


async def draw(browser: Browser, port: int, world: World, number: int) -> Drawn:
    """A session in a context of its own, with the first page open."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(60_000)
    address = f"http://127.0.0.1:{port}"
    cookie = world.cookie(world.people[number])
    made = {"name": sessions.COOKIE, "value": cookie, "url": address}
    await context.add_cookies([made])  # type: ignore[list-item]
    page = await context.new_page()
    await page.goto(f"{address}/?dataset={_own(number)}")
    await page.get_by_role("link", name="Model", exact=True).wait_for()
    await page.wait_for_function("() => !document.querySelector('stApp')")
    return Drawn(page, address, world, number)


async def measure(
    server: psutil.Process, port: int, world: World, minutes: float, browsers: int
) -> tuple[list[Click], list[str], dict[str, Any]]:
    """Clicks, errors and what there is to say of them."""
    meter, clicks = Meter(server), list[Click]()
    looking = asyncio.create_task(meter.look())
    alone = [await steps_a_second(world, asyncio.sleep(ALONE))]
    count = len(world.people)
    async with chromium(browsers) as browser:
        drawn = [
            await draw(browser, port, world, n) for n in range(browsers) if browser
        ]
        talking = [Talking(port, world, n) for n in range(len(drawn), count)]
        # Each page has been shown once, as on a server that is in use.
        before, start = meter.seconds(), time.monotonic()
        until = start + 60 * minutes
        visits = [click_on(one, until, n, clicks) for n, one in enumerate(drawn)]
        visits += [
            one.visitor.stay(click_on(one, until, count + n, clicks))
            for n, one in enumerate(talking)
        ]
        together = await steps_a_second(world, _all(visits))
        took = time.monotonic() - start
        used = [(b - a) / took for a, b in zip(before, meter.seconds(), strict=True)]
    beside = await steps_a_second(world, _compute(used[-1]))
    alone.append(await steps_a_second(world, asyncio.sleep(ALONE)))
    looking.cancel()
    errors = [one for each in drawn for one in each.errors]
    errors += [one for each in talking for one in each.visitor.errors]
    return (
        clicks,
        errors,
        {
            "sessions": f"{len(talking)} by protocol, {len(drawn)} drawn",
            "requests besides": sum(one.visitor.requests for one in talking),
            "seconds": round(took, 1),
            "steps a second alone, before and after": [round(one, 2) for one in alone],
            "steps a second with them": round(together, 2),
            "steps a second beside as much as they compute": round(beside, 2),
            "slowed by all": 1 - together / statistics.mean(alone),
            "slowed by what the sessions compute": 1 - beside / statistics.mean(alone),
            "slowed by the server": 1 - together / beside,
            "cores of server, predictions, the sessions": [
                round(one, 2) for one in used
            ],
            "GB of server and predictions": meter.most[0] / 1e9,
            "GB of the server alone": meter.most[1] / 1e9,
        },
    )


async def _compute(share: float) -> None:
    """Computes so large a part of the time for a while."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", AS_MUCH, str(share))
    )
    await asyncio.sleep(ALONE)
    process.kill()
    await process.wait()


async def _all(visits: Sequence[Coroutine[Any, Any, None]]) -> None:
    await asyncio.gather(*visits)


def lines(clicks: Sequence[Click]) -> list[dict[str, Any]]:
    """The table: of each click how often, and how long it took."""
    found = defaultdict[tuple[str, str], list[float]](list)
    for one in clicks:
        for what in (one.what, "all"):
            for by in (one.by, "both"):
                found[what, by].append(one.seconds)
    return [
        {
            "click": what,
            "by": by,
            "clicks": len(took),
            "median, s": statistics.median(took),
            "p95, s": float(np.quantile(took, 0.95)),
            "slowest, s": max(took),
        }
        for (what, by), took in sorted(found.items(), key=lambda one: one[0][::-1])
    ]


def judge(rows: Sequence[dict[str, Any]], errors: int, facts: dict[str, Any]) -> bool:
    """Whether all is as it is wanted; each is said."""
    p95 = next(
        one["p95, s"] for one in rows if (one["click"], one["by"]) == ("all", "both")
    )
    memory = facts["GB of server and predictions"]
    slowed, by_all = facts["slowed by the server"], facts["slowed by all"]
    said = {
        f"{errors} errors, 0 wanted": errors == 0,
        f"95 of 100 clicks within {p95:.2f} s, {CLICK} wanted": p95 < CLICK,
        f"{memory:.2f} GB, {MEMORY / 1e9} wanted": 1e9 * memory < MEMORY,
        f"slowed by {slowed:.1%}, {SLOWED:.0%} wanted; by {by_all:.1%} with what the "
        "sessions themselves compute on the same cores": slowed <= SLOWED,
    }
    print(
        *(f"{'yes' if one else 'NO '} {text}" for text, one in said.items()), sep="\n"
    )
    return all(said.values())


def end_all() -> None:
    """Ends what waits and works, which would go on without the server."""
    with closing(Store()) as store:
        for job in (*store.waiting(), *store.active()):
            with suppress(TransferError):  # it has ended just now
                queue.stop(store, job.id)
        wait_for(lambda: not store.active())


def main() -> None:
    """Prints the tables and writes them; fails where something wanted is not so."""
    words = argparse.ArgumentParser(description="A class at work while a run trains")
    words.add_argument("--sessions", type=int, default=30)
    words.add_argument("--minutes", type=float, default=5.0)
    words.add_argument("--browsers", type=int, default=2, help="sessions in Chromium")
    given = words.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="sessions-"))
    os.environ |= bench.environment(folder) | {"TRANSFER_AUTH": "workshop"}
    try:
        world = prepare(folder, given.sessions)
        with serving(folder) as (server, port):
            wait_for(lambda: training(world).progress.get("phase") == "fine_tune")
            visits = measure(server, port, world, given.minutes, given.browsers)
            clicks, errors, facts = asyncio.run(visits)
        log = (folder / "server.log").read_text()
        errors += [one for one in log.splitlines() if "Traceback" in one]
        rows = lines(clicks)
        bench.tell("sessions", rows, **facts, load_average=os.getloadavg()[0])
        print(*(f"{name}: {value}" for name, value in facts.items()), sep="\n")
        print(*dict.fromkeys(errors), sep="\n")
        is_good = judge(rows, len(errors), facts)
    finally:
        end_all()
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(not is_good)


if __name__ == "__main__":
    main()
