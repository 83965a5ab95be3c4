"""Other systems that are told of what is done here; imported only when they are asked for."""
