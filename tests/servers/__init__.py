"""The outside world: servers on free ports of 127.0.0.1, for tests of whatever layer."""
