"""Signing in at a real provider of identities, in a browser: in, out, and kept out."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import oidc_provider_mock
import pytest
from oidc_provider_mock import _app as provider
from playwright.sync_api import Browser, Page, expect

from tests.end_to_end.conftest import free_port, serving, settle
from tests.patience import PATIENCE
from transfer.store.people import Role
from transfer.store.runs import Store

#: Who is known to the provider, by what they type there.
PEOPLE = {
    "ada": {"name": "Ada", "email": "ada@school.org", "email_verified": True},
    "tom": {"name": "Tom", "groups": ["teachers"]},
}


pytestmark = pytest.mark.filterwarnings("ignore:get_jwt_config")


class Place(NamedTuple):
    """A server of ours, the store of its workspace, and a browser."""

    address: str
    store: Store
    browser: Browser

    def visit(self) -> Page:
        """The first page in a browser that knows nothing of it yet."""
        context = self.browser.new_context(viewport={"width": 1280, "height": 1000})
        context.set_default_timeout(1000 * PATIENCE)
        page = context.new_page()
        page.goto(self.address)
        return page

    def sign_in(self, name: str) -> Page:
        """The same once somebody has signed in at the provider."""
        page = self.visit()
        page.get_by_role("button", name="Sign in").click()
        page.get_by_placeholder("sub").fill(name)
        page.get_by_role("button", name="Authorize", exact=True).click()
        page.wait_for_url(f"{self.address}/**")
        return page


@pytest.fixture(scope="module")
def place(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    """A server with its provider, which every test of this file asks."""
    folder, port = tmp_path_factory.mktemp("provider"), free_port()
    users = [
        oidc_provider_mock.User(sub=name, claims=dict(claims))
        for name, claims in PEOPLE.items()
    ]
    with (
        pytest.MonkeyPatch.context() as patch,
        oidc_provider_mock.run_server_in_thread(user_claims=users) as at,
    ):
        patch.setenv("TRANSFER_HOME", str(folder / "workspace"))
        patch.setenv("TRANSFER_AUTH", "oidc")
        patch.setenv("TRANSFER_ADMINISTRATORS", "ada@school.org")
        patch.setenv("TRANSFER_INSTRUCTORS", "group:teachers")
        issuer = f"http://localhost:{at.server_port}"
        secrets = folder / "secrets.toml"
        secrets.write_text(settings(issuer, f"http://127.0.0.1:{port}"))
        patch.setenv("STREAMLIT_SECRETS_FILES", str(secrets))
        with serving(folder / "server.log", port) as address:
            store = Store()
            yield Place(address, store, browser)
            store.close()


def settings(issuer: str, address: str) -> str:
    """What Streamlit is to know of the provider, as TOML."""
    values = {
        "redirect_uri": f"{address}/oauth2callback",
        "cookie_secret": "0123456789abcdef0123456789abcdef",
        "client_id": "transfer-studio",
        "client_secret": "known to both",
        "server_metadata_url": f"{issuer}/.well-known/openid-configuration",
    }
    lines = (f"{name} = {json.dumps(value)}" for name, value in values.items())
    return "\n".join(["[auth]", *lines])


def heading(page: Page) -> None:
    expect(page.get_by_role("heading", name="Data", exact=True)).to_be_visible()


def test_provider__says_who_it_is_and_so_what_they_may(place: Place) -> None:
    page = place.sign_in("ada")
    heading(page)
    settle(page)
    page.get_by_role("button", name="Ada").click()
    expect(page.get_by_text("signed in as administrator.")).to_be_visible()
    page.reload()
    heading(page)
    page.context.close()


def test_provider__signed_out_is_out_also_with_the_old_cookies(place: Place) -> None:
    page = place.sign_in("ada")
    heading(page)
    settle(page)
    old = page.context.cookies()
    page.get_by_role("button", name="Ada").click()
    page.get_by_role("button", name="Sign out").click()
    # The browser goes to the provider, which asks once more; then all is over here.
    page.wait_for_url("**/oauth2/end_session**")
    page.goto(place.address)
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    page.context.add_cookies(old)  # type: ignore[arg-type]
    page.goto(place.address)
    expect(page.get_by_text("You have signed out.")).to_be_visible()
    page.context.close()


def test_provider__who_was_signed_out_by_an_administrator_is_out(place: Place) -> None:
    page = place.sign_in("tom")
    heading(page)
    (tom,) = [one for one in place.store.people.all() if one.name == "Tom"]
    assert tom.role is Role.INSTRUCTOR
    place.store.people.end_sessions(tom.id, 2**31 - 1)
    page.goto(place.address)
    expect(page.get_by_text("You have signed out.")).to_be_visible()
    expect(page.get_by_role("button", name="Sign in again")).to_be_visible()
    page.context.close()


def test_provider__a_token_that_is_not_for_us_or_too_old_opens_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, genuine = place.store.people.all(), provider.OpenIDCode.get_jwt_config
    for changed in ({"aud": ["another-app"]}, {"exp": -600}):

        def config(*args: Any, false: dict[str, Any] = changed) -> dict[str, Any]:
            return {**genuine(*args), **false}

        monkeypatch.setattr(provider.OpenIDCode, "get_jwt_config", config)
        page = place.sign_in("mallory")
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()
        assert place.store.people.all() == before
        page.context.close()
    monkeypatch.undo()
    heading(place.sign_in("mallory"))  # it was the token alone
