"""The sequence account of FastPath: what came, what is missing, what is held back, what is asked for again."""
