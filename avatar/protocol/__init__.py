"""The wire protocol: typed events, and the adapter between them and the conversation."""
