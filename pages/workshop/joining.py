"""How to join: the address and the access code, large enough to be read out."""

import ipaddress
import socket
from urllib.parse import urlsplit

import psutil
import streamlit as st

from pages.shared import addresses, guard
from transfer.people import auth, codes
from transfer.people.auth import Mode

_STYLE = """<style>
.st-key-joining code { font-size: clamp(1rem, 4.5vw, 1.6rem); font-weight: 650; }
.st-key-joining code { overflow-wrap: anywhere; white-space: pre-wrap; }
</style>"""


def show() -> None:
    """The address, and the code of a workshop."""
    with st.container(key="joining"):
        st.html(_STYLE)
        left, right = st.columns(2)
        with left:
            st.markdown("Address to join")
            st.code(address(), language=None, wrap_lines=True)
        if auth.mode() is Mode.WORKSHOP:
            with right:
                st.markdown("Access code")
                st.code(codes.workshop().access, language=None)
    if guard.name_of(urlsplit(address()).netloc) in guard.LOCAL:
        st.warning(
            "Only this machine reaches that address yet: start the server with "
            "`ADDRESS=0.0.0.0`, as the README says, or behind a proxy.",
            icon=":material/lan:",
        )
    if not guard.is_known(urlsplit(address()).netloc):
        st.warning(
            "The server does not answer to that name yet: start it with it in "
            "TRANSFER_HOSTS, or with `*`.",
            icon=":material/lan:",
        )


def address() -> str:
    """Where others reach this server, as far as it can be told from here."""
    parts = urlsplit(str(st.context.url or ""))
    name = guard.name_of(parts.netloc)
    if name in guard.LOCAL and (found := _of_this_machine()):
        # What the instructor's browser calls it means another machine elsewhere.
        port = f":{parts.port}" if parts.port else ""
        parts = parts._replace(netloc=f"{found}{port}")
    return f"{parts.scheme}://{parts.netloc}{addresses.base()}/"


def _of_this_machine() -> str:
    """Its address in the network, where the server listens to it; empty for none."""
    listens = str(st.get_option("server.address") or "")
    if listens not in ("", "0.0.0.0", "::"):  # noqa: S104  is compared, not listened at
        return "" if ipaddress.ip_address(listens).is_loopback else listens
    for of_card in psutil.net_if_addrs().values():
        for one in of_card:
            if one.family is socket.AF_INET:
                if not ipaddress.ip_address(one.address).is_loopback:
                    return str(one.address)
    return ""
