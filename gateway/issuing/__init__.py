"""Issuing: one or many rewards to one member, who may pay for them."""
