"""Renvoi: a live SIP call router that makes a company's telephone policy happen, call by call."""

__version__ = "0.1.0"
