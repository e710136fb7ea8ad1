"""The command line: one module per noun, each adding its commands to the parser."""
