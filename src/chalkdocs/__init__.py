"""The tools that build and check the site; not in the wheel."""
