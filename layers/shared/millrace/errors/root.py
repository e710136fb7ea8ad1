"""What all of our errors have in common."""


class MillraceError(Exception):
    """The root: everything we raise on purpose."""
