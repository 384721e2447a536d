"""What a user holds: a loaded, perhaps cropped, model that scores and predicts by label. Asking it loads no JAX.

May import: errors, core, scores, data, saved.
"""
