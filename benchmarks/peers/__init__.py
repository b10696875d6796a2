"""`python -m benchmarks.peers`: the libraries that people would pick instead, at the same work."""
