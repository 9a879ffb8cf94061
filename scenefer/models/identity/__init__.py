"""Face recognition networks, which tell people apart."""
