"""Other ways to do the same work, as well as their users would."""
