"""Storage: what takes room, what was deleted, and what may go."""

from pages.shared import room, shell
from pages.storage import clean_up, on_disk, trash

shell.begin_page("Storage", "What was deleted and can be restored; what may go.")
room.show("disk", "images")
on_disk.show()
trash.show()
clean_up.show()
clean_up.show_people()
