"""The command line: one file a command, and no logic that a program could not call as well."""

__all__: list[str] = []
