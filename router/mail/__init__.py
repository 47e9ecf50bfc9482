"""E-mails that tell of new messages: written and handed in aside, so that no call waits for them (V1)."""
