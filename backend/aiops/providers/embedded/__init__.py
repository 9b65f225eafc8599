"""The provider that needs no account, no GPU and no download: flite or espeak-ng, pocketsphinx, and Pillow.

Nothing is imported here: the child process starts through this package, and its start is part of every job.
"""
