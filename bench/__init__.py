"""Benchmarks: figures against their goals, each a ratio or CPU time taken within one run.

Never part of the product; nothing outside this folder imports it.
"""
