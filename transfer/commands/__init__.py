"""What the longer words of the command line do; `__main__` names them all."""
