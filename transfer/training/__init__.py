"""Trains: the head first, then the unfrozen blocks too."""
