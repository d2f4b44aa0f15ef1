"""What is told of files that are no pictures, or no sounds."""


class ImageError(Exception):
    """One file cannot be read as a picture.

    Args:
        message: What happened.
        hint: How to mend it.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".strip())


class SoundError(ImageError):
    """One file cannot be read as a sound."""
