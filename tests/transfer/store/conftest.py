"""All that is said of the store holds for both databases."""

from tests.both_databases import database

__all__ = ["database"]
