"""Data sets from their official sources: what there is, one download, a folder of them."""
