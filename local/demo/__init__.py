"""`make demo`: what a client of Millrace does, done over HTTP and shown."""
