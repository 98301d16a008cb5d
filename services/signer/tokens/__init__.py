"""Tokens: what can sign, each in processes of its own."""
