"""Where things come in. Each door hands bytes to intake.Intake and answers when they are durable."""
