"""The `presencia` command, one module per subcommand."""
