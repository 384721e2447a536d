"""What one croppable model serves in several places at once: shops, their graphs, and applications on them.

A user of the public API: it knows files and tables of shops, and nothing of how a model is trained. May import: medjax,
errors, core, config, data, saved, serve, report, experiments.
"""
