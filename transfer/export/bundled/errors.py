"""What is told of files that are no pictures, or no sounds."""


class TransferError(Exception):
    """What is told to whoever runs the program.

    Args:
        message: What happened.
        hint: How to mend it.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".strip())


class ImageError(TransferError):
    """One file cannot be read as a picture."""


class SoundError(ImageError):
    """One file cannot be read as a sound."""
