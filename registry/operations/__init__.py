"""What the registry can do, by noun: each class asks the state, or sends one command through the writer."""
