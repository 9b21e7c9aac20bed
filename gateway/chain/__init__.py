"""A keyed chain over what was done: who edits, deletes, reorders or cuts off what it covers is found out."""
