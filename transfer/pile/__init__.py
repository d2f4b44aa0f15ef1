"""Pictures without labels beside a dataset, which are sorted into its classes."""
