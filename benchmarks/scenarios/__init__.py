"""What is measured, one file for each target of docs/performance.md."""
