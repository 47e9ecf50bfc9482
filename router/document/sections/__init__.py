"""The chapters, one file for what belongs together; each function writes one section."""
