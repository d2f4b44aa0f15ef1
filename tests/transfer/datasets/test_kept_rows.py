"""What is known of images is found once, and nothing of it is lost."""

from transfer.datasets.kept_rows import KeptRows
from transfer.datasets.revision import Revision

ROWS = KeptRows("rows.npy", (("number", "f8"),))
ONE, TWO, THREE = (f"{number}" * 64 for number in (1, 2, 3))


def _fail(_: str) -> tuple[float]:
    raise AssertionError("is kept")


def _number(sha256: str) -> tuple[float]:
    return (float(sha256[0]),)


def test_of__in_the_order_and_as_often_as_asked(pets: Revision) -> None:
    asked: list[str] = []

    def find(sha256: str) -> tuple[float]:
        asked.append(sha256)
        return _number(sha256)

    found = ROWS.of("pets", [THREE, ONE, THREE], find)
    assert found["number"].tolist() == [3, 1, 3]
    assert sorted(asked) == [ONE, THREE]
    assert ROWS.of("pets", [ONE, THREE], _fail)["number"].tolist() == [1, 3]


def test_of__what_others_keep_meanwhile_stays(pets: Revision) -> None:
    def find(sha256: str) -> tuple[float]:
        ROWS.keep("pets", {TWO: (2.0,)})
        return _number(sha256)

    ROWS.of("pets", [ONE], find)
    assert ROWS.of("pets", [ONE, TWO], _fail)["number"].tolist() == [1, 2]


def test_of__others_lose_what_was_kept_and_each_still_gets_its_own(
    pets: Revision,
) -> None:
    ROWS.keep("pets", {ONE: (1.0,)})

    def find(sha256: str) -> tuple[float]:
        ROWS._path("pets").write_bytes(b"damaged meanwhile")
        return _number(sha256)

    assert ROWS.of("pets", [ONE, THREE], find)["number"].tolist() == [1, 3]
