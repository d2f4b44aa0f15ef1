"""The parts of the page Export that no other page uses."""
