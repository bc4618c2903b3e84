"""What scripts/test runs, and how it counts."""
