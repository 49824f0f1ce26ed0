"""What the calls were like, for those who run the server: metrics and traces, never words."""
