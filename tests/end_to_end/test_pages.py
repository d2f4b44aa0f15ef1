"""Every page, empty and filled, narrow and wide: complete, named, nothing cut off."""

from http.client import HTTPConnection
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.end_to_end.conftest import settle, trained
from transfer.store.record import Run

pytestmark = pytest.mark.browser

OPERATING = ("/api/health", "/api/ready", "/api/metrics")
PATHS = ("", "model", "runs", "evaluate", "predict", "export", "weights")

#: What a person with a screen reader or a keyboard would stumble over, in words. After
#: the rules button-name, label, image-alt, link-name, duplicate-id, html-has-lang and
#: heading-order of https://dequeuniversity.com/rules/axe
VIOLATIONS = """() => {
  const found = [];
  const shown = e => e.getClientRects().length && getComputedStyle(e).visibility
    !== 'hidden' && !e.closest('[aria-hidden=true]');
  const all = selector => {
    const list = [];
    const walk = root => {
      list.push(...root.querySelectorAll(selector));
      for (const e of root.querySelectorAll('*')) if (e.shadowRoot) walk(e.shadowRoot);
    };
    walk(document);
    return list.filter(shown);
  };
  const named = e => (e.getAttribute('aria-label') || '').trim()
    || (e.getAttribute('aria-labelledby') || '').split(' ')
      .map(id => document.getElementById(id)?.textContent || '').join('').trim()
    || (e.title || '').trim() || (e.textContent || '').trim()
    || [...(e.labels || [])].map(l => l.textContent).join('').trim()
    || e.closest('label')?.textContent.trim();
  const say = (rule, e) => found.push(`${rule}: ${e.outerHTML.slice(0, 160)}`);
  for (const e of all('button, [role=button], [role=tab], [role=radio]'))
    if (!named(e)) say('button without a name', e);
  for (const e of all('input:not([type=hidden]):not([type=file]), select, textarea'))
    if (!named(e)) say('field without a label', e);
  for (const e of all('img')) if (!e.hasAttribute('alt')) say('picture without alt', e);
  for (const e of all('a[href]')) if (!named(e)) say('link without a name', e);
  const ids = all('[id]').filter(e => e.getRootNode() === document).map(e => e.id);
  for (const id of new Set(ids))
    if (ids.filter(one => one === id).length > 1) found.push(`id twice: ${id}`);
  if (!document.documentElement.lang) found.push('no language');
  let last = 0;
  for (const e of all('h1, h2, h3, h4, h5, h6')) {
    const level = Number(e.tagName[1]);
    if (last && level > last + 1) say('heading skips a level', e);
    last = level;
  }
  const main = document.querySelector('[data-testid=stMain]');
  if (main.scrollWidth > main.clientWidth + 1) found.push('scrolls sideways');
  return found;
}"""


def look(page: Page, server: str, query: str = "") -> dict[str, list[str]]:
    """What is wrong on each page, by page and width; nothing, if all is well."""
    wrong: dict[str, list[str]] = {}
    for path in PATHS:
        page.set_viewport_size({"width": 1280, "height": 1000})
        page.goto(f"{server}/{path}{query}")
        for width in (1280, 768):
            page.set_viewport_size({"width": width, "height": 1000})
            settle(page)
            found = page.evaluate(VIOLATIONS)
            for error in page.locator("[data-testid=stException]").all():
                found.append(error.inner_text()[:300])
            if page.get_by_text("Something went wrong on this page").count():
                found.append("the page failed")
            if found:
                wrong[f"/{path} at {width}"] = found
    return wrong


def status(server: str, host: str, path: str) -> int:
    """Of the answer to a request for this host; every answer says who may frame it."""
    connection = HTTPConnection(server.removeprefix("http://"), timeout=60)
    connection.request("GET", path, headers={"Host": host})
    answer = connection.getresponse()
    assert answer.getheader("X-Frame-Options") == "SAMEORIGIN"
    connection.close()
    return answer.status


def check_header(page: Page) -> None:
    """It names the app, and on a phone what its button opens."""
    header = page.get_by_role("banner")
    assert "Transfer Studio" in header.aria_snapshot()
    page.set_viewport_size({"width": 390, "height": 844})
    opens_pages = page.get_by_role("button", name="Expand sidebar")
    expect(opens_pages).to_be_visible()
    assert "Pages" in opens_pages.aria_snapshot()
    assert "Transfer Studio" in header.aria_snapshot()


def test_pages__empty(page: Page, server: str) -> None:
    assert look(page, server) == {}
    for path in (
        "/",
        "/_stcore/health",
        "/_stcore/metrics",
        "/api/plotly/1",
        *OPERATING,
    ):
        assert status(server, "localhost", path) == 200
        assert status(server, "evil.example", path) == 403
    check_header(page)


@pytest.fixture
def run(workspace: Path, tmp_path: Path) -> Run:
    """A run of long names that was trained in epochs."""
    classes = {"cat": 12, "a class with quite a long name, of which there are some": 12}
    name = "a run with a long name that somebody typed in " * 2
    return trained(tmp_path, classes, name, head_epochs=3)


def test_pages__with_a_dataset_and_a_finished_run(
    run: Run, page: Page, server: str
) -> None:
    # What only experts see on Model is looked at as well.
    remembered = {"name": "transfer-studio-expert", "value": "1", "url": server}
    page.context.add_cookies([remembered])
    assert look(page, server, f"?run={run.id}&dataset=pets") == {}

    # A run is opened by keyboard; the arrows alone open nothing.
    page.goto(f"{server}/runs")
    settle(page)
    link = page.get_by_role("link", name=run.name.strip())
    link.focus()
    page.keyboard.press("ArrowDown")
    settle(page)
    assert "run=" not in page.url
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/runs?run={run.id}")
    page.get_by_role("heading", name=run.name.strip()).wait_for()
