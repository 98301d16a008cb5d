"""The one error of the tools: a sentence for the person at the terminal.

Never carries a secret; a traceback is only for what nobody foresaw.
"""

from __future__ import annotations


class ToolError(Exception):
    """Something a person can mend. The text names the thing, what is wrong with it and the way out."""
