"""A second, slow and plain implementation of hedges of two legs, sharing no code with the product.

`replay.run(files, config)` gives metrics, trades and equity; `drawn.runs()` draws files and configurations.
"""
