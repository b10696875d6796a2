"""The ways to reach people: each module here that declares a `@channel` is one."""
