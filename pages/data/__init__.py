"""The parts of the page Data that no other page uses."""
