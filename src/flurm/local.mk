# src/flurm: FLURM's HTTP API, both ends, and FLURM's own wire formats.
# (No file yet.)
