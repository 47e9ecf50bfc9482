"""What callers hear: the sentences, how each language puts them together, and the recordings of both.

A pure room: words and files, no event loop. Begin with `compose.say`.
"""
