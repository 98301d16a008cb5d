"""Workbooks: the blank template, reading an uploaded one, and the same one with the wrong cells marked."""
