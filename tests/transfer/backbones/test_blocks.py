"""Cuts and blocks of small graphs, drawn by hand."""

from transfer.backbones import blocks
from transfer.backbones.blocks import Operation


def graph(*operations: tuple[str, str]) -> list[Operation]:
    """A graph out of names and the names they read; `*` marks weights."""
    names = [name.strip("*") for name, _ in operations]
    return [
        Operation(
            name=name.strip("*"),
            has_weights=name.endswith("*"),
            inputs=tuple(names.index(source) for source in sources.split()),
        )
        for name, sources in operations
    ]


RESIDUAL = graph(
    ("pixels", ""),
    ("Conv1*", "pixels"),
    ("block_1_expand*", "Conv1"),
    ("block_1_project*", "block_1_expand"),
    ("add", "Conv1 block_1_project"),
    ("Conv_1*", "add"),
    ("relu", "Conv_1"),
)


def test_cut_positions__none_inside_a_residual_block() -> None:
    assert blocks.cut_positions(RESIDUAL) == [0, 1, 4, 5, 6]


def test_cut_positions__one_tensor_read_twice_is_one_tensor() -> None:
    square = graph(("x", ""), ("relu", "x"), ("multiply", "relu relu"))
    assert blocks.cut_positions(square) == [0, 1, 2]


def test_cut_positions__two_inputs_carried_along() -> None:
    cells = graph(("x", ""), ("a", "x"), ("b", "x a"), ("c", "a b"), ("d", "b c"))
    assert blocks.cut_positions(cells) == [0, 4]


def test_name_blocks__unnamed_addition_joins_its_block() -> None:
    named = blocks.name_blocks(RESIDUAL, "MobileNetV2")
    assert named == ["stem"] * 2 + ["block_1"] * 3 + ["top"] * 2


def test_name_blocks__stem_without_weights_joins_the_first_block() -> None:
    vgg = graph(("pixels", ""), ("scaling", "pixels"), ("block1_conv1*", "scaling"))
    assert blocks.name_blocks(vgg, "VGG") == ["block1"] * 3


def test_name_blocks__activation_between_blocks_joins_the_one_below() -> None:
    named = blocks.name_blocks(
        graph(
            ("pixels", ""),
            ("block1_conv1*", "pixels"),
            ("activation", "block1_conv1"),
            ("block2_conv1*", "activation"),
            ("activation_1", "block2_conv1"),
        ),
        "VGG",
    )
    assert named == ["block1"] * 3 + ["block2"] * 2


def test_name_blocks__cells_that_share_a_segment() -> None:
    """NASNet's cells read the two before them, so no cut parts them."""
    named = blocks.name_blocks(
        graph(
            ("stem_conv1*", ""),
            ("normal_conv_1_0*", "stem_conv1"),
            ("activation", "stem_conv1 normal_conv_1_0"),
            ("normal_conv_1_1*", "activation"),
            ("normal_concat_1", "normal_conv_1_1 normal_conv_1_0"),
        ),
        "NASNet",
    )
    assert named == ["stem", "cell_0", "cell_1", "cell_1", "cell_1"]


def test_contiguous_order__gathers_blocks() -> None:
    crossed = graph(("a", ""), ("b", "a"), ("c", "a"), ("d", "b"), ("e", "c d"))
    order = blocks.contiguous_order(crossed, ["A", "B", "C", "B", "C"])
    assert order == [0, 1, 3, 2, 4]


def test_contiguous_order__circle_keeps_the_given_order() -> None:
    chain = graph(("a", ""), ("b", "a"), ("c", "b"))
    assert blocks.contiguous_order(chain, ["A", "B", "A"]) == [0, 1, 2]
