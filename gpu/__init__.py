"""The render worker: it runs on a rented GPU, far from the platform, and needs nothing but links."""
