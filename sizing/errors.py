"""Base class of the errors of this package."""


class SizingError(ValueError):
    """Settings that cannot be planned. The message is one sentence: the setting, its value and the way out."""
