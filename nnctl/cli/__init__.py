"""The command line: one file a command; `_console` is the only module that prints."""
