"""The stages from the pixel pass to a scene's percentages, each from tables to tables. Read ``stages.py`` first."""
