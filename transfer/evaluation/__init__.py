"""What a run says of a split: figures with their intervals, curves, comparison."""
