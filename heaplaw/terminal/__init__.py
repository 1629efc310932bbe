"""What a reader sees: pages of a width, text with roles, and the same text in colour where there is a terminal."""
