"""Runs: their record, the queue that starts them, and the worker that does them."""
