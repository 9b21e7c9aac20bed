"""The benchmark: the gateway and its peers, in turn, on databases of their own. Not part of the package."""
