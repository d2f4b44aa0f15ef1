"""Brings pictures in: uploads, folders, archives, samples, loose pictures."""
