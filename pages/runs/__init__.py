"""The parts of the page Runs that no other page uses."""
