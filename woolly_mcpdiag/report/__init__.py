"""One Report, and the renderers that turn it into text, pages, files and tables."""
