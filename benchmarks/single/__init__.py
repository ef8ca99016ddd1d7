"""One prediction at a time: the compiled models, and the tutorial's way of calling a forest."""
