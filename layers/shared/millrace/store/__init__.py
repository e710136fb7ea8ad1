"""Tables as verbs. The only room where SQL is written, besides the migrations."""
