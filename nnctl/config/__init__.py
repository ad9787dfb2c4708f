"""The experiment file: its root, its loading, its schema."""
