"""The shared server side of services that own documents: tables, use cases, RPC, events.

A service gives it a registry of types and wires it up; nothing here knows a particular type.
"""
