"""Storage: what was deleted and can be restored."""

from pages.shared import room, shell
from pages.storage import trash

shell.begin_page("Storage", "What was deleted, and can still be restored.")
room.show("disk", "images")
trash.show()
