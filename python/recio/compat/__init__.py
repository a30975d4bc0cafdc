"""Stand-ins for other libraries, for scripts that cannot be changed. None is installed by default."""
