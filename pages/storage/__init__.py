"""Parts of the page Storage."""
