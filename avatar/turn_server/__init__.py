"""coturn as the relay of our calls: its configuration, and its set-up on Debian."""
