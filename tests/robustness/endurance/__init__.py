"""Many iterators, processes, kills and records; very large files."""
