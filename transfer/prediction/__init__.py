"""Predictions, heat maps and neighbours, in a process that waits for them."""
