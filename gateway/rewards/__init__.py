"""The catalog: rewards and their types, products, competitions, code pools."""
