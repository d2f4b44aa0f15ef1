"""What programs may ask the server: routes, their description, lines that use them."""
