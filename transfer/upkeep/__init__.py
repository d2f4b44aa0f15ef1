"""Upkeep of a workspace: backed up, restored, cleaned, told of."""
