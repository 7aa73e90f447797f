"""The cloud's clerk: opens letters in any order, any number of times, and brings the records to the same state."""
