"""Documents on paper: the printed form of one, and the table of many. Pure: values in, bytes of a PDF out.

What stands where follows from the declaration; no kind has a layout of its own.
"""
