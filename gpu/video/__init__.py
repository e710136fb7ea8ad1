"""Reading, changing and writing videos, one picture at a time."""
