"""What benchmarks/clob.py measures with: generated flow, the peers, the floor in C, the timed loops."""
