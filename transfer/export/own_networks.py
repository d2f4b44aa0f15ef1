"""Our own networks as source, for programs that work without this package."""

import re
from collections.abc import Collection
from importlib import resources

#: What a program may need, in order: a module of the backbones, and its last import, at
#: which its body begins; the program has the imports itself.
_MODULES = {
    "package": ("torch_file.py", "import numpy as np\n"),
    "lite": ("efficientnet_lite.py", "from keras import layers\n"),
}


def source(needed: Collection[str]) -> str:
    """The bodies of what is needed, one after the other.

    Args:
        needed: `package` for the reader of weights that lie in one, `lite`; others are
            passed over.
    """
    folder, written = resources.files("transfer.backbones"), ""
    for name, last_import in [_MODULES[one] for one in _MODULES if one in needed]:
        text = folder.joinpath(name).read_text("utf-8")
        written += text.partition(last_import)[2].strip() + "\n\n\n"
    return re.sub(r" +# noqa.*", "", written)
