"""What people look at: metrics, tables, plots, figures and the documents' blocks, from saved runs.

May import: errors, core, config, objectives, scores, data, evaluation, training, kge, saved, serve.
"""
