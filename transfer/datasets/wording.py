"""What the files of a dataset are called, in whatever is said of them.

Sentences are made with these words before names of classes and files come into them:
to reword a finished one would reword those names too.
"""

from typing import NamedTuple

from transfer.datasets.revision import Kind


class Words(NamedTuple):
    """Words for the files of datasets of one kind.

    Attributes:
        image: One of them.
        images: Several.
        an_image: One, with its article.
        picture: One, as people speak of it.
        pictures: Several.
        photograph: One that somebody makes or has at hand.
        photographs: Several.
        pixels: What a network is given of them.
        size: The measure of that.
    """

    image: str
    images: str
    an_image: str
    picture: str
    pictures: str
    photograph: str
    photographs: str
    pixels: str
    size: str

    def so_many(self, number: int) -> str:
        """So many of them: `1 image`, `1,234 images`."""
        return f"{number:,} {self.image if number == 1 else self.images}"

    @property
    def same_as(self) -> str:
        """How the reason begins for which a file that came twice is passed over."""
        return f"The same {self.picture} as "

    def fill(self, text: str) -> str:
        """The text with the words in the place of their names: `All {images}`."""
        return text.format_map(self._asdict())


WORDS: dict[Kind, Words] = {
    "images": Words(
        image="image",
        images="images",
        an_image="an image",
        picture="picture",
        pictures="pictures",
        photograph="photograph",
        photographs="photographs",
        pixels="pixels",
        size="image size in pixels",
    ),
    "sounds": Words(
        image="recording",
        images="recordings",
        an_image="a recording",
        picture="recording",
        pictures="recordings",
        photograph="recording",
        photographs="recordings",
        pixels="spectrograms",
        size="size of the spectrograms",
    ),
}
