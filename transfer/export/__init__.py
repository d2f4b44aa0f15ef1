"""A finished run as something to take away: files, proof, card and code."""
