"""Real servers for the tests: one leaf per server, started when a test first asks for it.

Where a server comes from, in this order: a URL in the environment, a binary on the machine, what
`python -m tests.services install` put into `.services/`; else the test is skipped loudly, or fails when
`DATIVO_REQUIRE_SERVICES=1`.
"""
