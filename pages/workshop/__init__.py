"""The parts of the page Workshop that no other page uses."""
