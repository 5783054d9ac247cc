"""Cut a JSON array into its elements by structure alone, so that junk in one element leaves the others whole."""

import re
from typing import Final

JSON_SPACE: Final = " \t\n\r"

# A string (to the end of the text if it is never closed) or a mark of structure. Possessive: no backtracking, so
# megabytes of quotes cost no more than other megabytes.
_TOKEN = re.compile(r'"[^"\\]*+(?:\\(?:.|\Z)[^"\\]*+)*+(?:"|\Z)|[\[\]{},]', re.DOTALL)
_OPENER = {"]": "[", "}": "{"}


def split_array(text: str) -> list[str]:
    """Return the elements of the array in ``text`` exactly as they stand there, without the space around them.

    The text may be broken: a closing mark that fits no open one is junk of its element, the outermost array ends
    only with the text, and what is never closed reaches to the end. Valid JSON is cut as any reader would.

    Args:
        text: Begins with ``[``; bytes that are not UTF-8 may stand in it as surrogates.
    """
    end = len(text)
    parts: list[str] = []
    open_marks: list[str] = []
    open_inside = {"[": -1, "{": 0}  # how many are open below the array itself
    start = 1
    for token in _TOKEN.finditer(text):
        mark = token.group()
        if mark in open_inside:
            open_marks.append(mark)
            open_inside[mark] += 1
        elif mark == ",":
            if len(open_marks) == 1:
                parts.append(text[start : token.start()].strip(JSON_SPACE))
                start = token.end()
        elif mark in _OPENER:
            if token.end() == end:
                if mark == "]":
                    end = token.start()
            elif open_inside[_OPENER[mark]] > 0:
                closed = ""
                while closed != _OPENER[mark]:
                    closed = open_marks.pop()
                    open_inside[closed] -= 1
    last = text[start:end].strip(JSON_SPACE)
    if last or parts:
        parts.append(last)
    return parts
