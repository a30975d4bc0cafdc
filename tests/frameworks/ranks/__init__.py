"""Scripts that torchrun starts, one process for each rank."""
