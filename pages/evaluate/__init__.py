"""The parts of the page Evaluate that no other page uses."""
