"""A workshop: who comes in, who comes back, and who does not."""

import time

import pytest
import sqlalchemy as sa

from transfer.errors import ConfigError, NotAllowedError
from transfer.people import codes, joining, pace
from transfer.people.joining import Joined
from transfer.store import rows
from transfer.store.people import Role
from transfer.store.runs import Store


def join(store: Store, name: str, own: str = "", access: str = "") -> Joined:
    access = access or codes.workshop().access
    return joining.join(store, access, name, own, "192.0.2.7")


def test_join__gives_a_code_of_their_own_with_which_they_come_back(
    store: Store,
) -> None:
    anna = join(store, " Anna  Ek ")
    assert (anna.person.name, anna.person.role) == ("Anna Ek", Role.PARTICIPANT)
    assert anna.person.expires_at == codes.workshop().ends_at
    back = join(store, "ANNA EK", anna.code.lower().replace("-", " "))
    assert back == Joined(anna.person, "")


def test_join__a_name_that_is_taken_needs_its_code(store: Store) -> None:
    join(store, "Anna")
    with pytest.raises(NotAllowedError, match="called Anna already"):
        join(store, "anna")
    with pytest.raises(NotAllowedError, match="not the code of Anna"):
        join(store, "anna", "AAAA-AA")
    assert len(store.people.all()) == 1


def test_join__no_code_is_kept_that_could_be_read(store: Store) -> None:
    anna = join(store, "Anna")
    assert anna.code not in repr(store.people.all())
    assert anna.code.replace("-", "") not in repr(store.people.all())


def test_join__needs_the_access_code_first(store: Store) -> None:
    join(store, "Anna")
    for access in ("AAAA-AAAA", "é", " "):
        with pytest.raises(NotAllowedError, match="not the access code"):
            join(store, "Anna", access=access)


def test_join__the_instructor_has_a_code_of_their_own(store: Store) -> None:
    tom = join(store, "Tom", access=codes.workshop().instructor)
    assert (tom.person.role, tom.person.expires_at) == (Role.INSTRUCTOR, None)
    again = join(store, "Tom", tom.code).person
    assert again.role is Role.INSTRUCTOR


def test_join__a_participant_may_become_the_instructor(store: Store) -> None:
    anna = join(store, "Anna")
    again = join(store, "Anna", anna.code, codes.workshop().instructor).person
    assert (again.role, again.expires_at) == (Role.INSTRUCTOR, None)


def test_join__wrong_tries_are_limited(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = join(store, "Anna")
    for _ in range(pace.TRIES["own"]):
        with pytest.raises(NotAllowedError, match="not the code"):
            join(store, "Anna", "AAAA-AA")
    with pytest.raises(NotAllowedError, match="Wait 1?[0-9] seconds"):
        join(store, "Anna", anna.code)
    join(store, "Bob")  # of one name only
    later = time.time() + 61
    monkeypatch.setattr(rows, "now", lambda _: sa.literal(later))
    assert join(store, "Anna", anna.code).person == anna.person


def test_join__wrong_access_codes_are_limited_by_address(store: Store) -> None:
    for _ in range(pace.TRIES["access"]):
        with pytest.raises(NotAllowedError, match="not the access code"):
            join(store, "Eve", access="AAAA")
    with pytest.raises(NotAllowedError, match="too many wrong tries"):
        join(store, "Eve")
    joining.join(store, codes.workshop().access, "Bob", "", "192.0.2.8")


@pytest.mark.parametrize("name", ["", "  ", "x" * 41, "a\u202eb"])
def test_join__refuses_what_is_no_name(store: Store, name: str) -> None:
    with pytest.raises(ConfigError, match="A name of 1 to 40"):
        join(store, name)


def test_join__an_old_code_lets_nobody_in(store: Store) -> None:
    old = codes.workshop()
    new = codes.renew(days=-1)
    with pytest.raises(NotAllowedError, match="not the access code"):
        join(store, "Anna", access=old.access)
    with pytest.raises(NotAllowedError, match="has ended"):
        join(store, "Anna", access=new.access)


def test_join__a_new_workshop_lets_those_of_the_last_one_in_again(store: Store) -> None:
    anna = join(store, "Anna")
    codes.renew(days=90)
    back = join(store, "Anna", anna.code).person
    assert back.expires_at == codes.workshop().ends_at
