"""All SQL of this service. Every function works inside a transaction of one tenant, opened by the use case."""
