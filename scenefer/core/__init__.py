"""Foundations that all other packages use: errors, tables and their schema, films, times, files, texts, settings."""
