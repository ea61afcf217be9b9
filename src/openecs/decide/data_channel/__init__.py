"""The data channel between the Session Manager plugin and a command in a container."""
