"""One HTML file of saved runs, which opens without a network: numbers, charts and questions at every width."""
