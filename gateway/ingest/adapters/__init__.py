"""Third-party sensors: messages of other projects, mapped to unsigned readings."""
