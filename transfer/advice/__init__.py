"""Which backbone for these images, how deep, and at which learning rate."""
