"""One module for each library: how it is given jobs, and how many it has left.

Each runs in an environment of its own, so it may import the library and the standard library, and
of this project `record` alone.
"""
