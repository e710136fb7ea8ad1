"""Plays RunPod, a provider of GPUs, on this machine: its documented API, and its faults on demand."""
