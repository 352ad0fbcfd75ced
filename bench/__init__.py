"""How fast the watcher is: whole processes side by side on an AWS embedded in this machine."""
