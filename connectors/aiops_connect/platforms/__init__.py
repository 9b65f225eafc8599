"""One folder for each platform, found by its being here."""
