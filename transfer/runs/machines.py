"""Which machines do jobs of a store, and how much they do together."""

import os
from collections import Counter
from collections.abc import Sequence

import psutil

from transfer import cluster, processes
from transfer.runs import kinds
from transfer.runs.engines.host import Host, this_machine
from transfer.store.machines import Machine
from transfer.store.runs import Store


def others(store: Store) -> list[Machine]:
    """Machines and nodes that do jobs besides this one."""
    if not may_be_others(store):
        return []
    own = {one.name for one in here()}
    return [one for one in store.machines.all() if one.name not in own]


def may_be_others(store: Store) -> bool:
    """Whether more than this machine may do jobs; if not, nobody asks who is there."""
    return store.machines.are_many or cluster.is_used()


def here() -> list[Host]:
    """This machine, where it does jobs: with a cluster its nodes do them."""
    return [] if cluster.is_used() else [this_machine()]


def announce(store: Store, hosts: Sequence[Host]) -> None:
    """Notes that these hosts are there, for the others.

    Raises:
        ConfigError: Another machine that is there is called as this one.
    """
    if hosts and may_be_others(store):
        store.machines.announce([_machine(one) for one in hosts], os.getpid())


def check_name(store: Store) -> None:
    """Returns quietly where this machine may work under its name.

    Raises:
        ConfigError: As `announce`.
    """
    announce(store, here())


def leave(store: Store) -> None:
    """Notes that this process of the machine does no jobs any more."""
    if may_be_others(store):
        store.machines.leave([_machine(one) for one in here()], os.getpid())


def room(besides: Sequence[Machine]) -> dict[tuple[str, ...], int]:
    """How many jobs of which kinds all machines do at a time.

    Args:
        besides: The `others`.

    Raises:
        ConfigError: As `kinds.room`.
    """
    total = Counter[tuple[str, ...]]()
    for host in here():
        total.update(kinds.room(host))
    for one in besides:
        light = kinds.room(Host(name=one.name, cores=one.cores))[kinds.LIGHT]
        total.update({kinds.HEAVY: one.slots, kinds.LIGHT: light})
    return dict(total) or kinds.room()  # a cluster that was not seen yet


def _machine(host: Host) -> Machine:
    # A node of a cluster has a name that no other ever has.
    is_node = host.memory is not None
    return Machine(
        name=host.name,
        identity=host.name if is_node else processes.identity(),
        kind="node" if is_node else "machine",
        cores=host.cores,
        memory=host.memory or float(psutil.virtual_memory().total),
        gpus=host.gpus or 0.0,
        slots=kinds.max_running(host),
    )
