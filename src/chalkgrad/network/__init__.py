"""Networks of layers over one flat vector of weights."""
