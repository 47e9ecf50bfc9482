"""Sources that somebody else keeps: fetched, verified, kept on disk, and put in force while calls go on."""
