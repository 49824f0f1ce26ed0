"""Another maker's voice agent with our models, called by our client beside our own server."""
