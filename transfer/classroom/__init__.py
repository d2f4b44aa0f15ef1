"""A class: who gets on how, what is handed out, the hidden test set, a first lesson."""
