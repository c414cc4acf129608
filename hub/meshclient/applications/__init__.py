"""What programs outside of the Mesh use of an account: SSH, mail, git and passwords of other managers."""
