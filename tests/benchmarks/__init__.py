"""What `./run bench` measures, and with what."""
