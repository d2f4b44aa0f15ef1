"""What came of a run, in words: the figure that it is judged by, and what to know."""

from collections.abc import Mapping
from typing import Any, Protocol

from transfer.store.record import Outline
from transfer.store.status import JobStatus


class Judged(Protocol):
    """A run, or the summary of one."""

    @property
    def status(self) -> JobStatus: ...
    @property
    def config(self) -> Outline: ...
    @property
    def result(self) -> Mapping[str, Any]: ...


#: What a phase is called.
PHASES = {"head": "head", "fine_tune": "fine-tuning"}
#: What the measures are called that a run can be judged by.
TITLES = {
    "accuracy": "Val top-1 accuracy",
    "balanced_accuracy": "Val balanced accuracy",
}
#: Classes are skewed where always naming the largest is right so much more often than
#: it would be if all were of one size.
_SKEWED = 0.1


def measure(run: Judged) -> str:
    """What its best epoch is chosen by, and so what it is judged by.

    `balanced_accuracy` where classes are weighted, unless the run ended when that was
    not measured yet; else `accuracy`.
    """
    weighted = run.config.class_weights != "none"
    measured = not run.result or "val_balanced_accuracy" in run.result
    return "balanced_accuracy" if weighted and measured else "accuracy"


def headline(run: Judged) -> float | None:
    """The figure that it is judged by, in [0, 1]; `None` where there is none."""
    value = run.result.get(f"val_{measure(run)}")
    return None if value is None else float(value)


def beside_headline(run: Judged) -> str:
    """What the headline is to be held against; empty where it speaks for itself."""
    largest = run.result.get("val_largest_class")
    if headline(run) is None or not largest:
        return ""
    if measure(run) == "accuracy":
        return f"{naming_largest(largest)}." if is_skewed(largest) else ""
    return (
        f"Top-1 accuracy {run.result['val_accuracy']:.1%}. {naming_largest(largest)} "
        f"and {largest['balanced_accuracy']:.1%} balanced."
    )


def headline_in_words(run: Judged) -> str:
    """The headline in few words, for a line among others; empty where there is none."""
    value, balanced = headline(run), measure(run) != "accuracy"
    if value is None:
        return ""
    words = f"val {value:.1%}" + (" balanced" if balanced else "")
    if not beside_headline(run):
        return words
    top_1 = f"top-1 {run.result['val_accuracy']:.1%}, " if balanced else ""
    share = run.result["val_largest_class"]["accuracy"]
    return f"{words} ({top_1}largest class alone {share:.1%})"


def largest_class(counts: Mapping[str, int]) -> dict[str, Any] | None:
    """What always naming the largest class would give; `None` without images.

    Args:
        counts: Number of images of each class, by name.

    Returns:
        The `class`, and the `accuracy` and `balanced_accuracy` of naming it always.
    """
    if not any(counts.values()):
        return None
    name = max(counts, key=lambda one: counts[one])
    share = counts[name] / sum(counts.values())
    classes = sum(count > 0 for count in counts.values())
    return {"class": name, "accuracy": share, "balanced_accuracy": 1 / classes}


def is_skewed(largest: Mapping[str, Any]) -> bool:
    """Whether naming the largest class always looks better than it is."""
    return bool(largest["accuracy"] >= largest["balanced_accuracy"] + _SKEWED)


def naming_largest(largest: Mapping[str, Any]) -> str:
    """What `largest_class` found, as a sentence without its full stop."""
    return (
        f"Always naming “{largest['class']}”, the largest class, would give "
        f"{largest['accuracy']:.1%}"
    )


def remarks(run: Judged) -> list[str]:
    """What else to know of its end: that it came early, was in vain, or is a blend."""
    if early := run.result.get("ended_early"):
        return [f"Ended early: {early}"]
    if run.status is not JobStatus.COMPLETED or run.config.method != "train":
        return []
    epoch, phase = run.result.get("best_epoch"), run.result.get("best_phase")
    both = fine_tunes(run.config)
    found, done = [], run.result.get("epochs_fine_tuned") or 0
    if both and 0 < done < (of := run.config.fine_tune_epochs):
        found += [
            f"Fine-tuning ended after {done} of {of} epochs: no more was to gain."
        ]
    if epoch == 0 and phase == "head":
        gained = "The head phase gained nothing"
        if both:
            gained = f"{gained}, and fine-tuning no more than luck may"
        found += [f"{gained}: {start(run.config)} is kept."]
    elif both and (epoch == 0 or phase == "head"):
        kept = f"epoch {epoch} of the head phase" if epoch else "where it started"
        found += [f"Fine-tuning gained no more than luck may: {kept} is kept."]
    elif blend := run.result.get("best_blend"):
        found += [f"Better on val than each epoch, and so kept: {blend}."]
    return found


def fine_tunes(config: Outline) -> bool:
    """Whether anything but the head trains."""
    return config.freeze != "all" and config.fine_tune_epochs > 0


def start(config: Outline) -> str:
    """Where the head phase starts, in words."""
    if config.start_from:
        return f"the model of run {config.start_from} that it started from"
    if config.head == "linear":
        return "the head in closed form that it started from"
    return "the head of random numbers that it started from"
