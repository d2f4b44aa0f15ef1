"""Backbone and head as one model."""
