"""Frozen records shared by every room.  Nothing here does anything; nothing here imports another room."""
