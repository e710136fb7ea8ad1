"""What hangs on `env`: one face each, with a cloud implementation and an embedded one behind it."""
