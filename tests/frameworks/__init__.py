"""recio in the frameworks that train."""
