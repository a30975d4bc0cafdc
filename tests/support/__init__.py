"""Helpers of several test files: inputs, oracles, processes in which something fails."""
