"""The supervisor: starts everything in topology.toml in order, keeps it running, stops only what it started.

Runs on one machine for people and tests; in production an orchestrator takes its place.
"""
