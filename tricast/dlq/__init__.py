"""Dead letters: what there is, what one says, and having it processed again."""
