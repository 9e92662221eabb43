"""What is remembered: how many, for how long, on disk too."""
