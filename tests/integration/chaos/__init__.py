"""Real processes, killed and cut by a plan, while hundreds of readers check what they are told.

`python -m tests.integration.chaos --help`; docs/reliability.md says what the report means.
"""
