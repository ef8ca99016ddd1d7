"""The tutorial as it was published, and ours on the very same rows."""
