"""Measurements of the product against films and truth; nothing in the package imports them."""
