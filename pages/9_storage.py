"""Storage: what takes room, what was deleted, and what may go."""

from pages.shared import room, shell
from pages.storage import clean_up, trash

shell.begin_page("Storage", "What was deleted and can be restored; what may go.")
room.show("disk", "images")
trash.show()
clean_up.show()
clean_up.show_people()
