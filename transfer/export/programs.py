"""The programs of a bundle: they predict and check, and need nothing of ours."""

from importlib import metadata, resources
from pathlib import Path

from transfer.datasets.revision import Kind
from transfer.export import catalogue

#: Packages that read files of each kind.
READERS: dict[Kind, tuple[str, ...]] = {
    "images": ("numpy", "pillow", "pi-heif"),
    "sounds": ("numpy", "soundfile"),
}


def write(folder: Path, chosen: catalogue.Format, kind: Kind = "images") -> None:
    """predict.py and what it needs; nothing of it imports our package."""
    bundled = resources.files("transfer.export.bundled")
    for name, to in (
        ("predict.py", "predict.py"),
        ("verify.py", "verify.py"),
        (f"runner_{chosen.name}.py", "runner.py"),
        (f"reader_{kind}.py", "reader.py"),
    ):
        content = bundled.joinpath(name).read_text("utf-8")
        (folder / to).write_text(content, "utf-8")
    texts = hearing() if kind == "sounds" else decoding()
    for name, text in texts.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    packages = sorted({*chosen.packages, *READERS[kind]})
    # The very versions that the certificate was measured with.
    pinned = [f"{name}=={metadata.version(name)}\n" for name in packages]
    (folder / "requirements.txt").write_text("".join(pinned), "utf-8")


def decoding() -> dict[str, str]:
    """The programs that decode pictures, without our package, by their paths.

    All that lies in `pixels/` comes along, so that what is split there once more is
    not forgotten here.
    """
    ours = resources.files("transfer.datasets")
    texts = {
        f"pixels/{one.name}": one.read_text("utf-8")
        for one in ours.joinpath("pixels").iterdir()
        if one.name.endswith(".py")
    }
    texts["decoding.py"] = ours.joinpath("decoding.py").read_text("utf-8")
    moved = {"transfer.datasets.pixels": "pixels", "transfer.errors": "pixels.errors"}
    for old, new in moved.items():
        texts = {name: text.replace(old, new) for name, text in texts.items()}
    return {**texts, "pixels/errors.py": _errors()}


def hearing() -> dict[str, str]:
    """The programs that draw sounds, without our package, by their paths."""
    ours = resources.files("transfer.datasets").joinpath("sounds")
    texts = {
        f"sounds/{one.name}": one.read_text("utf-8")
        .replace("transfer.datasets.sounds", "sounds")
        .replace("transfer.errors", "sounds.errors")
        for one in ours.iterdir()
        if one.name.endswith(".py")
    }
    return {**texts, "sounds/errors.py": _errors()}


def _errors() -> str:
    error = resources.files("transfer.export.bundled").joinpath("errors.py")
    return error.read_text("utf-8")
