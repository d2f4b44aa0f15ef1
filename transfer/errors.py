"""Every error that a user can see.

TransferError
├── ConfigError             a setting is out of its limits
├── NotFoundError           no dataset, run or class of that name
├── NameTakenError          that dataset exists already
├── NotAllowedError         somebody may not do this, or has not signed in
├── TooOftenError           somebody asks for too much in too short a time
├── LimitError              somebody has as much as they may have
├── DatasetError            a folder or zip that cannot become a dataset
├── ImageError              one file that cannot be read as a picture
│   └── SoundError          or as a sound, where the dataset has sounds
├── BackboneError           unknown backbone, or an image size that it cannot take
│   └── WeightsError        pretrained weights that are missing or do not fit
├── FreezeError             a freeze plan that does not fit the backbone
├── StorageError            the disk is full or the workspace cannot be written
├── RunError                a run that cannot do what was asked of it now
│   └── TrainingError       training itself failed: not finite, out of memory
└── UploadError             an upload that was refused
    └── UploadTooLargeError a file or piece beyond the limit
"""


class TransferError(Exception):
    """An error that a user caused or can mend.

    Args:
        message: What happened, with the values that were seen and what was expected.
        hint: How to mend it, as one sentence; empty where the message says it all.
    """

    #: Exit status of the command line: 2 for wrong use, 1 for a failure.
    exit_status = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class ConfigError(TransferError):
    """A setting is out of its limits; the message lists every such setting."""

    exit_status = 2


class NotFoundError(TransferError):
    """There is no dataset, run or file of that name."""

    exit_status = 2


class NameTakenError(TransferError):
    """A dataset of that name exists already."""

    exit_status = 2


class NotAllowedError(TransferError):
    """Whoever asks may not do this, or has not signed in."""


class TooOftenError(TransferError):
    """Somebody asks for too much in too short a time.

    Args:
        wait: Seconds after which it can be asked for again.
    """

    def __init__(self, message: str, hint: str = "", wait: int = 1) -> None:
        super().__init__(message, hint)
        self.wait = wait


class LimitError(TransferError):
    """Somebody has as much as they may have; nothing that was there is lost."""


class DatasetError(TransferError):
    """The folder or zip cannot become a dataset."""


class ImageError(TransferError):
    """One file cannot be read as a picture."""


class SoundError(ImageError):
    """One file cannot be read as a sound."""


class BackboneError(TransferError):
    """The backbone is unknown or cannot take this image size."""

    exit_status = 2


class WeightsError(BackboneError):
    """The pretrained weights are missing, broken or of another model."""

    exit_status = 1


class FreezeError(TransferError):
    """The freeze plan does not fit the backbone."""

    exit_status = 2


class StorageError(TransferError):
    """The disk is full or the workspace cannot be written."""


class RunError(TransferError):
    """The run cannot do what was asked of it in its present state."""


class TrainingError(RunError):
    """Training itself failed."""


class UploadError(TransferError):
    """An upload was refused."""


class UploadTooLargeError(UploadError):
    """A file of an upload, or one piece of it, is beyond the limit."""
