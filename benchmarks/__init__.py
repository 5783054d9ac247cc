"""The same job on tricast's engine and on its peers, side by side (`make bench`)."""
