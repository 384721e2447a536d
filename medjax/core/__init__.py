"""What every room builds on: widths, declared axes and cropping, prefix sums, rows of tables, settings of the process.

May import: errors.
"""
