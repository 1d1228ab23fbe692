"""Languages checks are written in, one leaf each; `compile` makes `CheckSpec`s of rules in any of them."""
