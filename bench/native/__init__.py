"""What calls of native applications cost: an application, its host program, and the floor that both stand beside."""
