"""What a service has answered, kept and looked at later."""
