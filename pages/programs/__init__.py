"""The parts of the page API that no other page uses."""
