"""How much is known of how good a run's model is, in words."""

from transfer.datasets.wording import WORDS, Words
from transfer.evaluation.intervals import Interval, wilson
from transfer.store.record import Run

#: An interval this wide leaves open whether a model is of any use.
_WIDE = 0.2


def in_words(run: Run) -> str:
    """From how many images its accuracy is known, and how closely.

    Returns:
        One to three sentences; empty where an older run's record does not say.
    """
    images = run.result.get("val_images")
    accuracy = run.result.get("val_accuracy")
    if images and accuracy is not None:
        found = wilson(accuracy * images, images)
        words = WORDS[run.dataset_kind]
        return _sentence(found, f"on {words.so_many(images)} of val", words)
    return _without_val(run) if images == 0 else ""


def is_little(run: Run) -> bool:
    """Whether so little is known that whoever asks the model should know it."""
    images = run.result.get("val_images")
    accuracy = run.result.get("val_accuracy")
    if images is None or (images and accuracy is None):
        return False
    return not images or _is_wide(wilson(accuracy * images, images))


def too_few(found: Interval, words: Words = WORDS["images"]) -> str:
    """That the interval is wide, as a sentence; empty where it is not."""
    if not _is_wide(found):
        return ""
    return (
        f"So few {words.images} say little: take the figure for a hint, and bring more."
    )


def _without_val(run: Run) -> str:
    accuracy = run.result.get("leave_one_out_accuracy")
    images, words = run.result.get("train_images"), WORDS[run.dataset_kind]
    if accuracy is None or not images:
        return (
            f"Nothing is known of how good it is: no {words.image} is in val, and it "
            "was not judged by leaving one out. Try it on "
            f"{words.pictures} that it has not seen."
        )
    found = wilson(accuracy * images, images)
    on = f"on {words.so_many(images)} of train, each left out once"
    told = _sentence(found, on, words)
    if run.config.method == "train":
        return (
            f"No {words.image} is in val. {told} That is the head in closed form "
            "that it started from; nothing judges what was trained since."
        )
    return f"No {words.image} is in val. {told}"


def _sentence(found: Interval, on: str, words: Words) -> str:
    text = (
        f"Top-1 accuracy {found.value:.1%} {on}: with other {words.pictures} of the "
        f"same kind anything from {found.low:.1%} to {found.high:.1%} would be no "
        "surprise (95 % interval)."
    )
    return f"{text} {too_few(found, words)}".rstrip()


def _is_wide(found: Interval) -> bool:
    return bool(found.high - found.low > _WIDE)
