"""The list service: logistics, export lists, returns and summaries."""
