"""One film from its file to its report: the plan, the caches, the locks, the executors."""
