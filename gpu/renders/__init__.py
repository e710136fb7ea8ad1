"""One module for each type of export, and what they share."""
