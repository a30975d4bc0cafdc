"""Writers that are killed or interrupted, and disks that are full."""
