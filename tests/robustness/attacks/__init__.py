"""Files made to break a reader."""
