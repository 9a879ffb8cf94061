"""Many films: find them, plan the work on each, do it, and combine all their reports."""
