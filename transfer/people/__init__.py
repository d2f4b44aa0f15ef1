"""Who somebody is, and what they may: sign-in, sessions, signed links that expire."""
