"""Waiting lines and the agents who serve them: pure. Events and the time in; commands and the next deadline out."""
