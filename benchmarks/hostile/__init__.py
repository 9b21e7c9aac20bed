"""What one tenant notices of another that floods: every bound with its figure, in ratios (`make hostile`)."""
