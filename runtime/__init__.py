"""How a process lives: configuration, errors, actor, database, gRPC, bus, logs, health.

Holds no customs word and imports nothing of documents, filing or the services.
"""
