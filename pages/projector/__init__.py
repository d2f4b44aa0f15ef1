"""The parts of the page Projector that no other page uses."""
