"""The parts of the page Predict that no other page uses."""
