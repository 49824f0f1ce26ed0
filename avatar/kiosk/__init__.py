"""The kiosk: a screen in a hall that looks after itself. docs/kiosk.md is its guide."""
