"""One file for each schema, oldest first. What a released one says is never changed."""
