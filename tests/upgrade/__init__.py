"""What older versions left in their changelogs: this version must read it and go on as if it had been there."""
