"""The server's doors, a file each: every one makes a router from the settings and the state."""
