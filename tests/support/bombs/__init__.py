"""Small files that ask for much memory or time."""
