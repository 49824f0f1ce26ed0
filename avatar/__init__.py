"""The service: sessions, conversation, transport, signalling, command line, model store."""
