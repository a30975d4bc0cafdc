"""Stand-ins for other libraries, for scripts that cannot be changed; each is asked for by name, none by default."""
