"""Networks that find faces."""
