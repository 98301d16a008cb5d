"""Local servers for a machine that has none: PostgreSQL, Redis, RabbitMQ and a software HSM.

Each listens on 127.0.0.1 only, on its own free port, with its own random password and data under RUN_DIR.
Never attaches to a server that a variable did not name.
"""
