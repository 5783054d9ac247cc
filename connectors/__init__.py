"""Source connectors: connect, authenticate, subscribe, stamp, push. One folder a feed."""
