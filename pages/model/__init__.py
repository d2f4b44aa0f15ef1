"""The parts of the page Model that no other page uses."""
