"""Commands of `python -m transfer`, each with its options."""
