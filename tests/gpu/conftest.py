"""What runs on the pretended card is collected in a process of its own."""

collect_ignore = ["card.py", "counts.py", "faults.py", "functions.py", "steps.py"]
