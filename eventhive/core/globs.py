"""Patterns of event names; loaded where one is used."""


def glob_match(name: str, pattern: str) -> bool:
    """True when the whole name matches the glob: '*' is any run of characters (separators too), '?' any single one."""
    at = here = mark = 0
    star = -1
    while at < len(name):
        one = pattern[here : here + 1]
        if one == "*":
            star, mark = here, at
            here += 1
        elif one and one in ("?", name[at]):
            here += 1
            at += 1
        elif star >= 0:
            mark += 1
            here, at = star + 1, mark
        else:
            return False
    return not pattern[here:].strip("*")
