"""All SQL: runs and their metrics, kept in one database."""
