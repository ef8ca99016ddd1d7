"""Starting runs, and what runs left."""
