"""Who may fetch what: signed links."""
