"""Comparison of intended with detected emotions, per scene and per film, and of one run with another."""
