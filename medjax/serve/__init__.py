"""What a user holds: a loaded, perhaps cropped, model that scores and predicts by label.

May import: errors, core, scores, data, saved.
"""
