"""Line search: steps that ask the loss how far to go."""
