"""A headless client: a real WebRTC call with a recorded voice as the microphone.

It measures what a person at the other end would hear and see, and believes nothing that the
server says about itself. `presencia call` and `presencia bench` are built on it.
"""
