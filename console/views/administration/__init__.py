"""Users, devices, courses and the workspace: for administrators."""
