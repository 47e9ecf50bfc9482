"""The company's telephone policy as a document, written from the configuration: begin with `compose.py`.

What the document says about calls is read from what decides calls. Each rule is stated once, in a paragraph with a name
of its own that cites the clauses it keeps, so that a change of one rule is a change of its paragraph.
"""
