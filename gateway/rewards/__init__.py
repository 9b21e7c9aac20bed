"""The catalogue: rewards and their types, products, competitions, code pools."""
