"""What one croppable model serves in several places at once: the data of a shop, of which a graph is made.

A user of the public API: it knows files and tables of shops, and nothing of how a model is trained. May import: medjax,
errors, config, data, saved, experiments.
"""
