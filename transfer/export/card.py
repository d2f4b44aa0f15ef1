"""The model card: what the model is for and what was measured of it.

Its headings are those of Mitchell et al. 2019, Model Cards for Model Reporting,
https://arxiv.org/abs/1810.03993. Nothing stands in it that was not measured or set.
"""

from typing import Any

from transfer.backbones import catalogue
from transfer.backbones.catalogue import Backbone
from transfer.datasets.revision import Revision, Split
from transfer.datasets.sounds import presets
from transfer.datasets.sounds.spectrogram import Spectrogram
from transfer.datasets.wording import WORDS, Words
from transfer.evaluation import certainty, results
from transfer.evaluation.intervals import wilson
from transfer.evaluation.metrics import HEADLINE
from transfer.export import parity
from transfer.store import outcome
from transfer.store.record import Run


def metrics(run: Run, revision: Revision) -> dict[str, Any]:
    """What the run measured on val, and its evaluations that are stored, by split."""
    result, images = run.result, len(revision.of_split("val"))
    found: dict[str, Any] = {
        "val_images": images,
        "val_accuracy": result.get("val_accuracy"),
        "val_balanced_accuracy": result.get("val_balanced_accuracy"),
        "val_largest_class": result.get("val_largest_class"),
        "val_loss": result.get("val_loss"),
    }
    if images and found["val_accuracy"] is not None:
        # From the run's own accuracy, which is there without a stored evaluation too.
        interval = wilson(float(found["val_accuracy"]) * images, images)
        found["val_accuracy_interval_95"] = [round(one, 4) for one in interval[1:]]
    splits: tuple[Split, ...] = ("val", "test")
    # Only what is stored: an export does not wait for another evaluation.
    stored = {split: results.load(run.id, split) for split in splits}
    found["evaluations"] = {
        split: {k: v for k, v in one.summary().items() if k not in ("run", "split")}
        for split, one in stored.items()
        if one
    }
    return found


def text(
    run: Run,
    revision: Revision,
    described: dict[str, Any],
    certificate: parity.Certificate,
) -> str:
    """The card in Markdown.

    Args:
        run: The exported run.
        revision: The images that it learnt from.
        described: What model.json says.
        certificate: What the comparison with the app found.
    """
    words = WORDS[revision.kind]
    sections = {
        "Model details": _details(run, described, words),
        "Intended use": _use(described, words),
        "Factors": _factors(revision),
        "Metrics": _metrics(run, described, words),
        "Training data": _data(revision, "train"),
        "Evaluation data": _data(revision, "val"),
        "Quantitative analyses": _results(run, described, certificate, words),
        "Ethical considerations": _ethics(words),
        "Caveats and recommendations": _caveats(described, certificate, words),
    }
    body = "\n\n".join(f"## {name}\n\n{part}" for name, part in sections.items())
    return f"# Model card: {run.name}\n\n{body}\n"


def _details(run: Run, described: dict[str, Any], words: Words) -> str:
    config, result = run.config, run.result
    known = catalogue.is_known(config.backbone)
    backbone = catalogue.get(config.backbone) if known else None
    licence = backbone.licence if backbone else catalogue.GONE.get(config.backbone)
    trained = result.get("trainable_parameters") or 0
    frozen = result.get("frozen_parameters") or 0
    return (
        f"- Classifier of {words.images} with {len(described['class_names'])} "
        f"classes, made with Transfer Studio (run {run.id}).\n"
        f"- Backbone: {catalogue.title(config.backbone)}, weights `{config.weights}`, "
        f"licence of its pretrained weights: {licence or 'unknown'}."
        f"{_source(backbone)}\n"
        f"{_input(run, described)}\n"
        f"- Method: {_method(run)}.\n"
        f"- Freeze plan: `{config.freeze}`; {trained:,} parameters trained, {frozen:,} "
        "stayed as they were.\n"
        f"- Augmentation: `{config.augmentation}`; label smoothing "
        f"{config.label_smoothing:g}; class weights `{config.class_weights}`; seed "
        f"{config.seed}.\n"
        f"- Temperature of its probabilities: {described['temperature']:g} "
        "(Guo et al. 2017).\n"
        f"- File: `{described['file']}` ({described['format']}, quantisation "
        f"{described['quantize']})."
    )


def _input(run: Run, described: dict[str, Any]) -> str:
    height, width = described["input"]["shape"][1:3]
    if isinstance(how := run.rendering, Spectrogram):
        return (
            f"- Input: log-mel spectrograms of {how.seconds:g} s in mono at "
            f"{how.rate:,} Hz: window {1000 * how.window:g} ms (Hann), hop "
            f"{1000 * how.hop:g} ms, {how.bands} bands from {how.low:g} to "
            f"{how.high:g} Hz, {how.decibels:g} dB from the loudest to the floor; "
            f"drawn at {height} × {width}. {' '.join(presets.in_words(how))}"
        )
    return (
        f"- Input: RGB images of {height} × {width} pixels; pictures of another shape: "
        f"{described['preprocessing']['resize']['how']} (`{run.config.resizing}`)."
    )


def _source(backbone: Backbone | None) -> str:
    """Where pretrained weights that Keras does not have come from."""
    if not backbone or not backbone.weights_package:
        return ""
    return (
        f" They are those of the package {backbone.weights_package}, SHA-256 "
        f"{backbone.weights_hash}."
    )


def _method(run: Run) -> str:
    config = run.config
    if config.method == "instant":
        return "the head in closed form (ridge regression) on the frozen backbone"
    if config.method == "source":
        return "the source model's own classification layer, nothing trained"
    phases = f"{config.head_epochs} epochs of the head on the frozen backbone"
    # With all frozen the second phase is passed over, whatever it was set to.
    if config.freeze != "all" and config.fine_tune_epochs:
        phases += f", then {config.fine_tune_epochs} epochs of the unfrozen layers too"
    by = outcome.TITLES[outcome.measure(run)].lower()
    remarks = "".join(f" {one}" for one in outcome.remarks(run))
    return f"{phases}; the best epoch by {by} was kept.{remarks}".removesuffix(".")


def _use(described: dict[str, Any], words: Words) -> str:
    names = ", ".join(described["class_names"])
    return (
        f"To tell these classes apart: {names}. Every {words.picture} is given one of "
        "them, also one that has none of them."
    )


def _factors(revision: Revision) -> str:
    taken = "Voice, microphone" if revision.kind == "sounds" else "Light, camera"
    return (
        f"{taken}, background and the way the {WORDS[revision.kind].pictures} were "
        "chosen were not recorded, so results were not measured apart for them."
    )


def _metrics(run: Run, described: dict[str, Any], words: Words) -> str:
    threshold = described["threshold"]
    decided = (
        "The first guess counts; no threshold was set."
        if threshold is None
        else f"Answers below a probability of {threshold} count as unsure."
    )
    weighted = (
        "Balanced accuracy (the mean of the classes' recalls), for classes were "
        "weighted in training; top-1"
        if outcome.measure(run) != "accuracy"
        else "Top-1"
    )
    return (
        f"{weighted} accuracy on val {words.images}, its 95 % interval Wilson's. "
        f"{decided}"
    )


def _data(revision: Revision, split: str) -> str:
    counts = {name: by[split] for name, by in revision.counts().items()}  # type: ignore[index]
    of = WORDS[revision.kind].images
    rows = "\n".join(f"| {name} | {count} |" for name, count in counts.items())
    return (
        f"Split `{split}` of the dataset {revision.title}, revision {revision.id}: "
        f"{sum(counts.values())} {of}.\n\n| Class | {of.capitalize()} |\n|---|---|\n"
        f"{rows}"
    )


def _results(
    run: Run,
    described: dict[str, Any],
    certificate: parity.Certificate,
    words: Words,
) -> str:
    found = described["metrics"]
    accuracy = found["val_accuracy"]
    lines = [certainty.in_words(run) or f"The run had no val {words.images}."]
    # Without val images the card says so; it never shows train accuracy instead.
    if accuracy is not None:
        low, high = found.get("val_accuracy_interval_95", (0.0, 1.0))
        lines = [
            f"- Val accuracy: {accuracy:.2%} (95 % interval {low:.2%} to {high:.2%}, "
            f"{found['val_images']} {words.images}). The best epoch was chosen on the "
            f"same {words.images}, which makes it look a little better than it is.",
        ]
        if outcome.measure(run) != "accuracy":
            lines.append(f"- Val balanced accuracy: {outcome.headline(run):.2%}.")
    if beside := outcome.beside_headline(run):
        lines.append(f"- {beside}")
    if found.get("val_loss") is not None:
        lines.append(f"- Val loss: {found['val_loss']:.4f} nats.")
    for split, figures in found["evaluations"].items():
        lines += _figures_of_split(split, figures, words)
    lines += [
        f"- The exported file against the app, on {certificate.images} "
        f"{certificate.split} {words.images}: same first guess for "
        f"{certificate.agreement:.2%}, largest difference of a probability "
        f"{certificate.largest_difference:.2g}, "
        f"{'within' if certificate.agrees else '**NOT WITHIN**'} what is allowed.",
        f"- {certificate.bytes:,} bytes; {certificate.milliseconds_per_image:g} ms per "
        f"{words.image}, one at a time, on the machine that exported it.",
    ]
    return "\n".join(lines)


def _figures_of_split(split: str, figures: dict[str, Any], words: Words) -> list[str]:
    """The stored figures of one split, and of each of its classes."""
    headline = ", ".join(
        f"{name.replace('_', ' ')} {_interval(figures[name])}" for name in HEADLINE
    )
    lines = [f"- On {figures['images']} {split} {words.images}: {headline}."]
    before, after = figures["calibration_error"], figures["calibration_error_scaled"]
    if before is not None and after is not None:
        lines.append(
            f"- Expected calibration error on {split}: {before:.2%} before, "
            f"{after:.2%} after temperature scaling."
        )
    lines += [
        f"  - {name}: precision {_interval(one['precision'])}, "
        f"recall {_interval(one['recall'])}, F1 {_interval(one['f1'])}, "
        f"{one['images']} {words.images}."
        for name, one in figures["classes"].items()
    ]
    return lines


def _interval(figure: dict[str, float | None]) -> str:
    # A class without images, or one that nothing was taken for.
    if figure["value"] is None:
        return "not known"
    return f"{figure['value']:.2%} ({figure['low']:.2%} to {figure['high']:.2%})"


def _ethics(words: Words) -> str:
    return (
        f"The classes and their {words.pictures} are the author's; whether "
        f"{words.pictures} of people may be classified, and who could be harmed by a "
        f"wrong answer, was not examined. The folder `golden` holds {words.pictures} "
        "of the dataset: remove it before sharing the bundle if they must stay private."
    )


def _on_reading(described: dict[str, Any]) -> str:
    if "spectrogram" in described["preprocessing"]:
        return (
            "- Draw sounds with the programs in `sounds/`, or another spectrogram will "
            "change answers."
        )
    return (
        "- Decode pictures with `decoding.py` and its folder `pixels/`, or another "
        "resize will change answers."
    )


def _caveats(
    described: dict[str, Any], certificate: parity.Certificate, words: Words
) -> str:
    lines = [
        f"- {words.pictures.capitalize()} of another kind than those of the dataset "
        "may be answered wrongly with high probability.",
        _on_reading(described),
    ]
    if described["quantize"] != "none":
        lines.append(
            f"- Numbers are stored as {described['quantize']}, so answers differ from "
            "the app's; how much is measured above."
        )
    # Named one by one, so that somebody can look at them.
    if certificate.differing:
        lines.append(
            f"- {len(certificate.differing)} compared {words.images} get another first "
            "guess than in the app; `parity.json` names them."
        )
    return "\n".join(lines)
