"""The health checks, one a module; each is found by being here."""
