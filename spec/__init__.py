"""The laws and what they speak of; pure, knows no engine."""
