"""The process that does one run."""
