"""Words the rooms share: array aliases, frozen records, protocols and the error tree.

Nothing here imports another room, opens a file or keeps state.
"""
