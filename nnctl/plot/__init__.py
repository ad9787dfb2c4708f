"""Pictures of runs and models, with the extra `[plot]`.

What is drawn is computed first, in plain arrays; Matplotlib is imported only inside the functions that draw.
"""
