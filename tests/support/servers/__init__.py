"""Servers on loopback that tests read from and write to: stores of objects, with faults where a test wants them."""
