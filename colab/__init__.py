"""Notebooks that open in Colab, and what executes them; see `colab.run`."""
