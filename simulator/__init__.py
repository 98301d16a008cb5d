"""The customs side for demo and tests: receives, checks with its own code, judges, answers.

Never part of a production deployment, and never a user of the product's own packages: a mapping mistake
made on one side must show on the other.
"""
