"""How the starter's weights were made: its training on Tiny ImageNet."""
